"""Similarity, size and motion of bodies, with answers by arithmetic."""

from math import exp, log

import numpy as np
import pytest

from human_pose.decoders.openpose_fields import KEYPOINTS
from human_pose.poses.skeleton import COCO_KEYPOINTS
from human_pose.tracking import motion
from human_pose.tracking.people import People, middle
from human_pose.tracking.similarity import BodyScale, keypoint_similarity, squared_distances, variances
from human_pose.tracking.tracker import belief
from tests.helpers.walkers import BODY_SIZE, person

BODY = person(300).keypoints[None, :, :2].astype(float)
SURE = np.ones(1)


def test_cocos_constants_by_name() -> None:
    # COCO's evaluation, in COCO's order: sigmas of nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles.
    sigmas = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
    assert variances(COCO_KEYPOINTS) == pytest.approx((2 * sigmas) ** 2)
    assert variances(["neck", "tail"]) == pytest.approx(variances(["left_shoulder"]).repeat(2))


def test_the_similarity_of_bodies_apart() -> None:
    variance = variances(KEYPOINTS)
    squared = squared_distances(BODY, BODY + np.array([0.1 * 50, 0]), np.array([50.0]))  # a tenth of a body size
    assert squared == pytest.approx(0.01)
    expected = sum(exp(-0.01 / (2 * value)) for value in variance) / (len(KEYPOINTS) + 1)
    assert keypoint_similarity(squared, variance)[0, 0] == pytest.approx(expected)


def test_few_shared_keypoints_prove_less() -> None:
    one = np.full_like(BODY, np.nan)
    one[0, 0] = BODY[0, 0]
    none = np.full_like(BODY, np.nan)
    squared = squared_distances(BODY, np.concatenate([BODY, one, none]), np.ones(1))
    assert keypoint_similarity(squared, variances(KEYPOINTS))[0] == pytest.approx([18 / 19, 1 / 2, 0])


def test_the_size_of_a_body() -> None:
    scale = BodyScale(KEYPOINTS)
    assert scale.sizes(BODY) == pytest.approx(BODY_SIZE, rel=0.15)
    assert scale.sizes(4 * BODY) == pytest.approx(4 * scale.sizes(BODY))
    trunk = np.full_like(BODY, np.nan)
    for name, place in {"neck": (0, 0), "right_hip": (0, 40), "left_hip": (0, 40)}.items():
        trunk[0, KEYPOINTS.index(name)] = place
    assert scale.sizes(trunk) == pytest.approx(60)  # 1.5 torso lengths
    assert np.isnan(scale.sizes(np.full_like(BODY, np.nan))).all()
    assert np.isnan(scale.sizes(np.zeros_like(BODY))).all()  # all in one point
    assert BodyScale(COCO_KEYPOINTS).sizes(np.full((0, 17, 2), np.nan)).shape == (0,)


def test_a_limb_of_somebody_else_does_not_change_the_size() -> None:
    stretched = BODY.copy()
    for name in ("right_knee", "right_ankle", "left_wrist"):
        stretched[0, KEYPOINTS.index(name)] += 500
    assert BodyScale(KEYPOINTS).sizes(stretched) == pytest.approx(BodyScale(KEYPOINTS).sizes(BODY), rel=0.15)


def test_uncertainty_grows_with_time_not_with_frames() -> None:
    once = motion.later_covariance(motion.first_covariance(1), 1.0)
    often = motion.first_covariance(1)
    for _ in range(60):
        often = motion.later_covariance(often, 1 / 60)
    assert often == pytest.approx(once)
    place = motion.PLACE_NOISE**2 + motion.WALK**2 + motion.TURN / 3
    assert once[0, 0] == pytest.approx(place)


def test_no_time_tells_nothing() -> None:
    before = motion.first_covariance(2)
    share, speed, after = motion.correction(before, np.ones(2), 0.0)
    assert share.tolist() == speed.tolist() == [0, 0]
    assert after == pytest.approx(before)


def test_the_median_of_what_is_there() -> None:
    nan = float("nan")
    moved = np.array([[[1, 5], [3, 1], [nan, nan], [100, 2]], [[1, 1], [2, 2], [3, 3], [4, 8]]])
    assert middle(moved).tolist() == [[3, 2], [2.5, 2.5]]


@pytest.mark.parametrize("fps", [3, 10, 60])
def test_a_walk_is_learnt(fps: int) -> None:
    people = People.seen_first(BODY.copy(), np.array([BODY_SIZE]), 0.0)
    for frame in range(1, 3 * fps + 1):
        people.predict(1 / fps)
        place = BODY + np.array([100, -20]) * frame / fps
        people.see(np.array([0]), place, np.array([BODY_SIZE]), SURE, frame / fps, 1 / fps)
    assert people.velocity[0] == pytest.approx([100, -20], rel=0.05)
    people.predict(2.0)
    assert np.nanmax(np.abs(people.points - (BODY + np.array([500, -100])))) < 0.1 * BODY_SIZE


def test_a_hidden_keypoint_goes_along() -> None:
    people = People.seen_first(BODY.copy(), np.array([BODY_SIZE]), 0.0)
    half = BODY + np.array([30, 0])
    half[0, 10:] = np.nan
    people.predict(1.0)
    people.see(np.array([0]), half, np.array([np.nan]), SURE, 1.0, 1.0)
    moved = people.points - BODY
    assert moved == pytest.approx(np.broadcast_to(moved[0, 0], moved.shape))
    assert 29 < moved[0, 0, 0] < 30
    assert people.size.tolist() == [BODY_SIZE]


def test_a_size_settles() -> None:
    people = People.seen_first(BODY.copy(), np.array([100.0]), 0.0)
    people.see(np.array([0]), BODY, np.array([121.0]), SURE, 0.1, 0.1)
    assert log(people.size[0]) == pytest.approx(log(110))  # half of two sights, of the logarithm


def test_half_as_sure_tells_half_as_much() -> None:
    before = motion.first_covariance(2)
    share, speed, _ = motion.correction(motion.later_covariance(before, 0.01), np.array([1.0, 0.0]), 1.0)
    assert share == pytest.approx([1 / 2, 0], abs=0.02)  # the place was as uncertain as a sight
    assert speed[1] == 0


def test_who_a_pose_is() -> None:
    """Evidence is the logarithm of how much likelier than somebody new: 3 and 4 against 1 for a new person."""
    evidence = np.array([[log(3), 0.0], [log(4), -5.0]])
    assert belief(evidence) == pytest.approx(np.array([[3 / 8, 0], [4 / 8, 0]]))

"""The decoder of one-stage networks on outputs whose people are known."""

import numpy as np
import pytest

from human_pose.decoders.one_stage import (
    DEFAULT_THRESHOLD,
    EVALUATION_THRESHOLD,
    KEYPOINT_THRESHOLD,
    OneStageDecoder,
)
from human_pose.poses.skeleton import COCO_KEYPOINTS, COCO_SKELETON, unnamed_skeleton

CANDIDATES = OneStageDecoder(has_candidates=True)
PEOPLE = OneStageDecoder(has_candidates=False)


def candidate(x: float, y: float, score: float, side: float = 40, keypoint_score: float = 1.0) -> np.ndarray:
    """The features of a person, (56,): a box around (x, y), keypoint k at (x + k, y + 2 k)."""
    points = [(x + k, y + 2 * k, keypoint_score) for k in range(17)]
    return np.array([x, y, side, side, score, *np.ravel(points)], np.float32)


def as_candidates(*people: np.ndarray, count: int = 8400) -> dict[str, np.ndarray]:
    """The people somewhere among candidates that are nobody."""
    values = np.zeros((56, count), np.float32)
    values[:4] = 10
    for number, person in enumerate(people):
        values[:, (number * 997 + 13) % count] = person
    return {"candidates": values}


def as_people(*people: np.ndarray) -> dict[str, np.ndarray]:
    features = np.stack(people) if people else np.zeros((0, 56), np.float32)
    return {"scores": features[:, 4], "keypoints": features[:, 5:].reshape(-1, 17, 3)}


@pytest.mark.parametrize(("decoder", "outputs"), [(CANDIDATES, as_candidates), (PEOPLE, as_people)])
def test_people_come_with_the_highest_score_first_and_in_frame_pixels(decoder: OneStageDecoder, outputs) -> None:  # type: ignore[no-untyped-def]
    poses = decoder.decode(outputs(candidate(100, 200, 0.5), candidate(300, 50, 0.9)), (2.0, 3.0))
    assert [pose.score for pose in poses] == pytest.approx([0.9, 0.5])
    assert poses[0]["nose"] == (600, 150, 1)
    assert poses[0]["right_ankle"] == (2 * 316, 3 * 82, 1)
    assert poses[1]["nose"] == (200, 600, 1)
    assert poses[0].skeleton is COCO_SKELETON
    [first, _] = decoder.decode(outputs(candidate(100, 200, 0.5), candidate(300, 50, 0.9)), (2.0, 3.0), (10, 20))
    assert first["nose"] == (2 * 290, 3 * 30, 1)


def test_boxes_that_overlap_more_than_the_limit_are_the_same_person() -> None:
    shifted = 40 * 0.25 / 1.25  # an IoU of (40 - shift) / (40 + shift)
    one, near, far = (
        candidate(100, 100, 0.8),
        candidate(100 + shifted - 2, 100, 0.7),
        candidate(100 + shifted + 4, 100, 0.6),
    )
    poses = CANDIDATES.decode(as_candidates(near, far, one))
    assert [pose.score for pose in poses] == pytest.approx([0.8, 0.6])
    assert len(PEOPLE.decode(as_people(one, near, far))) == 3  # the network itself has chosen


def test_a_weak_person_is_left_out_unless_ap_is_measured() -> None:
    weak = candidate(100, 100, DEFAULT_THRESHOLD - 0.01)
    nobody = candidate(300, 300, EVALUATION_THRESHOLD / 2)
    for decoder, outputs in ((CANDIDATES, as_candidates(weak, nobody)), (PEOPLE, as_people(weak, nobody))):
        assert decoder.decode(outputs) == []
        assert len(decoder.for_evaluation().decode(outputs)) == 1
        assert len(decoder.with_limits(0.2).decode(outputs)) == 1
        assert decoder.for_evaluation().with_limits(0.3).decode(outputs) == []


def test_a_weak_keypoint_is_not_found_unless_ap_is_measured() -> None:
    person = candidate(100, 100, 0.9)
    person[5 + 3 * COCO_KEYPOINTS.index("left_wrist") + 2] = KEYPOINT_THRESHOLD - 0.1
    for decoder, outputs in ((CANDIDATES, as_candidates(person)), (PEOPLE, as_people(person))):
        [pose] = decoder.decode(outputs)
        assert pose["left_wrist"] is None
        assert np.isnan(pose.keypoints[COCO_KEYPOINTS.index("left_wrist")]).all()
        assert np.isfinite(pose.keypoints).all(1).sum() == 16
        [whole] = decoder.for_evaluation().decode(outputs)
        assert np.isfinite(whole.keypoints).all()


def test_people_with_too_few_keypoints_are_left_out() -> None:
    person = candidate(100, 100, 0.9, keypoint_score=0.1)
    person[[7, 10, 13]] = 0.9
    outputs = as_candidates(person)
    assert len(CANDIDATES.with_limits(min_keypoints=3).decode(outputs)) == 1
    assert CANDIDATES.with_limits(min_keypoints=4).decode(outputs) == []
    person[[7, 10, 13]] = 0.1
    assert CANDIDATES.decode(as_candidates(person)) == []  # nothing of it could be drawn


def test_of_several_classes_the_likeliest_counts() -> None:
    decoder = OneStageDecoder(True, unnamed_skeleton(2), classes=3)
    values = np.zeros((4 + 3 + 6, 5), np.float32)
    values[:, 2] = [50, 50, 20, 20, 0.1, 0.7, 0.2, 10, 20, 0.9, 30, 40, 0.8]
    [pose] = decoder.decode({"candidates": values})
    assert pose.score == pytest.approx(0.7)
    assert pose["keypoint_2"] == pytest.approx((30, 40, 0.8))


def test_keypoints_without_scores_have_that_of_their_person() -> None:
    decoder = OneStageDecoder(False, unnamed_skeleton(3), values=2)
    outputs = {"scores": np.array([0.3], np.float32), "keypoints": np.ones((1, 3, 2), np.float32)}
    [pose] = decoder.decode(outputs)
    assert pose.keypoints.tolist() == [[1, 1, pytest.approx(0.3)]] * 3


def test_a_network_that_sees_people_everywhere_does_not_stop_the_picture() -> None:
    random = np.random.default_rng(0)
    values = random.uniform(0.5, 1, (56, 8400)).astype(np.float32)
    values[:2] *= 640
    values[2:4] *= 50
    assert 0 < len(CANDIDATES.decode({"candidates": values})) < 3000


@pytest.mark.parametrize("decoder", [CANDIDATES, PEOPLE])
def test_what_a_split_is_checked_by_tells_scores_from_pixels(decoder: OneStageDecoder) -> None:
    """A difference in the scores must not vanish in values a thousand times as large."""

    def outputs(*people: np.ndarray) -> dict[str, np.ndarray]:
        return as_candidates(*people) if decoder.has_candidates else as_people(*people)

    one, two = candidate(100, 100, 0.9), candidate(300, 300, 0.8)
    truth = decoder.quantities(outputs(one, two))
    assert set(truth) == {"scores", "pixels", "keypoint scores"}

    def changes(*people: np.ndarray) -> set[str]:
        found = decoder.quantities(outputs(*people))
        assert {name: values.shape for name, values in found.items()} == {n: v.shape for n, v in truth.items()}
        return {name for name in truth if not np.allclose(found[name], truth[name], rtol=0.02)}

    assert "scores" in changes(candidate(100, 100, 0.2), two)
    assert "pixels" in changes(candidate(140, 100, 0.9), two)
    assert changes(candidate(100, 100, 0.9, keypoint_score=0.1), two) == {"keypoint scores"}


def test_of_two_people_alike_either_may_come_first() -> None:
    one, two = candidate(100, 100, 0.8), candidate(300, 300, 0.8)
    first, second = (PEOPLE.quantities(as_people(*people)) for people in ((one, two), (two, one)))
    for name, values in first.items():
        assert second[name] == pytest.approx(values)


@pytest.mark.parametrize("count", [0, 1])
def test_without_anybody_there_is_something_to_compare(count: int) -> None:
    for values in PEOPLE.quantities(as_people(*[candidate(0, 0, 0.0)] * count)).values():
        assert values.size > 0
        assert np.isfinite(values).all()

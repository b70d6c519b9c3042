"""Smoothing for display: what is still becomes calm, what is fast is followed, what vanishes fades."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from human_pose.decoders.openpose_fields import SKELETON
from human_pose.poses.pose import Pose
from human_pose.poses.skeleton import Limb, Skeleton
from human_pose.tracking.smoothing import HOLD_S, SMALLEST_SIZE, Smoother
from tests.helpers import skeletons

PLACES = skeletons.pose().keypoints[:, :2].astype(float)
SIZE = float(np.hypot(*np.ptp(PLACES, axis=0)))  # a body size: the diagonal of the box around the keypoints
WRIST = SKELETON.index("right_wrist")
FPS = 30


def person(number: int | None = 1, places: np.ndarray = PLACES, score: float = 0.8) -> Pose:
    """A person whose keypoints all have the score 0.5, apart from those at NaN."""
    keypoints = np.full((len(places), 3), 0.5, np.float32)
    keypoints[:, :2] = places
    keypoints[np.isnan(places[:, 0])] = np.nan
    return Pose(SKELETON, keypoints, score, number)


def without(*rows: int) -> np.ndarray:
    places = PLACES.copy()
    places[list(rows)] = np.nan
    return places


def one(poses: Sequence[Pose]) -> np.ndarray:
    """The keypoints of the only person."""
    (pose,) = poses
    return pose.keypoints


def run(frames: Iterable[np.ndarray], fps: float = FPS) -> np.ndarray:
    """The smoothed places (T, K, 2) of a person with these places in each frame."""
    smoother = Smoother()
    return np.array([one(smoother.smooth([person(1, at)], i / fps))[:, :2] for i, at in enumerate(frames)], float)


def noise(size: float, frames: int, seed: int = 0) -> np.ndarray:
    """White noise, (T, K, 2), with a standard deviation in body sizes."""
    return np.random.default_rng(seed).normal(0, size * SIZE, (frames, *PLACES.shape))


def wave(fps: int, seconds: float = 3, hz: float = 2, amplitude: float = 0.25) -> np.ndarray:
    """A person whose right wrist waves; the places in each frame."""
    frames = np.repeat(PLACES[None], round(seconds * fps), axis=0)
    time_s = np.arange(len(frames)) / fps
    frames[:, WRIST, 0] += amplitude * SIZE * np.sin(2 * np.pi * hz * time_s)
    return frames


def at(smoother: Smoother, *times_s: float) -> list[Pose]:
    """The last poses after a person stood at PLACES at these times."""
    shown: list[Pose] = []
    for time_s in times_s:
        shown = smoother.smooth([person()], time_s)
    return shown


def test_who_does_not_move_is_shown_where_they_are() -> None:
    assert run([PLACES] * 20) == pytest.approx(np.repeat(PLACES[None], 20, axis=0), abs=1e-3)


def test_scores_and_skeleton_stay() -> None:
    (pose,) = at(Smoother(), 0, 0.1)
    assert (pose.skeleton, pose.id, pose.score) == (SKELETON, 1, pytest.approx(0.8))
    assert pose.keypoints[:, 2] == pytest.approx(np.full(len(PLACES), 0.5))
    assert pose.keypoints.dtype == np.float32


@pytest.mark.parametrize("fps", [30, 60])
def test_noise_shrinks_to_less_than_a_third(fps: int) -> None:
    added = noise(0.005, 8 * fps)
    left = run(PLACES + added, fps) - PLACES
    assert left[fps:].std() < added.std() / 3
    assert np.diff(left, 2, axis=0)[fps:].std() < np.diff(added, 2, axis=0).std() / 6


@pytest.mark.parametrize("speed", [1.5, 3.0, 5.0])
def test_a_fast_wrist_lags_by_less_than_one_frame(speed: float) -> None:
    frames = np.repeat(PLACES[None], FPS, axis=0)
    frames[:, WRIST, 0] += speed * SIZE * np.arange(FPS) / FPS
    behind = (frames - run(frames))[FPS // 2 :, WRIST, 0]
    assert (behind > 0).all()
    assert (behind <= speed * SIZE / FPS).all()


def test_a_waving_wrist_lags_by_less_than_one_frame() -> None:
    true = wave(FPS)
    seen = run(true + noise(0.007, len(true)))
    velocity = np.gradient(true[:, WRIST, 0], 1 / FPS)
    is_fast = abs(velocity) > 0.7 * velocity.max()
    behind = ((true - seen)[:, WRIST, 0] * np.sign(velocity))[is_fast]
    assert behind[FPS // 2 :].mean() <= abs(velocity[is_fast]).mean() / FPS


def test_the_frame_rate_does_not_matter() -> None:
    slow, fast = run(wave(30), 30)[:, WRIST], run(wave(60), 60)[::2, WRIST]
    assert np.abs(slow - fast).max() < 0.03 * SIZE
    assert np.ptp(slow[:, 0]) > 0.4 * SIZE  # it waves by 0.5


def test_near_and_far_people_are_calmed_alike() -> None:
    frames = wave(FPS) + noise(0.007, 3 * FPS)
    assert run(4 * frames) == pytest.approx(4 * run(frames), rel=1e-4)


def test_a_walking_person_is_followed_as_a_whole() -> None:
    walk = np.array([[0.8 * SIZE * i / FPS, 0] for i in range(2 * FPS)])[:, None]
    behind = (PLACES + walk - run(PLACES + walk))[FPS:, :, 0]
    assert behind.max() < 0.02 * SIZE


def test_a_keypoint_that_is_never_found_stays_nan() -> None:
    keypoints = one(at(smoother := Smoother(), 0))
    assert np.isfinite(keypoints).all()
    for index in range(1, 5):
        keypoints = one(smoother.smooth([person(2, without(WRIST))], index / FPS)[:1])
        assert np.isnan(keypoints[WRIST]).all()
        assert np.isfinite(np.delete(keypoints, WRIST, axis=0)).all()


def test_a_vanished_keypoint_fades_and_ends() -> None:
    at(smoother := Smoother(), 0, 0.04)
    scores = []
    for index in range(2, 8):
        keypoints = one(smoother.smooth([person(1, without(WRIST))], 0.04 * index))
        scores.append(keypoints[WRIST, 2])
        assert np.isnan(keypoints[WRIST, 0]) == np.isnan(keypoints[WRIST, 2])
    assert scores == pytest.approx([0.4, 0.3, 0.2, 0.1, np.nan, np.nan], nan_ok=True, abs=1e-6)


def test_what_is_held_says_how_fresh_it_is() -> None:
    smoother = Smoother()
    smoother.smooth([person(1), person(2, PLACES + 500), person(3, PLACES - 500)], 1.0)
    assert smoother.strengths() == {}
    smoother.smooth([person(1, without(WRIST)), person(2, PLACES + 500)], 1.05)
    of_wrist, of_all = np.ones(len(PLACES)), np.full(len(PLACES), 0.75)
    of_wrist[WRIST] = 0.75
    assert {number: left.tolist() for number, left in smoother.strengths().items()} == {
        1: pytest.approx(of_wrist), 3: pytest.approx(of_all)
    }  # fmt: skip


def test_a_vanished_keypoint_moves_along_with_the_person() -> None:
    smoother = Smoother()
    way = np.array([0.5 * SIZE / FPS, 0])
    for index in range(30):
        keypoints = one(smoother.smooth([person(1, PLACES + index * way)], index / FPS))
    before = keypoints[WRIST, :2]
    for index in range(30, 34):
        keypoints = one(smoother.smooth([person(1, without(WRIST) + index * way)], index / FPS))
    assert keypoints[WRIST, :2] - before == pytest.approx(4 * way, abs=0.01 * SIZE)


@pytest.mark.parametrize("missing_s", [(0.1, 0.2), (0.15,)])
def test_a_keypoint_that_comes_back_late_starts_afresh(missing_s: tuple[float, ...]) -> None:
    at(smoother := Smoother(), 0)
    for time_s in missing_s:
        smoother.smooth([person(1, without(WRIST))], time_s)
    places = PLACES.copy()
    places[WRIST] += 0.1 * SIZE
    assert one(smoother.smooth([person(1, places)], 0.3))[WRIST, :2] == pytest.approx(places[WRIST], abs=1e-3)


def test_a_keypoint_that_comes_back_soon_goes_on() -> None:
    frames = np.repeat(PLACES[None], 15, axis=0)
    frames[:, :, 0] += 0.5 * SIZE * np.arange(15)[:, None] / FPS  # they walk
    whole = run(frames)
    frames[9:12, WRIST] = np.nan
    assert run(frames)[12:, WRIST] == pytest.approx(whole[12:, WRIST], abs=0.01 * SIZE)


def test_at_five_frames_a_second_a_frame_is_no_gap() -> None:
    at(smoother := Smoother(), 0, 0.2)
    moved = one(smoother.smooth([person(1, PLACES + 0.02 * SIZE)], 0.4))[:, :2]
    assert (np.abs(moved - PLACES) < 0.019 * SIZE).all()  # calmed, not afresh


def test_a_wrong_place_of_one_frame_is_not_shown() -> None:
    frames = np.repeat(PLACES[None], 20, axis=0)
    frames[10, WRIST] += SIZE
    assert run(frames) == pytest.approx(np.repeat(PLACES[None], 20, axis=0), abs=1e-3)


@pytest.mark.parametrize("rows", [[WRIST], list(range(len(PLACES)))])
def test_a_jump_drags_nothing_through_the_picture(rows: list[int]) -> None:
    frames = np.repeat(PLACES[None], 20, axis=0)
    frames[10:, rows] += SIZE
    seen = run(frames)
    assert seen[:11] == pytest.approx(frames[:1].repeat(11, axis=0), abs=1e-3)  # one frame of doubt
    assert seen[11:] == pytest.approx(frames[11:], abs=1e-3)


def test_a_missing_person_is_held_after_the_others_and_fades() -> None:
    smoother = Smoother()
    smoother.smooth([person(7), person(3, PLACES + 50)], 1.0)
    shown = [smoother.smooth([person(3, PLACES + 50)], 1 + 0.05 * i) for i in range(1, 6)]
    assert [[pose.id for pose in poses] for poses in shown] == [[3, 7]] * 3 + [[3]] * 2
    assert [poses[1].score for poses in shown[:3]] == pytest.approx([0.6, 0.4, 0.2])
    assert [poses[1].keypoints[0, 2] for poses in shown[:3]] == pytest.approx([0.375, 0.25, 0.125])
    assert shown[2][1].keypoints[:, :2] == pytest.approx(PLACES, abs=1e-3)


def test_people_come_in_the_order_in_which_they_are_given() -> None:
    smoother = Smoother()
    smoother.smooth([person(1), person(2, PLACES + 50), person(3, PLACES + 99)], 0)
    shown = smoother.smooth([person(3, PLACES + 99), person(1), person(9, PLACES + 7)], 0.03)
    assert [pose.id for pose in shown] == [3, 1, 9, 2]
    for pose, moved in zip(shown, (99, 0, 7, 50), strict=True):
        assert pose.keypoints[:, :2] == pytest.approx(PLACES + moved, abs=1e-3)


def test_who_has_no_number_is_not_shown() -> None:
    assert Smoother().smooth([person(None)], 0) == []
    assert [pose.id for pose in Smoother().smooth([person(None), person(0)], 0)] == [0]


def test_no_people() -> None:
    smoother = Smoother()
    assert [smoother.smooth([], time_s) for time_s in (0, 0.1, 0.1, 5)] == [[]] * 4
    assert len(at(smoother, 5.1)) == 1


@pytest.mark.parametrize("time_s", [1.0, 0.5, 1.6])
def test_time_that_stands_still_goes_back_or_jumps_starts_afresh(time_s: float) -> None:
    smoother = Smoother()
    smoother.smooth([person(1), person(2)], 1.0)
    (pose,) = smoother.smooth([person(1, PLACES + 10)], time_s)  # nobody is held
    assert pose.keypoints[:, :2] == pytest.approx(PLACES + 10)
    assert pose.keypoints[:, 2] == pytest.approx(np.full(len(PLACES), 0.5))
    assert pose.score == pytest.approx(0.8)


def test_another_skeleton_starts_afresh() -> None:
    smoother = Smoother()
    smoother.smooth([person(1), person(2)], 0)
    other = Skeleton(("head", "foot"), (Limb("head", "foot"),))
    (pose,) = smoother.smooth([Pose(other, np.array([[1, 2, 0.5], [3, 400, 0.5]], np.float32), 0.8, 1)], 0.1)
    assert pose.skeleton == other
    assert pose.keypoints.tolist() == [[1, 2, 0.5], [3, 400, 0.5]]


def test_the_given_poses_do_not_change() -> None:
    smoother = Smoother()
    for index in range(5):
        given = person(1, PLACES + index)
        given.keypoints.flags.writeable = False
        copy = replace(given, keypoints=given.keypoints.copy())
        (pose,) = smoother.smooth([given], index / FPS)
        pose.keypoints[:] = -1  # the caller's own: nothing of it is in the next frame
        assert (given.keypoints == copy.keypoints).all()
    assert np.abs(one(smoother.smooth([person(1, PLACES + 5)], 5 / FPS))[:, :2] - PLACES).max() < 6


def test_who_has_gone_is_forgotten() -> None:
    smoother = Smoother()
    for number in range(300):
        shown = smoother.smooth([person(number)], number / FPS)
    assert len(shown) <= 1 + HOLD_S * FPS
    sizes = [len(value) for value in vars(smoother).values() if isinstance(value, dict | list)]
    assert max(sizes) == len(shown)
    arrays = [value for value in vars(smoother).values() if isinstance(value, np.ndarray)]
    assert max(max(array.shape) for array in arrays) <= max(len(shown) + 1, len(PLACES))


def test_one_keypoint_is_no_body_and_still_shown() -> None:
    only_wrist = np.full_like(PLACES, np.nan)
    only_wrist[WRIST] = PLACES[WRIST]
    seen = run([only_wrist + 0.01 * SMALLEST_SIZE * (i % 2) for i in range(10)])
    assert np.isfinite(seen[:, WRIST]).all()
    assert np.isnan(np.delete(seen, WRIST, axis=1)).all()

"""A camera that turns moves all people alike."""

from collections.abc import Sequence

import numpy as np
import pytest

from human_pose.poses.pose import Pose
from human_pose.tracking.camera import picture_shift
from human_pose.tracking.tracker import Tracker
from tests.helpers.walkers import BODY_SIZE, numbers, person, times

PLACES = (100, 330, 410, 700, 880)  # no two distances are the same
SHIFT = np.array([120, -40])


def points(places: Sequence[float]) -> np.ndarray:
    return np.array([person(x).keypoints[:, :2] for x in places], float).reshape(len(places), 18, 2)


def shift_of(expected: np.ndarray, found: np.ndarray) -> list[float]:
    count = len(expected)
    return picture_shift(expected, found, np.full(count, BODY_SIZE), np.full(count, 0.02)).tolist()


def test_all_moved_alike() -> None:
    assert shift_of(points(PLACES), points(PLACES)[::-1] + SHIFT) == pytest.approx([120, -40])


def test_some_are_missing_and_some_keypoints_too() -> None:
    found = points(PLACES)[[4, 0, 2]] + SHIFT
    found[0, 3:9] = np.nan
    found[1, 9:] = np.nan
    assert shift_of(points(PLACES), found) == pytest.approx([120, -40])


def test_two_of_five_are_no_camera() -> None:
    found = points(PLACES)
    found[:2] += SHIFT
    assert shift_of(points(PLACES), found) == [0, 0]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_people_could_move_alike_by_chance(count: int) -> None:
    assert shift_of(points(PLACES[:count]), points(PLACES[:count]) + SHIFT) == [0, 0]


def test_poses_without_keypoints_say_nothing() -> None:
    assert shift_of(points(PLACES), np.full((5, 18, 2), np.nan)) == [0, 0]


def test_a_jerk_of_the_camera_changes_nobody() -> None:
    def scene(time_s: float) -> list[Pose]:
        jerk = 150 if 1 < time_s < 1.85 else 0  # 1.6 body sizes there, and back again
        return [person(x + jerk + 50 * time_s, jerk / 3) for x in PLACES]

    assert numbers(Tracker(), scene, times(3, 10)) == [[1, 2, 3, 4, 5]] * 31

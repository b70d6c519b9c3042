"""Who is who: people who cross, hide, leave and come."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from human_pose.decoders.openpose_fields import KEYPOINTS
from human_pose.poses.pose import Pose
from human_pose.poses.skeleton import COCO_KEYPOINTS, Skeleton
from human_pose.tracking.tracker import FADE_S, MEMORY_S, REACH, Tracker
from tests.helpers.walkers import BODY_SIZE, HEIGHT, numbers, only, person, times, with_limbs_of

SPEED = 1.5 * BODY_SIZE  # pixels per second: a walk
ARMS_AND_LEGS = [name for name in KEYPOINTS if name.split("_")[-1] in ("elbow", "wrist", "knee", "ankle")]


def crossing(time_s: float) -> list[Pose]:
    """One walks to the right, one to the left; they are at the same place after 3 s."""
    return [person(100 + SPEED * time_s), person(100 + SPEED * (6 - time_s), y=5)]


@pytest.mark.parametrize("fps", [60, 25, 10, 5, 3])
def test_two_who_cross_keep_their_numbers(fps: float) -> None:
    # Half a frame's time beside the meeting, so that at no frame both lie on each other.
    seen = numbers(Tracker(), lambda time_s: crossing(time_s + 0.5 / fps), times(5.5, fps))
    assert {tuple(frame) for frame in seen} == {(1, 2)}


def test_the_order_of_the_poses_says_nothing() -> None:
    seen = numbers(Tracker(), lambda time_s: crossing(time_s)[:: -1 if round(10 * time_s) % 2 else 1], times(5.5, 10))
    assert [frame[:: -1 if index % 2 else 1] for index, frame in enumerate(seen) if index != 30] == [[1, 2]] * 55


@pytest.mark.parametrize("fps", [25, 7, 3])
def test_one_who_walks_behind_another_comes_back(fps: float) -> None:
    def scene(time_s: float) -> list[Pose]:
        standing, walker = person(400), person(100 + SPEED * time_s, y=-10)
        hidden = abs(100 + SPEED * time_s - 400) < 0.9 * BODY_SIZE  # for 1.2 s
        return [standing] if hidden else [standing, walker]

    seen = numbers(Tracker(), scene, times(5, fps))
    assert {tuple(frame) for frame in seen} == {(1, 2), (1,)}
    assert seen[0] == seen[-1] == [1, 2]


def test_one_who_stands_comes_back_from_behind_a_walker() -> None:
    def scene(time_s: float) -> list[Pose]:
        walker, standing = person(100 + SPEED * time_s), person(400, y=-10)
        return [walker] if abs(100 + SPEED * time_s - 400) < 0.9 * BODY_SIZE else [walker, standing]

    seen = numbers(Tracker(), scene, times(5, 10))
    assert {tuple(frame) for frame in seen} == {(1, 2), (1,)}
    assert seen[-1] == [1, 2]


def test_who_enters_long_after_another_left_is_new() -> None:
    def scene(time_s: float) -> list[Pose]:
        there = time_s < 2 or time_s > 2 + MEMORY_S + 1
        return [person(800), *([person(100)] if there else [])]

    seen = numbers(Tracker(), scene, times(10, 10))
    assert seen[0] == [1, 2]
    assert seen[-1] == [1, 3]


def test_who_enters_where_a_walker_is_not_expected_is_new() -> None:
    """One walks out on the right; a second later somebody enters where that one came from."""

    def scene(time_s: float) -> list[Pose]:
        if time_s <= 4:
            return [person(100 + SPEED * time_s)]
        return [person(100 + SPEED * (time_s - 5))] if time_s >= 5 else []

    seen = numbers(Tracker(), scene, times(8, 10))
    assert seen[0] == [1]
    assert seen[-1] == [2]


@pytest.mark.parametrize("names", [ARMS_AND_LEGS, [name for name in KEYPOINTS if name.startswith("left_")]])
def test_a_swap_of_limbs_for_a_frame_swaps_nobody(names: Sequence[str]) -> None:
    def scene(time_s: float) -> list[Pose]:
        one, other = person(300), person(300 + 1.5 * BODY_SIZE)
        if round(time_s * 10) == 10:
            return [with_limbs_of(one, other, names), with_limbs_of(other, one, names)]
        return [one, other]

    assert numbers(Tracker(), scene, times(2, 10)) == [[1, 2]] * 21


def test_nobody_of_the_old_scene_is_in_the_new_one() -> None:
    def scene(time_s: float) -> list[Pose]:
        if time_s < 2:
            return [person(x) for x in (200, 500, 800)]
        late = [person(510)] if time_s > 2.45 else []  # close to where one of the old scene was
        return [*(person(x, y=300) for x in (320, 640)), *late]

    seen = numbers(Tracker(), scene, times(4, 10))
    assert seen[19] == [1, 2, 3]
    assert seen[20] == [None, None]
    assert seen[-1] == [4, 5, 6]


def test_a_person_much_smaller_at_the_same_place_is_new() -> None:
    small = 0.4 * HEIGHT
    seen = numbers(Tracker(), lambda t: [person(300) if t < 1 else person(300, 0.3 * HEIGHT, small)], times(2, 10))
    assert seen[9] == [1]
    assert seen[-1] == [2]


def test_a_strange_pose_far_away_is_nobody_known() -> None:
    """The place is uncertain by REACH or less, so several times that is too far however long the person was away."""
    tracker = Tracker()
    numbers(tracker, lambda _: [person(0)], times(1, 10))
    for away_s in (0.1, 1.0, FADE_S, MEMORY_S - 0.1):
        other = Tracker()
        numbers(other, lambda _: [person(0)], times(1, 10))
        assert numbers(other, lambda _: [person(3 * REACH * BODY_SIZE)], [1 + away_s]) == [[None]]


@pytest.mark.parametrize("count", [0, 1, 60])
def test_so_many_people(count: int) -> None:
    def scene(time_s: float) -> list[Pose]:
        return [person(150 * (row % 10) + 0.3 * SPEED * time_s, 220 * (row // 10)) for row in range(count)]

    assert numbers(Tracker(), scene, times(2, 10)) == [list(range(1, count + 1))] * 21


@pytest.mark.parametrize("scale", [0.25, 4])
def test_the_resolution_does_not_matter(scale: float) -> None:
    random = np.random.default_rng(0)
    frames: list[list[Pose]] = []
    for time_s in times(6, 10):
        poses = [*crossing(time_s), person(500, 100), person(200 + 0.5 * SPEED * time_s, 60, 0.8 * HEIGHT)]
        shaken = [replace(p, keypoints=p.keypoints + random.normal(0, 3, (18, 3)).astype(np.float32)) for p in poses]
        frames.append([pose for pose in shaken if random.random() < 0.7])
    factors = np.array([scale, scale, 1], np.float32)
    scaled = [[replace(pose, keypoints=pose.keypoints * factors) for pose in poses] for poses in frames]
    once, again = Tracker(), Tracker()
    for index, (poses, others) in enumerate(zip(frames, scaled, strict=True)):
        found = [pose.id for pose in once.update(poses, index / 10)]
        assert found == [pose.id for pose in again.update(others, index / 10)]


def test_the_poses_stay_as_they_are() -> None:
    poses = [person(100), person(400, score=0.05)]
    before = [pose.keypoints.copy() for pose in poses]
    result = Tracker().update(poses, 0.0)
    assert [pose.id for pose in poses] == [None, None]
    for pose, given, keypoints in zip(result, poses, before, strict=True):
        assert replace(pose, id=None).keypoints is given.keypoints
        assert np.array_equal(given.keypoints, keypoints)
        assert pose.score == given.score


def test_few_keypoints_continue_a_person() -> None:
    trunk = ["neck", "left_shoulder", "left_hip"]
    seen = numbers(Tracker(), lambda t: [only(person(300), trunk) if t > 1 else person(300)], times(3, 10))
    assert seen == [[1]] * 31


@pytest.mark.parametrize("names", [[], ["nose"], ["nose", "left_eye", "right_eye"]])
def test_few_keypoints_start_nobody(names: Sequence[str]) -> None:
    assert numbers(Tracker(), lambda _: [only(person(300), names), person(600)], times(1, 10)) == [[None, 1]] * 11


def test_another_network_finds_the_same_people() -> None:
    """Keypoints are compared by name: one network has a neck, the other has not, and the order differs."""
    coco = Skeleton(COCO_KEYPOINTS, ())

    def scene(time_s: float) -> list[Pose]:
        poses = [person(300), person(500)]
        rows = [KEYPOINTS.index(name) for name in COCO_KEYPOINTS]
        return [Pose(coco, pose.keypoints[rows], pose.score) for pose in poses] if 1 < time_s < 2 else poses

    assert numbers(Tracker(), scene, times(3, 10)) == [[1, 2]] * 31


def test_a_skeleton_without_known_lengths_gives_no_numbers() -> None:
    hand = Skeleton(("thumb", "palm", "wrist", "nail"), ())
    pose = Pose(hand, np.array([[1, 2, 1], [3, 4, 1], [5, 6, 1], [7, 9, 1]], np.float32), 0.9)
    assert numbers(Tracker(), lambda _: [pose, person(300)], times(1, 10)) == [[None, 1]] * 11
    assert numbers(Tracker(), lambda _: [pose], times(1, 10)) == [[None]] * 11

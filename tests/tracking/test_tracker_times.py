"""When a person gets a number, and what the tracker's clock does."""

from dataclasses import replace

import numpy as np
import pytest

from human_pose.poses.pose import Pose
from human_pose.tracking.tracker import CONFIRM_S, MEMORY_S, Tracker
from tests.helpers.walkers import BODY_SIZE, numbers, only, person, times

OTHER = person(900)  # somebody who is there all the time


@pytest.mark.parametrize("fps", [1, 3, 10, 60])
def test_who_is_there_first_is_confirmed_at_once(fps: float) -> None:
    assert numbers(Tracker(), lambda _: [person(100), person(400)], times(3, fps))[0] == [1, 2]


@pytest.mark.parametrize(
    ("fps", "waits"), [(1, 1), (3, 1), (5, 1), (10, 2), (60, 12)], ids=lambda value: str(value)
)  # at 5 FPS and below the second sight confirms
def test_who_comes_later_waits_a_moment(fps: float, waits: int) -> None:
    seen = numbers(Tracker(), lambda time_s: [OTHER, *([person(100)] if time_s > 0.99 else [])], times(4, fps))
    own = [frame[1] for frame in seen if len(frame) > 1]
    assert own[: waits + 1] == [None] * waits + [2]
    assert waits <= max(1, CONFIRM_S * fps)


@pytest.mark.parametrize("fps", [1, 5, 10, 60])
def test_a_ghost_of_one_frame_gets_no_number(fps: float) -> None:
    tracker = Tracker()
    seen = numbers(tracker, lambda t: [OTHER, *([person(100)] if round(t * fps) == 5 else [])], times(10 / fps, fps))
    assert seen[5] == [1, None]
    later = numbers(tracker, lambda _: [OTHER, person(400)], times(5, fps, start_s=11 / fps))
    assert later[-1] == [1, 2]  # no number was spent


def test_a_ghost_now_and_then_gets_no_number() -> None:
    def scene(time_s: float) -> list[Pose]:
        return [OTHER, *([person(100)] if round(60 * time_s) % 6 == 3 else [])]  # in each sixth frame

    assert {number for frame in numbers(Tracker(), scene, times(3, 60)) for number in frame[1:]} == {None}


def test_a_weak_pose_continues_a_person_and_starts_none() -> None:
    def scene(time_s: float) -> list[Pose]:
        return [person(100, score=0.5 if time_s < 1 else 0.04), person(500, score=0.04)]

    assert numbers(Tracker(), scene, times(3, 10)) == [[1, None]] * 31


def test_a_second_skeleton_on_a_body_gets_no_number_while_it_lies_there() -> None:
    def scene(time_s: float) -> list[Pose]:
        return [person(100), person(103 + (3 * BODY_SIZE if time_s > 2 else 0))]

    seen = numbers(Tracker(), scene, times(3, 10))
    assert seen[:21] == [[1, None]] * 21
    assert seen[-1] == [1, 2]  # a person after all


def test_numbers_rise_in_order_of_confirmation() -> None:
    def scene(time_s: float) -> list[Pose]:
        return [person(300 * place) for place in range(5) if time_s >= 0.5 * place][::-1]

    assert numbers(Tracker(), scene, times(3, 10))[-1] == [5, 4, 3, 2, 1]


def test_a_walk_at_one_frame_a_second() -> None:
    seen = numbers(Tracker(), lambda t: [person(100 + 1.5 * BODY_SIZE * t), person(1500 - 120 * t, 300)], times(6, 1))
    assert seen == [[1, 2]] * 7


def test_sixty_frames_a_second_tell_what_ten_tell() -> None:
    def scene(time_s: float) -> list[Pose]:
        walker = person(100 + 140 * time_s)
        back = person(1000 - 100 * time_s, y=8)
        poses = [person(500, y=-10)]
        if not 2.2 < time_s < 3.4:
            poses.append(walker)
        if time_s > 1.01:
            poses.append(back)
        return poses

    ten, sixty = (numbers(Tracker(), scene, times(6, fps)) for fps in (10, 60))
    assert ten == sixty[::6]
    assert ten[-1] == [1, 2, 3]


def test_time_that_stands_still() -> None:
    tracker = Tracker()
    assert numbers(tracker, lambda _: [person(100), person(400)], [0.0] * 5) == [[1, 2]] * 5
    assert numbers(tracker, lambda _: [person(102), person(402), person(800)], [1.0] * 5) == [[1, 2, None]] * 5
    assert numbers(tracker, lambda _: [person(104), person(404), person(800)], [2.0]) == [[1, 2, 3]]


@pytest.mark.parametrize("later_s", [-0.1, -10, MEMORY_S + 0.1, 1e6])
def test_time_that_goes_back_or_jumps_forgets_all(later_s: float) -> None:
    tracker = Tracker()
    numbers(tracker, lambda _: [person(100), person(400)], times(1, 10))
    assert numbers(tracker, lambda _: [person(100), person(400)], times(1, 10, 1 + later_s)) == [[3, 4]] * 11


def test_a_jump_that_memory_outlasts_forgets_nobody() -> None:
    tracker = Tracker()
    numbers(tracker, lambda _: [person(100), person(600)], times(3, 10))
    assert numbers(tracker, lambda _: [person(100), person(600)], [3 + 0.5 * MEMORY_S]) == [[1, 2]]


def test_frames_without_anybody() -> None:
    tracker = Tracker()
    assert numbers(tracker, lambda _: [], times(1, 10)) == [[]] * 11
    assert numbers(tracker, lambda _: [person(100)], times(0.9, 10, 1.1))[-1] == [1]
    assert numbers(tracker, lambda _: [only(person(100), [])], [2.1, 2.2]) == [[None]] * 2
    assert numbers(tracker, lambda _: [person(100)], [2.3]) == [[1]]


def test_all_keypoints_in_one_point_are_nobody() -> None:
    point = replace(OTHER, keypoints=np.full_like(OTHER.keypoints, 1))
    assert numbers(Tracker(), lambda _: [OTHER, point], times(1, 10)) == [[1, None]] * 11

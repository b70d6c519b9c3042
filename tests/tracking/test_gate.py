"""Who crosses a line: the answers follow from the places of a person whose every keypoint is known."""

import itertools
import math
from collections.abc import Iterable

import numpy as np
import pytest

from human_pose.command import gate as gate_option
from human_pose.demo.options import parse_options
from human_pose.poses.pose import Pose
from human_pose.poses.skeleton import COCO_KEYPOINTS, Skeleton
from human_pose.tracking.gate import CLEAR, Gate, Walk
from tests.helpers.people import HEIGHT, HIPS, LEGS, SIZE, only, person

UP = Gate(0.5, 1, 0.5, 0)  # the upright line x = 100, from the bottom to the top
SHORT = Gate(0.5, 1, 0.5, 0.6)  # its lower part, from y = 100 to y = 60
MARGIN = 4  # pixels: CLEAR of the person's height


def crossings(gate: Gate, poses: Iterable[Pose], size: tuple[int, int] = SIZE) -> list[str]:
    walk = Walk(gate)
    return [direction for pose in poses if (direction := walk.step(pose, size))]


def along(*corners: tuple[float, float], step: float = 2.0) -> list[Pose]:
    """A person who walks from corner to corner in steps of some pixels."""
    places = [corners[0]]
    for (x, y), (to_x, to_y) in itertools.pairwise(corners):
        count = math.ceil(math.hypot(to_x - x, to_y - y) / step)
        places += [(x + (to_x - x) * n / count, y + (to_y - y) * n / count) for n in range(1, count + 1)]
    return [person(x, y) for x, y in places]


def test_the_margin_is_what_these_tests_take_it_for() -> None:
    assert pytest.approx(MARGIN) == CLEAR * HEIGHT


def test_from_the_left_of_the_arrow_to_its_right_is_in() -> None:
    assert crossings(UP, along((60, 50), (140, 50))) == ["in"]
    assert crossings(UP, along((140, 50), (60, 50))) == ["out"]
    down = Gate(0.5, 0, 0.5, 1)
    assert crossings(down, along((60, 50), (140, 50))) == ["out"]
    to_the_right = Gate(0, 0.5, 1, 0.5)  # its right is the lower half
    assert crossings(to_the_right, along((60, 30), (60, 80))) == ["in"]


def test_it_counts_as_soon_as_the_person_is_clear_of_the_line() -> None:
    walk = Walk(UP)
    counted_at = [x + 0.5 for x in range(80, 121) if walk.step(person(x + 0.5), SIZE)]
    assert counted_at == [100 + MARGIN + 0.5]


def test_there_and_back_are_two_crossings() -> None:
    assert crossings(UP, along((60, 50), (140, 50), (60, 50))) == ["in", "out"]


def test_who_turns_back_on_the_line_has_not_crossed_it() -> None:
    assert crossings(UP, along((60, 50), (103, 50), (60, 50))) == []


def test_who_walks_along_the_line_does_not_cross_it() -> None:
    assert crossings(UP, along((94, 20), (94, 80), (98, 20), (94, 80))) == []


def test_beyond_its_ends_there_is_no_gate() -> None:
    assert crossings(SHORT, along((60, 50), (140, 50))) == []
    assert crossings(Gate(0.5, 0.6, 0.5, 1), along((60, 50), (140, 50))) == []
    assert crossings(SHORT, along((60, 50), (140, 50), (140, 80), (60, 80))) == ["out"]
    assert crossings(SHORT, along((60, 80), (140, 80), (140, 50), (60, 50), (60, 80), (140, 80))) == ["in", "in"]


def test_round_the_end_without_getting_clear_of_it_counts_nothing() -> None:
    assert crossings(SHORT, along((60, 62), (102, 62), (102, 58), (60, 58))) == []


def test_who_goes_on_beyond_the_end_gets_clear_of_the_gate_there() -> None:
    assert crossings(SHORT, along((80, 62), (102, 62), (102, 40))) == ["in"]


def test_trembling_on_the_line_is_no_crossing() -> None:
    trembling = [person(100 + offset) for offset in (-1, 1, -3, 3, 0, 0, -3.9, 3.9) * 20]
    assert crossings(UP, trembling) == []
    assert crossings(UP, [person(80), *trembling, person(80)]) == []
    assert crossings(UP, [person(80), *trembling, person(120), person(103), person(120)]) == ["in"]


def test_trembling_round_the_gates_end_counts_once_at_most() -> None:
    circling = [person(98, 62), person(102, 62), person(102, 58), person(98, 58)] * 20  # always from left to right
    assert crossings(SHORT, [person(80, 62), *circling, person(80, 62)]) == []
    assert len(crossings(SHORT, [person(80, 62), *circling, person(98, 62), person(120, 62)])) == 1


def test_at_a_gate_through_the_whole_picture_in_and_out_alternate() -> None:
    places = np.random.default_rng(1).uniform(90, 110, 500)
    found = crossings(UP, [person(x) for x in [90.0, *places.tolist(), 90.0]])
    assert len(found) > 10
    assert found == (["in", "out"] * len(found))[: len(found)]
    assert len(found) % 2 == 0  # the way ends where it started


def test_a_jump_over_the_line_counts_where_its_straight_way_meets_the_gate() -> None:
    assert crossings(UP, [person(60), person(140)]) == ["in"]
    assert crossings(UP, [person(60), person(140), person(60)]) == ["in", "out"]
    assert crossings(SHORT, [person(60, 40), person(140, 90)]) == ["in"]  # at y = 65
    assert crossings(SHORT, [person(60, 30), person(140, 80)]) == []  # at y = 55


def test_a_slanting_gate_is_measured_in_pixels() -> None:
    slope = Gate(0, 0, 1, 1)  # y = x / 2; at x = 100, 4.4 pixels below it are 3.94 pixels away, 4.6 are 4.11
    assert crossings(slope, [person(100, 30), person(100, 54.4)]) == []
    assert crossings(slope, [person(100, 30), person(100, 54.6)]) == ["in"]


def test_a_picture_of_another_size_shows_the_same_place() -> None:
    walk = Walk(UP)
    assert walk.step(person(90), SIZE) is None
    assert walk.step(person(180, 100, scale=2), (400, 200)) is None
    assert walk.step(person(220, 100, scale=2), (400, 200)) == "in"


def test_a_bigger_body_must_get_farther_away() -> None:
    assert crossings(UP, [person(80, scale=2), person(107, scale=2)]) == []
    assert crossings(UP, [person(80, scale=2), person(109, scale=2)]) == ["in"]


@pytest.mark.parametrize("hidden", [LEGS, HIPS, HIPS + LEGS, only("neck"), only("nose", "right_ankle")])
def test_the_place_does_not_jump_when_keypoints_vanish(hidden: tuple[str, ...]) -> None:
    standing = [person(92, lean=16), person(92, lean=16, hidden=hidden)] * 5  # the neck is at 108
    assert crossings(UP, standing) == []
    standing.reverse()  # without the hips at first
    assert crossings(UP, standing) == []


def test_one_hip_is_not_the_middle_of_both() -> None:
    wide = [person(90, scale=7), person(90, scale=7, hidden=("right_hip",))] * 3  # the left hip is at 104
    assert crossings(UP, wide) == []


def test_without_hips_the_way_goes_on() -> None:
    upper = [person(x, lean=16, hidden=HIPS) for x in range(93, 104)]
    assert crossings(UP, [person(92, lean=16), *upper]) == []
    assert crossings(UP, [person(92, lean=16), *upper, person(105, lean=16, hidden=HIPS)]) == ["in"]


def test_who_is_seen_without_hips_at_first_is_where_the_neck_is() -> None:
    walk = Walk(UP)
    places = [x + 0.5 for x in range(70, 100)]
    counted_at = [x for x in places if walk.step(person(x, lean=16, hidden=HIPS if x < 80 else ()), SIZE)]
    assert counted_at == [88.5]  # the neck is at 104.5


def test_vanished_legs_do_not_make_the_margin_small_at_once() -> None:
    assert crossings(UP, [person(80), person(103, hidden=LEGS)]) == []


def test_a_body_of_which_nothing_is_seen_again_starts_afresh() -> None:
    ankle, nose = only("right_ankle"), only("nose")
    assert crossings(UP, [person(95, hidden=ankle), person(105, hidden=nose)]) == []
    assert crossings(UP, [person(95, hidden=ankle), person(105, hidden=nose), person(93, hidden=nose)]) == ["out"]


def test_a_pose_without_keypoints_changes_nothing() -> None:
    assert crossings(UP, [person(60), person(hidden=only()), person(140)]) == ["in"]
    assert crossings(UP, [person(hidden=only()), person(140)]) == []


def test_any_skeleton_will_do() -> None:
    coco = Skeleton(COCO_KEYPOINTS, ())
    poses = [Pose(coco, np.full((17, 3), [x, 50, 1], np.float32), 1.0, 1) for x in (80, 120)]
    assert crossings(UP, poses) == ["in"]
    hand = Skeleton(("palm", "thumb"), ())
    poses = [Pose(hand, np.full((2, 3), [x, 50, 1], np.float32), 1.0, 1) for x in (80, 120)]
    assert crossings(UP, poses) == ["in"]


@pytest.mark.parametrize(
    "numbers", [(0, 0, 1, 1.1), (-0.1, 0, 1, 1), (0, math.nan, 1, 1), (0.5, 0.5, 0.5, 0.5), (0, 0, 1e-200, 0)]
)
def test_what_is_no_line_in_the_picture_is_refused(numbers: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="gate"):
        Gate(*numbers)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.5,1,0.5,0", UP), ("0,0,1,1", Gate(0, 0, 1, 1)), (" .25, 0.5,0.75 ,.5", Gate(0.25, 0.5, 0.75, 0.5))],
)
def test_the_option_is_four_numbers(text: str, expected: Gate) -> None:
    assert gate_option(text) == expected
    assert parse_options(["--gate", text], None).gate == expected


def test_without_the_option_there_is_no_gate() -> None:
    assert parse_options([], None).gate is None


@pytest.mark.parametrize(
    "text",
    ["", "0.5", "0.5,1,0.5", "0.5,1,0.5,0,1", "a,b,c,d", "0,0,1,2", "0,0,nan,1", "0,0,-1,1", "1,1,1,1", "0;0;1;1"],
)
def test_another_text_is_refused_in_one_line_with_an_example(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse_options(["--gate", text], None)
    assert stopped.value.code == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert f"'{text}' is not a gate" in errors
    assert "as in 0.5,1,0.5,0" in errors

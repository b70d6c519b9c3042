"""What tells people apart: labels, colours of people, the gate."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from human_pose.poses.draw import draw
from human_pose.poses.labels import BACKGROUND, Marks, person_colour
from human_pose.poses.skeleton import LEFT_COLOUR, RIGHT_COLOUR
from tests.helpers.skeletons import FRAME, plain, pose


def box_of(picture: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of the pixels of exactly this colour."""
    rows, columns = np.nonzero((picture == colour).all(axis=2))
    return (int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())) if len(rows) else None


def test_a_label_is_beside_the_head_in_the_persons_colour() -> None:
    person = replace(pose({"nose": (0.3, 0.2), "neck": (0.3, 0.4), "right_hip": (0.28, 0.8)}), id=7)
    picture = draw(plain(200), [person], marks=Marks({7: "7  3 s"}))
    label = box_of(picture, BACKGROUND)
    assert label is not None
    left, top, right, bottom = label
    width, height = FRAME
    assert 0.3 * width < left < 0.45 * width
    assert top < 0.2 * height < bottom
    letters = box_of(picture, person_colour(7))
    assert letters is not None
    assert left < letters[0] < letters[2] < right


@pytest.mark.parametrize("at", [(0.99, 0.01), (0.01, 0.99), (0.99, 0.99), (0.0, 0.0), (1.3, -0.4)])
def test_a_label_stays_inside_the_picture(at: tuple[float, float]) -> None:
    person = replace(pose({"nose": at}), id=1)
    whole = box_of(draw(plain(200), [person], marks=Marks({1: "1  59:59"})), BACKGROUND)
    middle = replace(pose({"nose": (0.5, 0.5)}), id=1)
    expected = box_of(draw(plain(200), [middle], marks=Marks({1: "1  59:59"})), BACKGROUND)
    assert whole is not None
    assert expected is not None
    assert (whole[2] - whole[0], whole[3] - whole[1]) == (expected[2] - expected[0], expected[3] - expected[1])


@pytest.mark.parametrize(
    "person", [pose(), replace(pose(), id=2), replace(pose({}), id=1)], ids=["none", "other", "empty"]
)
def test_who_has_no_label_gets_none(person: object) -> None:
    assert box_of(draw(plain(200), [person], marks=Marks({1: "1"})), BACKGROUND) is None  # type: ignore[list-item]


def test_a_label_that_does_not_fit_is_left_out() -> None:
    tiny = plain(200, (20, 10))
    assert draw(tiny, [replace(pose(size=(20, 10)), id=1)], marks=Marks({1: "1  59:59"})).shape == tiny.shape


def test_limbs_have_the_colour_of_their_person_or_of_their_side() -> None:
    person = replace(pose(), id=3)
    by_side, by_person = (draw(plain(200), [person], marks=Marks(by_person=wanted)) for wanted in (False, True))
    for colour in (LEFT_COLOUR, RIGHT_COLOUR):
        assert box_of(by_side, colour) is not None
        assert box_of(by_person, colour) is None
    assert box_of(by_person, person_colour(3)) is not None
    assert box_of(draw(plain(200), [pose()], marks=Marks(by_person=True)), LEFT_COLOUR) is not None  # has no number


def test_numbers_that_are_near_have_colours_that_are_not() -> None:
    for one, other in combinations(range(1, 9), 2):
        assert np.abs(np.subtract(person_colour(one), person_colour(other))).max() > 25


def test_the_gates_arrow_points_to_its_inside() -> None:
    picture = draw(plain(200), [], marks=Marks(gate=(0.25, 0.5, 0.75, 0.5)))
    rows, columns = np.nonzero((picture != 200).any(axis=2))
    width, height = FRAME
    assert abs(int(columns.min()) - 0.25 * width) < 6
    assert abs(int(columns.max()) - 0.75 * width) < 6
    assert int(rows.max()) > 0.5 * height + 10  # below: at the right of who goes from left to right
    assert int(rows.min()) > 0.5 * height - 10

"""The picture: skeletons in their colours, frames of every size and shape."""

from dataclasses import replace

import numpy as np
import pytest

from human_pose.decoders.openpose_fields import KEYPOINTS, LIMBS, FieldLimb
from human_pose.poses.draw import MARGIN_COLOUR, OUTLINE, draw, draw_to_fit
from human_pose.poses.labels import Marks
from human_pose.poses.skeleton import LEFT_COLOUR, MIDDLE_COLOUR, RIGHT_COLOUR
from tests.helpers.skeletons import FRAME, POINTS, only, plain, pose

SIZES = [(1, 1), (1, 2), (160, 120), (100, 300), (241, 181), (320, 180), (1281, 721), (3840, 2160), (4000, 1)]


def noisy(size: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8)


def changed(picture: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Which pixels differ, (h, w) bool."""
    return (picture != frame).any(axis=2)


def box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is set; the last two are the pixels after it."""
    rows, columns = np.nonzero(mask)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


# The frame


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_picture_has_its_frames_size_whatever_that_is(size: tuple[int, int]) -> None:
    frame = noisy(size)
    before = frame.copy()
    assert np.array_equal(draw(frame, []), before)
    picture = draw(frame, [pose(size=size)])
    assert picture.shape == frame.shape
    assert changed(picture, frame).any()
    assert not np.shares_memory(picture, frame)
    assert np.array_equal(frame, before)


def test_a_frame_may_be_drawn_on_itself() -> None:
    frame = plain(200)
    assert draw(frame, [pose()], in_place=True) is frame
    assert (frame != 200).any()


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("room_at_left", [0, 200])
def test_a_frame_keeps_its_shape_in_a_picture_of_another(size: tuple[int, int], room_at_left: int) -> None:
    view = draw_to_fit(plain(200, size), [], (640, 480), room_at_left)
    assert view.picture.shape == (480, 640, 3)
    left, top, right, bottom = box((view.picture == 200).all(axis=2))
    assert (view.left, view.top) == (left, top)
    width, height = right - left, bottom - top
    assert (width, height) == pytest.approx((size[0] * view.scale, size[1] * view.scale), abs=1)
    assert width == 640 or height == 480
    outside = np.ones((480, 640), bool)
    outside[top:bottom, left:right] = False
    assert (view.picture[outside] == MARGIN_COLOUR).all()
    assert top == pytest.approx(480 - bottom, abs=1)
    # In the middle, unless the room asked for is only to be had at one side.
    assert right == 640 if 640 - width < 2 * room_at_left else left == pytest.approx(640 - right, abs=1)


def test_a_frame_of_the_pictures_size_stays_as_it_is() -> None:
    frame = noisy(FRAME)
    view = draw_to_fit(frame, [], FRAME)
    assert np.array_equal(view.picture, frame)
    assert not np.shares_memory(view.picture, frame)
    assert (view.scale, view.left, view.top) == (1, 0, 0)


# Skeletons


@pytest.mark.parametrize("size", [FRAME, (3840, 2160)])
@pytest.mark.parametrize("limb", [limb for limb in LIMBS if limb.drawn], ids=lambda limb: f"{limb.start}-{limb.end}")
def test_a_limb_has_the_colour_of_its_side_at_its_middle(limb: FieldLimb, size: tuple[int, int]) -> None:
    x, y = (round(sum(ends) / 2 * pixels) for ends, pixels in zip(
        zip(POINTS[limb.start], POINTS[limb.end], strict=True), size, strict=True
    ))  # fmt: skip
    picture = draw(plain(200, size), [pose(size=size)])
    expected = {"right": RIGHT_COLOUR, "left": LEFT_COLOUR}.get(limb.end.partition("_")[0], MIDDLE_COLOUR)
    assert picture[y, x].tolist() == list(expected)


@pytest.mark.parametrize("name", KEYPOINTS)
def test_a_keypoint_alone_is_a_dot_at_its_place(name: str) -> None:
    frame = plain(200)
    picture = draw(frame, [only(name)])
    x, y = (round(share * pixels) for share, pixels in zip(POINTS[name], FRAME, strict=True))
    expected = {"right": RIGHT_COLOUR, "left": LEFT_COLOUR}.get(name.partition("_")[0], MIDDLE_COLOUR)
    assert picture[y, x].tolist() == list(expected)
    left, top, right, bottom = box(changed(picture, frame))
    assert max(x - left, right - x, y - top, bottom - y) <= 10


def test_what_is_held_is_drawn_fainter() -> None:
    of_person = replace(pose(), id=5)
    strengths = np.ones(len(KEYPOINTS))
    strengths[KEYPOINTS.index("right_wrist")] = 0.25
    picture = draw(plain(200), [of_person], marks=Marks(strengths={5: strengths}))
    faint, strong = (
        [round((POINTS[start][axis] + POINTS[end][axis]) / 2 * FRAME[axis]) for axis in (1, 0)]
        for start, end in (("right_elbow", "right_wrist"), ("left_elbow", "left_wrist"))
    )
    expected = [round(0.25 * colour + 0.75 * outline) for colour, outline in zip(RIGHT_COLOUR, OUTLINE, strict=True)]
    assert picture[tuple(faint)].tolist() == expected
    assert picture[tuple(strong)].tolist() == list(LEFT_COLOUR)


def test_a_person_without_a_keypoint_is_not_drawn() -> None:
    frame = noisy(FRAME)
    assert np.array_equal(draw(frame, [pose({})]), frame)


def test_a_limb_with_one_end_missing_is_not_drawn() -> None:
    frame = plain(200)
    whole = changed(draw(frame, [only("right_shoulder", "right_elbow")]), frame)
    ends = changed(draw(frame, [only("right_shoulder")]), frame) | changed(draw(frame, [only("right_elbow")]), frame)
    without_elbow = changed(draw(frame, [only("right_shoulder", "right_wrist")]), frame)
    assert whole.sum() > 2 * ends.sum()
    assert without_elbow.sum() == ends.sum()


@pytest.mark.parametrize("side", ["right", "left"])
def test_shoulder_to_ear_is_not_drawn(side: str) -> None:
    frame = plain(200)
    both = draw(frame, [only(f"{side}_shoulder", f"{side}_ear")])
    (x0, y0), (x1, y1) = POINTS[f"{side}_shoulder"], POINTS[f"{side}_ear"]
    assert both[round((y0 + y1) / 2 * FRAME[1]), round((x0 + x1) / 2 * FRAME[0])].tolist() == [200] * 3


def test_the_skeleton_grows_with_the_frame_that_is_enlarged() -> None:
    size = (160, 120)
    view = draw_to_fit(plain(200, size), [pose({"nose": (0.75, 0.25)}, size)], (480, 360))
    assert view.picture[90, 360].tolist() == list(MIDDLE_COLOUR)


def test_everybody_is_drawn() -> None:
    people = [pose({"nose": (x, 0.5)}) for x in (0.25, 0.5, 0.75)]
    picture = draw(plain(200), people)
    assert [picture[360, x].tolist() for x in (240, 480, 720)] == [list(MIDDLE_COLOUR)] * 3

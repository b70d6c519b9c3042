"""The picture: skeletons in their colours, a panel that can be read, frames of every size."""

from collections.abc import Mapping

import numpy as np
import pytest

from human_pose.decode import Pose
from human_pose.draw import draw
from human_pose.panel import CORNERS, KEYS, Corner, Line, PanelPlace
from human_pose.skeleton import KEYPOINTS, LEFT_COLOUR, LIMBS, MIDDLE_COLOUR, RIGHT_COLOUR, Limb
from tests.painted import PERSON

FRAME = (960, 720)  # width, height
# Width and height of a frame, and by how much it is enlarged.
SIZES = {
    (1, 1): 360,
    (1, 2): 180,
    (160, 120): 3,
    (100, 300): 1,
    (240, 180): 2,
    (241, 181): 1,
    (320, 240): 1,
    (479, 359): 1,
    (480, 360): 1,
    (1281, 721): 1,
    (1080, 1920): 1,
    (3840, 2160): 1,
    (4000, 1): 1,
    (1, 4000): 1,
}
# A whole person, x and y from 0 to 1 of the frame.
POINTS = {name: (x / 20, y / 30) for name, (x, y) in PERSON.items()} | {
    "right_eye": (0.46, 0.08), "left_eye": (0.54, 0.08), "right_ear": (0.42, 0.14), "left_ear": (0.58, 0.14),
}  # fmt: skip
PANEL = [
    Line("MULTI:GPU,CPU, runs on GPU, CPU", 1.4, is_title=True),
    Line("123.4 FPS   1234.5 ms latency   12 people", 1.4),
    Line("mean 123.4 FPS   latency mean 123.4, min 123.4, max 1234.5 ms"),
    Line("human-pose-estimation-0001 FP16-INT8, executed in INT8 + f32"),
    Line("input 456x256, 12 requests in flight"),
    Line("100 frames dropped to keep up with the source"),
    Line("compiling MULTI:GPU,CPU ... 12 s"),
    Line("paused"),
    Line("saved pose-000123.png"),
    Line(KEYS),
]
WIDE_TITLE = [
    Line("HETERO:NPU,GPU.1,GPU.0,CPU, runs on NPU, GPU.1, GPU.0, CPU", 1.4, is_title=True),
    *PANEL[1:],
]

each_corner = pytest.mark.parametrize("corner", CORNERS, ids=["top_left", "top_right", "bottom_left", "bottom_right"])
each_size = pytest.mark.parametrize(("size", "factor"), SIZES.items(), ids=lambda value: str(value))


def plain(grey: int, size: tuple[int, int] = FRAME) -> np.ndarray:
    return np.full((size[1], size[0], 3), grey, np.uint8)


def noisy(size: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8)


def pose(points: Mapping[str, tuple[float, float]] = POINTS, size: tuple[int, int] = FRAME) -> Pose:
    """A person at points from 0 to 1 of a frame."""
    keypoints = np.full((len(KEYPOINTS), 3), np.nan, np.float32)
    for name, (x, y) in points.items():
        keypoints[KEYPOINTS.index(name)] = x * size[0], y * size[1], 1
    return Pose(keypoints, 1.0)


def only(*names: str) -> Pose:
    return pose({name: POINTS[name] for name in names})


def changed(picture: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Which pixels differ, (h, w) bool."""
    return (picture != frame).any(axis=2)


def box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is set; the last two are the pixels after it."""
    rows, columns = np.nonzero(mask)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def ink(picture: np.ndarray) -> np.ndarray:
    """Which pixels are of letters: bright, on a frame that is dark or was darkened; (h, w) bool."""
    return picture.max(axis=2) > 150


# The frame


@each_size
def test_every_frame_is_enlarged_by_a_whole_factor_to_the_least_canvas(size: tuple[int, int], factor: int) -> None:
    frame = noisy(size)
    picture = draw(frame, [], [], CORNERS[0])
    height, width = size[1] * factor, size[0] * factor
    assert picture.shape == (max(height, 360), max(width, 480), 3)
    assert picture.dtype == np.uint8
    assert np.array_equal(picture[:height, :width], frame.repeat(factor, axis=0).repeat(factor, axis=1))
    assert not picture[height:].any()
    assert not picture[:, width:].any()


@each_corner
@each_size
def test_a_frame_of_any_size_takes_a_person_and_a_panel(size: tuple[int, int], factor: int, corner: Corner) -> None:
    frame = plain(0, size)
    before = frame.copy()
    picture = draw(frame, [pose(size=size)], PANEL, corner)
    assert picture.shape == draw(frame, [], [], corner).shape
    assert ink(picture).any()
    assert np.array_equal(frame, before)


@pytest.mark.parametrize("size", [(480, 360), FRAME, (720, 1280)])
def test_a_frame_with_room_for_the_panel_keeps_its_size_and_is_not_drawn_upon(size: tuple[int, int]) -> None:
    frame = noisy(size)
    before = frame.copy()
    picture = draw(frame, [pose(size=size)], PANEL, CORNERS[0])
    assert picture.shape == frame.shape
    assert changed(picture, frame).any()
    assert not np.shares_memory(picture, frame)
    assert np.array_equal(frame, before)


def test_a_frame_without_people_and_panel_is_copied() -> None:
    frame = noisy(FRAME)
    picture = draw(frame, [], [], CORNERS[0])
    assert np.array_equal(picture, frame)
    assert not np.shares_memory(picture, frame)


# Skeletons


@pytest.mark.parametrize("size", [FRAME, (3840, 2160)])
@pytest.mark.parametrize("limb", [limb for limb in LIMBS if limb.drawn], ids=lambda limb: f"{limb.start}-{limb.end}")
def test_a_limb_has_the_colour_of_its_side_at_its_middle(limb: Limb, size: tuple[int, int]) -> None:
    x, y = (round(sum(ends) / 2 * pixels) for ends, pixels in zip(
        zip(POINTS[limb.start], POINTS[limb.end], strict=True), size, strict=True
    ))  # fmt: skip
    picture = draw(plain(200, size), [pose(size=size)], [], CORNERS[0])
    expected = {"right": RIGHT_COLOUR, "left": LEFT_COLOUR}.get(limb.end.partition("_")[0], MIDDLE_COLOUR)
    assert picture[y, x].tolist() == list(expected)


@pytest.mark.parametrize("name", KEYPOINTS)
def test_a_keypoint_alone_is_a_dot_at_its_place(name: str) -> None:
    frame = plain(200)
    picture = draw(frame, [only(name)], [], CORNERS[0])
    x, y = (round(share * pixels) for share, pixels in zip(POINTS[name], FRAME, strict=True))
    expected = {"right": RIGHT_COLOUR, "left": LEFT_COLOUR}.get(name.partition("_")[0], MIDDLE_COLOUR)
    assert picture[y, x].tolist() == list(expected)
    left, top, right, bottom = box(changed(picture, frame))
    assert max(x - left, right - x, y - top, bottom - y) <= 10


def test_a_person_without_a_keypoint_is_not_drawn() -> None:
    frame = noisy(FRAME)
    assert np.array_equal(draw(frame, [pose({})], [], CORNERS[0]), frame)


def test_a_limb_with_one_end_missing_is_not_drawn() -> None:
    frame = plain(200)
    whole = changed(draw(frame, [only("right_shoulder", "right_elbow")], [], CORNERS[0]), frame)
    ends = changed(draw(frame, [only("right_shoulder")], [], CORNERS[0]), frame) | changed(
        draw(frame, [only("right_elbow")], [], CORNERS[0]), frame
    )
    without_elbow = changed(draw(frame, [only("right_shoulder", "right_wrist")], [], CORNERS[0]), frame)
    assert whole.sum() > 2 * ends.sum()
    assert without_elbow.sum() == ends.sum()


@pytest.mark.parametrize("side", ["right", "left"])
def test_shoulder_to_ear_is_not_drawn(side: str) -> None:
    frame = plain(200)
    both = draw(frame, [only(f"{side}_shoulder", f"{side}_ear")], [], CORNERS[0])
    (x0, y0), (x1, y1) = POINTS[f"{side}_shoulder"], POINTS[f"{side}_ear"]
    assert both[round((y0 + y1) / 2 * FRAME[1]), round((x0 + x1) / 2 * FRAME[0])].tolist() == [200] * 3


def test_the_skeleton_grows_with_a_frame_that_is_enlarged() -> None:
    size = (160, 120)
    picture = draw(plain(200, size), [pose({"nose": (0.75, 0.25)}, size)], [], CORNERS[0])
    assert picture[90, 360].tolist() == list(MIDDLE_COLOUR)


def test_everybody_is_drawn() -> None:
    people = [pose({"nose": (x, 0.5)}) for x in (0.25, 0.5, 0.75)]
    picture = draw(plain(200), people, [], CORNERS[0])
    assert [picture[360, x].tolist() for x in (240, 480, 720)] == [list(MIDDLE_COLOUR)] * 3


# The panel


@each_corner
def test_the_panel_lies_in_the_corner_asked_for(corner: Corner) -> None:
    frame = plain(255)
    left, top, right, bottom = box(changed(draw(frame, [], PANEL, corner), frame))
    assert (right == 960 and left > 0) if corner.is_right else (left == 0 and right < 960)
    assert (bottom == 720 and top > 0) if corner.is_bottom else (top == 0 and bottom < 720)


@each_corner
def test_the_panel_darkens_a_white_frame_and_its_letters_are_bright(corner: Corner) -> None:
    frame = plain(255)
    picture = draw(frame, [], PANEL, corner)
    left, top, right, bottom = box(changed(picture, frame))
    panel = picture[top:bottom, left:right]
    assert changed(panel, frame[top:bottom, left:right]).all()
    assert np.median(panel) < 100
    assert 0.02 < (panel.max(axis=2) > 220).mean() < 0.4
    assert changed(picture, frame).sum() == panel.shape[0] * panel.shape[1]


@each_corner
def test_the_letters_are_bright_on_a_black_frame_and_in_the_same_place(corner: Corner) -> None:
    on_black, on_white = (draw(plain(grey), [], PANEL, corner) for grey in (0, 255))
    left, top, right, bottom = box(changed(on_white, plain(255)))
    assert (on_black.max(axis=2) > 220).any()
    inside = np.zeros(on_black.shape[:2], bool)
    inside[top:bottom, left:right] = True
    assert not on_black[~inside].any()
    # The letters' soft edges are a little brighter where the frame shines through.
    assert box(ink(on_black)) == pytest.approx(box(ink(on_white) & inside), abs=2)


@pytest.mark.parametrize("corner", [CORNERS[0], CORNERS[-1]], ids=["top_left", "bottom_right"])
@pytest.mark.parametrize("lines", [PANEL, WIDE_TITLE, [Line("paused")] * 28], ids=["usual", "wide_title", "many"])
@pytest.mark.parametrize("size", [(480, 360), FRAME, (720, 1280), (3840, 2160)], ids=str)
def test_the_panels_letters_are_not_cut_off(size: tuple[int, int], lines: list[Line], corner: Corner) -> None:
    """There is a margin around them, on the right half as wide as on the left at least."""
    on_white = draw(plain(255, size), [], lines, corner)
    on_black = draw(plain(0, size), [], lines, corner)
    left, top, right, bottom = box(changed(on_white, plain(255, size)))
    ink_left, ink_top, ink_right, ink_bottom = box(ink(on_black))
    margin = ink_left - left
    assert margin >= 5
    assert right - ink_right >= margin / 2
    assert ink_top - top >= margin / 4
    assert bottom - ink_bottom >= margin / 4


@pytest.mark.parametrize("size", [(480, 360), FRAME, (720, 1280), (3840, 2160)], ids=str)
def test_every_line_of_the_panel_is_there(size: tuple[int, int]) -> None:
    lines = [Line("HHH", is_title=number == 0) for number in range(10)]
    rows = ink(draw(plain(0, size), [], lines, CORNERS[0])).any(axis=1)
    assert np.count_nonzero(np.diff(rows.astype(int)) == 1) == 10


def test_skeletons_are_not_darkened_by_the_panel() -> None:
    picture = draw(plain(200), [pose({"nose": (3 / 960, 3 / 720)})], PANEL, CORNERS[0])
    assert picture[3, 3].tolist() == list(MIDDLE_COLOUR)


def test_the_letters_grow_with_the_frame() -> None:
    heights = []
    for size in ((480, 360), FRAME, (3840, 2160)):
        _, top, _, bottom = box(ink(draw(plain(0, size), [], [Line("H")], CORNERS[0])))
        heights.append(bottom - top)
    assert heights == sorted(set(heights))


# The panel's place

STAYS_S = PanelPlace.STAYS_S
TOP_LEFT, TOP_RIGHT, BOTTOM_LEFT, BOTTOM_RIGHT = CORNERS


def in_quarter(corner: Corner, keypoints: int = 18) -> Pose:
    """A person with all keypoints in one quarter of the frame."""
    place = (0.55 if corner.is_right else 0.45, 0.55 if corner.is_bottom else 0.45)
    return pose(dict.fromkeys(KEYPOINTS[:keypoints], place))


def test_corners_are_named_by_their_sides() -> None:
    assert [(corner.is_right, corner.is_bottom) for corner in CORNERS] == [
        (False, False), (True, False), (False, True), (True, True),
    ]  # fmt: skip


@each_corner
def test_the_panel_starts_in_the_emptiest_quarter(corner: Corner) -> None:
    place = PanelPlace()
    place.update([in_quarter(other) for other in CORNERS if other != corner] + [in_quarter(corner, 4)], FRAME, 100)
    assert place.corner == corner


def test_with_nobody_there_the_panel_starts_at_the_top_left() -> None:
    place = PanelPlace()
    place.update([], FRAME, 100)
    assert place.corner == TOP_LEFT


def test_missing_keypoints_are_in_no_quarter() -> None:
    place = PanelPlace()
    people = [
        in_quarter(TOP_LEFT, 6),
        in_quarter(TOP_RIGHT, 5),
        in_quarter(BOTTOM_LEFT, 4),
        in_quarter(BOTTOM_RIGHT, 5),
    ]
    place.update(people, FRAME, 100)
    assert place.corner == BOTTOM_LEFT


def test_the_panel_stays_as_long_as_it_takes_to_read_it() -> None:
    place = PanelPlace()
    place.update([], FRAME, 100)
    for frame in range(100):
        place.update([in_quarter(TOP_LEFT)], FRAME, 100 + STAYS_S * frame / 99)
    assert place.corner == TOP_LEFT
    place.update([in_quarter(TOP_LEFT)], FRAME, 100 + STAYS_S + 0.01)
    assert place.corner != TOP_LEFT


def test_the_panel_moves_to_the_emptiest_quarter_when_people_stood_under_it_long_enough() -> None:
    place = PanelPlace()
    place.update([], FRAME, 100)
    people = [in_quarter(TOP_LEFT), in_quarter(TOP_RIGHT), in_quarter(BOTTOM_LEFT)]
    for frame in range(100):
        place.update(people, FRAME, 100 + STAYS_S + 1 + frame / 30)
    assert place.corner == BOTTOM_RIGHT


def test_after_a_move_the_panel_stays_again() -> None:
    place = PanelPlace()
    place.update([], FRAME, 100)
    for frame in range(60):
        place.update([in_quarter(TOP_LEFT)], FRAME, 110 + frame / 30)
    moved_to = place.corner
    assert moved_to == TOP_RIGHT
    for frame in range(60):
        place.update([in_quarter(moved_to)], FRAME, 112 + frame / 30)
    assert place.corner == moved_to


def test_somebody_who_only_passes_under_the_panel_does_not_move_it() -> None:
    place = PanelPlace()
    place.update([], FRAME, 100)
    place.update([in_quarter(TOP_LEFT)], FRAME, 110)
    place.update([in_quarter(TOP_LEFT)], FRAME, 110.03)
    assert place.corner == TOP_LEFT


def test_people_of_the_first_frame_are_remembered_as_if_they_had_long_been_there() -> None:
    place = PanelPlace()
    place.update([in_quarter(corner) for corner in CORNERS[1:]], FRAME, 100)
    for frame in range(15):
        place.update([in_quarter(TOP_LEFT)], FRAME, 110 + frame / 30)
    assert place.corner == TOP_LEFT
    for frame in range(15, 30):
        place.update([in_quarter(TOP_LEFT)], FRAME, 110 + frame / 30)
    assert place.corner != TOP_LEFT


def test_the_panel_does_not_move_for_a_quarter_that_is_hardly_emptier() -> None:
    place = PanelPlace()
    place.update([in_quarter(corner) for corner in CORNERS[1:]], FRAME, 100)
    people = [in_quarter(TOP_LEFT), *(in_quarter(corner, 12) for corner in CORNERS[1:])]
    for frame in range(300):
        place.update(people, FRAME, 110 + frame / 30)
    assert place.corner == TOP_LEFT

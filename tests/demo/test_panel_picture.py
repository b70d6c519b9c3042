"""The panel over the picture: what it holds, how large it is, and that it can be read on any frame."""

import numpy as np
import pytest

from human_pose.demo.panel import Block, Style, Table, Text, device_list, key_list
from human_pose.demo.panel_picture import lay_out, panel_picture, put_panel
from human_pose.demo.panel_place import CORNERS, Box, Corner, PanelPlace, box_in, people_boxes
from tests.helpers.skeletons import FRAME, plain, pose

NOBODY = people_boxes([])
BASE: tuple[Block, ...] = (
    Text("HETERO:GPU,CPU", Style.TITLE), Text("runs on GPU, CPU", Style.SMALL), Text("123.4 FPS", Style.HEADLINE),
    Text("1234.5 ms latency"), Text("12 people"), Text("FP16-INT8"),
)  # fmt: skip
NOTE = Text("compiling MULTI:GPU,CPU ... 12 s", Style.NOTE)
DETAILS = Table(
    (
        ("model", "human-pose-estimation-0001"), ("executed in", "INT8 + bf16"), ("in flight", "4 requests, 2 streams"),
        ("mean latency", "33.1 ms (20.2 to 50.4)"), ("operations", "34 on GPU, 299 on CPU"),
    ), "lw",
)  # fmt: skip
PROFILE = Table((("stage", "ms", "stage", "ms"), *(("preprocess", "12.4", "decode", "0.5"),) * 4), "lrlr", True)
COMPARISON = Table(
    (("device", "FPS", "ratio", "ms", "p95"), *(("HETERO:GPU,CPU", "101.6*", "1.23", "170.2", "210.8"),) * 5),
    "wrrrr", True,
)  # fmt: skip
DEVICES = device_list(["CPU", "GPU", "MULTI:GPU,CPU", "HETERO:GPU,CPU", "AUTO:GPU,CPU"], "HETERO:GPU,CPU", {"GPU"})
FULL = (*BASE, NOTE, DETAILS, PROFILE, COMPARISON, DEVICES, key_list())
CONTENTS = {"base": BASE, "start": (*BASE, DEVICES, key_list()), "c and p": (*BASE, PROFILE, COMPARISON), "full": FULL}
# Frames of files and windows; how many of FULL's blocks there is room for.
SIZES = {(1280, 720): 12, (960, 720): 12, (960, 540): 8, (450, 800): 8, (1080, 1920): 12, (3840, 2160): 12,
         (640, 480): 8, (320, 180): 4, (240, 180): 3}  # fmt: skip

each_size = pytest.mark.parametrize("size", SIZES, ids=str)
each_corner = pytest.mark.parametrize("corner", CORNERS, ids=["top_left", "top_right", "bottom_left", "bottom_right"])


def panel_of(blocks: tuple[Block, ...], size: tuple[int, int] = FRAME) -> np.ndarray:
    panel = panel_picture(blocks, size)
    assert panel is not None
    return panel


@each_size
@pytest.mark.parametrize("blocks", CONTENTS.values(), ids=CONTENTS)
def test_the_panel_takes_a_third_of_the_width_at_most(size: tuple[int, int], blocks: tuple[Block, ...]) -> None:
    height, width, _ = panel_of(blocks, size).shape
    assert width <= size[0] / 3
    assert height <= size[1]


@each_size
def test_its_letters_are_never_small_and_what_is_said_first_stays(size: tuple[int, int]) -> None:
    layout = lay_out(FULL, size)
    assert layout is not None
    assert layout.letters >= 12
    assert layout.blocks >= SIZES[size]
    base = lay_out(BASE, size)
    assert base is not None
    assert base.letters >= min(size) / 45


@pytest.mark.parametrize("size", [(100, 300), (60, 60), (4000, 20), (1, 1)], ids=str)
def test_there_is_no_panel_without_room_for_a_device_and_a_figure(size: tuple[int, int]) -> None:
    assert panel_picture(BASE, size) is None
    frame = plain(90, size)
    put_panel(frame, BASE, PanelPlace(), NOBODY, 0)
    assert (frame == 90).all()


def test_nothing_to_say_is_no_panel() -> None:
    assert panel_picture((), FRAME) is None


@each_size
@pytest.mark.parametrize("blocks", CONTENTS.values(), ids=CONTENTS)
def test_no_letter_is_cut_off(size: tuple[int, int], blocks: tuple[Block, ...]) -> None:
    panel = panel_of(blocks, size)
    bright = panel.max(axis=2) > 100
    edge = int(np.flatnonzero(~bright.all(axis=0))[0])  # after the coloured edge
    assert bright[:, edge:].any()
    margin = 3
    for strip in (
        bright[:margin, edge:],
        bright[-margin:, edge:],
        bright[:, edge : edge + margin],
        bright[:, -margin:],
    ):
        assert not strip.any()


def test_the_panel_keeps_its_size_while_figures_change() -> None:
    shapes = {
        panel_of((Text("CPU", Style.TITLE), Text(f"{fps} FPS", Style.HEADLINE), Text(f"{ms} ms latency"))).shape
        for fps, ms in (("-", "-"), ("9.9", "8.1"), ("10.0", "77.7"), ("111.1", "123.4"))
    }
    assert len(shapes) == 1


def test_tables_have_columns_of_their_own() -> None:
    """A wide cell in one table moves nothing in another."""
    narrow, wide = (Table((("ab", text),), "ll") for text in ("x", "xxxxxxxxxxxxxxxx"))
    other = Table((("a", "figure"),), "ll")
    panels = [panel_of((BASE[0], BASE[4], table, other)) for table in (narrow, wide)]
    one, two = (panel[-24:, 8 : min(p.shape[1] for p in panels) - 8] for panel in panels)
    assert np.array_equal(one, two)


@each_corner
@pytest.mark.parametrize("grey", [7, 251])
def test_the_panel_is_opaque_and_hides_what_is_below(corner: Corner, grey: int) -> None:
    place = PanelPlace()
    place.corner, place._moved_at = corner, 0.0
    picture = plain(grey)
    put_panel(picture, BASE, place, NOBODY, 0.1)
    panel = panel_of(BASE)
    left, top, right, bottom = box_in(corner, panel.shape[1::-1], FRAME)
    assert np.array_equal(picture[top:bottom, left:right], panel)
    assert (picture == grey).all(axis=2).sum() == FRAME[0] * FRAME[1] - panel.shape[0] * panel.shape[1]
    assert 0 <= left < right <= FRAME[0]
    assert 0 <= top < bottom <= FRAME[1]
    assert (right > FRAME[0] * 0.95) == corner.is_right
    assert (bottom > FRAME[1] * 0.95) == corner.is_bottom


# Where it lies

STAYS_S = PanelPlace.STAYS_S
TOP_LEFT, TOP_RIGHT, BOTTOM_LEFT, BOTTOM_RIGHT = CORNERS
PANEL = (300, 200)  # width, height


def person_in(corner: Corner) -> np.ndarray:
    """A person (1, 4) under a panel in that corner."""
    left, top, right, bottom = box_in(corner, PANEL, FRAME)
    return np.array([[left + 50, top + 20, right - 150, bottom - 20]], np.float64)


def people_in(*corners: Corner) -> np.ndarray:
    return np.concatenate([NOBODY, *map(person_in, corners)])


@each_corner
def test_the_panel_starts_where_nobody_is(corner: Corner) -> None:
    place = PanelPlace()
    others = [other for other in CORNERS if other != corner]
    assert place.update(people_in(*others), PANEL, FRAME, 100) == box_in(corner, PANEL, FRAME)


def test_with_nobody_there_the_panel_starts_at_the_top_left() -> None:
    assert PanelPlace().update(NOBODY, PANEL, FRAME, 100) == box_in(TOP_LEFT, PANEL, FRAME)


def test_the_panels_real_size_counts() -> None:
    """Somebody in the top left quarter, but beside a small panel; a large one would cover him."""
    person = np.array([[320, 50, 420, 300]], np.float64)
    for size, corner in (((200, 150), TOP_LEFT), ((400, 300), TOP_RIGHT)):
        place = PanelPlace()
        place.update(person, size, FRAME, 100)
        assert place.corner == corner


def test_people_stay_long_before_the_panel_moves_and_then_it_stays_again() -> None:
    place = PanelPlace()
    place.update(NOBODY, PANEL, FRAME, 100)
    moves = []
    for frame in range(round(30 * (3 * STAYS_S))):
        now, corner = 100 + frame / 30, place.corner
        place.update(people_in(corner), PANEL, FRAME, now)  # people follow the panel
        if place.corner != corner:
            moves.append(now)
    assert moves[0] == pytest.approx(100 + STAYS_S, abs=0.1)
    assert len(moves) == 2
    assert moves[1] - moves[0] > STAYS_S


def test_somebody_who_only_passes_under_the_panel_does_not_move_it() -> None:
    place = PanelPlace()
    place.update(NOBODY, PANEL, FRAME, 100)
    for frame in range(600):
        passes = 300 < frame < 315
        place.update(people_in(TOP_LEFT) if passes else NOBODY, PANEL, FRAME, 100 + frame / 30)
    assert place.corner == TOP_LEFT


def test_the_panel_does_not_move_to_a_corner_that_is_hardly_emptier() -> None:
    place = PanelPlace()
    place.update(people_in(*CORNERS[1:]), PANEL, FRAME, 100)
    for frame in range(300):
        place.update(people_in(*CORNERS), PANEL, FRAME, 110 + frame / 30)
    assert place.corner == TOP_LEFT


def test_the_panel_lies_in_a_margin_where_there_is_one_and_moves_there() -> None:
    frame = Box(400, 0, *FRAME)
    place = PanelPlace()
    place.update(NOBODY, PANEL, FRAME, 100, frame)
    assert place.corner == TOP_LEFT
    place.corner = TOP_RIGHT  # the window got its margin only now
    for tick in range(300):
        place.update(NOBODY, PANEL, FRAME, 110 + tick / 30, frame)
    assert place.corner == TOP_LEFT


def test_a_persons_box_is_a_little_larger_than_the_keypoints_and_moves_with_the_picture() -> None:
    [box] = people_boxes([pose({"nose": (0.5, 0.2), "left_ankle": (0.6, 0.7)})])
    # Keypoints at 480, 144 and 576, 504: 36 pixels around, a tenth of the height.
    assert box == pytest.approx([480 - 37, 144 - 37, 576 + 37, 504 + 37], abs=1)
    [moved] = people_boxes([pose({"nose": (0.5, 0.2), "left_ankle": (0.6, 0.7)})], 2.0, (100, 0))
    assert moved == pytest.approx([2 * side + shift for side, shift in zip(box, (100, 0, 100, 0), strict=True)])
    assert people_boxes([pose({})]).shape == (0, 4)

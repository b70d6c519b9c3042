"""What is painted, and when: a window that counts, and results that come faster than a display shows."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from human_pose.demo.panel import Table, Text
from human_pose.demo.panel_place import CORNERS
from human_pose.demo.people import Seen
from human_pose.demo.statistics import RunStatistics
from human_pose.demo.viewer import Viewer
from human_pose.demo.window import Key, NullWindow
from human_pose.inference.model import ModelFile
from human_pose.media.capture import Frame
from human_pose.media.writer import NullWriter
from human_pose.poses.labels import Marks, person_colour
from human_pose.poses.pose import Pose
from human_pose.poses.skeleton import LEFT_COLOUR
from tests.helpers.pictures import read_picture
from tests.helpers.skeletons import pose

WINDOW = (600, 450)  # of the counting window, unlike the frames'
FRAME = (480, 360)


class CountingWindow(NullWindow):
    is_shown = True

    def __init__(self) -> None:
        self.painted: list[np.ndarray] = []
        self.polls = 0
        self.key: Key | int | None = None

    def picture_size(self, frame_size: tuple[int, int]) -> tuple[int, int]:
        return WINDOW

    def show(self, image: np.ndarray) -> None:
        self.painted.append(image)

    def poll_key(self, wait_ms: int = 0) -> Key | int | None:
        self.polls += 1
        key, self.key = self.key, None
        return key


class CountingWriter(NullWriter):
    """Keeps the pictures that it is given, where it stands for an output."""

    def __init__(self, is_open: bool) -> None:
        self.is_open = is_open
        self.written: list[np.ndarray] = []

    def write(self, frame: Frame, picture: np.ndarray) -> None:
        self.written.append(picture.copy())


class Clock:
    """Time that passes when told to."""

    now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("human_pose.demo.viewer.time", clock)
    monkeypatch.setattr("human_pose.demo.panel_content.time", clock)
    return clock


class Show:
    """A viewer with a source, two devices and a window that counts."""

    def __init__(self, clock: Clock, frame_count: int | None = None, output: bool = False, **options: Any) -> None:
        self.clock, self.index = clock, 0
        self.window, self.writer = CountingWindow(), CountingWriter(output)
        self.compiled = {
            device: SimpleNamespace(
                device=device, request_count=1, requests_in_use=1, facts=[], server=None, runs_on="", streams=1,
                is_from_cache=False, compile_s=0.1,
                execution_precision="f32", operations={}, is_stand_in=False, is_emulated=False,
            )
            for device in ("CPU", "AUTO")
        }  # fmt: skip
        self.estimator = SimpleNamespace(compiling=None)
        self.devices = SimpleNamespace(devices=["CPU", "AUTO"], target="CPU", failed=set())
        self.capture = SimpleNamespace(
            frame_count=frame_count, dropped=0, first_image=np.full((*FRAME[::-1], 3), 99, np.uint8)
        )
        network = SimpleNamespace(file=ModelFile("tiny", "FP32", Path("tiny.xml")))
        self.statistics = RunStatistics()
        viewer: Any = Viewer
        self.viewer = viewer(
            options.pop("window", self.window), self.writer, network, self.estimator, self.capture, self.devices,
            self.statistics, **options,
        )  # fmt: skip

    def result(self, device: str = "CPU", people: Sequence[Pose] = ()) -> np.ndarray:
        """The next result comes; returns its frame's image, grey of its index."""
        image = np.full((*FRAME[::-1], 3), self.index % 250, np.uint8)
        inference: Any = SimpleNamespace(
            frame=Frame(self.index, image, self.clock.now), compiled=self.compiled[device],
            input_size=(64, 64),
        )  # fmt: skip
        self.statistics.add(self.compiled[device], 5.0, self.clock.now)  # type: ignore[arg-type]
        self.viewer.show(inference, Seen(people, people, Marks({1: "#1 0:07"})))
        self.index += 1
        return image

    def press(self, key: Key | int | None, stands_still: bool = False) -> Key | int | None:
        self.clock.now += 0.1
        self.window.key = key
        answer: Key | int | None = self.viewer.poll_key(stands_still)
        return answer

    def still(self, seconds: float) -> None:
        """No results for a while."""
        for _ in range(round(seconds / 0.02)):
            self.clock.now += 0.02
            self.viewer.poll_key(stands_still=True)

    def said(self) -> list[str]:
        """Every text and cell of the window's panel."""
        found: list[str] = []
        for block in self.viewer._panel():
            found += [block.text] if isinstance(block, Text) else [cell for row in block.rows for cell in row]
        return found

    def table(self) -> dict[str, str]:
        """The details."""
        [rows] = [block.rows for block in self.viewer._panel() if isinstance(block, Table) and block.columns == "lw"
                  and block.rows[0][0] == "model"]  # fmt: skip
        return {row[0]: row[1] for row in rows}


# When it paints


@pytest.mark.parametrize(
    ("burst", "fps", "display_fps", "painted"),
    [(1, 200, 60, 60), (1, 100, 25, 25), (1, 30, 60, 30), (1, 60, 60, 60), (2, 50, 60, 50), (3, 54, 60, 54)],
)
def test_as_many_results_are_painted_as_a_display_shows_and_every_one_is_written(
    clock: Clock, burst: int, fps: int, display_fps: float, painted: int
) -> None:
    show = Show(clock, output=True, display_fps=display_fps)
    show.press(Key.DETAILS)
    for tick in range(4 * 500):
        clock.now = 100 + tick / 500
        while show.index < burst * ((tick * fps) // (500 * burst) + 1):
            show.result()
        show.viewer.poll_key(stands_still=False)
    assert len(show.writer.written) == show.statistics.frames >= 4 * fps
    assert show.viewer.painted == pytest.approx(4 * painted, rel=0.03)
    assert len(show.window.painted) == show.viewer.painted
    assert float(show.table()["painted"].split()[0]) == pytest.approx(painted, rel=0.05)


def test_keys_are_asked_for_after_each_paint_and_thirty_times_a_second(clock: Clock) -> None:
    show = Show(clock)
    for index in range(1000):
        clock.now = 100 + index / 1000
        show.viewer.poll_key(stands_still=False)
    assert show.window.polls == pytest.approx(30, abs=2)
    show.result()
    show.viewer.poll_key(stands_still=False)
    assert show.window.polls == pytest.approx(31, abs=2)


def test_the_last_result_is_painted_when_no_other_follows_and_the_window_stays_for_it(clock: Clock) -> None:
    show = Show(clock)
    for _ in range(3):
        clock.now += 0.001
        show.result()
    assert show.viewer.painted == 1
    assert show.viewer.keeps_picture
    show.still(0.2)
    assert show.viewer.painted == 3
    assert not show.viewer.keeps_picture
    assert (show.window.painted[-1] == 2).all(axis=2).sum() > FRAME[0] * FRAME[1]


def test_a_still_picture_is_painted_again_and_counts_once(clock: Clock) -> None:
    show = Show(clock)
    for _ in range(60):
        clock.now += 0.04
        show.result()
    show.press(Key.DETAILS)
    painted, paints = show.viewer.painted, len(show.window.painted)
    show.viewer.is_paused = True
    show.still(5)
    assert len(show.window.painted) >= paints + 8
    assert show.viewer.painted == painted
    assert show.table()["painted"] == "25.0 FPS"
    assert "paused" in show.said()


def test_nothing_is_painted_into_a_window_that_was_closed(clock: Clock) -> None:
    show = Show(clock)
    show.result()
    clock.now += 10  # the panel has something else to say by now
    assert show.press(Key.QUIT, stands_still=True) is Key.QUIT
    assert len(show.window.painted) == 1


# What it shows


def test_the_output_has_the_frames_size_and_the_window_its_own(clock: Clock) -> None:
    show = Show(clock, output=True)
    image = show.result()
    assert show.writer.written[0].shape == image.shape == (360, 480, 3)
    assert show.window.painted[0].shape == (450, 600, 3)
    assert (image == 0).all()  # not drawn upon
    assert show.writer.written[0].any()  # but in the output, there is a panel


def test_without_a_window_and_an_output_the_frame_itself_is_drawn_on(clock: Clock) -> None:
    show = Show(clock, window=NullWindow())
    image = show.result()
    assert (image == 0).all()  # nobody is in it, and nobody would read a panel
    assert not show.window.painted


def test_no_panel_is_none_in_the_output_and_in_the_window_until_h(clock: Clock) -> None:
    show = Show(clock, output=True, has_panel=False)
    show.result()
    assert not show.writer.written[0].any()
    assert show.said() == []
    show.press(Key.PANEL)
    clock.now += 1
    show.result()
    assert (show.writer.written[1] == 1).all()
    assert show.said()[0] == "CPU"


def test_h_hides_the_panel_in_both_and_brings_it_back(clock: Clock) -> None:
    show = Show(clock, output=True)
    for number in range(3):
        clock.now += 1
        show.result()
        assert (show.writer.written[-1] == number).all() == (number == 1)
        assert (show.said() == []) == (number == 1)
        show.press(Key.PANEL)


def test_a_single_image_carries_no_statistics(clock: Clock) -> None:
    show = Show(clock, frame_count=1, output=True)
    image = show.result()
    assert np.array_equal(show.writer.written[0], image)
    assert show.said()[:3] == ["CPU", "0 people", "FP32"]
    assert "-" not in "".join(show.said()[:3])
    assert show.viewer.keeps_picture


def test_saving_gives_the_frames_own_size(clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    show = Show(clock)
    show.result()
    show.press(Key.SAVE)
    assert read_picture(tmp_path / "pose-000000.png").shape == (360, 480, 3)
    assert "saved pose-000000.png" in show.said()


@pytest.mark.parametrize(("key", "text"), [(Key.PROFILE, "preprocess"), (Key.COMPARE, "ratio"), (Key.DETAILS, "model")])
def test_a_key_opens_a_part_of_the_panel_at_once_and_closes_it(clock: Clock, key: Key, text: str) -> None:
    show = Show(clock)
    show.result()
    for shown in (True, False):
        paints = len(show.window.painted)
        show.press(key)
        assert (text in show.said()) is shown
        assert len(show.window.painted) == paints + 1


def test_the_keys_are_listed_at_the_start_and_with_the_details(clock: Clock) -> None:
    show = Show(clock)
    show.result()
    assert {"TAB", "ESC", "1", "2"} <= set(show.said())
    clock.now += 10
    show.result()
    assert not {"TAB", "ESC", "1", "2"} & set(show.said())
    show.press(Key.DETAILS)
    assert {"TAB", "ESC", "1", "2"} <= set(show.said())


# While a device is compiled for


def test_before_the_first_result_the_window_shows_the_source_and_what_is_compiled(clock: Clock) -> None:
    show = Show(clock)
    show.viewer.poll_key(stands_still=False)
    assert not show.window.painted  # nothing is known yet
    show.estimator.compiling = ("CPU", 3.2)
    assert show.press(Key.NEXT_DEVICE) is Key.NEXT_DEVICE
    assert show.press(Key.QUIT) is Key.QUIT
    assert (show.window.painted[0] == 99).all(axis=2).sum() > 0.5 * WINDOW[0] * WINDOW[1]
    assert show.said()[:2] == ["CPU", "compiling CPU ... 3 s"]
    paints = len(show.window.painted)
    show.estimator.compiling = ("CPU", 4.2)
    show.still(0.4)
    assert len(show.window.painted) > paints
    assert show.viewer.painted == 0
    show.estimator.compiling = None
    show.result(people=[pose({"nose": (0.1, 0.05), "right_ankle": (0.2, 0.4)}, FRAME)])
    assert show.viewer.painted == 1
    assert not any(text.startswith("compiling") for text in show.said())
    assert show.viewer._window_place.corner != CORNERS[0]  # where somebody is, though the panel lay there before


def test_while_a_switch_is_under_way_the_panel_tells_the_devices_apart(clock: Clock) -> None:
    show = Show(clock)
    show.result()
    clock.now += 20
    show.devices.target, show.estimator.compiling = "AUTO", ("AUTO", 12.4)
    said = show.said()
    assert said[0] == "CPU"
    assert "compiling AUTO ... 12 s" in said
    assert "until then: figures of CPU" in said
    show.estimator.compiling = None
    clock.now += 1
    show.result("AUTO")
    assert show.said()[0] == "AUTO"
    assert not any("figures of" in text for text in show.said())


def test_after_a_switch_in_a_pause_the_mark_stays_with_the_figures(clock: Clock) -> None:
    show = Show(clock)
    show.result("AUTO")
    show.viewer.is_paused = True
    show.devices.target = "CPU"
    said = show.said()
    assert said[0] == "AUTO"
    assert "CPU from the next result on" in said
    [marked] = [block.marked for block in show.viewer._panel() if isinstance(block, Table) and block.marked is not None]
    assert show.devices.devices[marked] == "AUTO"


def test_figures_stay_to_be_read_while_people_and_device_are_those_of_the_picture(clock: Clock) -> None:
    show = Show(clock)
    for _ in range(40):
        clock.now += 0.05
        show.result()
    first = show.said()
    clock.now += 0.1
    show.result(people=[pose(size=FRAME)])
    assert show.said()[1:4] == [first[1], first[2], "1 person"]
    clock.now += 0.1
    show.result("AUTO")
    assert show.said()[0] == "AUTO"
    clock.now += 0.3
    show.result()
    assert show.said()[1] != first[1]


def test_the_number_of_no_device_is_answered(clock: Clock) -> None:
    show = Show(clock)
    show.result()
    assert show.press(2) == 2
    assert show.press(5) is None
    assert "There is no device 5: the devices are 1 CPU, 2 AUTO." in show.said()


# Who is who


def test_a_key_colours_the_limbs_by_person_and_back(clock: Clock) -> None:
    show = Show(clock)
    show.result(people=[replace(pose(size=FRAME), id=1)])

    def has(colour: tuple[int, int, int]) -> bool:
        return bool((show.window.painted[-1] == colour).all(axis=2).any())

    for is_by_person in (False, True, False):
        assert has(LEFT_COLOUR) != is_by_person
        assert has(person_colour(1))  # of the label, at least
        show.press(Key.COLOURS)
    assert not has(LEFT_COLOUR)

"""What is painted, and when: a window that counts, and results that come faster than a display shows."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from human_pose.capture import Frame
from human_pose.network import ModelFile
from human_pose.stats import RunStatistics
from human_pose.viewer import Viewer
from human_pose.window import Key, NoWindow
from human_pose.writer import NoWriter


class CountingWindow(NoWindow):
    is_shown = True

    def __init__(self) -> None:
        self.painted: list[np.ndarray] = []
        self.polls = 0
        self.key: Key | None = None

    def show(self, image: np.ndarray) -> None:
        self.painted.append(image)

    def poll_key(self, wait_ms: int = 0) -> Key | int | None:
        self.polls += 1
        key, self.key = self.key, None
        return key


class CountingWriter(NoWriter):
    is_open = True

    def __init__(self) -> None:
        self.written: list[np.ndarray] = []

    def write(self, frame: Frame, picture: np.ndarray) -> None:
        self.written.append(picture)


class Clock:
    """Time that passes when told to."""

    now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("human_pose.viewer.time", clock)
    return clock


def viewer_of(window: NoWindow, writer: NoWriter, **options: Any) -> tuple[Viewer, RunStatistics, Any]:
    compiled = SimpleNamespace(
        device="CPU", request_count=1, whereabouts="CPU", streams=1, is_from_cache=False, compile_s=0.1,
        execution_precision="f32", operations={}, is_stand_in=False,
    )  # fmt: skip
    network = SimpleNamespace(file=ModelFile("tiny", "FP32", Path("tiny.xml"), "float twin of FP16-INT8"))
    capture = SimpleNamespace(frame_count=None, dropped=0)
    devices = SimpleNamespace(devices=["CPU"], target="CPU", failed=set())
    statistics = RunStatistics()
    viewer: Any = Viewer(
        window, writer, network, SimpleNamespace(compiling=None), capture, devices, statistics, **options  # type: ignore[arg-type]
    )  # fmt: skip
    return viewer, statistics, compiled


def show(viewer: Viewer, statistics: RunStatistics, compiled: Any, index: int, at: float) -> np.ndarray:
    image = np.full((360, 480, 3), index % 250, np.uint8)
    inference: Any = SimpleNamespace(
        frame=Frame(index, image, at), compiled=compiled, heatmaps=np.zeros((19, 8, 8), np.float32)
    )
    statistics.add(compiled, 5.0, at)
    viewer.show(inference, [])
    return image


@pytest.mark.parametrize(("fps", "display_fps", "painted"), [(200, 60, 60), (100, 25, 25), (30, 60, 30), (60, 60, 60)])
def test_no_more_is_painted_than_a_display_shows_and_every_result_is_written(
    clock: Clock, fps: int, display_fps: float, painted: int
) -> None:
    window, writer = CountingWindow(), CountingWriter()
    viewer, statistics, compiled = viewer_of(window, writer, display_fps=display_fps)
    for index in range(4 * fps):
        clock.now = 100 + index / fps
        show(viewer, statistics, compiled, index, clock.now)
    assert len(writer.written) == 4 * fps == statistics.frames
    assert len(window.painted) == pytest.approx(4 * painted, rel=0.03)


def test_the_panel_says_both_how_many_are_processed_and_how_many_painted(clock: Clock) -> None:
    window = CountingWindow()
    viewer, statistics, compiled = viewer_of(window, NoWriter(), display_fps=50)
    for index in range(800):
        clock.now = 100 + index / 200
        show(viewer, statistics, compiled, index, clock.now)
    lines = [line.text for line in viewer._panel()]
    assert lines[1].startswith("200.0 FPS")
    painted = float(lines[2].split("painted ")[1].split()[0])
    assert painted == pytest.approx(50, rel=0.05)
    assert any(line.startswith("tiny FP32 (float twin of FP16-INT8) executed in") for line in lines)


def test_without_a_window_and_an_output_the_frame_itself_is_drawn_on(clock: Clock) -> None:
    viewer, statistics, compiled = viewer_of(NoWindow(), NoWriter())
    image = show(viewer, statistics, compiled, 7, clock.now)
    assert viewer._picture is image
    assert (image == 7).all()  # nobody is in it, and nobody would read a panel


def test_with_a_window_the_frame_stays_as_it_is(clock: Clock) -> None:
    window = CountingWindow()
    viewer, statistics, compiled = viewer_of(window, NoWriter())
    image = show(viewer, statistics, compiled, 7, clock.now)
    assert (image == 7).all()
    assert not (window.painted[0] == 7).all()


def test_the_last_result_is_painted_when_no_other_follows(clock: Clock) -> None:
    window = CountingWindow()
    viewer, statistics, compiled = viewer_of(window, NoWriter())
    for index in range(3):
        clock.now += 0.001
        show(viewer, statistics, compiled, index, clock.now)
    assert len(window.painted) == 1
    viewer.poll_key(stands_still=True)
    assert len(window.painted) == 2
    assert (window.painted[-1] == 2).any()
    assert not (window.painted[-1] == 0).all(axis=2).any()


def test_keys_are_asked_for_as_often_as_the_display_shows(clock: Clock) -> None:
    window = CountingWindow()
    viewer, *_ = viewer_of(window, NoWriter(), display_fps=60)
    for index in range(1000):
        clock.now = 100 + index / 1000
        viewer.poll_key(stands_still=False)
    assert window.polls == pytest.approx(60, abs=3)


def test_p_shows_the_profile_and_hides_it(clock: Clock) -> None:
    window = CountingWindow()
    viewer, statistics, compiled = viewer_of(window, NoWriter())
    show(viewer, statistics, compiled, 0, clock.now)
    for shown in (True, False):
        clock.now += 1
        window.key = Key.PROFILE
        viewer.poll_key(stands_still=False)
        assert any("preprocess" in line.text for line in viewer._panel()) is shown

"""The program in a real window: keys are pressed, the screen is read."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import mss
import numpy as np
import pytest
import Xlib.display
import Xlib.protocol.event
import Xlib.X

from human_pose.affinity import TOLERANCE
from human_pose.draw import TITLE_COLOUR, draw
from human_pose.panel import CORNERS, Line
from human_pose.skeleton import LEFT_COLOUR, RIGHT_COLOUR
from tests.conftest import ROOT
from tests.stand_ins import AUTO, HETERO, MULTI, write_plugins

TITLE = "Human pose estimation"
PATIENCE_S = 60


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.1)


class Demo:
    """The demo in its window, and what a person does with it."""

    def __init__(self, screen: str, folder: Path, *arguments: object, script: Path | None = None) -> None:
        self._environment = {**os.environ, "DISPLAY": screen, "PYTHONFAULTHANDLER": "1"}
        self._screen = screen
        command = [sys.executable, script or ROOT / "human_pose_est.py", "--report", folder / "r.json", *arguments]
        self.process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def xdotool(self, *arguments: str) -> str:
        done = subprocess.run(
            ["xdotool", *arguments], env=self._environment, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    def press(self, key: str) -> None:
        self.xdotool("key", key)

    def has_window(self) -> bool:
        return self.xdotool("search", "--name", TITLE) != ""

    def picture(self) -> np.ndarray:
        """The screen, (h, w, 3) uint8 BGR."""
        with mss.MSS(display=self._screen) as screen:  # afresh each time: nothing of an earlier picture can remain
            return np.ascontiguousarray(np.array(screen.grab(screen.monitors[0]))[..., :3])

    def pixels_of(self, colour: tuple[int, int, int]) -> int:
        return int((np.abs(self.picture().astype(int) - colour).max(axis=2) < 12).sum())

    def shows_title(self, device: str) -> bool:
        """Whether the panel's first line names the device, letter for letter."""
        # Drawn by itself, the same title has the same pixels; the lines around it set its size.
        canvas = np.zeros((720, 960, 3), np.uint8)
        expected = letters(draw(canvas, [], [Line(device, 1.4, is_title=True)], CORNERS[0]))
        rows, columns = np.nonzero(expected)
        margin = 12  # of nothing around it, so that no part of a longer title matches
        box = np.pad(
            expected[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1], ((0, 0), (margin, margin))
        )
        return float(cv2.matchTemplate(letters(self.picture()), box, cv2.TM_CCOEFF_NORMED).max()) > 0.9

    def stands_still(self) -> bool:
        before = self.picture()
        time.sleep(0.6)
        return bool((before == self.picture()).all())

    def close(self) -> None:
        """Ask the window to close, as a click on its frame does."""
        connection = Xlib.display.Display(self._environment["DISPLAY"])
        window = connection.create_resource_object("window", int(self.xdotool("search", "--name", TITLE)))
        delete = [connection.intern_atom("WM_DELETE_WINDOW"), Xlib.X.CurrentTime, 0, 0, 0]
        protocols = connection.intern_atom("WM_PROTOCOLS")
        window.send_event(Xlib.protocol.event.ClientMessage(window=window, client_type=protocols, data=(32, delete)))
        connection.sync()
        connection.close()

    def quit(self, key: str = "Escape") -> str:
        """Press a key that quits; returns what was printed."""
        self.press(key)
        output, errors = self.process.communicate(timeout=PATIENCE_S)
        assert self.process.returncode == 0, errors
        return output


def letters(picture: np.ndarray) -> np.ndarray:
    """Mask of the title's letters, (h, w) float32."""
    return (np.abs(picture.astype(int) - TITLE_COLOUR).max(axis=2) < 40).astype(np.float32)


@pytest.fixture
def demo(screen: str, tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    started: list[Demo] = []

    def start(*arguments: object, script: Path | None = None) -> Demo:
        demo = Demo(screen, tmp_path, *arguments, script=script)
        started.append(demo)
        try:
            wait_for(lambda: demo.pixels_of(TITLE_COLOUR) > 20 or demo.process.poll() is not None, "the first picture")
        except AssertionError:
            print(demo.xdotool("search", "--name", TITLE, "getwindowgeometry"))
            demo.process.send_signal(signal.SIGABRT)  # tells where it stands
            demo.process.wait(PATIENCE_S)
        assert demo.process.poll() is None, demo.process.communicate()[1]
        demo.xdotool("mousemove", "100", "100")  # without a window manager, keys go to the window under the pointer
        return demo

    yield start
    for demo in started:
        if demo.process.poll() is None:
            demo.process.kill()
            demo.process.communicate()


def test_a_viewer_switches_pauses_hides_saves_and_quits(demo: Callable[..., Demo], tmp_path: Path) -> None:
    window = demo("-m", "mobilenet-thin", "--loop")
    wait_for(lambda: window.shows_title("CPU"), "the panel to name the CPU")
    wait_for(lambda: window.pixels_of(RIGHT_COLOUR) > 200 and window.pixels_of(LEFT_COLOUR) > 200, "a skeleton")

    window.press("Tab")
    wait_for(lambda: window.shows_title("AUTO runs on CPU"), "the panel to name AUTO and where it runs")
    time.sleep(1)

    window.press("space")
    wait_for(window.stands_still, "the picture to stand still")
    window.press("h")
    wait_for(lambda: not window.shows_title("AUTO runs on CPU"), "the panel to go away")
    window.press("h")
    wait_for(lambda: window.shows_title("AUTO runs on CPU"), "the panel to come back")
    window.press("s")
    wait_for(lambda: bool(list(tmp_path.glob("pose-*.png"))), "the saved picture")
    window.press("space")
    wait_for(lambda: not window.stands_still(), "the picture to move on")

    output = window.quit()
    [saved] = tmp_path.glob("pose-*.png")
    assert cv2.imread(str(saved)).shape == (720, 960, 3)
    rows = [line.split()[0] for line in output.splitlines()]
    assert rows[1:3] == ["CPU", "AUTO"]
    devices = json.loads((tmp_path / "r.json").read_text())["devices"]
    assert [device["device"] for device in devices] == ["CPU", "AUTO"]
    assert all(device["executed_on"] == ["CPU"] and device["frames"] > 0 for device in devices)


def test_time_in_pause_is_in_no_figure(demo: Callable[..., Demo], painted_xml: Path, tmp_path: Path) -> None:
    window = demo("-m", painted_xml, "--loop")
    time.sleep(1.5)
    window.press("space")
    wait_for(window.stands_still, "the picture to stand still")
    time.sleep(3)
    window.press("space")
    time.sleep(1.5)
    window.quit("q")
    [device] = json.loads((tmp_path / "r.json").read_text())["devices"]
    assert device["fps"]["min"] > 0  # a second of pause would be one without a frame


def test_closing_the_window_quits(demo: Callable[..., Demo], painted_xml: Path) -> None:
    window = demo("-m", painted_xml, "--loop")
    window.close()
    output, errors = window.process.communicate(timeout=PATIENCE_S)
    assert window.process.returncode == 0, errors
    assert output.splitlines()[1].startswith("CPU")


def test_a_single_image_stays_until_a_key(demo: Callable[..., Demo], tmp_path: Path) -> None:
    video = cv2.VideoCapture(str(ROOT / "videos" / "park.mp4"))
    cv2.imwrite(str(tmp_path / "man.png"), video.read()[1])
    window = demo("-m", "mobilenet-thin", "-i", tmp_path / "man.png")
    time.sleep(1)
    assert window.process.poll() is None
    assert window.pixels_of(RIGHT_COLOUR) > 200
    assert window.has_window()
    window.quit()


def test_the_panel_is_whole_on_a_tiny_and_on_a_huge_frame(
    demo: Callable[..., Demo], painted_xml: Path, tmp_path: Path
) -> None:
    for name, size in {"tiny": (24, 32), "huge": (2160, 3840)}.items():
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((*size, 3), 255, np.uint8))
        window = demo("-m", painted_xml, "-i", tmp_path / f"{name}.png")
        assert window.pixels_of(TITLE_COLOUR) > 20
        window.quit()


CYCLE = ["CPU", "GPU", HETERO, MULTI, AUTO]
RUNS_ON = {
    "CPU": (["CPU"], "CPU"),
    "GPU": (["CPUX"], "GPU runs on CPUX (stand-in)"),
    HETERO: (["GPU"], f"{HETERO} runs on GPU alone (stand-in)"),
    MULTI: (["GPUHETERO", "CPU"], f"{MULTI} runs on GPUHETERO, CPU (stand-in)"),
}


def test_tab_tours_every_kind_of_device_and_the_panel_tells_the_truth(
    demo: Callable[..., Demo], tmp_path: Path
) -> None:
    plugins = write_plugins(tmp_path)
    arguments = ["-m", "mobilenet-thin", "--size", "128", "--loop", "--no-cache", "--plugins", plugins]
    window = demo(*arguments, "--devices", *CYCLE)
    for device in CYCLE[1:]:
        time.sleep(0.5)
        window.press("Tab")
        if device in RUNS_ON:
            wait_for(partial(window.shows_title, RUNS_ON[device][1]), f"the panel to tell the truth about {device}")
        else:
            time.sleep(4)
    window.press("c")
    time.sleep(0.5)
    window.press("1")
    wait_for(lambda: window.shows_title("CPU"), "the first device to come back")
    window.quit()
    report = json.loads((tmp_path / "r.json").read_text())
    assert [device["device"] for device in report["devices"]] == CYCLE
    for device in report["devices"]:
        assert device["frames"] > 0
        assert device["is_stand_in"] == (device["device"] != "CPU")
        if device["device"] in RUNS_ON:
            assert device["executed_on"] == RUNS_ON[device["device"]][0]
    assert [switch["device"] for switch in report["switches"]] == [*CYCLE[1:], "CPU"]
    assert all(switch["ready_s"] is not None for switch in report["switches"])


def test_the_studys_hetero_shows_its_subgraphs(demo: Callable[..., Demo], tmp_path: Path) -> None:
    arguments = ["-m", "mobilenet-thin", "--size", "64", "--loop", "--no-cache", "--plugins", write_plugins(tmp_path)]
    window = demo(*arguments, "-d", HETERO, "--affinity", "conv")
    wait_for(lambda: window.shows_title(f"{HETERO} runs on CPU, GPU (stand-in)"), "HETERO on both devices")
    window.quit()
    [device] = json.loads((tmp_path / "r.json").read_text())["devices"]
    assert device["subgraphs"] > 100
    assert set(device["operations"]) == {"CPU", "GPU"}
    assert device["difference"] < TOLERANCE


def test_a_device_that_fails_is_named_in_the_panel_and_the_run_goes_on(
    demo: Callable[..., Demo], tmp_path: Path
) -> None:
    arguments = ["-m", "mobilenet-thin", "--size", "64", "--loop", "--no-cache", "--plugins", write_plugins(tmp_path)]
    window = demo(*arguments, "--devices", "CPU", "MULTI:GPU,CPU", "GPU")  # the stand-in's proxy joins no MULTI
    window.press("Tab")
    wait_for(lambda: window.shows_title("CPU") and not window.stands_still(), "the CPU to go on")
    time.sleep(1)
    window.press("Tab")
    wait_for(lambda: window.shows_title(RUNS_ON["GPU"][1]), "TAB to pass over the device that failed")
    window.quit()
    devices = [device["device"] for device in json.loads((tmp_path / "r.json").read_text())["devices"]]
    assert devices == ["CPU", "GPU"]

"""An exhibition: visitors' keys do not end it, and it survives its source and its devices."""

import contextlib
import gc
import itertools
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest

import human_pose_est
from human_pose.demo import kiosk, kiosk_source, kiosk_stops, modes, networks
from human_pose.demo.kiosk_picture import caption_height, text_box, waiting_picture
from human_pose.demo.kiosk_source import no_picture
from human_pose.demo.kiosk_window import HeldKey
from human_pose.demo.networks import Networks
from human_pose.demo.race import Race
from human_pose.demo.window import Key, Window
from human_pose.errors import DemoError
from human_pose.inference import openvino_backend
from human_pose.inference.backend import DeviceError
from human_pose.inference.estimator import Estimator
from human_pose.inference.openvino_backend import OpenVinoCompiledModel, compile_model
from human_pose.inference.settings import Settings
from human_pose.media.capture import Capture
from human_pose.media.sources import Images, Source
from tests.helpers.painted import HEIGHT, WIDTH, blank, save_clip
from tests.helpers.window import PATIENCE_S, Demo, wait_for

# ---- the key that is held ----


def longest_hold(presses: list[float], until: float, polls_per_s: float = 30) -> float:
    """For how long the key counts as held at most. presses: when a code came, which the next poll gives."""
    held, longest, waiting = HeldKey(), 0.0, sorted(presses)
    for tick in range(int(until * polls_per_s)):
        now = tick / polls_per_s
        came = [at for at in waiting if at <= now]
        waiting = waiting[len(came) :]
        longest = max(longest, held.held_s(bool(came), now))
    return longest


def test_a_held_key_comes_again_and_again() -> None:
    repeated = [1.0, *(1.66 + 0.04 * number for number in range(100))]
    assert longest_hold(repeated, 3.2) > 2
    assert longest_hold(repeated, 2.9) < 2
    assert longest_hold(repeated, 3.5, polls_per_s=5) > 2  # a machine that is busy


def test_taps_are_no_hold() -> None:
    assert longest_hold([1.0], 9) == 0
    assert longest_hold([number / 4 for number in range(40)], 9) < 1  # four a second
    assert longest_hold([0.7 * number for number in range(40)], 9) < 1


def test_another_key_ends_the_hold() -> None:
    held = HeldKey()
    assert held.held_s(True, 1.0) == 0
    assert held.held_s(True, 1.1) > 0
    held.release()
    assert held.held_s(True, 1.2) == 0


# ---- the pictures ----


@pytest.mark.parametrize("text", ["CPU.", "HETERO: the network's layers are split over the devices. " * 4, ""])
@pytest.mark.parametrize("size", [(1920, 140), (640, 62)])
def test_a_text_fits_its_box(text: str, size: tuple[int, int]) -> None:
    box = text_box(text, size)
    assert box.shape == (size[1], size[0], 3)
    white = (box == 255).all(axis=2)
    assert white.any() == bool(text)
    assert not white[:, :10].any()
    assert not white[:, -10:].any()
    assert not white[-2:].any()
    assert waiting_picture(text, (640, 360)).shape == (360, 640, 3)


# ---- a whole run, in a window that is read by the test ----


class ReadWindow(Window):
    """A window without a screen, which is left when `is_enough` says so."""

    is_shown = True
    is_enough: Callable[["ReadWindow"], bool]

    def __init__(self, title: str) -> None:
        self.caption, self.is_left = "", False
        self.captions: list[str] = []
        self.pictures = 0
        self._until = time.monotonic() + PATIENCE_S

    def picture_size(self, frame_size: tuple[int, int]) -> tuple[int, int]:
        return 320, 240

    def show(self, image: np.ndarray) -> None:
        assert image.shape == (240, 320, 3)
        self.pictures += 1
        if not self.captions or self.captions[-1] != self.caption:
            self.captions.append(self.caption)

    def __exit__(self, *_: object) -> None:
        pass

    def poll_key(self, wait_ms: int = 0) -> Key | None:
        time.sleep(wait_ms / 1000)
        self.is_left |= type(self).is_enough(self) or time.monotonic() > self._until
        return Key.QUIT if self.is_left else None


Exhibit = Callable[..., tuple[int, ReadWindow]]


@pytest.fixture
def exhibit(monkeypatch: pytest.MonkeyPatch, painted_xml: Path, tmp_path: Path) -> Iterator[Exhibit]:
    """Run a kiosk until the window has seen enough; gives its exit code and the window."""
    windows: list[ReadWindow] = []

    def run(is_enough: Callable[[ReadWindow], bool], *arguments: object) -> tuple[int, ReadWindow]:
        class Enough(ReadWindow):
            def __init__(self, title: str) -> None:
                super().__init__(title)
                windows.append(self)

        Enough.is_enough = lambda window: is_enough(window)
        monkeypatch.setattr(modes, "KioskWindow", Enough)
        code = human_pose_est.main([*map(str, ("-m", painted_xml, "--no-cache", *arguments))])
        return code, windows[-1]

    monkeypatch.setattr(modes, "why_no_window", lambda: None)
    monkeypatch.setattr(modes, "DisplayWatch", lambda close: contextlib.nullcontext())
    monkeypatch.chdir(tmp_path)
    yield run


def test_it_goes_round_its_stops_and_prints_the_table(
    exhibit: Exhibit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def is_enough(window: ReadWindow) -> bool:
        return sum(caption.startswith("A race") for caption in window.captions) >= 2

    stops = ("--tour", 0.4, "--kiosk", "CPU", "CPU latency", "CPU vs CPU latency")
    code, window = exhibit(is_enough, "-i", save_clip(tmp_path), *stops)
    assert code == 0
    one, other = (
        f"CPU: the computer's main processor runs the network. {hint}."
        for hint in ("Throughput hint: many frames at once, as many results as possible",
                     "Latency hint: one frame at a time, each as fast as possible")
    )  # fmt: skip
    race = "A race on the same frames: many frames at once against one frame at a time."
    seen = [caption for caption in window.captions if not caption.startswith("Next: ")]
    assert seen[:6] == [one, other, race] * 2
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[:2] for row in rows[1:3]] == [["CPU", "throughput"], ["CPU", "latency"]]


def test_a_file_that_is_gone_is_waited_for(
    exhibit: Exhibit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kiosk, "ASK_AGAIN_S", 0.1)
    clip, aside = save_clip(tmp_path), tmp_path / "aside.avi"
    away: list[int] = []

    def is_enough(window: ReadWindow) -> bool:
        if not away and window.pictures > 5:
            clip.rename(aside)
            away.append(window.pictures)
        if window.captions[-1:] == [""] and "renamed" not in window.captions:  # the waiting picture has no caption
            threading.Timer(0.5, lambda: aside.rename(clip)).start()
            away.append(window.pictures)
            window.captions.append("renamed")
        return "renamed" in window.captions and window.captions[-1].startswith("CPU")

    code, window = exhibit(is_enough, "-i", clip, "--tour", 0.5, "--kiosk", "CPU")
    assert code == 0
    assert "renamed" in window.captions
    assert window.captions[-1].startswith("CPU")
    errors = capsys.readouterr().err
    assert "Waiting until it is there." in errors


def live(frames: int | None, height: int = HEIGHT, width: int = WIDTH) -> Capture:
    """A camera that ends after so many frames, or never."""

    def images() -> Images:
        for _ in itertools.count() if frames is None else range(frames):
            time.sleep(0.02)
            yield blank(height, width), None

    return Capture(Source("camera 0", images, is_live=True))


def test_a_camera_is_waited_for_at_the_start_and_when_it_is_unplugged(
    exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kiosk, "ASK_AGAIN_S", 0.1)
    away = DemoError("There is no camera 0.")
    attempts: Iterator[DemoError | Capture] = iter([away, live(60), away, away, live(None, 2 * HEIGHT, 2 * WIDTH)])
    sizes: list[tuple[int, int]] = []

    def open_next(source: str, realtime: bool) -> Capture:
        found = next(attempts)
        if isinstance(found, DemoError):
            raise found
        return found

    def open_networks(options: Any, core: Any, start: Any, capture: Capture, written: Any) -> Networks:
        sizes.append(capture.frame_size)
        return networks.open_networks(options, core, start, capture, written)

    monkeypatch.setattr(kiosk_source, "open_capture", open_next)
    monkeypatch.setattr(kiosk, "open_networks", open_networks)

    def shown(window: ReadWindow) -> list[str]:
        return [caption[:4] for caption in window.captions if not caption.startswith("Next: ")]

    code, window = exhibit(lambda window: len(shown(window)) == 4, "-i", "0", "--tour", 60, "--kiosk", "CPU")
    assert code == 0
    assert shown(window) == ["", "CPU:", "", "CPU:"]
    assert sizes == [(WIDTH, HEIGHT), (2 * WIDTH, 2 * HEIGHT)]  # the networks are loaded anew for another size
    assert capsys.readouterr().err.count("There is no camera 0. Waiting until it is there.") == 2


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("0", "the camera does not answer"),
        ("rtsp://host/door", "the stream does not answer"),
        ("a.mp4", "the file is not there"),
    ],
)
def test_the_screen_names_what_is_away(source: str, said: str) -> None:
    assert no_picture(source) == f"No picture at present: {said}. The show goes on when it is back."


def test_a_device_that_fails_is_left_out_and_tried_again(
    exhibit: Exhibit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kiosk_stops, "RETRY_S", 1.0)
    tries: list[float] = []

    def fail_twice(core: ov.Core, model: ov.Model, device: str, settings: Settings) -> OpenVinoCompiledModel:
        if device == "AUTO":
            tries.append(time.monotonic())
            if len(tries) <= 2:
                raise DeviceError(device, f"{device} cannot run this network: no memory")
        return compile_model(core, model, device, settings)

    monkeypatch.setattr(openvino_backend, "compile_model", fail_twice)

    def is_enough(window: ReadWindow) -> bool:
        return "AUTO: OpenVINO chooses the device." in window.captions

    code, window = exhibit(is_enough, "-i", save_clip(tmp_path), "--tour", 0.2, "--kiosk", "AUTO", "CPU")
    assert code == 0
    assert is_enough(window)
    assert len(tries) == 3
    assert tries[1] - tries[0] >= 1  # RETRY_S, and then twice as long
    assert tries[2] - tries[1] >= 2
    output, errors = capsys.readouterr()
    assert errors.count("AUTO cannot run this network: no memory") >= 2
    assert {row.split()[0] for row in output.splitlines()[1:3]} == {"CPU", "AUTO"}


def test_a_race_that_fails_is_left_out_and_the_show_keeps_its_networks(
    exhibit: Exhibit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kiosk_stops, "RETRY_S", 0.3)
    tries: list[str] = []
    shows: list[Estimator] = []

    def fail(core: ov.Core, model: ov.Model, device: str, settings: Settings) -> OpenVinoCompiledModel:
        if device == "AUTO":
            tries.append(device)
            raise DeviceError(device, f"{device} cannot run this network: no memory")
        return compile_model(core, model, device, settings)

    def counted(*arguments: Any, **more: Any) -> Estimator:
        shows.append(Estimator(*arguments, **more))
        return shows[-1]

    monkeypatch.setattr(openvino_backend, "compile_model", fail)
    monkeypatch.setattr(kiosk, "Estimator", counted)
    stops = ("--tour", 0.2, "--kiosk", "CPU", "CPU vs AUTO")
    code, _ = exhibit(lambda window: len(tries) >= 2, "-i", save_clip(tmp_path), *stops)
    assert code == 0
    assert len(shows) == 1
    assert "AUTO cannot run this network: no memory. It is tried again in" in capsys.readouterr().err


def test_a_race_is_freed_when_its_stop_is_over(
    exhibit: Exhibit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    races: list[weakref.ref[Race]] = []
    alive_at_start: list[int] = []

    class WatchedRace(Race):
        def __init__(self, *arguments: Any) -> None:
            alive_at_start.append(sum(race() is not None for race in races))
            super().__init__(*arguments)
            races.append(weakref.ref(self))

    monkeypatch.setattr(kiosk, "Race", WatchedRace)
    gc.collect()
    gc.disable()  # nothing may wait for the collector, which comes seldom where few objects are made
    try:
        stops = ("--tour", 0.2, "--kiosk", "CPU vs CPU latency", "CPU")
        code, _ = exhibit(lambda window: len(races) >= 4, "-i", save_clip(tmp_path), *stops)
    finally:
        gc.enable()
    assert code == 0
    assert alive_at_start == [0, 0, 0, 0]


@pytest.mark.parametrize("wrong", [["-o", "x.mp4"], ["--keypoints", "k.csv"], ["--visits", "v.csv"], ["--no-show"],
                                   ["--frames", "3"], ["--race", "CPU", "AUTO"]])  # fmt: skip
def test_what_contradicts_it_is_named(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        human_pose_est.main([*wrong, "--kiosk"])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.endswith(f"leave {wrong[0]} out. See --help.\n")
    assert error.count("\n") == 1


@pytest.mark.parametrize("wrong", [["-i", "none.mp4", "--kiosk"], ["--kiosk", ""], ["--kiosk", "GPU9"]])
def test_wrong_use_ends_it_at_the_start(wrong: list[str], exhibit: Exhibit, capsys: pytest.CaptureFixture[str]) -> None:
    human_pose_est_code = human_pose_est.main(wrong)
    assert human_pose_est_code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1


# ---- in a real window ----

CPU = "CPU: the computer's main processor runs the network."
RACE = "A race on the same frames: many frames at once against one frame at a time."
SCREEN = (1400, 900)  # of the fixture `screen`


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return save_clip(tmp_path)


def says(window: Demo, caption: str) -> bool:
    """Whether the caption is at the foot of the screen, as wide as the screen, to the pixel."""
    expected = text_box(caption, (SCREEN[0], caption_height(SCREEN[1])))
    if not window.is_painted(with_panel=False):  # then it is mapped once more, see there
        return False
    shown = window.picture()
    assert shown.shape[1::-1] == SCREEN
    return bool((shown[-len(expected) :] == expected).all())


@pytest.mark.slow
def test_it_fills_the_screen_and_only_a_held_esc_ends_it(
    demo: Callable[..., Demo], painted_xml: Path, clip: Path
) -> None:
    window = demo("-m", painted_xml, "-i", clip, "--realtime", "--tour", 2, "--kiosk", "CPU", "CPU vs CPU latency")
    wait_for(
        lambda: says(window, f"{CPU} Throughput hint: many frames at once, as many results as possible."), "a stop"
    )
    for key in ("Tab", "q", "r", "space", "Escape", "Escape", "1"):
        window.press(key)
        time.sleep(0.3)
    wait_for(lambda: says(window, RACE), "the race")
    window.press("q")
    window.press("r")
    window.close()
    wait_for(lambda: not says(window, RACE), "the race to end, and the window to close")
    wait_for(lambda: says(window, RACE), "the next round, in a window that is open again")
    assert window.process.poll() is None
    window.xdotool("keydown", "Escape")
    try:
        output, errors = window.process.communicate(timeout=PATIENCE_S)
    finally:
        window.xdotool("keyup", "Escape")
    assert window.process.returncode == 0, errors
    assert output.splitlines()[1].startswith("CPU ")


@pytest.mark.slow
def test_a_file_that_is_gone_is_named_on_the_screen(demo: Callable[..., Demo], painted_xml: Path, clip: Path) -> None:
    window = demo("-m", painted_xml, "-i", clip, "--realtime", "--kiosk", "CPU")
    wait_for(lambda: says(window, CPU), "the stop")
    aside = clip.rename(clip.with_name("aside.avi"))
    wait_for(lambda: says(window, ""), "the picture that has no caption")
    aside.rename(clip)
    wait_for(lambda: says(window, CPU), "the show to go on")
    window.process.terminate()
    output, errors = window.process.communicate(timeout=PATIENCE_S)
    assert window.process.returncode == 0, errors
    assert output.splitlines()[1].startswith("CPU ")


@pytest.mark.slow
def test_sigterm_in_a_race_ends_it_with_the_table(demo: Callable[..., Demo], painted_xml: Path, clip: Path) -> None:
    window = demo("-m", painted_xml, "-i", clip, "--realtime", "--tour", 1, "--kiosk", "CPU", "CPU vs CPU latency")
    wait_for(lambda: says(window, RACE), "the race")
    window.process.terminate()
    output, errors = window.process.communicate(timeout=PATIENCE_S)
    assert window.process.returncode == 0, errors
    assert output.splitlines()[1].startswith("CPU ")

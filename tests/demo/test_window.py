"""The program in a real window: keys are pressed, the screen is read."""

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import Xlib.display

from human_pose.demo import screen as display
from human_pose.demo.panel import Style
from human_pose.demo.panel_picture import LOOKS
from human_pose.demo.window import BESIDE, size_at_start
from human_pose.folders import BUNDLED_VIDEO
from human_pose.inference.hetero import TOLERANCE
from human_pose.measurement.stand_ins import AUTO, HETERO, MULTI, write_plugins
from human_pose.poses.skeleton import LEFT_COLOUR, RIGHT_COLOUR
from tests.helpers.painted import blank, paint_person, save_with_convolutions
from tests.helpers.pictures import frames_of, read_picture
from tests.helpers.window import PATIENCE_S, TITLE_COLOUR, Demo, wait_for

Loop = tuple[object, ...]


@pytest.fixture(scope="session")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    """Options that play a part of the bundled video again and again, slowly: other tests need the cores, too."""
    path, codec = tmp_path_factory.mktemp("slow") / "clip.avi", cv2.VideoWriter.fourcc(*"MJPG")
    clip = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, 12, (960, 720))
    for image in frames_of(BUNDLED_VIDEO, list(range(0, 48, 2))):
        clip.write(image)
    clip.release()
    return "-i", path, "--loop", "--realtime"


@pytest.mark.slow
def test_a_viewer_switches_pauses_hides_saves_and_quits(demo: Callable[..., Demo], loop: Loop, tmp_path: Path) -> None:
    window = demo("-m", "mobilenet-thin", "--size", 200, *loop)
    wait_for(lambda: window.shows("CPU"), "the panel to name the CPU")
    wait_for(lambda: window.pixels_of(RIGHT_COLOUR) > 200 and window.pixels_of(LEFT_COLOUR) > 200, "a skeleton")

    time.sleep(1)  # for some figures of the CPU, and then of AUTO
    window.press("Tab")
    wait_for(lambda: window.shows("AUTO", "runs on CPU"), "the panel to name AUTO and where it runs")
    time.sleep(1.2)  # a span of FPS and some

    window.press("space")
    paused_at = time.monotonic()
    wait_for(window.stands_still, "the picture to stand still")
    window.press("h")
    wait_for(lambda: not window.shows("AUTO", "runs on CPU"), "the panel to go away")
    window.press("h")
    wait_for(lambda: window.shows("AUTO", "runs on CPU"), "the panel to come back")
    window.press("s")
    wait_for(lambda: bool(list(tmp_path.glob("pose-*.png"))), "the saved picture")
    time.sleep(max(0, paused_at + 3 - time.monotonic()))
    window.press("space")
    wait_for(lambda: not window.stands_still(), "the picture to move on")
    time.sleep(0.6)  # with what was waited for before, another span

    output = window.quit("q")
    [saved] = tmp_path.glob("pose-*.png")
    assert read_picture(saved).shape == (720, 960, 3)
    rows = [line.split()[0] for line in output.splitlines()]
    assert rows[1:3] == ["CPU", "AUTO"]
    devices = json.loads((tmp_path / "r.json").read_text())["devices"]
    assert [device["device"] for device in devices] == ["CPU", "AUTO"]
    assert all(device["executed_on"] == ["CPU"] and device["frames"] > 0 for device in devices)
    # Time in pause is in no figure: a span with 3 s of it would have a quarter of the others' rate at most.
    assert devices[1]["fps"]["min"] > 0.3 * devices[1]["fps"]["max"]


def test_closing_the_window_quits(demo: Callable[..., Demo], painted_xml: Path, loop: Loop) -> None:
    window = demo("-m", painted_xml, *loop)
    time.sleep(1)  # for some figures
    window.close()
    output, errors = window.process.communicate(timeout=PATIENCE_S)
    assert window.process.returncode == 0, errors
    assert output.splitlines()[1].startswith("CPU")


def test_a_single_image_stays_until_a_key(demo: Callable[..., Demo], painted_xml: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "man.png"), paint_person(blank()))
    window = demo("-m", painted_xml, "-i", tmp_path / "man.png")
    wait_for(lambda: window.pixels_of(RIGHT_COLOUR) > 200, "a skeleton")
    time.sleep(0.7)
    assert window.process.poll() is None
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
    "CPU": (["CPU"], ""),
    "GPU": (["CPUX"], "runs on CPUX (stand-in)"),
    HETERO: (["GPU"], "runs on GPU (stand-in) alone"),
    MULTI: (["GPUHETERO", "CPU"], "runs on GPUHETERO (stand-in), CPU"),
}


@pytest.mark.slow
def test_tab_tours_every_kind_of_device_passes_over_one_that_fails_and_the_panel_tells_the_truth(
    demo: Callable[..., Demo], painted_xml: Path, loop: Loop, tmp_path: Path
) -> None:
    arguments = ["-m", painted_xml, *loop, "--no-cache", "--plugins", write_plugins(tmp_path)]
    fails = "MULTI:GPU,CPU"  # the stand-in's proxy joins no MULTI
    window = demo(*arguments, "--devices", "CPU", fails, *CYCLE[1:])
    window.press("Tab")
    wait_for(lambda: window.pixels_of(LOOKS[Style.NOTE].colour) > 20, "the panel to say that a device failed")
    wait_for(lambda: window.shows("CPU") and not window.stands_still(), "the CPU to go on")
    for device in CYCLE[1:]:
        time.sleep(0.4)  # for results that are counted
        window.press("Tab")
        runs_on = RUNS_ON[device][1] if device in RUNS_ON else ""  # AUTO may change its mind
        wait_for(partial(window.shows, device, runs_on), f"the panel to tell the truth about {device}")
    time.sleep(0.4)
    window.press("c")
    wait_for(lambda: not window.shows(AUTO), "the comparison, with which the letters are smaller")
    window.press("c")
    wait_for(lambda: window.shows(AUTO), "the comparison to go away")
    window.press("1")
    # The end of "AUTO:GPU,CPU" looks like the CPU's name.
    wait_for(lambda: window.shows("CPU") and not window.shows(AUTO), "the first device to come back")
    window.quit()
    report = json.loads((tmp_path / "r.json").read_text())
    assert [device["device"] for device in report["devices"]] == CYCLE
    for device in report["devices"]:
        assert device["frames"] > 0
        assert device["is_stand_in"] == (device["device"] != "CPU")
        if device["device"] in RUNS_ON:
            assert device["executed_on"] == RUNS_ON[device["device"]][0]
    failed, *switches = report["switches"]
    assert (failed["device"], failed["ready_s"]) == (fails, None)
    assert [switch["device"] for switch in switches] == [*CYCLE[1:], "CPU"]
    assert [switch["device"] for switch in switches if switch["ready_s"] is None] == []


def test_the_studys_hetero_shows_its_subgraphs(demo: Callable[..., Demo], loop: Loop, tmp_path: Path) -> None:
    arguments = ["-m", save_with_convolutions(tmp_path, 3), *loop, "--no-cache", "--plugins", write_plugins(tmp_path)]
    window = demo(*arguments, "-d", HETERO, "--affinity", "conv")
    wait_for(lambda: window.shows(HETERO, "runs on CPU, GPU (stand-in)"), "HETERO on both devices")
    window.quit()
    [device] = json.loads((tmp_path / "r.json").read_text())["devices"]
    assert device["subgraphs"] == 2 * 3 + 1
    assert device["operations"]["GPU"] == 3
    assert set(device["operations"]) == {"CPU", "GPU"}
    assert device["difference"] < TOLERANCE


# The window and its screen


@pytest.mark.parametrize("room", [(1384, 852), (1350, 720), (1008, 552), (1904, 1032), (640, 480)], ids=str)
@pytest.mark.parametrize(
    "frame", [(1280, 720), (960, 720), (3840, 2160), (1080, 1920), (320, 180), (24, 32), (4000, 3)]
)
def test_a_new_window_fits_its_screen_and_has_the_frames_shape(frame: tuple[int, int], room: tuple[int, int]) -> None:
    width, height = size_at_start(frame, room)
    assert 1 <= width <= room[0]
    assert 1 <= height <= room[1]
    if frame[0] >= frame[1]:
        assert width * frame[1] == pytest.approx(height * frame[0], abs=max(frame))
    else:
        assert width - height * frame[0] / frame[1] == pytest.approx(min(BESIDE, room[0]), abs=1)


def test_a_frame_that_fits_is_shown_pixel_by_pixel_and_a_small_one_enlarged() -> None:
    assert size_at_start((1280, 720), (1900, 1000)) == (1280, 720)
    assert size_at_start((960, 720), (1900, 1000)) == (960, 720)
    assert size_at_start((320, 180), (1900, 1000)) == (960, 540)


def test_the_screen_says_how_much_of_it_is_free(screen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", screen)
    assert display.why_no_window() is None
    assert display.room_for_window() == (1400 - display.FRAME[0], 900 - display.FRAME[1])
    connection = Xlib.display.Display(screen)
    root, area = connection.screen().root, connection.intern_atom("_NET_WORKAREA")
    root.change_property(area, connection.intern_atom("CARDINAL"), 32, [0, 30, 1300, 850] * 2)  # two desktops
    connection.sync()
    try:
        assert display.room_for_window() == (1300 - display.FRAME[0], 850 - display.FRAME[1])
    finally:
        root.delete_property(area)
        connection.sync()
        connection.close()


def test_without_a_display_the_room_is_a_default_and_there_is_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":4095")
    assert display.why_no_window() == "there is no display"
    width, height = display.DEFAULT_WORK_AREA
    assert display.room_for_window() == (width - display.FRAME[0], height - display.FRAME[1])


def test_a_library_that_only_the_window_lacks_is_named(
    screen: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Qt would end the process."""
    lacking = tmp_path / "libqxcb.so"
    lacking.write_bytes(display.QT_PLUGIN.read_bytes().replace(b"libSM.so.6\0", b"libSM.so.9\0"))
    monkeypatch.setenv("DISPLAY", screen)
    monkeypatch.setattr(display, "QT_PLUGIN", lacking)
    assert display.why_no_window() == "the system library libSM.so.9 is missing"


def test_images_of_many_shapes_keep_them_in_the_window_and_their_sizes_in_files(
    demo: Callable[..., Demo], painted_xml: Path, tmp_path: Path
) -> None:
    """A white square is in each: it is as wide as it is high on the screen."""
    (tmp_path / "in").mkdir()
    sizes = {"a": (640, 480), "b": (480, 640), "c": (900, 300)}
    for name, (width, height) in sizes.items():
        image = np.full((height, width, 3), 60, np.uint8)
        image[height // 2 - 100 : height // 2 + 100, width // 2 - 100 : width // 2 + 100] = 255
        cv2.imwrite(str(tmp_path / "in" / f"{name}.png"), image)
    window = demo("-m", painted_xml, "-i", tmp_path / "in", "-o", tmp_path / "out", "--loop", "--no-panel", waits=False)
    seen: set[tuple[int, int]] = set()

    def is_square() -> bool:
        rows, columns = np.nonzero((window.picture() > 250).all(axis=2))
        if len(rows):
            assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=3)
            seen.add((int(np.ptp(rows)), int(np.ptp(columns))))
        return len(seen) >= 2

    wait_for(is_square, "the squares of two images")
    window.quit()
    for name, (width, height) in sizes.items():
        assert read_picture(tmp_path / "out" / f"{name}.png").shape == (height, width, 3)

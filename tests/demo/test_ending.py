"""However a run ends, what it has written is whole, and it says what it has written: real processes, real signals."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from human_pose.console import STOP_SIGNALS, StopRequest
from tests.conftest import ROOT, Program, missing_program, room_for

resource = pytest.importorskip("resource", reason="this system cannot limit the size of files")
PATIENCE_S = 60
OUTPUTS = ("output", "report", "keypoints")
Start = Callable[..., "subprocess.Popen[str]"]


def hear_all_signals() -> None:
    """Where the tests run under nohup, the program would, rightly, go on when the terminal is closed."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL if number != signal.SIGINT else signal.default_int_handler)


@pytest.fixture
def start(painted_xml: Path, painted_clip: Path, tmp_path: Path) -> Iterator[Start]:
    """Start the program on a looped video of a painted person, without a window, and wait for its first frames."""
    started = []

    def run(*arguments: object, until: str = "", by: Sequence[str] = (), **options: object) -> "subprocess.Popen[str]":
        command = [sys.executable, *by, ROOT / "human_pose_est.py", "-m", painted_xml, "-i", painted_clip, "--loop"]
        process = subprocess.Popen(
            [str(part) for part in [*command, *arguments]],
            **{
                "cwd": tmp_path,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                "text": True,
                "preexec_fn": hear_all_signals,
                **options,
            },  # type: ignore[call-overload]
        )
        started.append(process)
        deadline = time.monotonic() + PATIENCE_S
        while until and not any(path.stat().st_size > 3000 for path in tmp_path.glob(until)):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()


AS_PROGRAM = """
import runpy, signal, sys
del sys.argv[0]
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
set_handler = signal.signal

def set_first_handler(*arguments):
    signal.signal = set_handler
    former = set_handler(*arguments)
    print("too late" if "openvino" in sys.modules else "listening", flush=True)
    return former

signal.signal = set_first_handler
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def frames_of(path: Path) -> int:
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    frames = 0
    while video.grab():
        frames += 1
    return frames


def insist(process: "subprocess.Popen[str]", number: signal.Signals, times: int) -> None:
    for _ in range(times):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("number", "times", "suffix"),
    [(signal.SIGINT, 30, ".mp4"), (signal.SIGTERM, 2, ".avi"), (signal.SIGHUP, 1, ".mkv"), (signal.SIGINT, 1, ".mov")],
)
def test_signals_end_a_run_in_order_however_many_there_are(
    start: Start, tmp_path: Path, number: signal.Signals, times: int, suffix: str
) -> None:
    """As from a terminal, to the whole process group: no frame is lost, and ffmpeg, in a group of its own, goes on."""
    files = ["-o", f"out{suffix}", "--report", "r.json", "--keypoints", "k.json"]
    process = start("--no-show", *files, until="k.json", start_new_session=True)
    assert not (tmp_path / f"out{suffix}").exists()  # under its final name only when it is whole
    insist(process, number, times)
    output, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    assert errors.count("\n") == (1 if "Closing the files" in errors else 0)
    [device] = json.loads((tmp_path / "r.json").read_text())["devices"]
    frames = device["frames"] + device["warmup_frames"]
    assert frames_of(tmp_path / f"out{suffix}") == frames
    assert len(json.loads((tmp_path / "k.json").read_text())) == frames  # a person in each
    assert output.startswith("device")
    wrote = [line for line in output.splitlines() if line.startswith("Wrote ")]
    assert sorted(line.split()[1] for line in wrote) == sorted(["r.json", "k.json", f"out{suffix}"])
    assert sum(f"({frames} frames" in line for line in wrote) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["r.json", "k.json", f"out{suffix}"])


def test_a_loop_that_does_not_end_is_interrupted_by_who_insists(monkeypatch: pytest.MonkeyPatch) -> None:
    """The handlers are called, no signal is sent.

    OpenVINO's CPU plugin, which other tests used in this very thread, may have left it a signal stack that is gone.
    """

    def deliver(number: signal.Signals) -> None:
        handler = signal.getsignal(number)
        assert callable(handler)
        handler(number, None)

    with StopRequest() as stop:
        for _ in range(5):
            deliver(signal.SIGINT)
        assert stop
        monkeypatch.setattr("human_pose.console.INTERRUPTS_AFTER_S", 0)
        with pytest.raises(KeyboardInterrupt):
            deliver(signal.SIGTERM)


DEVICE_THAT_HANGS = f"""
import sys, threading
sys.path.insert(0, {str(ROOT)!r})
import human_pose_est
from human_pose.inference import openvino_backend

class Silent(openvino_backend.OpenVinoRequest):
    starts = 0

    def start(self, image):
        Silent.starts += 1
        self.is_silent = Silent.starts > 6
        if self.is_silent:
            print("silent", flush=True)
        else:
            super().start(image)

    def is_done(self, wait_ms):
        return not self.is_silent and super().is_done(wait_ms)

    def __del__(self):
        if getattr(self, "is_silent", False):
            threading.Event().wait()  # as OpenVINO's own request waits for its result

openvino_backend.OpenVinoRequest = Silent
human_pose_est.program()
"""


def test_a_run_ends_though_its_device_hangs(painted_xml: Path, painted_clip: Path, tmp_path: Path) -> None:
    """Before the hanging request is given up: a busy request that is deleted waits for its result, for ever."""
    (tmp_path / "hangs.py").write_text(DEVICE_THAT_HANGS)
    command = [sys.executable, "hangs.py", "--no-show", "-m", painted_xml, "-i", painted_clip, "--loop"]
    process = subprocess.Popen(
        [str(part) for part in command], cwd=tmp_path, stdout=subprocess.PIPE, text=True, preexec_fn=hear_all_signals
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "silent\n"
    process.send_signal(signal.SIGTERM)
    try:
        output, _ = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0
    assert "CPU " in output


def test_a_killed_run_leaves_a_video_that_can_be_played(
    start: Start, call: Program, painted_xml: Path, painted_clip: Path, tmp_path: Path
) -> None:
    process = start("--no-show", "-o", "out.mkv", "--keypoints", "k.jsonl", until=".human-pose-*")
    process.kill()
    process.communicate()
    time.sleep(0.3)  # ffmpeg ends when nobody fills its pipe any more
    assert [json.loads(line)["frame"] for line in (tmp_path / "k.jsonl").read_text().splitlines()]
    next_one = call("-m", painted_xml, "-i", painted_clip, "-o", "out.mkv", "--frames", 10)
    assert next_one.returncode == 0
    assert "A run that was killed left a video of" in next_one.stderr
    assert frames_of(tmp_path / "unfinished.mkv") > 0
    assert not list(tmp_path.glob(".human-pose-*"))


@pytest.mark.parametrize("delay_s", [0, 0.2, 0.5, 1.0])
def test_ctrl_c_during_the_start_leaves_no_traceback(start: Start, delay_s: float) -> None:
    """From its first line on, where it begins to listen, before it loads what takes long."""
    process = start("--no-show", by=["-c", AS_PROGRAM])
    assert process.stdout is not None
    assert process.stdout.readline() == "listening\n"
    time.sleep(delay_s)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode in (0, 130)  # 0: it was running already
    assert errors in ("", "interrupted\n")


def test_a_standard_error_that_cannot_be_written_stops_nothing(start: Start, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    for number, errors in enumerate(["/dev/full", "a closed pipe"]):
        if errors == "/dev/full":
            stream = os.open(errors, os.O_WRONLY)
        else:
            read_end, stream = os.pipe()
            os.close(read_end)
        try:
            process = start(
                "-o", f"{number}.avi", "--frames", 5, stderr=stream, env={**os.environ, "DISPLAY": ""}
            )  # says that there is no display
            output, _ = process.communicate(timeout=PATIENCE_S)
        finally:
            os.close(stream)
        assert process.returncode == 0
        assert f"Wrote {number}.avi (5 frames, Motion JPEG)" in output


def test_a_full_disk_costs_each_file_no_more_than_its_end(
    call: Program, painted_xml: Path, painted_clip: Path, tmp_path: Path
) -> None:
    """The limit stands for a disk that fills: the files end with their last whole frame, the run goes on."""
    for suffix in (".json", ".jsonl", ".csv"):
        path = tmp_path / f"k{suffix}"
        arguments = ["-m", painted_xml, "-i", painted_clip, "--loop", "--frames", 60]
        with room_for(10_044):
            done = call(*arguments, "--keypoints", path, "--report", "r.json", "-o", "out.avi")
        output, errors = done.stdout, done.stderr
        assert done.returncode == 1
        assert errors.count("\n") == 2  # the video's, the keypoints'
        assert f"Cannot write '{path}': File too large" in errors
        assert int(output.splitlines()[1].split()[1]) > 45  # the run went on
        text = path.read_text()
        assert 8_000 < len(text) <= 10_044
        assert text.endswith("\n")
        if suffix == ".json":
            frames = {entry["image_id"] for entry in json.loads(text)}
        elif suffix == ".jsonl":
            frames = {json.loads(line)["frame"] for line in text.splitlines()}
        else:
            rows = [line.split(",") for line in text.splitlines()[1:]]
            frames = {int(row[0]) for row in rows}
            assert len(rows) == 14 * len(frames)  # all of the painted person's keypoints, of each frame
        assert frames == set(range(len(frames)))
        assert f"Wrote {path} ({len(frames)} frames)" in output
        assert "Wrote r.json" in output
        (tmp_path / "r.json").unlink()


def test_a_name_that_is_no_utf8_is_written(
    start: Start, call: Program, painted_xml: Path, painted_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/d\xe9"))
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    for is_process in (True, False):  # with ffmpeg, and with OpenCV alone
        names = [Path(os.fsdecode(b"\xff" + suffix)) for suffix in (b".mp4", b".json", b".csv")]
        options = [f"--{option}={folder / name}" for option, name in zip(OUTPUTS, names, strict=True)]
        if is_process:
            process = start("--no-show", "--frames", 20, *options)
            output, errors = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 0, errors
        else:
            monkeypatch.setenv("PATH", "")
            done = call("-m", painted_xml, "-i", painted_clip, "--frames", 20, *options)
            assert done.returncode == 0, done.stderr
            output = done.stdout
        assert output.count("Wrote ") == 3
        (folder / names[0]).rename(tmp_path / "out.mp4")
        assert frames_of(tmp_path / "out.mp4") == 20
        assert json.loads((folder / names[1]).read_text())["devices"]


def test_a_display_that_vanishes_costs_no_file(start: Start, tmp_path: Path) -> None:
    if shutil.which("Xvfb") is None:
        missing_program("Xvfb")
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[write_end], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        display = f":{answer.readline().strip()}"
    files = ["-o", "out.mp4", "--report", "r.json", "--keypoints", "k.json"]
    process = start(*files, until="k.json", env={**os.environ, "DISPLAY": display})
    server.kill()
    server.wait()
    output, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "error: The display went away" in errors
    [device] = json.loads((tmp_path / "r.json").read_text())["devices"]
    frames = device["frames"] + device["warmup_frames"]
    assert frames_of(tmp_path / "out.mp4") == len(json.loads((tmp_path / "k.json").read_text())) == frames
    assert output.count("Wrote ") == 3


def test_an_odd_picture_keeps_its_size(call: Program, painted_xml: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "odd.png"), np.zeros((401, 501, 3), np.uint8))
    done = call("-m", painted_xml, "-i", "odd.png", "--loop", "--frames", 3, "-o", "out.mp4")
    assert done.returncode == 0, done.stderr
    picture = cv2.VideoCapture(str(tmp_path / "out.mp4"), cv2.CAP_FFMPEG).read()[1]
    assert picture.shape == ((401, 501, 3) if shutil.which("ffmpeg") else (400, 500, 3))

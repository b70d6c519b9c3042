"""Videos through the program ffmpeg: what it makes, and what is left when it is not as it should be."""

import os
import shutil
import signal
import stat
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from human_pose.media import encoder as encoder_module
from human_pose.media.capture import Frame
from human_pose.media.encoder import exact_fps, mpeg4_fps
from human_pose.media.partial import clean_up, count_frames
from human_pose.media.sources import open_source
from human_pose.media.writer import VideoWriter, open_writer
from human_pose.output_log import OutputLog
from tests.conftest import missing_program

FPS = 25


@pytest.fixture
def ffmpeg() -> str:
    """The program; the test is skipped where it is not installed."""
    program = shutil.which("ffmpeg")
    if program is None or shutil.which("ffprobe") is None:
        missing_program("ffmpeg")
    assert program is not None
    return program


def picture(number: int, height: int = 48, width: int = 64) -> np.ndarray:
    return np.full((height, width, 3), 5 * (number % 50), np.uint8)


def write(path: Path, indices: range, source: Path | None = None, loops: bool = False) -> OutputLog:
    written = OutputLog()
    with VideoWriter(path, FPS, written, source, loops) as writer:
        for index in indices:
            writer.write(Frame(index, picture(index), 0.0), picture(index))
    return written


def streams_of(path: Path) -> list[list[str]]:
    entries = "stream=codec_name,pix_fmt,nb_read_packets"
    command = ["ffprobe", "-v", "error", "-count_packets", "-show_entries", entries, "-of", "csv=p=0", str(path)]
    return [line.split(",") for line in subprocess.check_output(command, text=True).splitlines()]


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a shell script in ffmpeg's place; ffprobe stays."""
    folder.mkdir()
    (folder / "ffmpeg").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "ffmpeg").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def film(ffmpeg: str, path: Path, *options: str) -> None:
    """A video of 2 s with a beep from 1 s on."""
    sound = "aevalsrc=if(gte(t\\,1)\\,sin(2*PI*440*t)\\,0):d=2:s=16000"
    command = [
        ffmpeg,
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        f"color=gray:s=64x48:r={FPS}:d=2",
        "-f",
        "lavfi",
        "-i",
        sound,
    ]
    subprocess.run([*command, *options, path], check=True)


def beep_starts_at(ffmpeg: str, path: Path) -> tuple[float, float]:
    """When the sound of a video begins to be heard, and when it ends, in s."""
    sound = ["-map", "0:a", "-ar", "16000", "-ac", "1", "-f", "s16le", "pipe:1"]
    command = [ffmpeg, "-v", "error", "-i", str(path), *sound]
    samples = np.frombuffer(subprocess.check_output(command), np.int16)
    return int(np.argmax(np.abs(samples) > 3000)) / 16000, len(samples) / 16000


def test_a_video_plays_in_a_browser(ffmpeg: str, tmp_path: Path) -> None:
    written = write(tmp_path / "out.mp4", range(60))
    assert written.lines == [f"Wrote {tmp_path / 'out.mp4'} (60 frames, H.264)"]
    assert streams_of(tmp_path / "out.mp4") == [["h264", "yuv420p", "60"]]
    data = (tmp_path / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # it starts before all of it has arrived


@pytest.mark.parametrize(
    ("name", "options", "codec"),
    [("film.mp4", [], "aac"), ("film.mkv", ["-c:a", "libmp3lame"], "mp3"), ("film.avi", ["-c:a", "pcm_s16le"], "aac")],
)
def test_the_sound_comes_along_and_stays_in_step(
    ffmpeg: str, tmp_path: Path, name: str, options: list[str], codec: str
) -> None:
    film(ffmpeg, tmp_path / name, *options)
    written = write(tmp_path / "out.mp4", range(10, 40), tmp_path / name)  # the first ten were dropped
    assert written.lines[0].endswith("(30 frames, H.264, with the sound of its source)")
    assert [stream[0] for stream in streams_of(tmp_path / "out.mp4")] == ["h264", codec]
    start, end = beep_starts_at(ffmpeg, tmp_path / "out.mp4")
    assert start == pytest.approx(1 - 10 / FPS, abs=0.08)  # a packet of sound is 64 ms at this rate
    assert end == pytest.approx(30 / FPS, abs=0.15)


def test_sound_that_does_not_fit_is_left_out_and_said(ffmpeg: str, tmp_path: Path) -> None:
    film(ffmpeg, tmp_path / "film.mp4")
    for loops, source, said in [
        (True, "film.mp4", ", without the sound of its source, which was played in a loop)"),
        (False, "film.mp4", ", with the sound of its source)"),
    ]:
        with open_writer(
            str(tmp_path / "out.mp4"), open_source(str(tmp_path / source)), written := OutputLog(), loops
        ) as writer:
            for index in range(5):
                writer.write(Frame(index, picture(index), 0.0), picture(index))
        assert written.lines[0].endswith(said)
    (tmp_path / "film.mp4").write_bytes(b"gone")
    assert write(tmp_path / "out.mp4", range(5), tmp_path / "film.mp4").lines[0].endswith("(5 frames, H.264)")


@pytest.mark.parametrize(
    ("script", "codec"),
    [
        ('case "$*" in *264*) exit 1;; esac; exec REAL "$@"', "VP9"),
        ("echo broken >&2; exit 1", "MPEG-4, which browsers do not play"),
        ("exit 0", "MPEG-4, which browsers do not play"),
    ],
)
def test_without_an_encoder_of_h264_another_one_is_taken(
    ffmpeg: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, codec: str
) -> None:
    stand_in(tmp_path / "bin", monkeypatch, script.replace("REAL", ffmpeg))
    written = write(tmp_path / "out.mp4", range(10))
    assert written.lines[0].endswith(f"(10 frames, {codec})")
    assert count_frames(tmp_path / "out.mp4") == 10


def test_an_ffmpeg_that_dies_ends_the_video_and_leaves_what_arrived(
    ffmpeg: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = OutputLog()
    with VideoWriter(tmp_path / "out.mp4", FPS, written) as writer:
        for index in range(2000):
            writer.write(Frame(index, picture(index), 0.0), picture(index))
            if index == 200:
                os.killpg(vars(writer)["_encoder"]._process.pid, signal.SIGKILL)
            if written.has_failed:
                break
    assert 200 <= index < 1999
    assert "ffmpeg ended with -9" in capsys.readouterr().err
    frames = count_frames(tmp_path / "out.mp4")
    assert 0 < frames <= index
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize("is_last_step", [False, True])
def test_an_ffmpeg_that_hangs_is_given_up(
    ffmpeg: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_last_step: bool
) -> None:
    """While it encodes, or in the last step, which moves the index to the front."""
    hangs = "*faststart*" if is_last_step else "*rawvideo*file:*"
    stand_in(tmp_path / "bin", monkeypatch, f'case "$*" in {hangs}) sleep 100;; esac; exec {ffmpeg} "$@"')
    monkeypatch.setattr(encoder_module, "HANGS_AFTER_S", 1.0)
    started_at = time.monotonic()
    written = write(tmp_path / "out.mp4", range(60))
    assert time.monotonic() - started_at < 30
    assert written.has_failed != is_last_step
    assert (tmp_path / "out.mp4").exists() == is_last_step
    assert not list(tmp_path.glob(".human-pose-*"))
    if is_last_step:
        assert count_frames(tmp_path / "out.mp4") == 60


def test_a_video_of_a_killed_run_is_found_again(
    ffmpeg: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with VideoWriter(tmp_path / "out.mp4", FPS, OutputLog()) as writer:
        for index in range(300):
            writer.write(Frame(index, picture(index), 0.0), picture(index))
        [partial] = tmp_path.glob(".human-pose-*")
        deadline = time.monotonic() + 20
        while not count_frames(partial):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        clean_up(tmp_path)  # of another run: this one is still at it
        assert partial.exists()
        shutil.copy(partial, tmp_path / ".human-pose-12345678.mp4")
        (tmp_path / ".human-pose-87654321.mp4").write_bytes(b"nothing that can be played")
        (tmp_path / "unfinished.mp4").write_text("another")
        clean_up(tmp_path)
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            partial.name, "unfinished-2.mp4", "unfinished.mp4"
        ]  # fmt: skip
    assert count_frames(tmp_path / "unfinished-2.mp4") > 0
    assert "is now" in capsys.readouterr().err


def test_rates_are_exact_where_the_codec_can_have_them() -> None:
    assert str(exact_fps(29.97002997)) == "30000/1001"
    assert str(exact_fps(25.0)) == "25"
    assert str(exact_fps(0.2)) == "1/5"
    assert mpeg4_fps(29.97002997) == 29.97
    assert mpeg4_fps(66.6667) == 66.67
    assert mpeg4_fps(1000) == 1000

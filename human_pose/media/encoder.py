"""Encode pictures as a video file: with the program ffmpeg where it is installed, else with OpenCV."""

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import IO, NamedTuple

import cv2
import numpy as np

from ..errors import first_line
from ..files import opencv_path

HANGS_AFTER_S = 15.0  # without any progress
QUEUED_BYTES = 64_000_000  # maximum size of the pictures that wait for ffmpeg
MUXERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}  # ffmpeg's muxers by suffix
VIDEO_SUFFIXES = (*MUXERS, ".avi")
# The file can be read at any moment, even if it was never closed: each second is a complete fragment.
FRAGMENTED = ["-movflags", "frag_keyframe+empty_moov", "-frag_duration", "1000000"]


class EncoderError(Exception):
    """The reason why a video cannot take more pictures."""


class Codec(NamedTuple):
    name: str  # for people
    options: str  # ffmpeg's


# The best first. One thread is fast enough and leaves the other cores to the network. Without B-frames the first
# picture is at 0 s.
CODECS = [
    Codec("H.264", "-c:v libx264 -preset superfast -crf 22 -bf 0 -pix_fmt yuv420p -threads 1"),
    Codec("H.264", "-c:v libopenh264 -b:v 4M -pix_fmt yuv420p -threads 1"),
    Codec("VP9", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -crf 32 -b:v 0 -pix_fmt yuv420p -threads 2"),
    Codec("MPEG-4", "-c:v mpeg4 -q:v 3 -pix_fmt yuv420p -threads 1"),
]
# The terminal's signals do not reach the process, so that this program can end it in order.
CREATION_FLAGS = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)


class Encoder:
    """Takes pictures, (h, w, 3) uint8 BGR of `size` (width, height). Raises EncoderError where it cannot take more."""

    codec: str
    size: tuple[int, int]

    def write(self, picture: np.ndarray) -> None:
        """Add a picture."""

    def close(self) -> None:
        """Complete the file."""


class OpenCVEncoder(Encoder):
    """OpenCV's encoder: Motion JPEG in .avi, else MPEG-4. It does not report write errors."""

    def __init__(self, path: Path, fps: float, size: tuple[int, int]) -> None:
        is_avi = path.suffix.lower() == ".avi"
        is_odd = size[0] % 2 or size[1] % 2
        # With FFmpeg, OpenCV cuts an odd last row or column; its own .avi writer does not.
        self.size = size if is_avi or not is_odd else (max(2, size[0] // 2 * 2), max(2, size[1] // 2 * 2))
        self.codec = "Motion JPEG" if is_avi else "MPEG-4, which browsers do not play"
        fourcc = cv2.VideoWriter.fourcc(*("MJPG" if is_avi else "mp4v"))
        backend = cv2.CAP_OPENCV_MJPEG if is_avi and is_odd else cv2.CAP_FFMPEG
        with opencv_path(path) as name:
            self._writer = cv2.VideoWriter(name, backend, fourcc, fps if is_avi else mpeg4_fps(fps), self.size)
        if not self._writer.isOpened():
            raise EncoderError(f"this OpenCV has no codec for {path.suffix}; try .mp4 or .avi")

    def write(self, picture: np.ndarray) -> None:
        self._writer.write(picture)

    def close(self) -> None:
        self._writer.release()


def mpeg4_fps(fps: float) -> float:
    """The nearest rate that MPEG-4 can store: a decimal fraction whose numerator fits 16 bits."""
    decimals = 3
    while decimals and round(fps * 10**decimals) >= 2**16:
        decimals -= 1
    return max(round(fps, decimals), 0.01)


class FFmpegEncoder(Encoder):
    """An ffmpeg process that reads pictures from a pipe. A thread fills the pipe."""

    def __init__(self, program: str, codec: Codec, path: Path, fps: Fraction, size: tuple[int, int]) -> None:
        self.codec, self.size, self._path = codec.name, size, path
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = start([program, *encoding(codec, path.suffix, fps, size), as_file(path)], self._errors)
        frame_bytes = size[0] * size[1] * 3 // 2
        self._queue: queue.Queue[np.ndarray | None] = queue.Queue(max(2, min(32, QUEUED_BYTES // frame_bytes)))
        self._thread = threading.Thread(target=self._feed, name="encoder", daemon=True)
        self._thread.start()

    def _feed(self) -> None:
        assert self._process.stdin is not None
        try:
            while (picture := self._queue.get()) is not None:
                self._process.stdin.write(picture.data)
            self._process.stdin.close()
        except OSError:  # ffmpeg has ended; the next write raises the reason
            pass

    def write(self, picture: np.ndarray) -> None:
        data = _planes(picture)
        deadline = time.monotonic() + HANGS_AFTER_S
        while self._thread.is_alive():
            with contextlib.suppress(queue.Full):
                self._queue.put(data, timeout=0.1)
                return
            if time.monotonic() > deadline:
                kill(self._process)
                raise EncoderError(f"ffmpeg has taken no picture for {HANGS_AFTER_S:.0f} s")
        raise EncoderError(self._why())

    def close(self) -> None:
        if self._thread.is_alive():
            threading.Thread(target=self._queue.put, args=[None], daemon=True).start()
        if not wait(self._process, lambda: (self._queue.qsize(), _size(self._path))):
            raise EncoderError(f"ffmpeg did not end within {HANGS_AFTER_S:.0f} s")
        if self._process.returncode != 0:
            raise EncoderError(self._why())

    def _why(self) -> str:
        wait(self._process, lambda: None)
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        ended = f"ffmpeg ended with {self._process.returncode}"
        return first_line(OSError(f"{ended}: {said[-1]}" if said else ended))


def encoding(codec: Codec, suffix: str, fps: Fraction, size: tuple[int, int]) -> list[str]:
    """ffmpeg's options for raw pictures from its standard input, without the file's name."""
    muxer = MUXERS[suffix.lower()]
    return [
        *("-hide_banner", "-loglevel", "error", "-nostdin", "-y", "-f", "rawvideo", "-pix_fmt", _pixel_format(size)),
        *(
            "-video_size",
            f"{size[0]}x{size[1]}",
            "-framerate",
            str(fps),
            "-r",
            str(fps),
            "-i",
            "pipe:0",
            "-an",
            *codec.options.split(),
        ),
        # OpenCV and ffmpeg convert by BT.601; without these options, players assume BT.709 for a large picture.
        *("-colorspace", "smpte170m", "-color_range", "tv"),
        *(FRAGMENTED if muxer != "matroska" else []),
        *("-flush_packets", "1", "-f", muxer),
    ]


def _pixel_format(size: tuple[int, int]) -> str:
    return "bgr24" if size[0] % 2 or size[1] % 2 else "yuv420p"


def _planes(picture: np.ndarray) -> np.ndarray:
    """A copy of the picture for the pipe: YUV 4:2:0, half the bytes, where both sides are even, else BGR."""
    if _pixel_format(picture.shape[1::-1]) == "bgr24":
        return np.array(picture)
    planes: np.ndarray = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420)
    return planes


def choose_codec(program: str, path: Path, fps: Fraction, picture: np.ndarray) -> Codec | None:
    """The first codec with which this ffmpeg really encodes the picture; None if there is none."""
    size = picture.shape[1::-1]
    for codec in CODECS:
        command = [program, *encoding(codec, path.suffix, fps, size), "pipe:1"]
        try:
            done = subprocess.run(
                command, input=_planes(picture).data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                timeout=HANGS_AFTER_S, check=False, start_new_session=True, creationflags=CREATION_FLAGS,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return None
        if done.returncode == 0 and done.stdout:
            return codec
    return None


def open_encoder(path: Path, fps: float, picture: np.ndarray) -> Encoder:
    """The best available encoder for pictures like this one. Raises EncoderError."""
    program = shutil.which("ffmpeg") if path.suffix.lower() in MUXERS else None
    if program is not None:
        exact = exact_fps(fps)
        codec = choose_codec(program, path, exact, picture)
        if codec is not None:
            return FFmpegEncoder(program, codec, path, exact, picture.shape[1::-1])
    return OpenCVEncoder(path, fps, picture.shape[1::-1])


def exact_fps(fps: float) -> Fraction:
    """29.97003 -> 30000/1001."""
    return Fraction(fps).limit_denominator(1001) if fps >= 1 else Fraction(1, round(1 / fps))


def as_file(path: Path) -> str:
    """The path in a form that ffmpeg always reads as a file, also if it contains a colon."""
    return f"file:{path.absolute()}"


def start(command: Sequence[str], errors: IO[bytes]) -> "subprocess.Popen[bytes]":
    """Start a process with a pipe to its standard input. Raises EncoderError."""
    try:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True,
            creationflags=CREATION_FLAGS,
        )  # fmt: skip
    except OSError as error:
        raise EncoderError(f"ffmpeg does not start: {error.strerror}") from error


def wait(process: "subprocess.Popen[bytes]", progress: Callable[[], object]) -> bool:
    """Wait until a process ends. Without progress for HANGS_AFTER_S, kill it and return False.

    progress: gives a value that changes while the process works.
    """
    seen, seen_at = progress(), time.monotonic()
    while process.poll() is None:
        now = progress()
        if now != seen:
            seen, seen_at = now, time.monotonic()
        elif time.monotonic() - seen_at > HANGS_AFTER_S:
            kill(process)
            return False
        time.sleep(0.01)
    return True


def kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and its children."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0

"""The sources: a video file, an image, a folder of images, a webcam, a stream."""

import logging
import os
import re
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np

from ..console import hide_library_lines
from ..errors import DemoError, UsageError
from ..files import opencv_path

log = logging.getLogger(__name__)

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".pgm", ".tif", ".tiff", ".webp"})
STREAM_TIMEOUT_MS = 10_000
PRINTABLE = "".join(chr(code) for code in range(33, 127))

Images = Iterator[tuple[np.ndarray, str | None]]  # an image and its file's name
Warn = Callable[[str], None]


@dataclass(frozen=True)
class Source:
    """What is known of a source before it is played.

    breaks: the messages about an early end, each once; filled while the source is played.
    """

    name: str
    images: Callable[[], Images]  # opens the source and gives its images; closing the iterator releases it
    frame_count: int | None = None  # None: unknown, or the source has no end
    fps: float | None = None
    is_live: bool = False
    images_from: tuple[Path, ...] = ()  # the files of a source of images
    breaks: list[str] = field(default_factory=list)

    def time_s(self, index: int) -> float | None:
        """The time of a frame of a video in s; None where the source has no clock of its own."""
        return None if self.images_from or self.fps is None else index / self.fps

    @property
    def has_many_sizes(self) -> bool:
        """Whether its frames may differ in size."""
        return len(self.images_from) > 1


def open_source(source: str) -> Source:
    """Identify a source, and open it if it is a camera or a stream. Raises UsageError or DemoError if that fails."""
    # FFmpeg must not print to the terminal: this module reports errors in one line.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    source = source.removeprefix("file://")
    path = Path(source)
    if source.isdecimal():
        return _camera(int(source))
    if "://" in source:
        return _stream(source)
    if source and path.is_dir():
        return _folder(path)
    if not source or not path.exists():
        raise UsageError(
            f"Cannot open '{source}': no such file. "
            "Give a video file, an image, a folder of images, a camera index or a stream's URL."
        )
    _check_readable(path)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return images_source(source, [path])

    def open_video() -> cv2.VideoCapture:
        with opencv_path(path) as name:
            return cv2.VideoCapture(name, cv2.CAP_FFMPEG)

    return _video(source, open_video)


def _check_readable(path: Path) -> None:
    """Raise UsageError for a file that cannot be read, and for a pipe, which could block forever."""
    if not path.is_file():
        raise UsageError(
            f"'{path}' is a pipe or a device, not a file. Give a file; of a camera, its index, as in -i 0."
        )
    try:
        path.open("rb").close()
    except OSError as error:
        raise UsageError(f"Cannot read '{path}': {error.strerror}.") from error


def _video(name: str, open_video: Callable[[], cv2.VideoCapture]) -> Source:
    video = open_video()
    codec = int(video.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=True)
    if not video.isOpened() or codec == b"ansi":  # FFmpeg opens text files as a video of a terminal
        raise UsageError(f"'{name}' is not a video that can be read. Give an .mp4, .avi, .mkv, .webm or .mov file.")
    frame_count, fps = int(video.get(cv2.CAP_PROP_FRAME_COUNT)), video.get(cv2.CAP_PROP_FPS)
    video.release()
    count = frame_count if frame_count > 0 else None
    breaks: list[str] = []
    return Source(
        name,
        lambda: _read_video(name, open_video(), count, breaks),
        count,
        fps if 0 < fps <= 1000 else None,
        breaks=breaks,
    )


def _read_video(name: str, video: cv2.VideoCapture, frame_count: int | None, breaks: list[str]) -> Images:
    frames_read = 0
    for image in _read_all(video):
        frames_read += 1
        yield image, None
    if frames_read == 0:
        raise UsageError(_why_unreadable(name))
    problem = early_end(name, frames_read, frame_count)
    if problem is not None:
        _break(breaks, problem)


def early_end(name: str, frames: int, frame_count: int | None) -> str | None:
    """The message about a video that gave fewer `frames` than it states (frame_count, None: unknown), if it did.

    The frame count in a container may be wrong by a frame or two.
    """
    if frame_count is None or frames >= frame_count - max(2, frame_count // 100):
        return None
    return f"'{name}' broke off after {frames} of {frame_count} frames: it is truncated or damaged."


def _why_unreadable(name: str) -> str:
    if "://" in name and _gives_no_parts(name):
        return (
            f"'{name}' gave no frame. Its server sends whole files only (no HTTP range requests); a video that has its "
            "index at its end cannot be played from there. Download it, and give the file."
        )
    return f"'{name}' holds no frame that can be read: no video, or damaged from its start."


def _gives_no_parts(url: str) -> bool:
    """Whether an HTTP server sends the complete file when a part is requested."""
    try:
        request = urllib.request.Request(url, headers={"Range": "bytes=0-0"})
        with urllib.request.urlopen(request, timeout=STREAM_TIMEOUT_MS / 1000) as response:
            return bool(response.getcode() == 200)
    except (OSError, ValueError):
        return False


def _break(breaks: list[str], text: str) -> None:
    """Warn that a source ended too early, but only once, even if it is played in a loop."""
    if text not in breaks:
        breaks.append(text)
        log.warning(text)


def _read_all(video: cv2.VideoCapture) -> Iterator[np.ndarray]:
    try:
        while True:
            is_read, image = video.read()
            if not is_read:
                return
            yield as_bgr(image)
    finally:
        video.release()


def _stream(url: str) -> Source:
    try:
        url.encode()
    except UnicodeEncodeError:  # OpenCV crashes on bytes that are not UTF-8
        url = quote(os.fsencode(url), safe=PRINTABLE)
    timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, STREAM_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, STREAM_TIMEOUT_MS]

    def open_stream() -> cv2.VideoCapture:
        return cv2.VideoCapture(url, cv2.CAP_FFMPEG, timeouts)

    video = open_stream()
    if not video.isOpened():
        raise DemoError(f"Cannot open the stream '{url}': no answer, or no video. Check the address and the network.")
    if video.get(cv2.CAP_PROP_FRAME_COUNT) > 0:  # a recorded video behind a URL: it has a clock and an end
        video.release()
        return _video(url, open_stream)
    return _live(url, f"The stream '{url}'", video)


def _camera(index: int) -> Source:
    # Without this, Windows' own backend takes many seconds to open a webcam.
    os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")
    video = cv2.VideoCapture(index) if index < 1000 else None  # OpenCV reads larger indices as a choice of backend
    if video is None or not video.isOpened():
        raise DemoError(f"There is no camera {index}, or another program uses it. Try another index, or a video file.")
    return _live(f"camera {index}", f"Camera {index}", video)


def _live(name: str, description: str, video: cv2.VideoCapture) -> Source:
    fps = video.get(cv2.CAP_PROP_FPS)
    known_fps = fps if 1 <= fps <= 1000 else None
    breaks: list[str] = []
    return Source(name, lambda: _read_live(video, description, breaks), fps=known_fps, is_live=True, breaks=breaks)


def _read_live(video: cv2.VideoCapture, name: str, breaks: list[str]) -> Images:
    frames_read = 0
    for image in _read_all(video):
        frames_read += 1
        yield image, None
    if frames_read == 0:
        raise DemoError(f"{name} opened but gave no frame.")
    # OpenCV does not report why: a normal end looks the same as a failure.
    _break(breaks, f"{name} ended after {frames_read} frames.")


def _folder(folder: Path) -> Source:
    paths = sorted((path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES), key=_natural_order)
    if not paths:
        raise UsageError(f"There is no image in '{folder}'. It may hold {', '.join(sorted(IMAGE_SUFFIXES))} files.")
    return images_source(str(folder), paths)


def images_source(name: str, paths: list[Path]) -> Source:
    """A source of images in order. Images that cannot be read are skipped with a warning."""
    warn = _warn_once()
    return Source(name, lambda: _read_images(paths, warn), frame_count=len(paths), images_from=tuple(paths))


def _warn_once() -> Warn:
    """A function that logs each warning only once, even if a source is played in a loop."""
    said: set[str] = set()

    def warn(text: str) -> None:
        if text not in said:
            said.add(text)
            log.warning(text)

    return warn


def _natural_order(path: Path) -> list[tuple[int, str]]:
    """frame2 before frame10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.name.lower())]


def _read_images(paths: list[Path], warn: Warn) -> Images:
    images_read = 0
    for path in paths:
        image = _read_image(path)
        if image is None:
            if len(paths) > 1:
                warn(f"Skipping '{path}': no image that can be read.")
            continue
        images_read += 1
        yield image, path.name
    if images_read == 0:
        raise UsageError(f"'{paths[0]}' is not an image that can be read." if len(paths) == 1 else
                         f"None of the {len(paths)} images in '{paths[0].parent}' can be read.")  # fmt: skip


def _read_image(path: Path) -> np.ndarray | None:
    if not path.is_file():  # reading a pipe could block forever
        return None
    try:
        with hide_library_lines():
            return cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except (cv2.error, OSError):
        return None


def as_bgr(image: np.ndarray) -> np.ndarray:
    """(h, w), (h, w, 1), (h, w, 3) or (h, w, 4) uint8 -> (h, w, 3) uint8 BGR."""
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels == 1:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    return cv2.cvtColor(image, cv2.COLOR_BGRA2BGR) if channels == 4 else image

"""Where the annotated pictures go: a video file, an image, or a folder of images."""

import contextlib
import os
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from .capture import IMAGE_SUFFIXES, Frame, Source
from .errors import DemoError, UsageError
from .files import check_parent, write_whole

CODECS = {".mp4": "mp4v", ".mov": "mp4v", ".m4v": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
FPS_WITHOUT_CLOCK = 30.0


class NoWriter:
    """Stands in where nothing is to be written."""

    def __enter__(self) -> "NoWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def write(self, frame: Frame, picture: np.ndarray) -> None:
        """Write the annotated picture, (h, w, 3) uint8 BGR, of a frame."""


class VideoWriter(NoWriter):
    """A video that gets its name when it is complete; it can be played also when the run was cut short.

    A frame that the source dropped is filled in with the picture after it, so that the video keeps the source's time.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self._path, self._fps = path, fps
        self._partial = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._next_index: int | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.release()
            self._partial.replace(self._path)

    def write(self, frame: Frame, picture: np.ndarray) -> None:
        if self._writer is None:
            self._open(picture)
        assert self._writer is not None
        if picture.shape[1::-1] != self._size:
            picture = _fit(picture, self._size)
        first = frame.index if self._next_index is None else self._next_index
        for _ in range(first, frame.index + 1):
            self._writer.write(picture)
        self._next_index = frame.index + 1

    def _open(self, picture: np.ndarray) -> None:
        # Video codecs want even sizes.
        self._size = (picture.shape[1] // 2 * 2, picture.shape[0] // 2 * 2)
        codec = CODECS[self._path.suffix.lower()]
        writer = cv2.VideoWriter(
            str(self._partial), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), self._fps, self._size
        )
        if not writer.isOpened():
            with contextlib.suppress(OSError):
                self._partial.unlink()
            raise DemoError(
                f"Cannot write '{self._path}': this OpenCV has no codec for {self._path.suffix} ({codec}), or the "
                "folder is not writable. Try another ending: .mp4 or .avi."
            )
        self._writer = writer


def _fit(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bring a picture to `size` (width, height): an odd last row or column is cut, any other is scaled and padded."""
    if (picture.shape[1] // 2 * 2, picture.shape[0] // 2 * 2) == size:
        return np.ascontiguousarray(picture[: size[1], : size[0]])
    scale = min(size[0] / picture.shape[1], size[1] / picture.shape[0])
    width, height = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    fitted = np.zeros((size[1], size[0], 3), np.uint8)
    fitted[:height, :width] = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return fitted


class ImageWriter(NoWriter):
    """Annotated images: one file, or a folder where each gets the name it had."""

    def __init__(self, path: Path, is_folder: bool) -> None:
        self._path, self._is_folder = path, is_folder

    def write(self, frame: Frame, picture: np.ndarray) -> None:
        name = frame.name or f"{frame.index:06d}.png"
        write_image(self._path / name if self._is_folder else self._path, picture)


def write_image(path: Path, picture: np.ndarray) -> None:
    """Write (h, w, 3) uint8 BGR in the format of the path's ending, whole or not at all. Raises DemoError."""
    try:
        is_encoded, data = cv2.imencode(path.suffix, picture)
    except cv2.error:
        is_encoded = False
    if not is_encoded:
        raise DemoError(f"Cannot write '{path}': OpenCV cannot encode {path.suffix}. Try .png or .jpg.")
    write_whole(path, data.tobytes())


def open_writer(output: str | None, source: Source) -> NoWriter:
    """A writer for what `source` gives. Raises UsageError where `output` does not suit it or cannot be written."""
    if output is None:
        return NoWriter()
    path = Path(output)
    if path.exists() and Path(source.name).exists() and path.samefile(source.name):
        raise UsageError(f"The output '{output}' is the input itself. Give another name.")
    check_parent(path)
    suffix = path.suffix.lower()
    if source.is_images:
        is_folder = suffix not in IMAGE_SUFFIXES
        if is_folder and suffix in CODECS:
            return VideoWriter(path, source.fps or FPS_WITHOUT_CLOCK)
        if not is_folder and source.frame_count != 1:
            raise UsageError(f"'{output}' is one image, the source has several. Give a folder, or a video file.")
        if is_folder:
            if path.is_file():
                raise UsageError(f"'{output}' is a file. Give a folder, an image (.png, .jpg) or a video (.mp4, .avi).")
            path.mkdir(exist_ok=True)
        return ImageWriter(path, is_folder)
    if suffix not in CODECS:
        raise UsageError(f"Cannot write a video to '{output}': give a name that ends in {', '.join(CODECS)}.")
    return VideoWriter(path, source.fps or FPS_WITHOUT_CLOCK)

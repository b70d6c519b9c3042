"""Where the annotated pictures go: a video file, an image, or a folder of images."""

import contextlib
import uuid
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from .capture import Frame
from .errors import DemoError, UsageError
from .files import check_parent, check_writable, write_whole
from .sources import IMAGE_SUFFIXES, Source

CODECS = {".mp4": "mp4v", ".mov": "mp4v", ".m4v": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
FPS_WITHOUT_CLOCK = 30.0


class NoWriter:
    """Stands in where nothing is to be written."""

    is_open = False

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

    is_open = True

    def __init__(self, path: Path, fps: float) -> None:
        self._path, self._fps = path.absolute(), fps
        self._partial = self._path.with_name(f".human-pose-{uuid.uuid4().hex[:8]}{path.suffix}")
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._first_index = self._next_index = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is None:
            return
        self._writer.release()
        try:
            self._check()
            self._partial.replace(self._path)
        except OSError as problem:
            raise DemoError(f"Cannot write '{self._path}': {problem.strerror}. Give another name.") from problem
        finally:
            self._partial.unlink(missing_ok=True)

    def _check(self) -> None:
        """OpenCV does not tell when it could not write; counting what arrived in the file does."""
        video = cv2.VideoCapture(
            str(self._partial), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1]
        )  # -1: nothing is decoded
        arrived = 0
        while video.grab():
            arrived += 1
        video.release()
        written = self._next_index - self._first_index
        if arrived < written:
            raise DemoError(
                f"'{self._path}' was not written: only {arrived} of {written} frames arrived on the disk. Is it full?"
            )

    def write(self, frame: Frame, picture: np.ndarray) -> None:
        if self._writer is None:
            self._writer = self._open(picture)
            self._first_index = self._next_index = frame.index
        if picture.shape[1::-1] != self._size:
            picture = _fit(picture, self._size)
        for _ in range(self._next_index, frame.index + 1):
            self._writer.write(picture)
        self._next_index = frame.index + 1

    def _open(self, picture: np.ndarray) -> cv2.VideoWriter:
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
        return writer


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

    is_open = True

    def __init__(self, path: Path, is_folder: bool) -> None:
        self._path, self._is_folder = path, is_folder

    def write(self, frame: Frame, picture: np.ndarray) -> None:
        name = Path(frame.name or f"{frame.index:06d}.png")
        if name.suffix.lower() == ".pgm":  # has no colours
            name = name.with_name(f"{name.name}.png")
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
    suffix = path.suffix.lower()
    originals = [file for file in source.images_from or [Path(source.name)] if file.exists()]
    inputs = originals + [file.absolute().parent for file in originals if source.images_from]
    if path.exists() and any(path.samefile(file) for file in inputs):
        raise UsageError(f"The output '{output}' is the input itself, which it would overwrite. Give another name.")
    if suffix in CODECS or (source.images_from and suffix in IMAGE_SUFFIXES):
        check_writable(path)
    else:
        check_parent(path)
    if suffix in CODECS:
        return VideoWriter(path, source.fps or FPS_WITHOUT_CLOCK)
    if not source.images_from:
        raise UsageError(f"Cannot write a video to '{output}': give a name that ends in {', '.join(CODECS)}.")
    if suffix in IMAGE_SUFFIXES:
        if len(source.images_from) > 1:
            raise UsageError(f"'{output}' is one image, the source has several. Give a folder, or a video file.")
        return ImageWriter(path, is_folder=False)
    if path.is_file():
        raise UsageError(f"'{output}' is a file. Give a folder, an image (.png, .jpg) or a video (.mp4, .avi).")
    path.mkdir(exist_ok=True)
    return ImageWriter(path, is_folder=True)

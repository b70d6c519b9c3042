"""Write the annotated pictures to a video file, an image, or a folder of images."""

import abc
import contextlib
import os
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from ..errors import DemoError, UsageError
from ..files import check_parent, check_writable, final_path, free_bytes, identity, write_whole
from ..output_log import OutputLog
from .capture import Frame
from .encoder import VIDEO_SUFFIXES, Encoder, EncoderError, open_encoder
from .partial import Partial, clean_up, count_frames
from .sound import Sound, finish, video_start_s
from .sources import IMAGE_SUFFIXES, Source

FPS_WITHOUT_CLOCK = 30.0
RESERVE_BYTES, RESERVE_BYTES_A_FRAME = 1_000_000, 40  # disk space kept free to complete the files
LIST_OF_IMAGES = ".human_pose_images"  # in a folder of annotated images: the list of those that this program wrote


class PictureWriter(contextlib.AbstractContextManager["PictureWriter"], abc.ABC):
    """Writes annotated pictures. Use it as a context manager."""

    is_open: bool

    @abc.abstractmethod
    def write(self, frame: Frame, picture: np.ndarray) -> None:
        """Write the annotated picture, (h, w, 3) uint8 BGR, of a frame."""


class NullWriter(PictureWriter):
    """The stand-in for a run that writes no pictures."""

    is_open = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def write(self, frame: Frame, picture: np.ndarray) -> None:
        pass


class VideoWriter(PictureWriter):
    """A video that gets its name when it is complete. It can be played even if the run was killed.

    The picture after a dropped frame is repeated in its place, so that the video keeps the source's time. A write error
    ends the video, not the run.
    """

    is_open = True

    def __init__(
        self, path: Path, fps: float, written: OutputLog, sound_of: Path | None = None, loops: bool = False
    ) -> None:
        """sound_of: the source file, for its sound; loops: it is played in a loop, so that its sound does not fit."""
        self._path, self._fps, self._written = path, fps, written
        self._sound_of, self._loops = sound_of, loops
        self._partial: Partial | None = None
        self._encoder: Encoder | None = None
        self._first_index = self._next_index = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finish()

    def write(self, frame: Frame, picture: np.ndarray) -> None:
        if not self.is_open:
            return
        try:
            if self._encoder is None:
                self._partial = Partial(final_path(self._path))
                self._encoder = open_encoder(self._partial.path, self._fps, picture)
                self._frame_size = picture.shape[1::-1]
                self._first_index = self._next_index = frame.index
            picture = _fit(picture, self._frame_size, self._encoder.size)
            for _ in range(self._next_index, frame.index + 1):
                self._check_room(picture.nbytes)
                self._encoder.write(picture)
                self._next_index += 1
        except EncoderError as problem:
            self._finish(str(problem))
        except OSError as problem:
            self._finish(problem.strerror)

    def _check_room(self, frame_bytes: int) -> None:
        assert self._partial is not None
        frames = self._next_index - self._first_index
        if free_bytes(self._partial.path) < RESERVE_BYTES + RESERVE_BYTES_A_FRAME * frames + frame_bytes:
            raise EncoderError("the disk is full; make room, or give another place")

    def _finish(self, problem: str | None = None) -> None:
        """Complete the video and give it its name. problem: why it ends before the run."""
        if not self.is_open:
            return
        self.is_open = False
        if self._encoder is not None:
            try:
                self._encoder.close()
            except EncoderError as error:
                problem = problem or str(error)
        if self._partial is None:
            if problem:
                self._written.fail(f"Cannot write '{self._path}': {problem}.")
            return
        arrived = count_frames(self._partial.path)
        expected = self._next_index - self._first_index
        if not arrived:
            self._partial.remove()
            self._written.fail(f"Cannot write '{self._path}': {problem or 'no frame arrived on the disk'}.")
            return
        if problem or arrived < expected:
            reason = problem or f"{expected - arrived} more did not arrive on the disk"
            self._written.fail(f"'{self._path}' ends after {arrived} frames: {reason}.")
        details = self._complete(self._partial, arrived)
        try:
            self._partial.keep()
        except OSError as error:
            self._written.fail(
                f"Cannot write '{self._path}': {error.strerror}. The video is in '{self._partial.path}'."
            )
            return
        self._written.add(self._path, f"{arrived} {'frame' if arrived == 1 else 'frames'}, {details}")

    def _complete(self, partial: Partial, frames: int) -> str:
        """Add sound and index to the video. Returns a description: codec, sound."""
        assert self._encoder is not None
        sound = None
        start_s = video_start_s(self._sound_of) if self._sound_of else None
        if self._sound_of and start_s is not None:
            sound = Sound(self._sound_of, start_s + self._first_index / self._fps, frames / self._fps)
        path, has_sound = finish(partial.path, None if self._loops else sound)
        if path != partial.path:
            partial.replace_by(path)
        details = [self._encoder.codec]
        if self._encoder.size != self._frame_size:
            details.append("its odd last row or column cut off, which this codec cannot have")
        if has_sound:
            details.append("with the sound of its source")
        elif sound:
            details.append("without the sound of its source" + (", which was played in a loop" if self._loops else ""))
        return ", ".join(details)


def _fit(picture: np.ndarray, first: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Bring a picture to `size` (width, height): the size of the `first` picture without an odd last row or column.

    A picture that differs in size from the first one is scaled and padded.
    """
    height, width = picture.shape[:2]
    if (width, height) == size:
        return np.ascontiguousarray(picture)
    fitted = np.zeros((size[1], size[0], 3), np.uint8)
    if (width, height) != first:
        scale = min(size[0] / width, size[1] / height)
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    kept = picture[: size[1], : size[0]]
    fitted[: kept.shape[0], : kept.shape[1]] = kept
    return fitted


class ImageWriter(PictureWriter):
    """Writes one annotated image, or a folder in which each keeps its file name. Counts images that fail."""

    is_open = True

    def __init__(self, path: Path, is_folder: bool, written: OutputLog, names: frozenset[str] = frozenset()) -> None:
        """names: the names of the files that the folder will hold."""
        self._path, self._is_folder, self._written, self._names = path, is_folder, written, names
        self._is_prepared = not is_folder
        self._images = self._failures = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failed = f", {self._failures} could not be written" if self._failures else ""
        if self._images:
            self._written.add(self._path, f"{self._images} images{failed}" if self._is_folder else "")
        elif self._failures > 1:
            self._written.fail(f"None of {self._failures} images could be written to '{self._path}'.")

    def write(self, frame: Frame, picture: np.ndarray) -> None:
        try:
            if not self._is_prepared:
                _prepare_folder(self._path, self._names)
                self._is_prepared = True
            name = output_name(frame.name or f"{frame.index:06d}.png")
            write_image(self._path / name if self._is_folder else self._path, picture)
            self._images += 1
        except DemoError as error:
            self._failures += 1
            if self._failures == 1:
                self._written.fail(error)


def _prepare_folder(folder: Path, names: frozenset[str]) -> None:
    """Create the folder and its list of images that this program wrote. Raises DemoError."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise DemoError(f"Cannot make the folder '{folder}': {error.strerror}. Give another.") from error
    content = {os.fsencode(name) for name in names} | _own_images(folder)
    write_whole(folder / LIST_OF_IMAGES, b"".join(name + b"\0" for name in sorted(content)))


def _own_images(folder: Path) -> set[bytes]:
    """The names of the images in a folder that earlier runs wrote."""
    try:
        return set((folder / LIST_OF_IMAGES).read_bytes().split(b"\0")) - {b""}
    except OSError:
        return set()


def write_image(path: Path, picture: np.ndarray) -> None:
    """Write (h, w, 3) uint8 BGR in the format of the path's suffix, completely or not at all. Raises DemoError."""
    try:
        is_encoded, data = cv2.imencode(path.suffix, picture)
    except cv2.error:
        is_encoded = False
    if not is_encoded:
        raise DemoError(f"Cannot write '{path}': OpenCV cannot encode {path.suffix}. Try .png or .jpg.")
    write_whole(path, data.tobytes())


def output_name(name: str) -> str:
    """The name of the annotated image: the image's own, with .png added to .pgm, which has no colours."""
    return f"{name}.png" if name.lower().endswith(".pgm") else name


def open_writer(
    output: str | None, source: Source, written: OutputLog | None = None, loops: bool = False
) -> PictureWriter:
    """The writer for an output and a source. loops: the source is played in a loop.

    Raises UsageError where `output` does not suit the source or cannot be written.
    """
    if output is None:
        return NullWriter()
    path, written = Path(output), written or OutputLog()
    suffix = path.suffix.lower()
    originals = [file for file in source.images_from or [Path(source.name)] if file.exists()]
    inputs = {identity(file) for file in originals}
    if source.images_from:
        inputs |= {identity(file.absolute().parent) for file in originals}
    if identity(path) in inputs:
        raise UsageError(f"The output '{output}' is the input itself, which it would overwrite. Give another name.")
    if suffix in VIDEO_SUFFIXES or (source.images_from and suffix in IMAGE_SUFFIXES):
        check_writable(path)
    else:
        check_parent(path)
    if suffix in VIDEO_SUFFIXES:
        clean_up(final_path(path).parent)
        is_file = not (source.is_live or source.images_from) and source.fps is not None and Path(source.name).is_file()
        sound_of = Path(source.name) if is_file else None
        return VideoWriter(path, source.fps or FPS_WITHOUT_CLOCK, written, sound_of, loops)
    if not source.images_from:
        raise UsageError(f"Cannot write a video to '{output}': give a name that ends in {', '.join(VIDEO_SUFFIXES)}.")
    if suffix in IMAGE_SUFFIXES:
        if len(source.images_from) > 1:
            raise UsageError(f"'{output}' is one image, the source has several. Give a folder, or a video file.")
        return ImageWriter(path, is_folder=False, written=written)
    if path.is_file():
        raise UsageError(f"'{output}' is a file. Give a folder, an image (.png, .jpg) or a video (.mp4, .avi).")
    names = frozenset(output_name(file.name) for file in source.images_from)
    own = _own_images(path)
    for name in sorted(names):
        file = path / name
        if identity(file) in inputs:
            raise UsageError(f"'{file}' is one of the inputs, which would be overwritten. Give another folder.")
        if file.is_symlink() or (file.exists() and os.fsencode(name) not in own):
            raise UsageError(f"'{file}' is there already, and no run before has written it. Give another folder.")
    return ImageWriter(path, is_folder=True, written=written, names=names)

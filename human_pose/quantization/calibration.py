"""The frames for calibration and for the comparison: spread over a video or a folder, as the network's input."""

import contextlib
from collections.abc import Sequence
from typing import overload

import numpy as np

from ..console import ProgressLine
from ..errors import UsageError
from ..inference.input_size import Preprocessing, network_input_size
from ..inference.preprocess import as_floats, blank_input, fill_input
from ..media.sources import Source

MIN_SAMPLES = 4
HELD_OUT = 4  # every 4th sample is held out: half of these select the best attempt, half test it


def read_samples(source: Source, count: int, size: int, preprocessing: Preprocessing) -> list[np.ndarray]:
    """Up to `count` frames at even distances, each (1, height, width, 3) uint8 BGR, of a shape that suits the first.

    size: the side of the input that --size names. Each frame is scaled like one of the demo. Raises UsageError where
    the source is live or has too few frames.
    """
    if source.is_live:
        raise UsageError(f"'{source.name}' has no end. Give a video file or a folder of images for the calibration.")
    progress = ProgressLine()
    total = source.frame_count or _count(source)
    wanted = set(np.linspace(0, total - 1, min(count, total)).round().astype(int).tolist())
    last = max(wanted)
    samples: list[np.ndarray] = []
    input_size = (0, 0)
    with contextlib.closing(source.images()) as images:  # type: ignore[type-var]
        for number, (image, _) in enumerate(images):
            if not samples:
                input_size = network_input_size(image.shape[1::-1], size, preprocessing)
            if number in wanted:
                samples.append(_as_input(image, input_size, preprocessing))
                progress.show(f"reading frame {len(samples)} of {len(wanted)}")
            if number == last:
                break
    if len(samples) < MIN_SAMPLES:
        raise UsageError(
            f"'{source.name}' gave {len(samples)} frames for the calibration; it takes {MIN_SAMPLES} at least. "
            "Give a longer video, or more images."
        )
    return samples


class Inputs(Sequence[np.ndarray]):
    """Frames (1, height, width, 3) uint8 BGR, converted for the model's own input: float32, NHWC or NCHW.

    Each is converted on access, because some hundred float frames would need too much memory.
    """

    def __init__(self, frames: list[np.ndarray], is_nchw: bool, preprocessing: Preprocessing) -> None:
        self.frames, self._is_nchw, self._preprocessing = frames, is_nchw, preprocessing

    def __len__(self) -> int:
        return len(self.frames)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> "Inputs": ...
    def __getitem__(self, index: int | slice) -> "np.ndarray | Inputs":
        if isinstance(index, slice):
            return Inputs(self.frames[index], self._is_nchw, self._preprocessing)
        frame = as_floats(self.frames[index], self._preprocessing)
        return np.ascontiguousarray(frame.transpose(0, 3, 1, 2) if self._is_nchw else frame, np.float32)


def split(samples: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The samples for calibration, and the held-out ones: every HELD_OUT-th."""
    held_out = samples[HELD_OUT - 1 :: HELD_OUT]
    return [sample for number, sample in enumerate(samples) if number % HELD_OUT != HELD_OUT - 1], held_out


def _count(source: Source) -> int:
    """Count the frames of a file that does not state their number."""
    with contextlib.closing(source.images()) as images:  # type: ignore[type-var]
        return sum(1 for _ in images)


def _as_input(image: np.ndarray, size: tuple[int, int], preprocessing: Preprocessing) -> np.ndarray:
    frame = blank_input(size, preprocessing)
    fill_input(image, frame, preprocessing)
    return frame

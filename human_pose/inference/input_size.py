"""How a network takes its picture: the input's size from the frame's, its colours, and the scale back to the frame."""

import math
from dataclasses import dataclass
from typing import NamedTuple

SIZE_STEP = 8  # pixels; --size is a multiple of it for every network
WIDEST_ASPECT = 4.0  # maximum ratio of the input's sides; a longer frame uses only a part of the input
LARGEST_SIZE = 2048  # maximum shorter side of the input; a larger one needs too much memory


@dataclass(frozen=True)
class Preprocessing:
    """How a family of networks takes its picture.

    The frame is scaled into the input; what it leaves of the input has the padding's value in every colour.
    is_rgb: the order of the colours, else BGR. mean, scale: of each colour in that order; the network sees
    (value - mean) / scale of values in 0..255. padding: 0..255. step: both sides of the input are a multiple of it.
    default_size: of an input whose size is open. names_longer: whether --size is the input's longer side, as makers
    of one-stage networks name it, else the shorter. fixed_size: width and height, where the graph takes no others.
    keeps_aspect: the frame is scaled in its own aspect ratio, else to the whole input. is_centred: it is in the middle
    of the input, else in the top left corner.
    """

    step: int
    default_size: int
    is_rgb: bool = False
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    padding: int = 0
    names_longer: bool = False
    fixed_size: tuple[int, int] | None = None
    keeps_aspect: bool = True
    is_centred: bool = False

    def named(self, sides: list[int]) -> int:
        """Of the sides of an input, the one that --size names; the default where both are open."""
        return (max if self.names_longer else min)(sides, default=self.default_size)

    def whole_steps(self, pixels: float) -> int:
        """The number of pixels, rounded up to a multiple of the step."""
        return math.ceil(round(pixels) / self.step) * self.step

    def open_sides(self, size: int) -> tuple[int, int]:
        """The least and the greatest side of an input of `size` for frames of every shape."""
        if self.names_longer:
            return self.whole_steps(size / WIDEST_ASPECT), size
        return size, self.whole_steps(WIDEST_ASPECT * size)


def network_input_size(frame_size: tuple[int, int], size: int, preprocessing: Preprocessing) -> tuple[int, int]:
    """Width and height of the input for frames of `frame_size` (width, height); the side that --size names is `size`.

    It has the frame's aspect ratio, rounded up to whole steps, where the network can take and keep that. A portrait
    frame gets as many pixels as a landscape one.
    """
    width, height = frame_size
    if preprocessing.fixed_size is not None:
        return preprocessing.fixed_size
    if not preprocessing.keeps_aspect:
        return size, size
    aspect = min(max(width, height) / min(width, height), WIDEST_ASPECT)
    if preprocessing.names_longer:
        longer, shorter = size, preprocessing.whole_steps(size / aspect)
    else:
        longer, shorter = preprocessing.whole_steps(size * aspect), size
    return (longer, shorter) if width >= height else (shorter, longer)


class Box(NamedTuple):
    """Where the frame is in the input, in its pixels."""

    left: int
    top: int
    width: int
    height: int


def frame_box(frame_size: tuple[int, int], input_size: tuple[int, int], preprocessing: Preprocessing) -> Box:
    """Where a frame is put in an input; both sizes are (width, height)."""
    width, height = scaled_size(frame_size, input_size) if preprocessing.keeps_aspect else input_size
    if preprocessing.is_centred:
        return Box((input_size[0] - width) // 2, (input_size[1] - height) // 2, width, height)
    return Box(0, 0, width, height)


def scaled_size(frame_size: tuple[int, int], input_size: tuple[int, int]) -> tuple[int, int]:
    """Width and height of the scaled frame in the input: as large as fits, in the frame's aspect ratio."""
    width, height = frame_size
    scale = min(input_size[0] / width, input_size[1] / height)
    return max(1, min(input_size[0], round(width * scale))), max(1, min(input_size[1], round(height * scale)))


def frame_pixels(frame_size: tuple[int, int], box: Box) -> tuple[float, float]:
    """Frame pixels that one pixel of the input spans, in x and in y. frame_size: width and height."""
    return frame_size[0] / box.width, frame_size[1] / box.height

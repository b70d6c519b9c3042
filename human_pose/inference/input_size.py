"""Compute the size of the network's input from the frame's, and the scale from input pixels to frame pixels."""

import math

SIZE_STEP = 8  # pixels; both sides of an input are a multiple of it
WIDEST_ASPECT = 4.0  # maximum ratio of the input's sides; a longer frame uses only a part of the input
LARGEST_SIZE = 2048  # maximum shorter side of the input; a larger one needs too much memory


def whole_steps(pixels: float) -> int:
    """The number of pixels, rounded up to a multiple of SIZE_STEP."""
    return math.ceil(round(pixels) / SIZE_STEP) * SIZE_STEP


def network_input_size(frame_size: tuple[int, int], size: int) -> tuple[int, int]:
    """Width and height of the input for frames of `frame_size` (width, height); its shorter side has `size` pixels.

    It has the frame's aspect ratio, rounded up to SIZE_STEP. A portrait frame gets as many pixels as a landscape one.
    """
    width, height = frame_size
    longer = whole_steps(size * min(max(width, height) / min(width, height), WIDEST_ASPECT))
    return (longer, size) if width >= height else (size, longer)


def scaled_size(frame_size: tuple[int, int], input_size: tuple[int, int]) -> tuple[int, int]:
    """Width and height of the scaled frame in the input: as large as fits, in the frame's aspect ratio."""
    width, height = frame_size
    scale = min(input_size[0] / width, input_size[1] / height)
    return max(1, min(input_size[0], round(width * scale))), max(1, min(input_size[1], round(height * scale)))


def frame_pixels(frame_size: tuple[int, int], input_size: tuple[int, int]) -> tuple[float, float]:
    """Frame pixels that one pixel of the input spans, in x and in y; both sizes are (width, height)."""
    scaled = scaled_size(frame_size, input_size)
    return frame_size[0] / scaled[0], frame_size[1] / scaled[1]

"""The size of a network's input: from the frame's, and back from the input's pixels to the frame's."""

import math

SIZE_STEP = 8  # pixels that both sides of an input are a multiple of
WIDEST_ASPECT = (
    4.0  # longer to shorter side; of a longer frame only a part of the input is used, lest it grow endlessly
)
LARGEST_SIZE = 2048  # of the input's shorter side; more would ask for memory that few have


def whole_steps(pixels: float) -> int:
    """So many pixels or a little more: a multiple of 8."""
    return math.ceil(round(pixels) / SIZE_STEP) * SIZE_STEP


def network_input_size(frame_size: tuple[int, int], size: int) -> tuple[int, int]:
    """Width and height of the input for frames of `frame_size` (width, height), its shorter side `size` pixels.

    It has the frame's aspect ratio, padded to steps: upright and lying frames of one shape have as many pixels.
    """
    width, height = frame_size
    longer = whole_steps(size * min(max(width, height) / min(width, height), WIDEST_ASPECT))
    return (longer, size) if width >= height else (size, longer)


def scaled_size(frame_size: tuple[int, int], input_size: tuple[int, int]) -> tuple[int, int]:
    """Width and height to which a frame is scaled: its own aspect ratio, as large as the input holds."""
    width, height = frame_size
    scale = min(input_size[0] / width, input_size[1] / height)
    return max(1, min(input_size[0], round(width * scale))), max(1, min(input_size[1], round(height * scale)))


def frame_pixels(frame_size: tuple[int, int], input_size: tuple[int, int]) -> tuple[float, float]:
    """Frame pixels that one pixel of the input spans, in x and in y; both sizes are (width, height)."""
    scaled = scaled_size(frame_size, input_size)
    return frame_size[0] / scaled[0], frame_size[1] / scaled[1]

"""From a frame to the network's input: scaled to fit its top left corner, in the frame's own aspect ratio; and back."""

import numpy as np
import openvino as ov

from .network import CELL_PIXELS, WIDEST_ASPECT, fixed_input_size, shorter_side, whole_cells
from .scaling import scale_into


def network_input_size(frame_size: tuple[int, int], size: int) -> tuple[int, int]:
    """Width and height of the input for frames of `frame_size` (width, height), its shorter side `size` pixels.

    It has the frame's aspect ratio, padded to cells: upright and lying frames of one shape have as many pixels.
    """
    width, height = frame_size
    longer = whole_cells(size * min(max(width, height) / min(width, height), WIDEST_ASPECT))
    return (longer, size) if width >= height else (size, longer)


def scaled_size(frame_size: tuple[int, int], input_size: tuple[int, int]) -> tuple[int, int]:
    """Width and height to which a frame is scaled: its own aspect ratio, as large as the input holds."""
    width, height = frame_size
    scale = min(input_size[0] / width, input_size[1] / height)
    return max(1, min(input_size[0], round(width * scale))), max(1, min(input_size[1], round(height * scale)))


def pixels_per_cell(frame_size: tuple[int, int], input_size: tuple[int, int]) -> tuple[float, float]:
    """Frame pixels that one cell of the maps spans, in x and in y."""
    scaled = scaled_size(frame_size, input_size)
    return CELL_PIXELS * frame_size[0] / scaled[0], CELL_PIXELS * frame_size[1] / scaled[1]


def check_finite(*maps: np.ndarray) -> None:
    """Raise RuntimeError where the network's outputs hold NaN or infinity: nobody would be found, without a word."""
    with np.errstate(all="ignore"):
        if not all(np.isfinite(values.sum()) for values in maps):
            raise RuntimeError(
                "the network gives NaN or infinity. Give another model, or -p FP32, which holds larger values"
            )


def new_input(network: ov.CompiledModel, frame_size: tuple[int, int]) -> np.ndarray:
    """A black input image, (1, h, w, 3) uint8: of the network's size, or, where that is open, of the frame's aspect."""
    width, height = fixed_input_size(network) or network_input_size(frame_size, shorter_side(network))
    return np.zeros((1, height, width, 3), np.uint8)


def fill_input(image: np.ndarray, target: np.ndarray) -> None:
    """Scale the image to the top left corner of an input image (1, h, w, 3); the rest stays as it is."""
    _, height, width, _ = target.shape
    scaled = scaled_size(image.shape[1::-1], (width, height))
    scale_into(image, target[0, : scaled[1], : scaled[0]])

"""Preprocessing: scale a frame into the top left corner of the network's input, in the frame's aspect ratio."""

import numpy as np
import openvino as ov

from ..media.scaling import scale_into
from .input_size import network_input_size, scaled_size
from .model import fixed_input_size, shorter_side


def check_finite(*maps: np.ndarray) -> None:
    """Raise RuntimeError where the outputs hold NaN or infinity; otherwise the decoder would silently find nobody."""
    with np.errstate(all="ignore"):
        if not all(np.isfinite(values.sum()) for values in maps):
            raise RuntimeError(
                "the network gives NaN or infinity. Give another model, or -p FP32, which holds larger values"
            )


def new_input(network: ov.CompiledModel, frame_size: tuple[int, int]) -> np.ndarray:
    """A black input image, (1, h, w, 3) uint8, of the network's size; if that is open, of the frame's aspect ratio."""
    width, height = fixed_input_size(network) or network_input_size(frame_size, shorter_side(network))
    return np.zeros((1, height, width, 3), np.uint8)


def fill_input(image: np.ndarray, target: np.ndarray) -> None:
    """Scale the image to the top left corner of an input image (1, h, w, 3); the rest stays as it is."""
    _, height, width, _ = target.shape
    scaled = scaled_size(image.shape[1::-1], (width, height))
    scale_into(image, target[0, : scaled[1], : scaled[0]])

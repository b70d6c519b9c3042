"""From a frame to the network's input: scaled to fit its top left corner, in the frame's own aspect ratio; and back."""

import math

import numpy as np
import openvino as ov

from .network import CELL_PIXELS, WIDEST_ASPECT, open_input_size
from .scaling import scale_into


def network_input_size(frame_size: tuple[int, int], height: int) -> tuple[int, int]:
    """Width and height of the input for frames of `frame_size` (width, height): their aspect ratio, padded to cells."""
    aspect = min(frame_size[0] / frame_size[1], WIDEST_ASPECT)
    return max(1, math.ceil(round(aspect * height) / CELL_PIXELS)) * CELL_PIXELS, height


def scaled_size(frame_size: tuple[int, int], input_size: tuple[int, int]) -> tuple[int, int]:
    """Width and height to which a frame is scaled: its own aspect ratio, as large as the input holds."""
    width, height = frame_size
    scale = min(input_size[0] / width, input_size[1] / height)
    return max(1, min(input_size[0], round(width * scale))), max(1, min(input_size[1], round(height * scale)))


def pixels_per_cell(frame_size: tuple[int, int], input_size: tuple[int, int]) -> tuple[float, float]:
    """Frame pixels that one cell of the maps spans, in x and in y."""
    scaled = scaled_size(frame_size, input_size)
    return CELL_PIXELS * frame_size[0] / scaled[0], CELL_PIXELS * frame_size[1] / scaled[1]


def new_input(network: ov.CompiledModel, frame_size: tuple[int, int]) -> np.ndarray:
    """A black input image, (1, h, w, 3) uint8: of the network's width, or, where it is open, of the frame's aspect."""
    width, height = open_input_size(network)
    return np.zeros((1, height, width or network_input_size(frame_size, height)[0], 3), np.uint8)


def fill_input(image: np.ndarray, target: np.ndarray) -> None:
    """Scale the image to the top left corner of an input image (1, h, w, 3); the rest stays as it is."""
    _, height, width, _ = target.shape
    scaled = scaled_size(image.shape[1::-1], (width, height))
    scale_into(image, target[0, : scaled[1], : scaled[0]])

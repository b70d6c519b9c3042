"""Preprocessing outside the graph: scale a frame into the network's input. Colours and values change in the graph."""

import numpy as np
import openvino as ov
from openvino.preprocess import ColorFormat, PrePostProcessor

from ..media.scaling import scale_into
from .input_size import Box, Preprocessing, frame_box, network_input_size


def take_frames(model: ov.Model, layout: str, preprocessing: Preprocessing) -> ov.Model:
    """The graph with the input `image` u8 (1, height, width, 3) BGR; layout: of the input that it has.

    What the network wants else is done in the graph, so that every device does it, and bytes are sent to it.
    """
    steps = PrePostProcessor(model)
    image = steps.input()
    image.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    image.model().set_layout(ov.Layout(layout))
    if preprocessing.is_rgb:
        image.tensor().set_color_format(ColorFormat.BGR)
        image.preprocess().convert_color(ColorFormat.RGB)
    if any(preprocessing.mean) or preprocessing.scale != (1.0, 1.0, 1.0):
        image.preprocess().convert_element_type(ov.Type.f32)
    if any(preprocessing.mean):
        image.preprocess().mean(list(preprocessing.mean))
    if preprocessing.scale != (1.0, 1.0, 1.0):
        image.preprocess().scale(list(preprocessing.scale))
    model = steps.build()
    model.input().set_names({"image"})
    return model


def as_floats(frame: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    """A frame (1, h, w, 3) uint8 BGR as the network's own input has it, (1, h, w, 3) float32."""
    colours = frame[..., ::-1] if preprocessing.is_rgb else frame
    return (colours - np.array(preprocessing.mean, np.float32)) / np.array(preprocessing.scale, np.float32)


def check_finite(*maps: np.ndarray) -> None:
    """Raise RuntimeError where the outputs hold NaN or infinity; otherwise the decoder would silently find nobody."""
    with np.errstate(all="ignore"):
        if not all(np.isfinite(values.sum()) for values in maps):
            raise RuntimeError(
                "the network gives NaN or infinity. Give another model, or -p FP32, which holds larger values"
            )


def fixed_input_size(model: ov.Model | ov.CompiledModel) -> tuple[int, int] | None:
    """Width and height of the input `image`; None where they are open."""
    _, height, width, _ = model.input("image").partial_shape
    return (width.get_length(), height.get_length()) if width.is_static and height.is_static else None


def named_side(model: ov.Model | ov.CompiledModel, preprocessing: Preprocessing) -> int:
    """The side of the input `image` that --size names; where it is open, that of all the inputs that it takes."""
    _, height, width, _ = model.input("image").partial_shape
    if preprocessing.names_longer:
        return int(max(height.get_max_length(), width.get_max_length()))
    return int(min(height.get_min_length(), width.get_min_length()))


def blank_input(size: tuple[int, int], preprocessing: Preprocessing) -> np.ndarray:
    """An input image of a size (width, height) without a frame: (1, h, w, 3) uint8 of the padding's value."""
    return np.full((1, size[1], size[0], 3), preprocessing.padding, np.uint8)


def new_input(network: ov.CompiledModel, frame_size: tuple[int, int], preprocessing: Preprocessing) -> np.ndarray:
    """A blank input of the network's size; if that is open, of the frame's aspect ratio."""
    size = fixed_input_size(network)
    if size is None:
        size = network_input_size(frame_size, named_side(network, preprocessing), preprocessing)
    return blank_input(size, preprocessing)


def fill_input(image: np.ndarray, target: np.ndarray, preprocessing: Preprocessing) -> Box:
    """Scale the image into an input image (1, h, w, 3), and return where it is there; the rest stays as it is."""
    _, height, width, _ = target.shape
    box = frame_box(image.shape[1::-1], (width, height), preprocessing)
    scale_into(image, target[0, box.top : box.top + box.height, box.left : box.left + box.width])
    return box

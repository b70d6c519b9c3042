"""The contract of families of networks: what a module such as `openpose_outputs` finds in a graph."""

from dataclasses import dataclass

import openvino as ov

from ..decoders.decoder import Decoder
from .input_size import Preprocessing


@dataclass(frozen=True)
class ImageInput:
    """The input of a graph that takes the picture. layout: 'NCHW' or 'NHWC'."""

    port: ov.Output
    layout: str

    @property
    def sides(self) -> list[ov.Dimension]:
        """Height and width, as the file has them."""
        return [self.port.partial_shape[self.layout.index(axis)] for axis in "HW"]


@dataclass(frozen=True)
class Fitted:
    """A graph of a family.

    model: the graph with the picture as its only input, in the file's layout, and outputs that are f32, have a batch
    axis first and the names that the decoder reads. preprocessing: how the network takes its picture.
    """

    model: ov.Model
    decoder: Decoder
    preprocessing: Preprocessing


def image_input(model: ov.Model) -> ImageInput | None:
    """The input that takes a picture of 3 colours; None where there is none, or more than one."""
    found = []
    for port in model.inputs:
        shape = port.partial_shape
        if shape.rank.is_static and len(shape) == 4:
            if shape[1] == ov.Dimension(3):
                found.append(ImageInput(port, "NCHW"))
            elif shape[3] == ov.Dimension(3):
                found.append(ImageInput(port, "NHWC"))
    return found[0] if len(found) == 1 else None

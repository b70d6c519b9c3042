"""Load an IR as a uniform model: it takes frames as they are, and has the decoder for its outputs."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import openvino as ov
from openvino.preprocess import PrePostProcessor

from ..decoders.decoder import Decoder
from ..errors import UsageError, first_line
from . import openpose_outputs
from .float_twin import NOTE, is_quantized, make_float_twin
from .input_size import LARGEST_SIZE, WIDEST_ASPECT, whole_steps

FAMILIES = (openpose_outputs,)  # the families of networks; each finds its outputs in a graph and has a decoder
DEFAULT_SIZE = 368  # shorter side of an input whose size is open; OpenPose's networks are trained with it


@dataclass(frozen=True)
class ModelFile:
    """An IR on disk, and the precision in which to execute it.

    note: shown beside the name: 'float twin of FP16-INT8' where a quantized file is executed in float, else ''.
    """

    name: str
    precision: str
    path: Path
    note: str = ""

    @property
    def title(self) -> str:
        """'human-pose-estimation-0001 FP16 (float twin of FP16-INT8)'."""
        return f"{self.name} {self.precision}" + (f" ({self.note})" if self.note else "")


@dataclass(frozen=True)
class PoseModel:
    """A pose network in a uniform shape.

    model: input `image` u8 (1, height, width, 3) BGR 0..255, and outputs with the names that the decoder reads; this
    does not depend on the file's layout. own_size: the shorter side of the file's own input. decoder: turns the outputs
    into poses.
    """

    file: ModelFile
    model: ov.Model
    own_size: int
    decoder: Decoder

    @property
    def input_size(self) -> tuple[int, int] | None:
        """Width and height of the input; None where they are open."""
        return fixed_input_size(self.model)

    def reshape(self, width: int, height: int) -> None:
        """Set the input's size, both sides a multiple of 8. Raises UsageError if the network does not support it."""
        self._reshape(width, height)

    def reshape_open(self, size: int) -> None:
        """Accept inputs of many sizes: sides from `size` up to WIDEST_ASPECT times that."""
        sides = ov.Dimension(size, whole_steps(WIDEST_ASPECT * size))
        self._reshape(sides, sides)

    def _reshape(self, width: int | ov.Dimension, height: int | ov.Dimension) -> None:
        try:
            self.model.reshape({"image": [1, height, width, 3]})
        except RuntimeError as error:
            wanted = f"{width}x{height}" if isinstance(width, int) else "many sizes"
            raise UsageError(
                f"'{self.file.path}' takes no input of {wanted}: {first_line(error)}. It must "
                "be a fully convolutional network, or the frame and --size must suit its own size."
            ) from error

    def sha256(self) -> str:
        """The SHA-256 of the weights, which identifies the model in a report. A float twin has its quantized file's."""
        return hashlib.sha256(self.file.path.with_suffix(".bin").read_bytes()).hexdigest()


def fixed_input_size(model: ov.Model | ov.CompiledModel) -> tuple[int, int] | None:
    """Width and height of the input `image`; None where they are open."""
    _, height, width, _ = model.input("image").partial_shape
    return (width.get_length(), height.get_length()) if width.is_static and height.is_static else None


def shorter_side(model: ov.Model | ov.CompiledModel) -> int:
    """The shorter side of the input `image`; where the size is open, the minimum."""
    _, height, width, _ = model.input("image").partial_shape
    return int(min(height.get_min_length(), width.get_min_length()))


def load_model(core: ov.Core, file: ModelFile) -> PoseModel:
    """Read an IR and make it uniform. Raises UsageError if it cannot be read or is not a pose network."""
    try:
        model = core.read_model(file.path)
    except RuntimeError as error:
        raise UsageError(f"Cannot read '{file.path}' as an OpenVINO IR: {first_line(error)}") from error
    return make_uniform(model, file)


def make_uniform(model: ov.Model, file: ModelFile) -> PoseModel:
    """Make the graph of a file uniform, partly in place. Raises UsageError if it belongs to no known family."""
    image_layout = _image_layout(model)
    if image_layout is None:
        raise UsageError(_not_a_pose_network(file, model))
    if file.precision != "FP16-INT8" and is_quantized(model):
        try:
            make_float_twin(model)
        except UsageError as error:
            raise UsageError(f"'{file.path}' cannot run in {file.precision}: {error}. Leave -p out.") from error
        file = replace(file, note=NOTE)
    sides = [side.get_length() for side in openpose_outputs.sides_of(model, image_layout) if side.is_static]
    if max(sides, default=0) > WIDEST_ASPECT * LARGEST_SIZE or min(sides, default=0) > LARGEST_SIZE:
        found = "x".join(map(str, reversed(sides)))
        raise UsageError(  # OpenVINO itself ends in a segmentation fault
            f"The input of '{file.path}' is too large: {found}. "
            f"Give a model whose input is {LARGEST_SIZE}x{LARGEST_SIZE} at most, or open."
        )
    fitted = next((found for family in FAMILIES if (found := family.fit(model, image_layout, file.path))), None)
    if fitted is None:
        raise UsageError(_not_a_pose_network(file, model))
    model, decoder = fitted
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    steps.input().model().set_layout(ov.Layout(image_layout))
    model = steps.build()
    model.input().set_names({"image"})
    return PoseModel(file, model, min(sides, default=DEFAULT_SIZE), decoder)


def _image_layout(model: ov.Model) -> str | None:
    """The layout of the only input, 'NCHW' or 'NHWC'; None if the input is not a BGR image."""
    if len(model.inputs) != 1:
        return None
    shape = model.input().partial_shape
    if shape.rank.is_dynamic or len(shape) != 4:
        return None
    if shape[1] == ov.Dimension(3):
        return "NCHW"
    return "NHWC" if shape[3] == ov.Dimension(3) else None


def _not_a_pose_network(file: ModelFile, model: ov.Model) -> str:
    found = [f"{kind} {port.partial_shape}" for kind in ("input", "output") for port in getattr(model, kind + "s")]
    return (
        f"'{file.path}' is not a network of this kind. Expected: one image input with 3 channels (BGR, 0 to 255), and "
        f"as outputs, {' or '.join(family.EXPECTED for family in FAMILIES)}. Found: {', '.join(found)}."
    )

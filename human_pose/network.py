"""An IR made uniform: a network that takes frames and gives heatmaps and part affinity fields."""

import hashlib
import math
from dataclasses import dataclass, replace
from pathlib import Path

import openvino as ov
from openvino import opset13 as ops
from openvino.preprocess import PrePostProcessor

from .errors import UsageError, first_line
from .skeleton import HEATMAP_CHANNELS, KEYPOINTS, PAF_CHANNELS
from .twin import NOTE, is_quantized, make_float_twin

CELL_PIXELS = 8  # the maps have 1/8 of the input's width and height
WIDEST_ASPECT = (
    4.0  # longer to shorter side; of a longer frame only a part of the input is used, lest it grow endlessly
)
LARGEST_SIZE = 2048  # of the input's shorter side; more would ask for memory that few have
DEFAULT_SIZE = 368  # shorter side of an input that the network leaves open: OpenPose's networks are trained at it


@dataclass(frozen=True)
class ModelFile:
    """An IR on disk and the precision it is to be executed in.

    note: what a reader must know of it: 'float twin of FP16-INT8' where a quantized file is executed in float, or ''.
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
class PoseNetwork:
    """A pose network made uniform.

    model: input `image` u8 (1, height, width, 3) BGR 0..255, outputs `heatmaps` f32 (1, 19, height/8, width/8) and
    `pafs` f32 (1, 38, height/8, width/8), whatever the file's own layout is. own_size: the shorter side of the file's
    own input.
    """

    file: ModelFile
    model: ov.Model
    own_size: int

    @property
    def input_size(self) -> tuple[int, int] | None:
        """Width and height of the input, once they are set; None where they are left open."""
        return fixed_input_size(self.model)

    def reshape(self, width: int, height: int) -> None:
        """Set the input's size, both sides a multiple of 8. Raises UsageError if the network cannot have it."""
        self._reshape(width, height)

    def reshape_open(self, size: int) -> None:
        """Take inputs of many sizes, their shorter side `size`, the longer one up to WIDEST_ASPECT times that."""
        sides = ov.Dimension(size, whole_cells(WIDEST_ASPECT * size))
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
        """Of the file's weights: tells which model made a figure. A float twin has its quantized file's, and a note."""
        return hashlib.sha256(self.file.path.with_suffix(".bin").read_bytes()).hexdigest()


def whole_cells(pixels: float) -> int:
    """So many pixels or a little more: a multiple of 8."""
    return math.ceil(round(pixels) / CELL_PIXELS) * CELL_PIXELS


def fixed_input_size(model: ov.Model | ov.CompiledModel) -> tuple[int, int] | None:
    """Width and height of the input `image`; None where they are open."""
    _, height, width, _ = model.input("image").partial_shape
    return (width.get_length(), height.get_length()) if width.is_static and height.is_static else None


def shorter_side(model: ov.Model | ov.CompiledModel) -> int:
    """Of the input `image`, also where its size is open."""
    _, height, width, _ = model.input("image").partial_shape
    return int(min(height.get_min_length(), width.get_min_length()))


def load_network(core: ov.Core, file: ModelFile) -> PoseNetwork:
    """Read an IR and make it uniform. Raises UsageError if it cannot be read or is no network of this kind."""
    try:
        model = core.read_model(file.path)
    except RuntimeError as error:
        raise UsageError(f"Cannot read '{file.path}' as an OpenVINO IR: {first_line(error)}") from error
    image_layout = _image_layout(model)
    if image_layout is None:
        raise UsageError(_not_a_pose_network(file, model))
    if file.precision != "FP16-INT8" and is_quantized(model):
        try:
            make_float_twin(model)
        except UsageError as error:
            raise UsageError(f"'{file.path}' cannot run in {file.precision}: {error}. Leave -p out.") from error
        file = replace(file, note=NOTE)
    sides = [side.get_length() for side in _sides(model, image_layout) if side.is_static]
    if max(sides, default=0) > WIDEST_ASPECT * LARGEST_SIZE or min(sides, default=0) > LARGEST_SIZE:
        found = "x".join(map(str, reversed(sides)))
        raise UsageError(  # OpenVINO itself ends in a segmentation fault
            f"The input of '{file.path}' is too large: {found}. "
            f"Give a model whose input is {LARGEST_SIZE}x{LARGEST_SIZE} at most, or open."
        )
    model = _split_outputs(file, model, image_layout)
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    steps.input().model().set_layout(ov.Layout(image_layout))
    model = steps.build()
    model.input().set_names({"image"})
    return PoseNetwork(file, model, min(sides, default=DEFAULT_SIZE))


def _image_layout(model: ov.Model) -> str | None:
    """'NCHW' or 'NHWC' of the only input; None if the input is no BGR image."""
    if len(model.inputs) != 1:
        return None
    shape = model.input().partial_shape
    if shape.rank.is_dynamic or len(shape) != 4:
        return None
    if shape[1] == ov.Dimension(3):
        return "NCHW"
    return "NHWC" if shape[3] == ov.Dimension(3) else None


def _sides(model: ov.Model, image_layout: str) -> list[ov.Dimension]:
    """Height and width of the input, as the file has them."""
    return [model.input().partial_shape[image_layout.index(axis)] for axis in "HW"]


def _split_outputs(file: ModelFile, model: ov.Model, image_layout: str) -> ov.Model:
    """Give the model the outputs `heatmaps` and `pafs`, NCHW, inside its graph.

    Two outputs are told apart by their number of channels; a single one holds the heatmaps first, then the fields.
    """
    cells = _sides(model, image_layout)
    types = {output.get_element_type() for output in model.outputs}
    if not all(kind.is_real() for kind in types):
        names = ", ".join(sorted(kind.get_type_name() for kind in types))
        raise UsageError(f"'{file.path}' gives {names} where heatmaps and fields are floats. Give another model.")
    for axis in (1, 3):  # NCHW, NHWC
        maps = {_channels(output, axis, cells): output.get_node().input_value(0) for output in model.outputs}
        if len(model.outputs) == 2 and maps.keys() == {HEATMAP_CHANNELS, PAF_CHANNELS}:
            heatmaps, pafs = maps[HEATMAP_CHANNELS], maps[PAF_CHANNELS]
            break
        if len(model.outputs) == 1 and maps.keys() == {HEATMAP_CHANNELS + PAF_CHANNELS}:
            parts = ops.variadic_split(*maps.values(), axis, [HEATMAP_CHANNELS, PAF_CHANNELS])
            heatmaps, pafs = parts.output(0), parts.output(1)
            break
    else:
        raise UsageError(_not_a_pose_network(file, model))
    if axis == 3:
        heatmaps, pafs = (ops.transpose(maps, [0, 3, 1, 2]).output(0) for maps in (heatmaps, pafs))
    heatmaps, pafs = (
        maps if maps.get_element_type() == ov.Type.f32 else ops.convert(maps, "f32").output(0)
        for maps in (heatmaps, pafs)
    )
    # The names are set where the tensors are made: MULTI and AUTO find an output only if it has no other name besides.
    heatmaps.set_names({"heatmaps"})
    pafs.set_names({"pafs"})
    results = [ops.result(heatmaps, name="heatmaps"), ops.result(pafs, name="pafs")]
    return ov.Model(results, model.get_parameters(), model.get_friendly_name())


def _channels(output: ov.Output, axis: int, image: list[ov.Dimension]) -> int | None:
    """Number of an output's maps if `axis` counts them; None if not.

    image: height and width of the input. Where they are known, the maps must have an eighth of them, which also tells
    the two axes apart that may count maps.
    """
    shape = output.partial_shape
    if shape.rank.is_dynamic or len(shape) != 4 or shape[axis].is_dynamic:
        return None
    sides = [shape[2], shape[3]] if axis == 1 else [shape[1], shape[2]]
    for side, pixels in zip(sides, image, strict=True):
        if side.is_static and pixels.is_static and side.get_length() != -(-pixels.get_length() // CELL_PIXELS):
            return None
    return int(shape[axis].get_length())


def _not_a_pose_network(file: ModelFile, model: ov.Model) -> str:
    found = [f"{kind} {port.partial_shape}" for kind in ("input", "output") for port in getattr(model, kind + "s")]
    return (
        f"'{file.path}' is no network of this kind. Expected: one image input with 3 channels (BGR, 0 to 255), and as "
        f"outputs, at an eighth of its size, {HEATMAP_CHANNELS} heatmaps and {PAF_CHANNELS} part affinity fields (or "
        f"both in one tensor of {HEATMAP_CHANNELS + PAF_CHANNELS} channels), of OpenPose's COCO skeleton with its "
        f"{len(KEYPOINTS)} keypoints, the only one known here. Found: {', '.join(found)}."
    )

"""An IR made uniform: a network that takes frames and gives heatmaps and part affinity fields."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import openvino as ov
from openvino import opset13 as ops
from openvino.preprocess import PrePostProcessor

from .errors import UsageError, first_line
from .skeleton import HEATMAP_CHANNELS, KEYPOINTS, PAF_CHANNELS

CELL_PIXELS = 8  # the maps have 1/8 of the input's width and height
WIDEST_ASPECT = 4.0  # a wider frame is scaled down to this, lest its input grow without bound
DEFAULT_HEIGHT = 368  # input height of a network that leaves it open: the one that OpenPose's networks are trained at


@dataclass(frozen=True)
class ModelFile:
    """An IR on disk and the precision it is to be executed in."""

    name: str
    precision: str
    path: Path


@dataclass(frozen=True)
class PoseNetwork:
    """A pose network made uniform.

    model: input `image` u8 (1, height, width, 3) BGR 0..255, outputs `heatmaps` f32 (1, 19, height/8, width/8) and
    `pafs` f32 (1, 38, height/8, width/8), whatever the file's own layout is.
    """

    file: ModelFile
    model: ov.Model
    own_height: int

    @property
    def input_size(self) -> tuple[int | None, int]:
        """Width, None if it is left open, and height, once `reshape` has set them."""
        return open_input_size(self.model)

    def reshape(self, width: int | None, height: int) -> None:
        """Set the input's size, both a multiple of 8; a width of None is left open, for frames of many sizes.

        Raises UsageError if the network is bound to another.
        """
        widths = ov.Dimension(CELL_PIXELS, int(WIDEST_ASPECT * height)) if width is None else width
        try:
            self.model.reshape({"image": [1, height, widths, 3]})
        except RuntimeError as error:
            raise UsageError(
                f"'{self.file.path}' takes no input of {width or 'any width '}x{height}: {first_line(error)}. It must "
                "be a fully convolutional network, or the frame and --height must suit its own size."
            ) from error

    def sha256(self) -> str:
        """Of the weights: tells which model made a figure."""
        return hashlib.sha256(self.file.path.with_suffix(".bin").read_bytes()).hexdigest()


def open_input_size(model: ov.Model | ov.CompiledModel) -> tuple[int | None, int]:
    """Width, None if it is left open, and height of the input `image`."""
    _, height, width, _ = model.input("image").partial_shape
    return width.get_length() if width.is_static else None, height.get_length()


def load_network(core: ov.Core, file: ModelFile) -> PoseNetwork:
    """Read an IR and make it uniform. Raises UsageError if it cannot be read or is no network of this kind."""
    try:
        model = core.read_model(file.path)
    except RuntimeError as error:
        raise UsageError(f"Cannot read '{file.path}' as an OpenVINO IR: {first_line(error)}") from error
    image_layout = _image_layout(model)
    if image_layout is None:
        raise UsageError(_not_a_pose_network(file, model))
    height = model.input().partial_shape[image_layout.index("H")]
    model = _split_outputs(file, model, image_layout)
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    steps.input().model().set_layout(ov.Layout(image_layout))
    for output in ("heatmaps", "pafs"):
        steps.output(output).tensor().set_element_type(ov.Type.f32)
    model = steps.build()
    model.input().set_names({"image"})
    return PoseNetwork(file, model, DEFAULT_HEIGHT if height.is_dynamic else height.get_length())


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


def _split_outputs(file: ModelFile, model: ov.Model, image_layout: str) -> ov.Model:
    """Give the model the outputs `heatmaps` and `pafs`, NCHW, inside its graph.

    Two outputs are told apart by their number of channels; a single one holds the heatmaps first, then the fields.
    """
    image = model.input().partial_shape
    cells = [image[image_layout.index(axis)] for axis in "HW"]
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

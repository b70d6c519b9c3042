"""The family of OpenPose's networks: find its outputs in a graph and make them uniform."""

from pathlib import Path

import openvino as ov
from openvino import opset13 as ops

from ..decoders.openpose import OpenPoseDecoder
from ..decoders.openpose_fields import CELL_PIXELS, HEATMAP_CHANNELS, KEYPOINTS, PAF_CHANNELS
from ..errors import UsageError
from .family import Fitted, ImageInput
from .input_size import Preprocessing
from .metadata_formats import Metadata

EXPECTED = (
    f"at an eighth of its size, {HEATMAP_CHANNELS} heatmaps and {PAF_CHANNELS} part affinity fields (or both in one "
    f"tensor of {HEATMAP_CHANNELS + PAF_CHANNELS} channels), of OpenPose's COCO skeleton with its {len(KEYPOINTS)} "
    "keypoints"
)
PREPROCESSING = Preprocessing(step=CELL_PIXELS, default_size=368)  # pixels; they are trained with that size


def fit(model: ov.Model, image: ImageInput, path: Path, metadata: Metadata) -> Fitted | None:
    """The model with the outputs `heatmaps` and `pafs`, f32, NCHW, and its decoder; None where it has no such outputs.

    The number of channels distinguishes two outputs; a single output holds the heatmaps first, then the fields. Raises
    UsageError that names the `path` where the outputs are not floats.
    """
    if len(model.inputs) != 1:
        return None
    for axis in (1, 3):  # NCHW, NHWC
        maps = {_channels(output, axis, image.sides): output.get_node().input_value(0) for output in model.outputs}
        if len(model.outputs) == 2 and maps.keys() == {HEATMAP_CHANNELS, PAF_CHANNELS}:
            heatmaps, pafs = maps[HEATMAP_CHANNELS], maps[PAF_CHANNELS]
            break
        if len(model.outputs) == 1 and maps.keys() == {HEATMAP_CHANNELS + PAF_CHANNELS}:
            parts = ops.variadic_split(*maps.values(), axis, [HEATMAP_CHANNELS, PAF_CHANNELS])
            heatmaps, pafs = parts.output(0), parts.output(1)
            break
    else:
        return None
    types = {output.get_element_type() for output in model.outputs}
    if not all(kind.is_real() for kind in types):
        names = ", ".join(sorted(kind.get_type_name() for kind in types))
        raise UsageError(f"'{path}' gives {names} where heatmaps and fields are floats. Give another model.")
    if axis == 3:
        heatmaps, pafs = (ops.transpose(maps, [0, 3, 1, 2]).output(0) for maps in (heatmaps, pafs))
    heatmaps, pafs = (
        maps if maps.get_element_type() == ov.Type.f32 else ops.convert(maps, "f32").output(0)
        for maps in (heatmaps, pafs)
    )
    # Set the names on the tensors themselves: MULTI and AUTO find an output only if it has no other name.
    heatmaps.set_names({"heatmaps"})
    pafs.set_names({"pafs"})
    results = [ops.result(heatmaps, name="heatmaps"), ops.result(pafs, name="pafs")]
    model = ov.Model(results, model.get_parameters(), model.get_friendly_name())
    return Fitted(model, OpenPoseDecoder(), PREPROCESSING)


def _channels(output: ov.Output, axis: int, image: list[ov.Dimension]) -> int | None:
    """The number of an output's maps if `axis` is the channel axis; None if not.

    image: height and width of the input. Where they are known, the maps must have an eighth of them; this also shows
    which axis is the channel axis.
    """
    shape = output.partial_shape
    if shape.rank.is_dynamic or len(shape) != 4 or shape[axis].is_dynamic:
        return None
    sides = [shape[2], shape[3]] if axis == 1 else [shape[1], shape[2]]
    for side, pixels in zip(sides, image, strict=True):
        if side.is_static and pixels.is_static and side.get_length() != -(-pixels.get_length() // CELL_PIXELS):
            return None
    return int(shape[axis].get_length())

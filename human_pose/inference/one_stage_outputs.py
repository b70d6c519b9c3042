"""The family of one-stage networks: find the layout of its outputs in a graph and make them uniform.

Layouts, of n candidates or people with K keypoints (pixels of the input, each x, y and mostly a score):

- (1, 4 + classes + 3K, n): candidates with boxes; non-maximum suppression is left to the decoder (YOLOv8, YOLO11);
- (1, n, 6 + 3K): people, with box, score and class (YOLO26, and exports with suppression inside);
- boxes with scores (1, n, 5), keypoints (1, n, K, 2 or 3): people (RTMO, as MMDeploy exports it);
- scores (1, n), keypoints (1, n, K, 2 or 3), labels, and an input `orig_target_sizes`: people (DETRPose).
"""

import logging
from dataclasses import replace
from pathlib import Path

import openvino as ov
from openvino import opset13 as ops

from ..decoders.one_stage import BOX, OneStageDecoder
from ..errors import UsageError
from ..poses.skeleton import COCO_KEYPOINTS, COCO_SKELETON, Limb, Skeleton, unnamed_skeleton
from .family import Fitted, ImageInput
from .input_size import Preprocessing
from .metadata import OWN_SUFFIX
from .metadata_formats import Metadata

log = logging.getLogger(__name__)

EXPECTED = (
    "of a one-stage network, (1, 5 + 3K, n) candidates or (1, n, 6 + 3K) people of K keypoints, or keypoints "
    "(1, n, K, 2 or 3) beside scores (1, n) or boxes with scores (1, n, 5)"
)

# How each maker's networks take their picture where no metadata says it.
YOLO = Preprocessing(
    step=32, default_size=640, is_rgb=True, scale=(255.0,) * 3, padding=114, names_longer=True, is_centred=True
)
RTMO = replace(YOLO, is_rgb=False, scale=(1.0,) * 3, is_centred=False)
DETRPOSE = replace(YOLO, keeps_aspect=False)

Layout = tuple[int, bool]  # of one output: the axis of the features, and whether they are candidates


def fit(model: ov.Model, image: ImageInput, path: Path, metadata: Metadata) -> Fitted | None:
    """The model with the outputs that OneStageDecoder reads, that decoder, and how the network takes its picture.

    None where it has no such outputs. Raises UsageError that names the `path` where metadata and graph disagree, or
    neither says what the outputs are.
    """
    if len(model.outputs) == 1 and len(model.inputs) == 1:
        found = _of_one_output(model.output(), path, metadata)
        default, maker = YOLO, "YOLO"
    else:
        found = _of_several(model, path, metadata)
        has_boxes = any(_is_boxes_with_scores(output) for output in model.outputs)
        default, maker = (RTMO, "RTMO") if has_boxes else (DETRPOSE, "DETRPose")
    if found is None or not give_sizes(model, image):
        return None
    if metadata.task not in (None, "pose"):
        raise UsageError(f"'{path}' is a network for the task '{metadata.task}'. Give one for 'pose'.")
    outputs, decoder = found
    for name, port in outputs.items():  # on the tensors: MULTI and AUTO find an output only if it has no other name
        outputs[name] = port if port.get_element_type() == ov.Type.f32 else ops.convert(port, "f32").output(0)
        outputs[name].set_names({name})
    results = [ops.result(port, name=name) for name, port in outputs.items()]
    parameter = image.port.get_node()
    model = ov.Model(results, [parameter], model.get_friendly_name())
    preprocessing = _preprocessing(default, metadata)
    if not metadata.says_colours:
        log.info(
            f"'{path}' does not say how it takes its picture: taken as {maker}'s, {_in_words(preprocessing)}. "
            f"'{path.stem}{OWN_SUFFIX}' beside it can say it (docs/networks.md)."
        )
    return Fitted(model, decoder, replace(preprocessing, fixed_size=_fixed_size(model, image, preprocessing.step)))


def _of_one_output(
    output: ov.Output, path: Path, metadata: Metadata
) -> tuple[dict[str, ov.Output], OneStageDecoder] | None:
    shape = output.partial_shape
    if shape.rank.is_dynamic or len(shape) != 3:
        return None
    layout, count = _layout(shape, path, metadata)
    if layout is None:
        return None
    (axis, are_candidates), values = layout, metadata.keypoint_values or 3
    source = output.get_node().input_value(0)
    decoder = OneStageDecoder(
        are_candidates, _skeleton(count, path, metadata), metadata.classes or 1 if are_candidates else 1, values
    )
    if are_candidates:
        return {"candidates": source if axis == 1 else ops.transpose(source, [0, 2, 1]).output(0)}, decoder
    scores = ops.gather(source, ops.constant(BOX), ops.constant(2)).output(0)
    start, stop, step, axes = ([value] for value in (BOX + 2, BOX + 2 + count * values, 1, 2))
    keypoints = ops.slice(source, start, stop, step, axes)
    keypoints = ops.reshape(keypoints, ops.constant([0, 0, count, values]), True)
    return {"scores": scores, "keypoints": keypoints.output(0)}, decoder


def _layout(shape: ov.PartialShape, path: Path, metadata: Metadata) -> tuple[Layout | None, int]:
    """The layout of one output and its number of keypoints; none where it is no pose network's.

    Where nothing says how many keypoints there are, only COCO's 17 are taken: a detector of 4 classes has as many
    features as a pose network of one keypoint. Raises UsageError where something else must say it.
    """
    stated = metadata.keypoint_count or len(metadata.keypoints or ())
    count, values = stated or len(COCO_KEYPOINTS), metadata.keypoint_values or 3
    lengths = {axis: shape[axis].get_length() for axis in (1, 2) if shape[axis].is_static}
    of_candidates, of_people = BOX + (metadata.classes or 1) + count * values, BOX + 2 + count * values
    for axis, features, are_candidates in ((1, of_candidates, True), (2, of_people, False), (2, of_candidates, True)):
        if lengths.get(axis) == features:
            return (axis, are_candidates), count
    if stated:
        if metadata.task in (None, "pose"):
            raise UsageError(
                f"'{path}' has the output {shape}, but its metadata says {count} keypoints of {values} values: "
                f"expected (1, {of_candidates}, n) or (1, n, {of_people})."
            )
        return (1, True), count  # `fit` says what it is
    axis = min(lengths, key=lambda axis: lengths[axis], default=1)
    for first, is_possible in ((BOX + 1, True), (BOX + 2, axis == 2)):
        points, rest = divmod(lengths.get(axis, 0) - first, 3)
        if is_possible and rest == 0 and points > 0 and metadata.task in (None, "pose"):
            raise UsageError(
                f"'{path}' has the output {shape}: {points} keypoints of a one-stage pose network, or something else. "
                f"If they are keypoints, name them: {{\"keypoints\": [...]}} in '{path.stem}{OWN_SUFFIX}' beside it."
            )
    return ((1, True), count) if metadata.task not in (None, "pose") else (None, count)


def _of_several(model: ov.Model, path: Path, metadata: Metadata) -> tuple[dict[str, ov.Output], OneStageDecoder] | None:
    """Keypoints, and scores alone or behind boxes; whatever else there is, such as labels, is not read."""
    keypoints = [output for output in model.outputs if _are_keypoints(output)]
    boxes = [output for output in model.outputs if _is_boxes_with_scores(output)]
    scores = [output for output in model.outputs if _are_scores(output)]
    if len(scores) > 1:
        scores = [output for output in scores if any("score" in name for name in output.get_names())]
    if len(keypoints) != 1 or len(model.outputs) > 4 or len(boxes or scores) != 1:
        return None
    count, values = (keypoints[0].partial_shape[axis].get_length() for axis in (2, 3))
    source = (boxes or scores)[0].get_node().input_value(0)
    found = {
        "scores": ops.gather(source, ops.constant(BOX), ops.constant(2)).output(0) if boxes else source,
        "keypoints": keypoints[0].get_node().input_value(0),
    }
    return found, OneStageDecoder(False, _skeleton(count, path, metadata), values=values)


def _are_keypoints(output: ov.Output) -> bool:
    """(1, n, K, 2 or 3)."""
    shape = output.partial_shape
    return (
        shape.rank.is_static
        and len(shape) == 4
        and shape[2].is_static
        and shape[3] in (ov.Dimension(2), ov.Dimension(3))
        and output.get_element_type().is_real()
    )


def _is_boxes_with_scores(output: ov.Output) -> bool:
    """(1, n, 5)."""
    shape = output.partial_shape
    return bool(shape.rank.is_static and len(shape) == 3 and shape[2] == ov.Dimension(BOX + 1))


def _are_scores(output: ov.Output) -> bool:
    """(1, n), floats; labels are whole numbers."""
    shape = output.partial_shape
    return bool(shape.rank.is_static and len(shape) == 2 and output.get_element_type().is_real())


def give_sizes(model: ov.Model, image: ImageInput) -> bool:
    """Give an input `orig_target_sizes` (1, 2), width and height, the size of the picture itself, so that keypoints are
    in its pixels. False where the graph has another input beside the picture.
    """
    others = [port for port in model.inputs if port.get_node().get_name() != image.port.get_node().get_name()]
    if not others:
        return True
    shape = others[0].partial_shape
    if len(others) > 1 or shape.rank.is_dynamic or len(shape) != 2 or shape[1] != ov.Dimension(2):
        return False
    axes = ops.constant([image.layout.index(axis) for axis in "WH"])
    sides = ops.gather(ops.shape_of(image.port, "i64"), axes, ops.constant(0))
    sizes = ops.convert(ops.unsqueeze(sides, ops.constant(0)), others[0].get_element_type().get_type_name())
    for reader in others[0].get_target_inputs():
        reader.replace_source_output(sizes.output(0))
    return True


def _skeleton(count: int, path: Path, metadata: Metadata) -> Skeleton:
    """The named skeleton that metadata gives, or COCO's, or one without names."""
    names = metadata.keypoints
    if names is None:
        return COCO_SKELETON if count == len(COCO_KEYPOINTS) else unnamed_skeleton(count)
    if len(names) != count:
        raise UsageError(f"'{path}' gives {count} keypoints, but beside it {len(names)} are named. Name them all.")
    if metadata.limbs is not None:
        return Skeleton(names, tuple(Limb(*limb) for limb in metadata.limbs))
    return Skeleton(names, tuple(limb for limb in COCO_SKELETON.limbs if {*limb} <= {*names}))


def _preprocessing(default: Preprocessing, metadata: Metadata) -> Preprocessing:
    """The default, changed by what metadata says."""
    stated = {
        name: value
        for name in ("is_rgb", "mean", "scale", "padding", "step", "keeps_aspect", "is_centred")
        if (value := getattr(metadata, name)) is not None
    }
    return replace(default, default_size=metadata.size or default.default_size, **stated)


def _in_words(preprocessing: Preprocessing) -> str:
    colours = "RGB" if preprocessing.is_rgb else "BGR"
    values = f"0 to {255 / preprocessing.scale[0]:.0f}"
    fits = f"its aspect kept, padded with {preprocessing.padding}" if preprocessing.keeps_aspect else "stretched"
    return f"{colours}, {values}, {fits}"


def _fixed_size(model: ov.Model, image: ImageInput, step: int) -> tuple[int, int] | None:
    """Width and height, where the graph takes no others, because it holds the grids of its size as constants."""
    if any(side.is_dynamic for side in image.sides):
        return None
    other, (height, width) = model.clone(), (side.get_length() for side in image.sides)
    shape = [1, 3, height + step, width + step]
    try:
        other.reshape(shape if image.layout == "NCHW" else [shape[axis] for axis in (0, 2, 3, 1)])
    except RuntimeError:
        return width, height
    return None

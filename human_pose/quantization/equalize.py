"""Make a network easier to quantize without changing what it computes.

If a depthwise convolution directly feeds a pointwise one, its output channels may be scaled by any factors, if the
weights that read them are scaled back. In INT8 a tensor has one scale: if a few channels are much larger than the
others, the others are lost in rounding. So the channels are scaled to similar sizes, after Nagel et al., "Data-Free
Quantization through Weight Equalization and Bias Correction", arXiv 1906.04721. Here the sizes of the channels are
measured on real frames.
"""

from collections.abc import Iterable

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from ..inference.float_twin import constant

MIN_SHARE = 1e-3  # of the largest channel; a smaller one counts as this large, because it is almost zero


def equalize(core: ov.Core, model: ov.Model, inputs: Iterable[np.ndarray]) -> int:
    """Scale the channels between all depthwise and pointwise convolutions of `model`, in place; returns the number.

    inputs: float32 arrays for the model's input, all of the size that the model is reshaped to.
    """
    pairs = _pairs(model)
    if not pairs:
        return 0
    clone = model.clone()
    by_name = {node.get_friendly_name(): node for node in clone.get_ops()}
    results = [ops.result(by_name[first.get_friendly_name()].output(0)) for first, _ in pairs]
    probe = core.compile_model(
        ov.Model(results, clone.get_parameters(), "probe"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    largest = [np.zeros(first.output(0).shape[1], np.float32) for first, _ in pairs]
    for image in inputs:
        outputs = probe(image)
        for number, so_far in enumerate(largest):
            np.maximum(so_far, np.abs(outputs[number]).max(axis=(0, 2, 3)), out=so_far)
    for (first, second), channels in zip(pairs, largest, strict=True):
        _scale(first, second, channels)
    model.validate_nodes_and_infer_types()
    return len(pairs)


def _pairs(model: ov.Model) -> list[tuple[ov.Node, ov.Node]]:
    """Pairs of a depthwise convolution and a convolution that is its only reader; both with constant weights."""
    pairs = []
    for second in model.get_ordered_ops():
        if second.get_type_name() != "Convolution":
            continue
        first = second.input_value(0).get_node()
        if first.get_type_name() != "GroupConvolution" or len(first.output(0).get_target_inputs()) != 1:
            continue
        filters = constant(first.input_value(1))  # (groups, outputs of one, inputs of one, height, width)
        if filters is not None and filters.shape[1] == 1 and constant(second.input_value(1)) is not None:
            pairs.append((first, second))
    return pairs


def _scale(first: ov.Node, second: ov.Node, channels: np.ndarray) -> None:
    """Scale the channels between two convolutions, so that channels and the weights that read them vary equally.

    channels: (n,) float32, the largest absolute value of each channel.
    """
    filters, weights = constant(first.input_value(1)), constant(second.input_value(1))
    assert filters is not None and weights is not None
    scale = np.sqrt(_floored(channels) / _floored(np.abs(weights).max(axis=(0, 2, 3))))
    scale /= np.exp(np.log(scale).mean())
    filters /= scale[:, None, None, None, None]
    weights *= scale[None, :, None, None]
    first.input(1).replace_source_output(ops.constant(filters.astype(np.float32)).output(0))
    second.input(1).replace_source_output(ops.constant(weights.astype(np.float32)).output(0))


def _floored(sizes: np.ndarray) -> np.ndarray:
    floored: np.ndarray = np.maximum(sizes, max(MIN_SHARE * float(sizes.max()), 1e-12))
    return floored

"""Quantization with NNCF, an optional package that is imported only here, and only when needed."""

import contextlib
import importlib
import io
import logging
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from ..decoders.decoder import Outputs
from ..errors import DemoError, first_line
from ..inference.float_twin import constant
from ..invocation import pip_install
from .comparison import output_errors

CONVOLUTIONS = ("Convolution", "GroupConvolution")
GRAPH_ENDS = ("Parameter", "Constant", "Result")
MAX_INT8 = 127

Progress = Callable[[str], None]


class QuantizerMissingError(DemoError):
    """NNCF is not installed."""

    exit_code = 2


def import_nncf() -> Any:
    """Import NNCF without its messages. Raises QuantizerMissingError."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            nncf = importlib.import_module("nncf")
    except ImportError as error:
        raise QuantizerMissingError(
            f"Quantizing needs NNCF, which cannot be imported. Install it with: {pip_install('quantize')}"
        ) from error
    nncf.set_log_level(logging.ERROR)
    return nncf


def quantize_graph(
    model: ov.Model,
    inputs: Sequence[np.ndarray],
    weight_bits: int,
    float_layers: Collection[str],
    progress: Progress,
) -> ov.Model:
    """Post-training quantization to INT8, calibrated on `inputs`, each an array for the model's input.

    weight_bits: 8 or 7. With 8, sums may overflow on CPUs without VNNI instructions; 7 prevents that. In the first
    layer NNCF always prevents it. float_layers: names of the layers that stay in float, beside the decoding_layers.
    """
    nncf = import_nncf()
    seen = 0

    def as_input(image: np.ndarray) -> np.ndarray:
        nonlocal seen
        seen += 1
        progress(f"calibrating: frame {seen}")  # NNCF reads them several times
        return image

    fixes = nncf.quantization.advanced_parameters.OverflowFix
    fix = fixes.ENABLE if weight_bits == 7 else fixes.FIRST_LAYER
    ignored = sorted({*float_layers, *decoding_layers(model)})
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # its progress bars would mix with the results
            return nncf.quantize(
                model,
                nncf.Dataset(inputs, as_input),
                subset_size=len(inputs),
                preset=nncf.QuantizationPreset.MIXED,  # weights symmetric, activations asymmetric
                ignored_scope=nncf.IgnoredScope(names=ignored, validate=False),  # its graph lacks some of them
                advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=fix),
            )
    except Exception as error:  # it raises its own types and those of OpenVINO
        raise DemoError(f"NNCF cannot quantize this network: {first_line(error)}") from error


def decoding_layers(model: ov.Model) -> list[str]:
    """The names of the operations that only turn what the last convolutions give into scores and places in pixels.

    A one-stage network does that in its graph. 8 bits for places are steps of pixels, and there is hardly anything to
    gain. The convolution behind a Softmax belongs to them: YOLO's mean over the distances to the sides of a box.
    """
    feeding: set[str] = set()  # what a layer with weights still follows
    found = []
    for node in reversed(model.get_ordered_ops()):
        readers = [reader.get_node() for output in node.outputs() for reader in output.get_target_inputs()]
        if any(_is_layer(reader) or reader.get_name() in feeding for reader in readers):
            feeding.add(node.get_name())
        elif not _is_layer(node) and not _is_bias(node) and node.get_type_name() not in GRAPH_ENDS:
            found.append(node.get_friendly_name())
    return found


def _is_layer(node: ov.Node) -> bool:
    """Whether it has weights, or multiplies matrices, and does not only decode."""
    if node.get_type_name() not in (*CONVOLUTIONS, "MatMul"):
        return False
    source = node.input_value(0).get_node()
    while source.get_type_name() in ("Transpose", "Reshape"):
        source = source.input_value(0).get_node()
    return bool(source.get_type_name() != "Softmax" or node.get_type_name() == "MatMul")


def _is_bias(node: ov.Node) -> bool:
    """Whether it adds the bias of a layer, which is part of that."""
    return node.get_type_name() == "Add" and any(_is_layer(port.get_node()) for port in node.input_values())


def sensitive_layers(model: ov.Model, infer: Callable[[ov.Model], list[Outputs]], progress: Progress) -> list[str]:
    """The names of all convolutions, the most sensitive first: rounding its weights alone changes the outputs most.

    infer: gives the outputs of a variant of the model on some fixed frames.
    """
    truth = infer(model)
    names = [node.get_friendly_name() for node in model.get_ordered_ops() if node.get_type_name() in CONVOLUTIONS]
    losses = {}
    for number, name in enumerate(names):
        progress(f"measuring layer {number + 1} of {len(names)}")
        clone = model.clone()
        node = next(node for node in clone.get_ops() if node.get_friendly_name() == name)
        weights = constant(node.input_value(1))
        if weights is None:
            continue
        node.input(1).replace_source_output(ops.constant(rounded(weights)).output(0))
        losses[name] = sum(output_errors(truth, infer(clone)).values())
    return sorted(losses, key=lambda name: -losses[name])


def rounded(weights: np.ndarray) -> np.ndarray:
    """Weights (outputs, ...) float32, rounded per output to the values that INT8 can represent."""
    step = np.abs(weights).max(axis=tuple(range(1, weights.ndim)), keepdims=True) / MAX_INT8
    step[step == 0] = 1
    result: np.ndarray = (np.round(weights / step) * step).astype(np.float32)
    return result

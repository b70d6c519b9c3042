"""The quantization itself, by NNCF: an optional package that is imported only here, and only when it is needed."""

import contextlib
import importlib
import io
import logging
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from .agreement import relative_error
from .equalize import constant
from .errors import DemoError, first_line
from .skeleton import HEATMAP_CHANNELS, PAF_CHANNELS

CONVOLUTIONS = ("Convolution", "GroupConvolution")
SENSITIVITY_SAMPLES = 2  # frames that a single layer's loss is measured on; there are up to a few hundred layers
MOST_INT8 = 127

Progress = Callable[[str], None]


class QuantizerMissingError(DemoError):
    """NNCF is not installed."""

    exit_code = 2


def import_nncf() -> Any:
    """The package, silenced. Raises QuantizerMissingError."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            nncf = importlib.import_module("nncf")
    except ImportError as error:
        raise QuantizerMissingError(
            "Quantizing needs NNCF, which cannot be imported. Install it with: pip install -r requirements-quantize.txt"
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
    """Post-training quantization to INT8, calibrated on `inputs`, each as the model's input takes it.

    weight_bits: 8, or 7, which leaves the sums room: with 8 they may overflow on CPUs without VNNI instructions, in any
    layer but the first, where NNCF always leaves it. float_layers: names of the layers that stay in float.
    """
    nncf = import_nncf()
    seen = 0

    def as_input(image: np.ndarray) -> np.ndarray:
        nonlocal seen
        seen += 1
        progress(f"calibrating: frame {seen}")  # NNCF goes over them several times
        return image

    fixes = nncf.quantization.advanced_parameters.OverflowFix
    fix = fixes.ENABLE if weight_bits == 7 else fixes.FIRST_LAYER
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # its bars would be taken for results
            return nncf.quantize(
                model,
                nncf.Dataset(inputs, as_input),
                subset_size=len(inputs),
                preset=nncf.QuantizationPreset.MIXED,  # weights symmetric, activations as they are
                ignored_scope=nncf.IgnoredScope(names=sorted(float_layers)) if float_layers else None,
                advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=fix),
            )
    except Exception as error:  # it raises kinds of its own, and OpenVINO's
        raise DemoError(f"NNCF cannot quantize this network: {first_line(error)}") from error


def sensitive_layers(core: ov.Core, model: ov.Model, inputs: Sequence[np.ndarray], progress: Progress) -> list[str]:
    """The names of all convolutions, the one first whose weights, rounded alone, spoil the maps most.

    model: of a fixed size; inputs: as it takes them, of which SENSITIVITY_SAMPLES are used.
    """
    some = inputs[:: max(1, len(inputs) // SENSITIVITY_SAMPLES)][:SENSITIVITY_SAMPLES]
    truth = _infer(core, model, some)
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
        found = _infer(core, clone, some)
        losses[name] = sum(relative_error(a, b) for a, b in zip(truth, found, strict=True))
    return sorted(losses, key=lambda name: -losses[name])


def rounded(weights: np.ndarray) -> np.ndarray:
    """Weights (outputs, ...) float32, each output's rounded to what INT8 can say."""
    step = np.abs(weights).max(axis=tuple(range(1, weights.ndim)), keepdims=True) / MOST_INT8
    step[step == 0] = 1
    result: np.ndarray = (np.round(weights / step) * step).astype(np.float32)
    return result


def _infer(core: ov.Core, model: ov.Model, inputs: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
    """The model's maps of every input, in lists of like maps: the heatmaps and the part affinity fields."""
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    both = HEATMAP_CHANNELS + PAF_CHANNELS
    kinds: dict[tuple[int, int], list[np.ndarray]] = {}
    for image in inputs:
        for number, maps in enumerate(compiled(image).values()):
            axis = 1 if maps.shape[1] in (HEATMAP_CHANNELS, PAF_CHANNELS, both) else 3
            parts = np.split(maps, [HEATMAP_CHANNELS], axis) if maps.shape[axis] == both else [maps]
            for part, values in enumerate(parts):
                kinds.setdefault((number, part), []).append(values.copy())
    return list(kinds.values())

"""The float twin of a quantized network: the same weights, but activations are not rounded to INT8."""

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from ..errors import UsageError

NOTE = "float twin of FP16-INT8"  # shown beside the model's name everywhere


def is_quantized(model: ov.Model) -> bool:
    """Whether a network contains FakeQuantize, which rounds activations or weights."""
    return any(node.get_type_name() == "FakeQuantize" for node in model.get_ops())


def make_float_twin(model: ov.Model) -> None:
    """Turn a quantized network into its float twin, in place.

    Weights become constants with their INT8 values; activations are no longer rounded. Raises
    UsageError where the graph computes the ranges of its weights instead of storing them.
    """
    constants: set[str] = set()  # names of the nodes that do not depend on the network's input
    for node in model.get_ordered_ops():
        sources = [port.get_node().get_name() for port in node.input_values()]
        if node.get_type_name() != "Parameter" and constants.issuperset(sources):
            constants.add(node.get_name())
        if node.get_type_name() == "Multiply":
            _replace_weights(node)
        if node.get_type_name() != "FakeQuantize":
            continue
        source = node.input_value(0)
        if node.get_name() in constants:
            stored = [values for port in node.input_values() if (values := constant(port)) is not None]
            if len(stored) < 5:
                raise UsageError(f"its layer '{node.get_friendly_name()}' computes its weights")
            values = fake_quantize(node.get_attributes()["levels"], *stored)
            source = ops.constant(values.astype(source.get_element_type().to_dtype())).output(0)
        for reader in node.output(0).get_target_inputs():
            reader.replace_source_output(source)
    model.validate_nodes_and_infer_types()


def _replace_weights(node: ov.Node) -> None:
    """Replace weights that are stored in INT8 and multiplied by their scale, if this node does that, by their values.

    OpenVINO would compute them, too; but the CPU plugin of 2026.4 with two streams then sometimes uses wrong weights.
    """
    stored, scale = node.input_value(0), constant(node.input_value(1))
    offset: np.ndarray | None = np.zeros(1, np.float32)
    if stored.get_node().get_type_name() == "Subtract":
        stored, offset = (stored.get_node().input_value(number) for number in (0, 1))
        offset = constant(offset)
    convert = stored.get_node()
    if convert.get_type_name() != "Convert" or convert.input_value(0).get_element_type() not in (
        ov.Type.i8,
        ov.Type.u8,
    ):
        return
    values = constant(stored)
    if values is None or scale is None or offset is None:
        return
    folded = ops.constant(((values - offset) * scale).astype(node.get_output_element_type(0).to_dtype()))
    for reader in node.output(0).get_target_inputs():
        reader.replace_source_output(folded.output(0))


def fake_quantize(
    levels: int, values: np.ndarray, low: np.ndarray, high: np.ndarray, out_low: np.ndarray, out_high: np.ndarray
) -> np.ndarray:
    """OpenVINO's FakeQuantize: round low..high to `levels` steps and map them to out_low..out_high; all float32."""
    with np.errstate(divide="ignore", invalid="ignore"):  # an empty range: every value is below or above it
        step = np.round((values - low) / (high - low) * (levels - 1))
    inside = step / (levels - 1) * (out_high - out_low) + out_low
    below, above = values <= np.minimum(low, high), values > np.maximum(low, high)
    result: np.ndarray = np.where(below, out_low, np.where(above, out_high, inside)).astype(np.float32)
    return result


def constant(source: ov.Output) -> np.ndarray | None:
    """The float32 value of a constant, also of one stored as FP16; None if `source` is not a constant."""
    node = source.get_node()
    if node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    return node.get_data().astype(np.float32) if node.get_type_name() == "Constant" else None

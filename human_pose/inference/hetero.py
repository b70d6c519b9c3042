"""Split a network for HETERO: which operation runs on which device.

OpenVINO's own split gives the first device everything that it supports. The split of the study behind this demo puts
the convolutions on the first device and the rest on the second. A JSON file can define any other split. Every change of
device along the graph is a copy between devices; the number of subgraphs shows how many there are.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from ..decoders.decoder import Decoder, Outputs
from ..errors import DemoError, UsageError
from ..files import write_whole
from ..invocation import pip_install

# The maximum difference (see `differences`) between an output and the same output on the last device. OpenPose's
# are in -1..1, and their differences absolute. On five frames of the bundled video, noise and a grey image, correct
# splits differed by at most 0.0002 in f32, and 0.005 quantized or in bf16 (mobilenet-thin in bf16: 0.012). On those
# frames the RMS of the fields themselves is 0.03 and more, that of the heatmaps 0.2: outputs that are entirely wrong
# would differ by as much. On a frame without people, wrong fields are not detected. Wrong heatmaps are, because the
# background's heatmap is 1 there. yolov8n-pose, whose pixels are compared in parts of their size: 0.005 quantized.
TOLERANCE = 0.02
MATCHING_S = 5.0  # maximum time for all regular expressions of a file
SHAPE_LENGTH = 64  # elements; what computes more is no shape
COPIED_TYPES = ("Constant", "Parameter", "Result")  # they hold or pass on values, but compute nothing

Affinity = dict[str, str]  # name of a node -> device


def with_known_shapes(model: ov.Model) -> ov.Model:
    """A copy of the network in which shapes that it computes of known shapes are constants.

    Where a split cuts such a computation, HETERO no longer knows the shapes of what passes from part to part.
    """
    known = model.clone()
    for node in known.get_ordered_ops():
        if node.get_output_size() != 1 or node.get_type_name() in COPIED_TYPES:
            continue
        output, sources = node.output(0), [port.get_node() for port in node.input_values()]
        kind, shape = output.get_element_type(), output.partial_shape
        if kind not in (ov.Type.i32, ov.Type.i64) or shape.is_dynamic or np.prod(list(output.shape)) > SHAPE_LENGTH:
            continue
        values = ov.Tensor(kind, output.shape)
        if node.get_type_name() == "ShapeOf" and node.input_value(0).partial_shape.is_static:
            values.data[:] = list(node.input_value(0).shape)
        else:
            are_known = bool(sources) and all(source.get_type_name() == "Constant" for source in sources)
            if not (are_known and node.evaluate([values], [ov.Tensor(source.data) for source in sources])):
                continue
        constant = ops.constant(values)
        for reader in output.get_target_inputs():
            reader.replace_source_output(constant.output(0))
    known.validate_nodes_and_infer_types()
    return known


def automatic(core: ov.Core, model: ov.Model, device: str) -> Affinity:
    """OpenVINO's own split of `model` over `device`, 'HETERO:GPU,CPU'."""
    return dict(core.query_model(model, device))


def convolutions_first(model: ov.Model, devices: list[str]) -> Affinity:
    """The study's split: every convolution on the first device, the rest on the last."""
    return _with_constants(
        model,
        {
            node.get_friendly_name(): devices[0] if node.get_type_name().endswith("Convolution") else devices[-1]
            for node in model.get_ordered_ops()
        },
    )


def from_file(model: ov.Model, devices: list[str], path: Path) -> Affinity:
    """The split of a JSON file {what: device}; what: a node's name, a type such as 'Relu', or a regular expression.

    A regular expression must match the full name of the node. A name has priority over a type, a type over an
    expression, an earlier expression over a later one. Nodes without a match go to the last device. Raises UsageError.
    """
    rules = read_rules(path)
    nodes = model.get_ordered_ops()
    names, types = {node.get_friendly_name() for node in nodes}, {node.get_type_name() for node in nodes}
    for what, device in rules.items():
        if device not in devices:
            raise UsageError(f"'{path}' puts '{what}' on {device}, which is none of {', '.join(devices)}.")
    by_expression: dict[str, str] = {}
    for what, matched in _matched([what for what in rules if what not in names | types], names, path).items():
        if matched is None:
            raise UsageError(f"'{what:.80}' in '{path}' is neither a node, a type nor a regular expression.")
        if not matched:
            raise UsageError(f"'{what:.80}' in '{path}' matches no node of the network. See --affinity-map for them.")
        for name in matched:
            by_expression.setdefault(name, rules[what])

    def device_of(node: ov.Node) -> str:
        name, kind = node.get_friendly_name(), node.get_type_name()
        return rules.get(name) or rules.get(kind) or by_expression.get(name, devices[-1])

    return _with_constants(model, {node.get_friendly_name(): device_of(node) for node in nodes})


MATCH = """
import json, re, sys
def match(expression):
    try:
        return [name for name in names if re.fullmatch(expression, name)]
    except (re.error, RecursionError, OverflowError, MemoryError):
        return None
expressions, names = json.load(sys.stdin)
print(json.dumps([match(expression) for expression in expressions]))
"""


def _matched(expressions: list[str], names: set[str], path: Path) -> dict[str, list[str] | None]:
    """The names that each regular expression matches in full; None where the expression is not valid.

    They are matched in a process of their own, because some expressions take forever and Python cannot interrupt them.
    """
    if not expressions:
        return {}
    command, question = [sys.executable, "-I", "-c", MATCH], json.dumps([expressions, sorted(names)])
    try:
        done = subprocess.run(command, input=question, capture_output=True, text=True, timeout=MATCHING_S, check=True)
    except subprocess.TimeoutExpired as error:
        raise UsageError(
            f"The regular expressions in '{path}' take longer than {MATCHING_S:.0f} s. Give simpler ones, without "
            "repetitions in repetitions, or the nodes' names."
        ) from error
    except (OSError, subprocess.CalledProcessError) as error:
        raise UsageError(
            f"The regular expressions in '{path}' cannot be matched: {error}. Give nodes' names."
        ) from error
    return dict(zip(expressions, json.loads(done.stdout), strict=True))


def read_rules(path: Path) -> dict[str, str]:
    """Read the rules from an affinity file. Raises UsageError."""
    try:
        if path.exists() and not path.is_file():
            raise UsageError(f"The affinity file '{path}' is a folder, a pipe or a device. Give a file.")
        rules = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"Cannot read the affinity file '{path}': {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The affinity file '{path}' is not JSON: {error}.") from error
    if isinstance(rules, dict):
        rules = rules.get("nodes", rules)  # a file that --affinity-map wrote is accepted, too
    if not isinstance(rules, dict) or not all(isinstance(device, str) for device in rules.values()):
        raise UsageError(f"The affinity file '{path}' must hold an object {{node, type or expression: device}}.")
    return rules


def _with_constants(model: ov.Model, affinity: Affinity) -> Affinity:
    """Put constants, nodes that depend on constants only, and inputs on the device of the node that reads them."""
    affinity = dict(affinity)
    constant: set[str] = set()
    for node in model.get_ordered_ops():
        inputs = [value.get_node().get_friendly_name() for value in node.input_values()]
        if node.get_type_name() == "Constant" or (inputs and constant.issuperset(inputs)):
            constant.add(node.get_friendly_name())
    for node in reversed(model.get_ordered_ops()):
        name = node.get_friendly_name()
        if name in constant or node.get_type_name() == "Parameter":
            readers = [target.get_node() for output in node.outputs() for target in output.get_target_inputs()]
            if readers:
                affinity[name] = affinity[readers[0].get_friendly_name()]
        if node.get_type_name() == "Result":
            affinity[name] = affinity[node.input_value(0).get_node().get_friendly_name()]
    return affinity


def bind(model: ov.Model, affinity: Mapping[str, str]) -> ov.Model:
    """A copy of the network in which each node is assigned to its device."""
    bound = model.clone()
    for node in bound.get_ordered_ops():
        node.get_rt_info()["affinity"] = affinity[node.get_friendly_name()]
    return bound


def operations(model: ov.Model, affinity: Mapping[str, str]) -> dict[str, int]:
    """The number of operations on each device, without COPIED_TYPES."""
    types = {node.get_friendly_name(): node.get_type_name() for node in model.get_ordered_ops()}
    return dict(Counter(device for name, device in affinity.items() if types.get(name) not in (None, *COPIED_TYPES)))


def differences(
    network: ov.CompiledModel, reference: ov.CompiledModel, image: np.ndarray, decoder: Decoder
) -> dict[str, float]:
    """The difference of each of the outputs' quantities between two networks on an input (1, h, w, 3) uint8.

    It is the RMS of the difference; where the reference has an RMS above 1, as pixels have, in parts of that.
    """
    return compared(outputs_of(network, image, decoder), outputs_of(reference, image, decoder), decoder)


def outputs_of(network: ov.CompiledModel, image: np.ndarray, decoder: Decoder) -> dict[str, np.ndarray]:
    """What a network gives for an input (1, h, w, 3) uint8: float32 by name, without the batch axis."""
    request = network.create_infer_request()
    request.infer([image])
    return {name: request.get_tensor(name).data[0].astype(np.float32) for name in decoder.output_names}


def compared(found: Outputs, expected: Outputs, decoder: Decoder) -> dict[str, float]:
    """The difference of each of the outputs' quantities, as in `differences`."""
    ours = decoder.quantities(found)
    return {
        name: _rms(ours[name] - values) / max(1.0, _rms(values))
        for name, values in decoder.quantities(expected).items()
    }


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.square(values).mean()))


def write_map(path: Path, model: ov.Model, device: str, subgraphs: int, affinity: Affinity) -> None:
    """Write the split in use as JSON. Raises DemoError."""
    content = {
        "device": device,
        "subgraphs": subgraphs,
        "operations": operations(model, affinity),
        "nodes": affinity,
    }
    write_whole(path, (json.dumps(content, indent=1) + "\n").encode())


def draw_map(path: Path, model: ov.Model, affinity: Affinity) -> None:
    """Draw the network's operations, coloured by device, as SVG. Raises DemoError where Graphviz is not installed."""
    try:
        import graphviz
    except ImportError as error:
        raise DemoError(f"For the picture of the graph: {pip_install('graph')}") from error
    colours = dict(zip(dict.fromkeys(affinity.values()), ("#9ecbff", "#ffc48a", "#b7e3a8", "#e0b3ff"), strict=False))
    graph = graphviz.Digraph(node_attr={"shape": "box", "style": "filled", "fontsize": "9"})
    shown = {
        node.get_friendly_name()
        for node in model.get_ordered_ops()
        if node.get_type_name() not in ("Constant", "Convert")
    }
    for node in model.get_ordered_ops():
        name = node.get_friendly_name()
        if name in shown and name in affinity:
            label = f"{node.get_type_name()}\n{affinity[name]}"
            graph.node(name.replace(":", "_"), label, fillcolor=colours.get(affinity[name], "white"), tooltip=name)
            for value in node.input_values():
                source = value.get_node().get_friendly_name()
                if source in shown:
                    graph.edge(source.replace(":", "_"), name.replace(":", "_"))
    try:
        write_whole(path, graph.pipe(format="svg"))
    except graphviz.ExecutableNotFound as error:
        raise DemoError("For the picture of the graph, install Graphviz: sudo apt-get install -y graphviz") from error

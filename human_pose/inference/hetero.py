"""HETERO by hand: which operation of the network runs on which device.

OpenVINO's own split gives the first device whatever it supports. The study behind this demo bound the convolutions to
the first device and left the rest on the second; a JSON file can say anything else. Every change of device along the
graph is a copy between devices: the number of subgraphs tells how many there are.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import openvino as ov

from ..errors import DemoError, UsageError
from ..files import write_whole

# Of an output, of values within -1..1, against the same network on the last device: the root mean square of what they
# may differ. On five frames of the bundled video, noise and a grey picture, splits that are right differed by 0.0002 at
# most in f32, 0.005 quantized or in bf16 (0.012 of mobilenet-thin in bf16). The fields themselves are 0.03 and more on
# those frames, the heatmaps 0.2: by so much would all wrong ones differ. Without people wrong fields go unseen;
# wrong heatmaps do not: the background's is 1 there.
TOLERANCE = 0.02
MATCHING_S = 5.0  # how long expressions of a file may take
COPIED_TYPES = ("Constant", "Parameter", "Result")  # hold or pass on values, operate on nothing

Affinity = dict[str, str]  # name of a node -> device


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

    The regular expression is for the node's whole name. A name goes before a type, a type before an expression, an
    earlier expression before a later one; what nothing matches goes to the last device. Raises UsageError.
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
    """The names that each regular expression matches as a whole; None where it is no expression.

    A process of its own finds them: there are expressions that take for ever, and Python cannot interrupt them.
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
    """The object in an affinity file. Raises UsageError."""
    try:
        if path.exists() and not path.is_file():
            raise UsageError(f"The affinity file '{path}' is a folder, a pipe or a device. Give a file.")
        rules = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"Cannot read the affinity file '{path}': {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The affinity file '{path}' is no JSON: {error}.") from error
    if isinstance(rules, dict):
        rules = rules.get("nodes", rules)  # what --affinity-map wrote can be given back
    if not isinstance(rules, dict) or not all(isinstance(device, str) for device in rules.values()):
        raise UsageError(f"The affinity file '{path}' must hold an object {{node, type or expression: device}}.")
    return rules


def _with_constants(model: ov.Model, affinity: Affinity) -> Affinity:
    """Bind what depends on constants alone, and the network's inputs, to the device of their reader."""
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
    """A copy of the network in which each node is bound to its device."""
    bound = model.clone()
    for node in bound.get_ordered_ops():
        node.get_rt_info()["affinity"] = affinity[node.get_friendly_name()]
    return bound


def operations(model: ov.Model, affinity: Mapping[str, str]) -> dict[str, int]:
    """How many operations each device has, without what only holds or passes on values."""
    types = {node.get_friendly_name(): node.get_type_name() for node in model.get_ordered_ops()}
    return dict(Counter(device for name, device in affinity.items() if types.get(name) not in (None, *COPIED_TYPES)))


def differences(network: ov.CompiledModel, reference: ov.CompiledModel, image: np.ndarray) -> dict[str, float]:
    """Root mean square of what two networks' outputs differ on an input (1, h, w, 3) uint8: {output: difference}."""
    results = []
    for compiled in (network, reference):
        request = compiled.create_infer_request()
        request.infer([image])
        results.append({name: request.get_tensor(name).data.astype(np.float32) for name in ("heatmaps", "pafs")})
    return {
        name: float(np.sqrt(np.square(results[0][name] - results[1][name]).mean())) for name in ("heatmaps", "pafs")
    }


def write_map(path: Path, model: ov.Model, device: str, subgraphs: int, affinity: Affinity) -> None:
    """Write the split in force as JSON. Raises DemoError."""
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
        raise DemoError("For the picture of the graph: pip install graphviz") from error
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

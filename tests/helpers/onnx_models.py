"""Tiny networks as ONNX files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HEIGHT, WIDTH = 64, 96  # of their input


def write_people(path: Path, weights: str | None = None, **metadata: str) -> Path:
    """A one-stage network, (1, 56, n) candidates; weights: the file beside it that holds them; metadata: inside it."""
    values = numpy_helper.from_array(np.full((56, 3, 1, 1), 1 / 512, np.float32), "weights")
    shape = numpy_helper.from_array(np.array([1, 56, -1]), "shape")
    nodes = [
        helper.make_node("Conv", ["images", "weights"], ["conv"], strides=[8, 8]),
        helper.make_node("Reshape", ["conv", "shape"], ["output0"]),
    ]
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])
    output = helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 56, HEIGHT * WIDTH // 64])
    graph = helper.make_graph(nodes, "people", [image], [output], [values, shape])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(model, path, save_as_external_data=weights is not None, location=weights, size_threshold=0)
    return path


def write_onnx(path: Path, channels: Sequence[int] = (57,), is_nhwc: bool = True) -> Path:
    """A network of one convolution at stride 8 for each of its outputs, NCHW in, NHWC or NCHW out."""
    random = np.random.default_rng(3)
    nodes, weights, outputs = [], [], []
    for i, count in enumerate(channels):
        values = random.integers(-64, 65, (count, 3, 8, 8)).astype(np.float32) / 4096  # exact in FP16, too
        weights.append(numpy_helper.from_array(values, f"weights{i}"))
        nodes.append(helper.make_node("Conv", ["image", f"weights{i}"], [f"conv{i}"], strides=[8, 8]))
        shape = [1, count, HEIGHT // 8, WIDTH // 8]
        if is_nhwc:
            nodes.append(helper.make_node("Transpose", [f"conv{i}"], [f"maps{i}"], perm=[0, 2, 3, 1]))
            shape = [shape[axis] for axis in (0, 2, 3, 1)]
        name = f"maps{i}" if is_nhwc else f"conv{i}"
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])
    graph = helper.make_graph(nodes, "tiny", [image], outputs, weights)
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), path)
    return path

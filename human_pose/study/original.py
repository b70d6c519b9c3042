"""The same network in the framework it comes from: a TensorFlow graph or ONNX file, in OpenCV's DNN or TensorFlow."""

import importlib.util
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..decoders.decoder import Outputs
from ..decoders.openpose import OpenPoseDecoder
from ..decoders.openpose_fields import HEATMAP_CHANNELS, PAF_CHANNELS
from ..errors import DemoError, UsageError, first_line
from ..inference.backend import CompiledModel, Inference
from ..inference.configuration import Configuration
from ..inference.estimator import Estimator
from ..inference.input_size import frame_box, network_input_size
from ..inference.openpose_outputs import PREPROCESSING
from ..invocation import command, pip_install
from ..measurement.cells import FRAMEWORKS, ORIGINALS, Cell, StudyOptions
from ..measurement.throughput import GoesOn, run_of
from ..measurement.workload import Workload, as_inputs, first_frames, own_size
from ..media.capture import Frame
from ..zoo.catalog import ORIGINAL_MODEL
from ..zoo.originals import GRAPH

Framework = Callable[[np.ndarray], Outputs]  # infers an image (1, h, w, 3) uint8, as OpenVINO's network takes it, too


def original_cells(options: StudyOptions, model: str, names: list[str]) -> list[Cell]:
    """A cell for each framework, with the reason where it cannot be measured.

    model: the first of the study's; names: of all of them. An --original belongs to the first model, the graph that
    the models command fetches to mobilenet-thin.
    """
    file, reason = Path(options.original or GRAPH), None
    if options.original is None and ORIGINAL_MODEL not in names:
        reason = f"no original file of {model}: give --original FILE, or let --model name {ORIGINAL_MODEL}, too"
    elif options.original is None:
        model = ORIGINAL_MODEL
        fetching = f"{command('models')} fetch {ORIGINAL_MODEL} --original"
        reason = None if file.is_file() else f"the original graph is not here: {fetching}"
    missing = {"opencv": reason, "tensorflow": reason or _no_tensorflow(file)}
    return [
        Cell(kind, model, "FP32", "" if missing[kind] else str(file), hint="latency", not_measured=missing[kind])
        for kind in ORIGINALS
    ]


def _no_tensorflow(file: Path) -> str | None:
    if importlib.util.find_spec("tensorflow") is None:
        return f"TensorFlow is not installed: {pip_install('tensorflow')}"
    return None if file.suffix == ".pb" else f"TensorFlow does not read '{file.name}'"


def read(cell: Cell) -> Framework:
    """The original of a cell. Raises UsageError where the framework cannot read it."""
    try:
        return _tensorflow(Path(cell.file)) if cell.kind == "tensorflow" else _opencv(cell.file)
    except (cv2.error, ValueError, KeyError) as error:
        raise UsageError(f"'{cell.file}' cannot be read as a network: {first_line(error)}") from error


def _opencv(file: str) -> Framework:
    network = cv2.dnn.readNetFromTensorflow(file) if file.endswith(".pb") else cv2.dnn.readNet(file)
    names = network.getUnconnectedOutLayersNames()

    def infer(image: np.ndarray) -> Outputs:
        network.setInput(cv2.dnn.blobFromImage(image[0]))
        return split(list(network.forward(names)))

    return infer


def _tensorflow(file: Path) -> Framework:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # it would greet on standard error
    import tensorflow

    v1 = tensorflow.compat.v1
    definition = v1.GraphDef()
    definition.ParseFromString(file.read_bytes())
    graph = tensorflow.Graph()
    with graph.as_default():
        tensorflow.import_graph_def(definition, name="")
    operations = graph.get_operations()
    image = next(operation for operation in operations if operation.type == "Placeholder").outputs[0]
    results = [output for operation in operations for output in operation.outputs if not output.consumers()]
    session = v1.Session(graph=graph)
    return lambda frame: split(session.run(results, {image: frame.astype(np.float32)}))


def split(outputs: list[np.ndarray]) -> Outputs:
    """Heatmaps (19, h, w) and fields (38, h, w) from one output that holds both, or two; NCHW or NHWC. UsageError."""
    both, maps = HEATMAP_CHANNELS + PAF_CHANNELS, {}
    for output in outputs:
        for axis in (1, 3) if output.ndim == 4 else ():
            if output.shape[axis] in (both, HEATMAP_CHANNELS, PAF_CHANNELS):
                maps[output.shape[axis]] = np.ascontiguousarray(np.moveaxis(output, axis, 1)[0], np.float32)
    if both in maps:
        maps[HEATMAP_CHANNELS], maps[PAF_CHANNELS] = np.split(maps[both], [HEATMAP_CHANNELS])
    if not maps.keys() >= {HEATMAP_CHANNELS, PAF_CHANNELS}:
        raise UsageError(f"The original has no heatmaps and fields, but {[output.shape for output in outputs]}.")
    return {"heatmaps": maps[HEATMAP_CHANNELS], "pafs": maps[PAF_CHANNELS]}


class Original:
    """The original as a backend of one request, itself, which is done as soon as it has started; see `backend`."""

    def __init__(self, cell: Cell, images: list[np.ndarray], size: tuple[int, int]) -> None:
        """size: width and height of the input. Raises UsageError where the framework cannot read the file."""
        self._size, self._inputs = size, as_inputs(images, size, PREPROCESSING)
        started_at = time.perf_counter()
        self._framework = read(cell)
        self._infer(self._inputs[0])
        self.compiled = CompiledModel(Configuration("CPU"), "f32", 1, compile_s=time.perf_counter() - started_at)

    def _infer(self, scaled: np.ndarray) -> float:
        """Ms that it took."""
        started_at = time.perf_counter()
        self._outputs = self._framework(scaled)
        return 1000 * (time.perf_counter() - started_at)

    def infer_while(self, goes_on: GoesOn) -> list[float]:
        """One frame at hand after the other; see `throughput.InferWhile`."""
        latencies: list[float] = []
        while goes_on(len(latencies)):
            latencies.append(self._infer(self._inputs[len(latencies) % len(self._inputs)]))
        return latencies

    def compile(self, configuration: Configuration, sample: np.ndarray) -> "list[Original]":
        return [self]

    def start(self, image: np.ndarray) -> None:
        [scaled] = as_inputs([image], self._size, PREPROCESSING)
        self._latency_ms = self._infer(scaled)

    def is_done(self, wait_ms: int) -> bool:
        return True

    def result(self, frame: Frame) -> Inference:
        box = frame_box(frame.image.shape[1::-1], self._size, PREPROCESSING)
        return Inference(frame, self.compiled, self._outputs, self._size, box, self._latency_ms)


def run(cell: Cell, options: StudyOptions, reference: str) -> dict[str, Any]:
    """The same two measurements of the original: one inference after the other, as its programs do it.

    reference: the IR of the network, whose own size it has where none is stored; '' where there is none.
    """
    images = first_frames(options.input)
    shorter = options.size or (own_size(cell.model, reference) if reference else PREPROCESSING.default_size)
    size = network_input_size(images[0].shape[1::-1], shorter, PREPROCESSING)
    original = Original(cell, images, size)
    estimator = Estimator(original, Configuration("CPU"), images[0])
    measured = run_of(estimator, original.infer_while, OpenPoseDecoder(), size, options)
    return {**measured, "framework": FRAMEWORKS[cell.kind]}


def check(cell: Cell, options: StudyOptions, reference: str) -> dict[str, Any]:
    """By how much the original's maps differ at most from those of OpenVINO's network executed in f32."""
    own = Workload(Cell("openvino", cell.model, "FP32", reference), options)
    infer, images, differences = read(cell), own.inputs[:4], []
    for image, outputs in zip(images, own.outputs_of(images), strict=True):
        for name, maps in infer(image).items():
            ours = outputs[name]
            if ours.shape != maps.shape:
                raise DemoError(f"The original gives {name} of {maps.shape} where OpenVINO's are {ours.shape}.")
            differences.append(float(np.abs(ours - maps).max()))
    if not all(map(math.isfinite, differences)):
        raise DemoError("The maps of the original and of OpenVINO's network cannot be compared: NaN or infinity.")
    return {"largest_difference": max(differences)}

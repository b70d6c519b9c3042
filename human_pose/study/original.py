"""The same network in the framework it comes from: a TensorFlow graph or ONNX file, in OpenCV's DNN or TensorFlow."""

import importlib.util
import math
import os
import time
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from ..decoders.decoder import Outputs
from ..decoders.openpose import OpenPoseDecoder
from ..decoders.openpose_fields import HEATMAP_CHANNELS, PAF_CHANNELS
from ..demo.statistics import Latencies
from ..errors import DemoError, UsageError, first_line
from ..inference.input_size import frame_pixels, network_input_size
from ..inference.model import DEFAULT_SIZE
from ..inference.openvino_backend import compile_model
from ..inference.preprocess import fill_input
from ..measurement.cells import FRAMEWORKS, ORIGINALS, Cell, Wish
from ..measurement.machine import Watch
from ..measurement.throughput import WARM_UP_S, alone_figures, application_figures, limit
from ..measurement.workload import Workload, as_inputs, first_frames, own_size
from ..media.capture import Capture, open_capture
from ..poses.draw import draw
from ..zoo.catalog import ORIGINAL_MODEL
from ..zoo.originals import GRAPH


class Framework(Protocol):
    """A network that was read: takes what `prepare` made of an input image, gives heatmaps and fields."""

    def prepare(self, image: np.ndarray) -> Any: ...

    def infer(self, prepared: Any) -> Outputs: ...


def original_cells(wish: Wish, model: str, names: list[str]) -> list[Cell]:
    """A cell for each framework, with the reason where it cannot be measured.

    model: the first of the study's; names: of all of them. An --original belongs to the first model, the graph that
    the models command fetches to mobilenet-thin.
    """
    reason = None
    if wish.original is not None:
        file = Path(wish.original)
    else:
        file, fetching = GRAPH, f"python -m human_pose.models fetch {ORIGINAL_MODEL} --original"
        if ORIGINAL_MODEL in names:
            model = ORIGINAL_MODEL
            reason = None if file.is_file() else f"the original graph is not here: {fetching}"
        else:
            reason = f"no original file of {model}: give --original FILE, or let --model name {ORIGINAL_MODEL}, too"
    cells = []
    for kind in ORIGINALS:
        missing = reason or (_no_tensorflow(file) if kind == "tensorflow" else None)
        cells.append(Cell(kind, model, "FP32", "" if missing else str(file), hint="latency", not_measured=missing))
    return cells


def _no_tensorflow(file: Path) -> str | None:
    if importlib.util.find_spec("tensorflow") is None:
        return "TensorFlow is not installed: pip install tensorflow-cpu"
    return None if file.suffix == ".pb" else f"TensorFlow does not read '{file.name}'"


def read(cell: Cell) -> Framework:
    """The original of a cell. Raises UsageError where the framework cannot read it."""
    try:
        return _TensorFlow(Path(cell.file)) if cell.kind == "tensorflow" else _OpenCV(cell.file)
    except (cv2.error, ValueError, KeyError) as error:
        raise UsageError(f"'{cell.file}' cannot be read as a network: {first_line(error)}") from error


class _OpenCV:
    def __init__(self, file: str) -> None:
        self._network = cv2.dnn.readNetFromTensorflow(file) if file.endswith(".pb") else cv2.dnn.readNet(file)
        self._outputs = self._network.getUnconnectedOutLayersNames()

    def prepare(self, image: np.ndarray) -> np.ndarray:
        """image: (1, h, w, 3) uint8 -> (1, 3, h, w) float32."""
        return cv2.dnn.blobFromImage(image[0])

    def infer(self, prepared: np.ndarray) -> Outputs:
        self._network.setInput(prepared)
        return split(list(self._network.forward(self._outputs)))


class _TensorFlow:
    def __init__(self, file: Path) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # it would greet on standard error
        import tensorflow

        v1 = tensorflow.compat.v1
        definition = v1.GraphDef()
        definition.ParseFromString(file.read_bytes())
        graph = tensorflow.Graph()
        with graph.as_default():
            tensorflow.import_graph_def(definition, name="")
        operations = graph.get_operations()
        self._input = next(operation for operation in operations if operation.type == "Placeholder").outputs[0]
        results = [operation.outputs for operation in operations if operation.outputs]
        self._outputs = [output for outputs in results for output in outputs if not output.consumers()]
        self._session = v1.Session(graph=graph)

    def prepare(self, image: np.ndarray) -> np.ndarray:
        """image: (1, h, w, 3) uint8 -> the same as float32."""
        return image.astype(np.float32)

    def infer(self, prepared: np.ndarray) -> Outputs:
        return split(self._session.run(self._outputs, {self._input: prepared}))


def split(outputs: list[np.ndarray]) -> Outputs:
    """Heatmaps (19, h, w) and fields (38, h, w) from one output that holds both, or two; NCHW or NHWC. UsageError."""
    maps = {}
    for output in outputs:
        for channels in (HEATMAP_CHANNELS + PAF_CHANNELS, HEATMAP_CHANNELS, PAF_CHANNELS):
            if output.ndim == 4 and channels in (output.shape[1], output.shape[3]):
                first = output[0] if output.shape[1] == channels else output[0].transpose(2, 0, 1)
                maps[channels] = np.ascontiguousarray(first, np.float32)
                break
    both = maps.get(HEATMAP_CHANNELS + PAF_CHANNELS)
    if both is not None:
        return {"heatmaps": both[:HEATMAP_CHANNELS], "pafs": both[HEATMAP_CHANNELS:]}
    if maps.keys() == {HEATMAP_CHANNELS, PAF_CHANNELS}:
        return {"heatmaps": maps[HEATMAP_CHANNELS], "pafs": maps[PAF_CHANNELS]}
    raise UsageError(f"The original has no heatmaps and fields, but {[output.shape for output in outputs]}.")


def run(cell: Cell, wish: Wish, reference: str) -> dict[str, Any]:
    """The same two measurements of the original: one inference after the other, as its programs do it.

    reference: the IR of the network, whose own size it has where none is wished; '' where there is none.
    """
    images = first_frames(wish.input)
    shorter = wish.height or (own_size(cell.model, reference) if reference else DEFAULT_SIZE)
    size = network_input_size(images[0].shape[1::-1], shorter)
    started_at = time.perf_counter()
    framework = read(cell)
    prepared = [framework.prepare(image) for image in as_inputs(images, size)]
    framework.infer(prepared[0])
    loaded_s = time.perf_counter() - started_at
    warm_until = time.perf_counter() + WARM_UP_S
    while time.perf_counter() < warm_until:
        framework.infer(prepared[-1])
    watch = Watch()
    latencies: list[float] = []
    goes_on, since = limit(wish), time.perf_counter()
    while goes_on(len(latencies)):
        begun_at = time.perf_counter()
        framework.infer(prepared[len(latencies) % len(prepared)])
        latencies.append(1000 * (time.perf_counter() - begun_at))
    alone = alone_figures(latencies, time.perf_counter() - since)
    with open_capture(wish.input, loop=True) as capture:
        whole = _original_application(framework, capture, size, wish)
    return {
        "input_size": list(size), "executed_on": ["CPU"], "execution_precision": "f32", "requests": 1, "streams": None,
        "subgraphs": None, "compile_s": round(loaded_s, 4), "is_from_cache": False, "is_stand_in": False,
        "framework": FRAMEWORKS[cell.kind], **alone, **whole, "conditions": watch.told(),
    }  # fmt: skip


def _original_application(framework: Framework, capture: Capture, size: tuple[int, int], wish: Wish) -> dict[str, Any]:
    target = np.zeros((1, size[1], size[0], 3), np.uint8)
    latencies, frames = Latencies(), 0
    goes_on, started_at = limit(wish), time.perf_counter()
    while goes_on(frames):
        frame = capture.read(wait_s=1.0)
        if frame is None:
            continue
        fill_input(frame.image, target)
        begun_at = time.perf_counter()
        outputs = framework.infer(framework.prepare(target))
        latencies.add(1000 * (time.perf_counter() - begun_at))
        poses = OpenPoseDecoder().decode(outputs, frame_pixels(frame.image.shape[1::-1], size))
        draw(frame.image, poses, in_place=True)
        frames += 1
    return application_figures(frames / (time.perf_counter() - started_at), latencies, frames)


def check(cell: Cell, wish: Wish, reference: str) -> dict[str, Any]:
    """By how much the original's maps differ at most from those of OpenVINO's network executed in f32."""
    own = Workload(Cell("openvino", cell.model, "FP32", reference), wish)
    own.configure()
    request = compile_model(own.core, own.network.model, "CPU", own.settings).network.create_infer_request()
    framework = read(cell)
    largest = 0.0
    for image in own.inputs[:4]:
        request.infer({"image": image})
        for name, maps in framework.infer(framework.prepare(image)).items():
            ours = request.get_tensor(name).data[0]
            if ours.shape != maps.shape:
                raise DemoError(f"The original gives {name} of {maps.shape} where OpenVINO's are {ours.shape}.")
            difference = float(np.abs(ours - maps).max())
            if not math.isfinite(difference):
                raise DemoError(f"The original and OpenVINO's network give {name} that cannot be compared: no numbers.")
            largest = max(largest, difference)
    return {"largest_difference": largest}

"""One measurement, in a process of its own: python -m human_pose.study.cell '<json>' prints its result as JSON.

The JSON holds the job's task, the cell and the wish (see plan.py). A failure is printed as {"error": ...}.
"""

import json
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import openvino as ov

from ..benchmark_app import throughput
from ..capture import Capture, Frame, open_capture
from ..compiled import CompiledNetwork, execution_type
from ..decode import decode
from ..draw import draw
from ..errors import DemoError, first_line
from ..evaluate import infer_all
from ..inference import Estimator, must_not_be_torn_down
from ..network import DEFAULT_HEIGHT
from ..panel import CORNERS
from ..preprocess import fill_input, network_input_size, pixels_per_cell
from ..stats import Latencies
from . import accuracy, hetero, original
from .machine import Watch
from .material import Material, as_inputs, first_frames
from .plan import ORIGINALS, Cell, Wish

WARM_UP_S = 0.3  # at least, besides the first result of each request
GoesOn = Callable[[int], bool]
BINS_PER_DECADE = 50  # of the histogram of latencies: each is 4.7 % wider than the one before


def openvino_run(cell: Cell, wish: Wish) -> dict[str, Any]:
    """Inference alone, all requests in flight; then the whole application, as the demo's loop does it."""
    material = Material(cell, wish)
    material.configure()
    sample = material.images[0]
    estimator = Estimator(material.core, material.network, cell.device, material.settings, sample)
    compiled = estimator.compiled
    watch = Watch()
    alone = inference_alone(compiled, material)
    whole = whole_application(estimator, wish)
    return {
        "input_size": list(material.size),
        "executed_on": compiled.executed_on,
        "execution_precision": compiled.execution_precision,
        "requests": compiled.request_count,
        "streams": compiled.streams,
        "subgraphs": compiled.subgraphs,
        "compile_s": round(compiled.compile_s, 4),
        "is_from_cache": compiled.is_from_cache,
        "is_stand_in": compiled.is_stand_in,
        **alone,
        **whole,
        "conditions": watch.told(),
    }


def inference_alone(compiled: CompiledNetwork, material: Material) -> dict[str, Any]:
    """Results a second with all requests in flight: whichever is done first gets the next frame."""
    latencies: list[float] = []
    queue = ov.AsyncInferQueue(compiled.network, compiled.request_count)
    for number, request in enumerate(queue):
        request.set_input_tensor(ov.Tensor(material.inputs[number % len(material.inputs)], shared_memory=True))
    queue.set_callback(lambda request, _: latencies.append(request.latency))

    def spell(goes_on: GoesOn) -> float:
        started_at = time.perf_counter()
        started = 0
        while goes_on(started):
            queue.start_async()
            started += 1
        queue.wait_all()
        return time.perf_counter() - started_at

    warm_until = time.perf_counter() + WARM_UP_S
    spell(lambda started: started < compiled.request_count or time.perf_counter() < warm_until)
    latencies.clear()
    elapsed_s = spell(limit(material.wish))
    return alone_figures(latencies, elapsed_s)


def limit(wish: Wish) -> GoesOn:
    """Whether a measurement goes on, of the number of frames begun: so many frames, or seconds from now."""
    if wish.frames is not None:
        frames = wish.frames
        return lambda begun: begun < frames
    until = time.perf_counter() + wish.seconds
    return lambda _: time.perf_counter() < until


def alone_figures(latencies: list[float], elapsed_s: float) -> dict[str, Any]:
    """latencies: ms of each result that came within elapsed_s."""
    told = Latencies()
    for latency in latencies:
        told.add(latency)
    summary = told.summary()
    assert summary is not None
    bins = Counter(math.floor(BINS_PER_DECADE * math.log10(max(latency, 1e-3))) for latency in latencies)
    return {
        "inference_fps": len(latencies) / elapsed_s,
        "inferences": len(latencies),
        "latency_ms": {
            "mean": summary.mean, "min": summary.min, "max": summary.max, "p50": told.percentile(50),
            "p95": told.percentile(95), "p99": told.percentile(99),
        },
        "latency_bins": {str(number): count for number, count in sorted(bins.items())},
    }  # fmt: skip


def whole_application(estimator: Estimator, wish: Wish) -> dict[str, Any]:
    """Read, scale, infer, decode and draw every frame of the video, over and over.

    Counted from a start with nothing in flight to the last picture, as in inference alone: results come in order, so
    those that wait for a slow one before them come all at once, and a count cut off in between would be of chance.
    """
    with open_capture(wish.input, loop=True) as capture:
        requests = estimator.compiled.request_count
        _spell(estimator, capture, lambda begun: begun < requests)
        started_at = time.perf_counter()
        latencies, frames = _spell(estimator, capture, limit(wish))
        return _application(frames / (time.perf_counter() - started_at), latencies, frames)


def _spell(estimator: Estimator, capture: Capture, goes_on: GoesOn) -> tuple[Latencies, int]:
    """Until `goes_on` says no, and all that was begun is drawn."""
    latencies, done = Latencies(), 0
    for inference in infer_all(capture, estimator, goes_on):
        draw(inference.frame.image, decode(*inference.maps), [], CORNERS[0], in_place=True)
        latencies.add(inference.latency_ms)
        done += 1
    return latencies, done


def _application(fps: float, latencies: Latencies, frames: int) -> dict[str, Any]:
    summary = latencies.summary()
    return {
        "application_fps": fps,
        "application_frames": frames,
        "application_latency_ms": None if summary is None else vars(summary),
    }


def original_run(cell: Cell, wish: Wish) -> dict[str, Any]:
    """The same two measurements of the original: one inference after the other, as its programs do it."""
    images = first_frames(wish.input)
    size = network_input_size(images[0].shape[1::-1], wish.height or DEFAULT_HEIGHT)
    started_at = time.perf_counter()
    framework = original.read(cell)
    prepared = [framework.prepare(image) for image in as_inputs(images, size)]
    framework.infer(prepared[0])
    loaded_s = time.perf_counter() - started_at
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
    framework_name = "TensorFlow" if cell.kind == "tensorflow" else "OpenCV DNN"
    return {
        "input_size": list(size), "executed_on": ["CPU"], "execution_precision": "f32", "requests": 1, "streams": None,
        "subgraphs": None, "compile_s": round(loaded_s, 4), "is_from_cache": False, "is_stand_in": False,
        "framework": framework_name, **alone, **whole, "conditions": watch.told(),
    }  # fmt: skip


def _original_application(
    framework: original.Framework, capture: Capture, size: tuple[int, int], wish: Wish
) -> dict[str, Any]:
    target = np.zeros((1, size[1], size[0], 3), np.uint8)
    latencies, frames = Latencies(), 0
    goes_on, started_at = limit(wish), time.perf_counter()
    while goes_on(frames):
        frame: Frame | None = capture.read(wait_s=1.0)
        if frame is None:
            continue
        fill_input(frame.image, target)
        begun_at = time.perf_counter()
        heatmaps, pafs = framework.infer(framework.prepare(target))
        latencies.add(1000 * (time.perf_counter() - begun_at))
        poses = decode(heatmaps, pafs, pixels_per_cell(frame.image.shape[1::-1], size))
        draw(frame.image, poses, [], CORNERS[0], in_place=True)
        frames += 1
    return _application(frames / (time.perf_counter() - started_at), latencies, frames)


def benchmark_app_run(cell: Cell, wish: Wish) -> dict[str, Any]:
    """OpenVINO's own tool on the same network at the same size. Raises DemoError where it tells no throughput."""
    material = Material(cell, wish)
    watch = Watch()
    execution = execution_type(material.core, cell.device, cell.precision)
    fps = throughput(material.network.model, execution, cell.device, cell.hint, wish.seconds)
    return {"input_size": list(material.size), "inference_fps": fps, "conditions": watch.told()}


def check_original(cell: Cell, wish: Wish, reference: str) -> dict[str, Any]:
    """By how much the original's maps differ at most from those of OpenVINO's network executed in f32."""
    own = Material(Cell("openvino", cell.model, "FP32", reference), wish)
    own.configure()
    compiled = Estimator(own.core, own.network, "CPU", own.settings).compiled
    request = compiled.network.create_infer_request()
    framework = original.read(cell)
    largest = 0.0
    for image in own.inputs[:4]:
        request.infer({"image": image})
        for name, maps in zip(("heatmaps", "pafs"), framework.infer(framework.prepare(image)), strict=True):
            ours = request.get_tensor(name).data[0]
            if ours.shape != maps.shape:
                raise DemoError(f"The original gives {name} of {maps.shape} where OpenVINO's are {ours.shape}.")
            largest = max(largest, float(np.abs(ours - maps).max()))
    return {"largest_difference": largest}


def explain(cell: Cell, wish: Wish) -> dict[str, Any]:
    material = Material(cell, wish)
    material.configure()
    return hetero.explain(material)


RUNS = {"openvino": openvino_run, "benchmark_app": benchmark_app_run} | dict.fromkeys(ORIGINALS, original_run)
TASKS = ("layers", "agreement", "ap", "check")  # found out once, besides the runs


def do(task: str, cell: Cell, wish: Wish, reference: str) -> dict[str, Any]:
    """reference: the file of the FP32 network that 'agreement' and 'check' compare with."""
    if task == "run":
        return RUNS[cell.kind](cell, wish)
    if task == "agreement":
        return accuracy.agreement(cell, wish, reference)
    if task == "check":
        return check_original(cell, wish, reference)
    return accuracy.average_precision(cell, wish) if task == "ap" else explain(cell, wish)


def main(argument: str) -> int:
    job = json.loads(argument)
    try:
        result = do(job["task"], Cell(**job["cell"]), Wish(**job["wish"]), job.get("reference", ""))
    except DemoError as error:
        result = {"error": str(error)}
    except Exception as error:  # whatever a device's driver may raise: it is this cell's result
        result = {"error": f"{type(error).__name__}: {first_line(error)}"}
    print("\n" + json.dumps(result), flush=True)
    return 0


if __name__ == "__main__":
    exit_code = main(sys.argv[1])
    if must_not_be_torn_down():
        os._exit(exit_code)
    sys.exit(exit_code)

"""The runs of OpenVINO: inference alone, the whole application, and inference alone by OpenVINO's own tool."""

import time
from collections.abc import Callable
from typing import Any

import openvino as ov

from ..decoders.decoder import Decoder
from ..demo.statistics import Latencies
from ..errors import DemoError
from ..inference.backends import open_backend
from ..inference.estimator import Estimator, infer_all
from ..inference.openvino_backend import OpenVinoCompiledModel
from ..inference.settings import execution_type
from ..media.capture import Capture, open_capture
from ..poses.draw import draw
from .benchmark_app import throughput
from .cells import Cell, Wish
from .intervals import bins
from .machine import Watch
from .workload import Workload

WARM_UP_S = 0.3  # at least, besides the first result of each request
GoesOn = Callable[[int], bool]


def openvino_run(cell: Cell, wish: Wish) -> dict[str, Any]:
    """Inference alone, all requests in flight; then the whole application, as the demo's loop does it."""
    workload = Workload(cell, wish)
    backend = open_backend(workload.core, workload.network, workload.settings)
    estimator = Estimator(backend, cell.device, workload.images[0])
    compiled = estimator.compiled
    assert isinstance(compiled, OpenVinoCompiledModel)
    watch = Watch()
    alone = inference_alone(compiled, workload)
    whole = whole_application(estimator, workload.network.decoder, wish)
    return {
        "input_size": list(workload.size),
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


def inference_alone(compiled: OpenVinoCompiledModel, workload: Workload) -> dict[str, Any]:
    """Results a second with all requests in flight: whichever is done first gets the next frame."""
    latencies: list[float] = []
    # 0: as many as the device asks for, as benchmark_app does. The whole application has one more, for which the loop
    # would let a stream stand idle; here none does, and its wait would only be part of the latency.
    requests = workload.settings.requests or (1 if workload.settings.hint == "latency" else 0)
    queue = ov.AsyncInferQueue(compiled.network, requests)
    for number, request in enumerate(queue):
        request.set_input_tensor(ov.Tensor(workload.inputs[number % len(workload.inputs)], shared_memory=True))
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
    elapsed_s = spell(limit(workload.wish))
    return alone_figures(latencies, elapsed_s)


def limit(wish: Wish) -> GoesOn:
    """Whether a measurement goes on, of the number of frames begun: so many frames, or seconds from now."""
    if wish.frames is not None:
        frames = wish.frames
        return lambda begun: begun < frames
    until = time.perf_counter() + wish.seconds
    return lambda _: time.perf_counter() < until


def alone_figures(latencies: list[float], elapsed_s: float) -> dict[str, Any]:
    """latencies: ms of each result that came within elapsed_s. Raises DemoError where there is none."""
    told = Latencies()
    for latency in latencies:
        told.add(latency)
    summary = told.summary()
    if summary is None:
        raise DemoError("No result came within the measurement. Give longer ones: --seconds.")
    return {
        "inference_fps": len(latencies) / elapsed_s,
        "inferences": len(latencies),
        "latency_ms": {
            "mean": summary.mean, "min": summary.min, "max": summary.max, "p50": told.percentile(50),
            "p95": told.percentile(95), "p99": told.percentile(99),
        },
        "latency_bins": bins(latencies),
    }  # fmt: skip


def whole_application(estimator: Estimator, decoder: Decoder, wish: Wish) -> dict[str, Any]:
    """Read, scale, infer, decode and draw every frame of the video, over and over.

    Counted from a start with nothing in flight to the last picture, as in inference alone: results come in order, so
    those that wait for a slow one before them come all at once, and a count cut off in between would be of chance.
    """
    with open_capture(wish.input, loop=True) as capture:
        requests = estimator.compiled.request_count
        _spell(estimator, decoder, capture, lambda begun: begun < requests)
        started_at = time.perf_counter()
        latencies, frames = _spell(estimator, decoder, capture, limit(wish))
        return application_figures(frames / (time.perf_counter() - started_at), latencies, frames)


def _spell(estimator: Estimator, decoder: Decoder, capture: Capture, goes_on: GoesOn) -> tuple[Latencies, int]:
    """Until `goes_on` says no, and all that was begun is drawn."""
    latencies, done = Latencies(), 0
    for inference in infer_all(capture, estimator, goes_on):
        draw(inference.frame.image, decoder.decode(inference.outputs, inference.frame_pixels), in_place=True)
        latencies.add(inference.latency_ms)
        done += 1
    return latencies, done


def application_figures(fps: float, latencies: Latencies, frames: int) -> dict[str, Any]:
    summary = latencies.summary()
    return {
        "application_fps": fps,
        "application_frames": frames,
        "application_latency_ms": None if summary is None else vars(summary),
    }


def benchmark_app_run(cell: Cell, wish: Wish) -> dict[str, Any]:
    """OpenVINO's own tool on the same network at the same size. Raises DemoError where it tells no throughput."""
    workload = Workload(cell, wish)
    watch = Watch()
    execution = execution_type(workload.core, cell.device, cell.precision)
    fps = throughput(workload.network.model, execution, cell.device, cell.hint, wish.seconds)
    return {"input_size": list(workload.size), "inference_fps": fps, "conditions": watch.told()}

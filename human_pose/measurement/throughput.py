"""A run: inference alone, the whole application, and inference alone by OpenVINO's own tool."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import openvino as ov

from ..decoders.decoder import Decoder
from ..errors import DemoError
from ..inference.backend import CompiledModel
from ..inference.backends import open_backend
from ..inference.estimator import Estimator, infer_all
from ..inference.openvino_backend import OpenVinoCompiledModel
from ..inference.remote_backend import RemoteCompiledModel
from ..inference.settings import execution_type
from ..media.capture import Capture, Frame, open_capture
from ..poses.draw import draw
from .benchmark_app import throughput
from .cells import Cell, StudyOptions
from .intervals import bins
from .machine import Watch
from .workload import Workload

SETTLES_WITHIN_S = 10.0
WARM_UP_S = 0.3  # at least, besides the first result of each request
GoesOn = Callable[[int], bool]  # of the number of frames begun: whether one more is wanted
InferWhile = Callable[[GoesOn], list[float]]  # infers frames at hand; returns the latency of each in ms


def openvino_run(cell: Cell, options: StudyOptions) -> dict[str, Any]:
    """A run of OpenVINO, or of a server, all requests in flight."""
    workload = Workload(cell, options)
    backend = open_backend(workload.core, workload.network, workload.settings)
    estimator = Estimator(backend, cell.configuration, workload.images[0])
    if isinstance(estimator.compiled, OpenVinoCompiledModel):
        infer_while = queue_of(estimator.compiled, workload)
    else:
        infer_while = frames_through(estimator, workload)
        settle(estimator.compiled, infer_while)
    return run_of(estimator, infer_while, workload.network.decoder, workload.size, options)


def application_run(cell: Cell, options: StudyOptions) -> dict[str, Any]:
    """The whole application alone, without a measurement of inference before it: what a tuner compares."""
    workload = Workload(cell, options)
    estimator = Estimator(
        open_backend(workload.core, workload.network, workload.settings), cell.configuration, workload.images[0]
    )
    watch = Watch()
    whole = whole_application(estimator, workload.network.decoder, options)
    return {**facts_of(estimator.compiled, workload.size), **whole, "conditions": watch.conditions()}


def run_of(
    estimator: Estimator, infer_while: InferWhile, decoder: Decoder, size: tuple[int, int], options: StudyOptions
) -> dict[str, Any]:
    """Inference alone; then the whole application, as the demo's loop does it."""
    compiled = estimator.compiled
    watch = Watch()
    alone = inference_alone(infer_while, compiled.request_count, options)
    whole = whole_application(estimator, decoder, options)
    return {**facts_of(compiled, size), **alone, **whole, "conditions": watch.conditions()}


def facts_of(compiled: CompiledModel, size: tuple[int, int]) -> dict[str, Any]:
    """What OpenVINO says it made of a cell. size: width and height of the network's input."""
    return {
        "input_size": list(size),
        "executed_on": compiled.executed_on,
        "execution_precision": compiled.execution_precision,
        "requests": compiled.requests_in_use,
        "streams": compiled.streams,
        "subgraphs": compiled.subgraphs,
        "compile_s": round(compiled.compile_s, 4),
        "is_from_cache": compiled.is_from_cache,
        "is_stand_in": compiled.is_stand_in,
        "is_emulated": compiled.is_emulated,
    }


def queue_of(compiled: OpenVinoCompiledModel, workload: Workload) -> InferWhile:
    """Infers with all requests in flight: the one that is done first gets the next frame."""
    # 0: as many as the device asks for, as benchmark_app does. The whole application has one more, for which the loop
    # would let a stream stand idle; here none does, and its wait would only be part of the latency.
    requests = workload.settings.requests or (1 if workload.settings.hint == "latency" else 0)
    queue = ov.AsyncInferQueue(compiled.network, requests)
    for number, request in enumerate(queue):
        request.set_input_tensor(ov.Tensor(workload.inputs[number % len(workload.inputs)], shared_memory=True))

    def infer_while(goes_on: GoesOn) -> list[float]:
        latencies: list[float] = []
        queue.set_callback(lambda request, _: latencies.append(request.latency))
        started = 0
        while goes_on(started):
            queue.start_async()
            started += 1
        queue.wait_all()
        return latencies

    return infer_while


def settle(compiled: CompiledModel, infer_while: InferWhile) -> None:
    """Infer until the number of requests that pays is found, or for SETTLES_WITHIN_S."""
    if isinstance(compiled, RemoteCompiledModel):
        until = time.perf_counter() + SETTLES_WITHIN_S
        infer_while(lambda _: compiled.tuner.is_searching and time.perf_counter() < until)


def frames_through(estimator: Estimator, workload: Workload) -> InferWhile:
    """Infers on a server, with as many requests in flight as pay; frames at hand have the size of the input."""

    def infer_while(goes_on: GoesOn) -> list[float]:
        latencies: list[float] = []
        started = 0
        while (more := goes_on(started)) or not estimator.is_idle:
            if more and estimator.has_idle_request:
                image = workload.inputs[started % len(workload.inputs)][0]
                estimator.submit(Frame(started, image, 0.0))
                started += 1
                continue
            inference = estimator.collect(wait=True)
            if inference is not None:
                latencies.append(inference.latency_ms)
        return latencies

    return infer_while


def limit(options: StudyOptions) -> GoesOn:
    """Ends a measurement after so many frames, or so many seconds from now."""
    if options.frames is not None:
        frames = options.frames
        return lambda begun: begun < frames
    until = time.perf_counter() + options.seconds
    return lambda _: time.perf_counter() < until


def inference_alone(infer_while: InferWhile, warm_up: int, options: StudyOptions) -> dict[str, Any]:
    """Results a second of frames at hand. warm_up: so many results at least are left out."""
    warm_until = time.perf_counter() + WARM_UP_S
    infer_while(lambda begun: begun < warm_up or time.perf_counter() < warm_until)
    started_at = time.perf_counter()
    latencies = infer_while(limit(options))
    return alone_figures(latencies, time.perf_counter() - started_at)


def alone_figures(latencies: Sequence[float], elapsed_s: float) -> dict[str, Any]:
    """latencies: ms of each result that came within elapsed_s. Raises DemoError where there is none."""
    if not latencies:
        raise DemoError("No result came within the measurement. Give longer ones: --seconds.")
    percentiles = np.percentile(latencies, (50, 95, 99), method="inverted_cdf").tolist()
    return {
        "inference_fps": len(latencies) / elapsed_s,
        "inferences": len(latencies),
        "latency_ms": _mean_min_max(latencies) | dict(zip(("p50", "p95", "p99"), percentiles, strict=True)),
        "latency_bins": bins(latencies),
    }


def _mean_min_max(latencies: Sequence[float]) -> dict[str, float]:
    return {"mean": sum(latencies) / len(latencies), "min": min(latencies), "max": max(latencies)}


def whole_application(estimator: Estimator, decoder: Decoder, options: StudyOptions) -> dict[str, Any]:
    """Read, scale, infer, decode and draw every frame of the video, over and over.

    Counted from a start with nothing in flight to the last picture, as in inference alone: results come in order, so
    those that wait for a slow one before them come all at once, and a count cut off in between would be of chance.
    """
    with open_capture(options.input, loop=True) as capture:
        requests = estimator.compiled.request_count
        _draw_while(estimator, decoder, capture, lambda begun: begun < requests)
        started_at = time.perf_counter()
        latencies = _draw_while(estimator, decoder, capture, limit(options))
        fps = len(latencies) / (time.perf_counter() - started_at)
    return {
        "application_fps": fps,
        "application_frames": len(latencies),
        "application_latency_ms": _mean_min_max(latencies) | {"p50": float(np.median(latencies))}
        if latencies
        else None,
    }


def _draw_while(estimator: Estimator, decoder: Decoder, capture: Capture, goes_on: GoesOn) -> list[float]:
    """Until `goes_on` says no and all that was begun is drawn; the latency of each result in ms."""
    latencies = []
    for inference in infer_all(capture, estimator, goes_on):
        draw(
            inference.frame.image,
            decoder.decode(inference.outputs, inference.frame_pixels, inference.origin),
            in_place=True,
        )
        latencies.append(inference.latency_ms)
    return latencies


def benchmark_app_run(cell: Cell, options: StudyOptions) -> dict[str, Any]:
    """OpenVINO's own tool on the same network at the same size. Raises DemoError where it gives no throughput."""
    workload = Workload(cell, options)
    watch = Watch()
    execution = execution_type(workload.core, cell.device, cell.precision)
    fps = throughput(workload.network.model, execution, cell.device, cell.hint, options.seconds)
    return {"input_size": list(workload.size), "inference_fps": fps, "conditions": watch.conditions()}

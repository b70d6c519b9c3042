"""Compare a quantized network with the float network: outputs, keypoints and speed on some frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import openvino as ov

from ..console import ProgressLine
from ..decoders.decoder import Decoder, Outputs
from ..inference.model import ModelFile, PoseModel, load_model, make_uniform
from ..poses.pck import NEAR_PIXELS, NEAR_TORSO, Pck, compare_poses
from ..poses.pose import Pose

WARM_UP_TURNS, TIMED_TURNS = 2, 15  # inferences of each network


@dataclass(frozen=True)
class Comparison:
    """The results on the held-out frames; stored as JSON beside the model.

    agreement: PCK of the keypoints; output_errors: relative_error of each output; *_ms: median time of an inference on
    the CPU; weight_bits, float_layers: how the network was quantized.
    """

    agreement: Pck
    output_errors: Mapping[str, float]
    float_ms: float
    quantized_ms: float
    weight_bits: int = 8
    float_layers: tuple[str, ...] = ()

    def as_line(self) -> str:
        """The results in one line, for people."""
        found = self.agreement
        torso = f"{found.within_torso:.1%}" if found.within_torso is not None else "(no torso seen)"
        mean = f"{found.mean_pixels:.1f}" if found.mean_pixels is not None else "-"
        errors = ", ".join(f"{name} {error:.2f}" for name, error in self.output_errors.items())
        return (
            f"of {found.keypoints} keypoints in {found.frames} frames {torso} were found again within {NEAR_TORSO} of "
            f"the torso, {found.within_pixels:.1%} within {NEAR_PIXELS:.0f} pixels, {mean} pixels off on average; "
            f"people {found.people_float} -> {found.people}; error of {errors} of the signal; "
            f"{self.float_ms:.0f} -> {self.quantized_ms:.0f} ms"
        )


@dataclass(frozen=True)
class Found:
    """The results of a network on some frames: the signal of its outputs, and the poses in pixels of the input."""

    outputs: list[Outputs]
    poses: list[list[Pose]]


def infer_frames(request: ov.InferRequest, decoder: Decoder, frames: list[np.ndarray], progress: ProgressLine) -> Found:
    """Run a network on frames, each (1, height, width, 3) uint8 of the input's size, one at a time."""
    found = Found([], [])
    for number, frame in enumerate(frames):
        progress.show(f"comparing: frame {number + 1} of {len(frames)}")
        outputs = _infer(request, decoder, frame)
        found.outputs.append(decoder.signal(outputs))
        found.poses.append(decoder.decode(outputs))
    return found


def infer_signal(core: ov.Core, graph: ov.Model, file: ModelFile, frames: list[np.ndarray]) -> list[Outputs]:
    """The signal of the outputs of a variant of a file's graph; frames as in infer_frames. `graph` is not changed."""
    network = make_uniform(graph.clone(), file)
    request, decoder = request_of(core, network), network.decoder
    return [decoder.signal(_infer(request, decoder, frame)) for frame in frames]


def _infer(request: ov.InferRequest, decoder: Decoder, frame: np.ndarray) -> Outputs:
    request.infer({"image": frame})
    return {name: request.get_tensor(name).data[0].copy() for name in decoder.output_names}


def compare(
    core: ov.Core,
    float_request: ov.InferRequest,
    truth: Found,
    file: ModelFile,
    frames: list[np.ndarray],
    progress: ProgressLine,
) -> Comparison:
    """Compare the saved model `file` with the float network on held-out frames.

    truth: the float network's results on the same frames.
    """
    network = load_model(core, file)
    network.reshape(frames[0].shape[2], frames[0].shape[1])
    request = request_of(core, network)
    found = infer_frames(request, network.decoder, frames, progress)
    float_ms, quantized_ms = _times([float_request, request], frames)
    return Comparison(
        compare_poses(zip(truth.poses, found.poses, strict=True)),
        output_errors(truth.outputs, found.outputs),
        float_ms,
        quantized_ms,
    )


def output_errors(truth: Sequence[Outputs], found: Sequence[Outputs]) -> dict[str, float]:
    """The relative_error of each output over some frames."""
    return {
        name: relative_error([outputs[name] for outputs in truth], [outputs[name] for outputs in found])
        for name in truth[0]
    }


def request_of(core: ov.Core, network: PoseModel) -> ov.InferRequest:
    """The network compiled for the CPU, which takes longer than all inferences of a comparison."""
    hints: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    return core.compile_model(network.model, "CPU", hints).create_infer_request()


def _times(requests: list[ov.InferRequest], frames: list[np.ndarray]) -> list[float]:
    """The median ms of each request. They take turns, so that other load on the machine affects all of them alike."""
    times: list[list[float]] = [[] for _ in requests]
    for turn in range(WARM_UP_TURNS + TIMED_TURNS):
        for request, own in zip(requests, times, strict=True):
            request.infer({"image": frames[turn % len(frames)]})
            own.append(request.latency)
    return [median(own[WARM_UP_TURNS:]) for own in times]


def relative_error(truth: Sequence[np.ndarray], found: Sequence[np.ndarray]) -> float:
    """RMS of the difference, divided by the RMS of the true values; an output of zeros has 1."""
    error = sum(float(np.square(a - b, dtype=np.float64).sum()) for a, b in zip(truth, found, strict=True))
    signal = sum(float(np.square(a, dtype=np.float64).sum()) for a in truth)
    return float(np.sqrt(error / signal)) if signal else float(error > 0)

"""What quantization did to a network: its maps and keypoints on some frames, compared with the float network's."""

from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import openvino as ov

from .agreement import NEAR_PIXELS, NEAR_TORSO, Agreement, compare_poses, relative_error
from .decode import Pose, decode
from .network import CELL_PIXELS, ModelFile, PoseNetwork, load_network
from .terminal import ProgressLine

WARM_UP_TURNS, TIMED_TURNS = 2, 15  # of each network, when they are timed


@dataclass(frozen=True)
class Figures:
    """What was measured on the frames held out, beside the model as JSON. *_ms: median of an inference on the CPU."""

    agreement: Agreement
    heatmap_error: float
    paf_error: float
    float_ms: float
    quantized_ms: float
    weight_bits: int = 8
    float_layers: tuple[str, ...] = ()

    def in_a_line(self) -> str:
        """For people."""
        found = self.agreement
        torso = f"{found.within_torso:.1%}" if found.within_torso is not None else "(no torso seen)"
        mean = f"{found.mean_pixels:.1f}" if found.mean_pixels is not None else "-"
        return (
            f"of {found.keypoints} keypoints in {found.frames} frames {torso} were found again within {NEAR_TORSO} of "
            f"the torso, {found.within_pixels:.1%} within {NEAR_PIXELS:.0f} pixels, {mean} pixels off on average; "
            f"people {found.people_float} -> {found.people}; error of the heatmaps {self.heatmap_error:.2f}, of the "
            f"fields {self.paf_error:.2f} of the signal; {self.float_ms:.0f} -> {self.quantized_ms:.0f} ms"
        )


@dataclass(frozen=True)
class Maps:
    """A network's maps of some frames, and what is decoded from them, in pixels of the input."""

    heatmaps: list[np.ndarray]
    pafs: list[np.ndarray]
    poses: list[list[Pose]]


def infer_maps(core: ov.Core, network: PoseNetwork, frames: list[np.ndarray], progress: ProgressLine) -> Maps:
    """Run a network on frames, each (1, height, width, 3) uint8 of its input's size, one at a time, on the CPU."""
    request = _request(core, network)
    maps = Maps([], [], [])
    for number, frame in enumerate(frames):
        progress.show(f"judging: frame {number + 1} of {len(frames)}")
        request.infer({"image": frame})
        maps.heatmaps.append(request.get_tensor("heatmaps").data[0].copy())
        maps.pafs.append(request.get_tensor("pafs").data[0].copy())
        maps.poses.append(decode(maps.heatmaps[-1], maps.pafs[-1], (CELL_PIXELS, CELL_PIXELS)))
    return maps


def judge(
    core: ov.Core,
    float_network: PoseNetwork,
    truth: Maps,
    file: ModelFile,
    frames: list[np.ndarray],
    progress: ProgressLine,
) -> Figures:
    """How far the saved model's maps and keypoints are from the float network's, on frames that calibrated nothing."""
    network = load_network(core, file)
    network.reshape(frames[0].shape[2], frames[0].shape[1])
    found = infer_maps(core, network, frames, progress)
    float_ms, quantized_ms = _times([_request(core, float_network), _request(core, network)], frames)
    return Figures(
        compare_poses(zip(truth.poses, found.poses, strict=True)),
        relative_error([maps[:-1] for maps in truth.heatmaps], [maps[:-1] for maps in found.heatmaps]),
        relative_error(truth.pafs, found.pafs),
        float_ms,
        quantized_ms,
    )


def _request(core: ov.Core, network: PoseNetwork) -> ov.InferRequest:
    hints: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    return core.compile_model(network.model, "CPU", hints).create_infer_request()


def _times(requests: list[ov.InferRequest], frames: list[np.ndarray]) -> list[float]:
    """The median ms of each; they take turns, so that what else the machine does falls on all alike."""
    times: list[list[float]] = [[] for _ in requests]
    for turn in range(WARM_UP_TURNS + TIMED_TURNS):
        for request, own in zip(requests, times, strict=True):
            request.infer({"image": frames[turn % len(frames)]})
            own.append(request.latency)
    return [median(own[WARM_UP_TURNS:]) for own in times]

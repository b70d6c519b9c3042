"""Shorthands of the tests for networks of OpenPose's family."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import openvino as ov

from human_pose.decoders.openpose import OpenPoseDecoder
from human_pose.decoders.openpose_fields import CELL_PIXELS, SKELETON
from human_pose.inference.backend import Inference
from human_pose.inference.configuration import Configuration
from human_pose.inference.estimator import Estimator
from human_pose.inference.model import PoseModel
from human_pose.inference.openvino_backend import OpenVinoBackend
from human_pose.inference.settings import Settings
from human_pose.media.capture import Frame
from human_pose.poses.pose import Pose


class OneNetwork:
    """In place of the demo's Networks: one network, in every configuration."""

    def __init__(self, network: Any) -> None:
        self._network = network

    def network(self, configuration: Configuration) -> Any:
        return self._network

    def shown(self, configuration: Configuration) -> Configuration:
        return configuration

    def note(self, configuration: Configuration) -> str:
        return ""

    def decode(self, inference: Inference) -> list[Pose]:
        return poses_of(inference)


def estimator_on(
    core: ov.Core, network: PoseModel, device: str = "CPU", settings: Settings | None = None, **options: Any
) -> Estimator:
    """An estimator of OpenVINO's own backend, in f32 unless the settings say otherwise."""
    return Estimator(OpenVinoBackend(core, network, settings or Settings("FP32")), Configuration(device), **options)


def poses_of(inference: Inference) -> list[Pose]:
    """Everybody's pose, in frame pixels."""
    return OpenPoseDecoder().decode(inference.outputs, inference.frame_pixels)


def pixels_per_cell(inference: Inference) -> tuple[float, float]:
    """Frame pixels that one cell of the maps spans, in x and in y."""
    return CELL_PIXELS * inference.frame_pixels[0], CELL_PIXELS * inference.frame_pixels[1]


def new_pose(keypoints: np.ndarray, score: float = 1.0) -> Pose:
    """A pose of OpenPose's 18 keypoints, (18, 3) float32."""
    return Pose(SKELETON, keypoints, score)


def infer(estimator: Estimator, images: Iterable[np.ndarray]) -> Iterator[Inference]:
    """The program's loop, without the program."""
    frames = iter([Frame(index, image, 0.0) for index, image in enumerate(images)])
    frame = next(frames, None)
    while frame is not None or not estimator.is_idle:
        if frame is not None and estimator.has_idle_request:
            estimator.submit(frame)
            frame = next(frames, None)
        inference = estimator.collect(wait=True)
        if inference is not None:
            yield inference

"""Poses for tests of drawing and of the panel."""

from collections.abc import Mapping

import numpy as np

from human_pose.decoders.openpose_fields import KEYPOINTS, SKELETON
from human_pose.poses.pose import Pose
from tests.helpers.painted import PERSON

FRAME = (960, 720)  # width, height
# A whole person, x and y from 0 to 1 of the frame.
POINTS = {name: (x / 20, y / 30) for name, (x, y) in PERSON.items()} | {
    "right_eye": (0.46, 0.08), "left_eye": (0.54, 0.08), "right_ear": (0.42, 0.14), "left_ear": (0.58, 0.14),
}  # fmt: skip


def plain(grey: int, size: tuple[int, int] = FRAME) -> np.ndarray:
    return np.full((size[1], size[0], 3), grey, np.uint8)


def pose(points: Mapping[str, tuple[float, float]] = POINTS, size: tuple[int, int] = FRAME) -> Pose:
    """A person at points from 0 to 1 of a frame."""
    keypoints = np.full((len(KEYPOINTS), 3), np.nan, np.float32)
    for name, (x, y) in points.items():
        keypoints[KEYPOINTS.index(name)] = x * size[0], y * size[1], 1
    return Pose(SKELETON, keypoints, 1.0)


def only(*names: str) -> Pose:
    return pose({name: POINTS[name] for name in names})

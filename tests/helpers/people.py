"""A person of whom the tests know every keypoint."""

import numpy as np

from human_pose.decoders.openpose_fields import KEYPOINTS, SKELETON
from human_pose.poses.pose import Pose

SIZE = (200, 100)  # of the picture: width, height
HEIGHT = 40  # of the person, from the nose to the ankles, in pixels
BODY = {
    "nose": (0, -20), "neck": (0, -10), "right_shoulder": (-4, -10), "left_shoulder": (4, -10),
    "right_hip": (-2, 0), "left_hip": (2, 0), "right_knee": (-2, 10), "left_knee": (2, 10),
    "right_ankle": (-2, 20), "left_ankle": (2, 20),
}  # fmt: skip
LEGS = ("right_knee", "left_knee", "right_ankle", "left_ankle")
HIPS = ("right_hip", "left_hip")


def person(
    x: float = 100,
    y: float = 50,
    number: int | None = 1,
    hidden: tuple[str, ...] = (),
    scale: float = 1,
    lean: float = 0,
) -> Pose:
    """A person, x and y: the middle of the hips; lean: how far what is above the hips is moved to the right."""
    keypoints = np.full((len(KEYPOINTS), 3), np.nan, np.float32)
    for name, (right, down) in BODY.items():
        if name not in hidden:
            keypoints[KEYPOINTS.index(name)] = x + scale * right + (lean if down < 0 else 0), y + scale * down, 1
    return Pose(SKELETON, keypoints, 1.0, number)


def only(*names: str) -> tuple[str, ...]:
    """What is hidden where only these keypoints are seen."""
    return tuple(name for name in BODY if name not in names)

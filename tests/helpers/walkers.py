"""People of known size who move on known paths, for tests of the tracker."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from human_pose.decoders.openpose_fields import KEYPOINTS, SKELETON
from human_pose.poses.pose import Pose
from human_pose.tracking.tracker import Tracker
from tests.helpers.skeletons import POINTS

HEIGHT = 200.0  # pixels, of a body with some air above and below
BODY_SIZE = 92.0  # pixels of such a body, about: 1.5 torso lengths

Scene = Callable[[float], Sequence[Pose]]  # from a time in seconds to the poses


def person(x: float, y: float = 0.0, height: float = HEIGHT, score: float = 0.5) -> Pose:
    """A whole person whose middle is at x and whose head is under y, in pixels."""
    keypoints = np.full((len(KEYPOINTS), 3), np.nan, np.float32)
    for name, (across, down) in POINTS.items():
        keypoints[KEYPOINTS.index(name)] = x + (across - 0.5) * height * 2 / 3, y + down * height, 1
    return Pose(SKELETON, keypoints, score)


def only(pose: Pose, names: Iterable[str]) -> Pose:
    """The pose with these keypoints, the others not found."""
    keypoints = np.full_like(pose.keypoints, np.nan)
    rows = [KEYPOINTS.index(name) for name in names]
    keypoints[rows] = pose.keypoints[rows]
    return replace(pose, keypoints=keypoints)


def with_limbs_of(pose: Pose, other: Pose, names: Iterable[str]) -> Pose:
    """The pose with some keypoints of somebody else."""
    keypoints = pose.keypoints.copy()
    rows = [KEYPOINTS.index(name) for name in names]
    keypoints[rows] = other.keypoints[rows]
    return replace(pose, keypoints=keypoints)


def times(seconds: float, fps: float, start_s: float = 0.0) -> list[float]:
    """The times of the frames of so many seconds, the first and the last included."""
    return [start_s + frame / fps for frame in range(round(seconds * fps) + 1)]


def numbers(tracker: Tracker, scene: Scene, at: Iterable[float]) -> list[list[int | None]]:
    """The numbers of the poses of each frame."""
    return [[pose.id for pose in tracker.update(scene(time_s), time_s)] for time_s in at]

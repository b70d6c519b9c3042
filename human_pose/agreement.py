"""How far the poses of one network are from those of another that they should equal: a quantized one from its float.

All lengths are pixels of the network's input. A keypoint of the float network is found again if the other network has
the same keypoint of the same person near it. People are matched by their nearest keypoints, the closest pair first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .decode import Pose
from .skeleton import KEYPOINTS

NEAR_PIXELS = 5.0  # of the network's input
NEAR_TORSO = 0.2  # of the length of the person's torso
_NECK = KEYPOINTS.index("neck")
_HIPS = [KEYPOINTS.index("right_hip"), KEYPOINTS.index("left_hip")]


@dataclass(frozen=True)
class Agreement:
    """Of a number of frames.

    keypoints: how many the float network found; within_pixels: the share of them found again within NEAR_PIXELS;
    within_torso: the share within NEAR_TORSO of the torso, of the people whose torso the float network saw, None if it
    saw none; mean_pixels: mean distance of the keypoints that both found on the same person, None if there are none;
    people_float, people: how many each found.
    """

    frames: int
    keypoints: int
    within_pixels: float
    within_torso: float | None
    mean_pixels: float | None
    people_float: int
    people: int

    @property
    def found_again(self) -> float:
        """The share that is judged: by the torso where torsos were seen, else by pixels."""
        return self.within_pixels if self.within_torso is None else self.within_torso


def compare_poses(frames: Iterable[tuple[Sequence[Pose], Sequence[Pose]]]) -> Agreement:
    """Compare, frame by frame, the float network's poses (first) and the other's, both in pixels of the input."""
    distances: list[np.ndarray] = []
    torsos: list[np.ndarray] = []
    count = people_float = people = 0
    for truth, found in frames:
        count, people_float, people = count + 1, people_float + len(truth), people + len(found)
        partners = match(truth, found)
        for number, pose in enumerate(truth):
            seen = ~np.isnan(pose.keypoints[:, 0])
            partner = found[partners[number]] if number in partners else None
            distance = np.full(len(KEYPOINTS), np.inf) if partner is None else _distances(pose, partner)
            distances.append(distance[seen])
            torsos.append(np.full(int(seen.sum()), torso_length(pose)))
    distance, torso = (np.concatenate([*parts, np.empty(0)]) for parts in (distances, torsos))
    in_both = distance[np.isfinite(distance)]
    of_torso = distance[~np.isnan(torso)] <= NEAR_TORSO * torso[~np.isnan(torso)]
    return Agreement(
        count,
        len(distance),
        float((distance <= NEAR_PIXELS).mean()) if len(distance) else 1.0,
        float(of_torso.mean()) if len(of_torso) else None,
        float(in_both.mean()) if len(in_both) else None,
        people_float,
        people,
    )


def match(truth: Sequence[Pose], found: Sequence[Pose]) -> dict[int, int]:
    """Who is who: {number in truth: number in found}, each at most once, the nearest pair first.

    The distance of two people is the mean over the keypoints of the first; one that is missing, or farther off than the
    person is large, counts as that size. Two people without a keypoint nearer than that are not matched.
    """
    pairs = []
    for number, pose in enumerate(truth):
        size = float(np.nanmax(np.nanmax(pose.keypoints[:, :2], 0) - np.nanmin(pose.keypoints[:, :2], 0)))
        seen = ~np.isnan(pose.keypoints[:, 0])
        for other, candidate in enumerate(found):
            mean = float(np.minimum(_distances(pose, candidate)[seen], size).mean())
            if mean < size:
                pairs.append((mean, number, other))
    partners: dict[int, int] = {}
    for _, number, other in sorted(pairs):
        if number not in partners and other not in partners.values():
            partners[number] = other
    return partners


def torso_length(pose: Pose) -> float:
    """From the neck to the middle of the hips that were found; NaN if the neck or both hips are missing."""
    points = pose.keypoints[:, :2]
    hips = points[_HIPS][~np.isnan(points[_HIPS, 0])]
    return float(np.hypot(*(hips.mean(0) - points[_NECK]))) if len(hips) else float("nan")


def _distances(pose: Pose, other: Pose) -> np.ndarray:
    """Of each keypoint, (18,) in pixels; infinite where one of both lacks it."""
    between = np.hypot(*(pose.keypoints[:, :2] - other.keypoints[:, :2]).T)
    distances: np.ndarray = np.where(np.isnan(between), np.inf, between)
    return distances


def relative_error(truth: Sequence[np.ndarray], found: Sequence[np.ndarray]) -> float:
    """Root mean square of the difference of maps over that of the true ones: 1 is as wrong as no maps."""
    error = sum(float(np.square(a - b, dtype=np.float64).sum()) for a, b in zip(truth, found, strict=True))
    signal = sum(float(np.square(a, dtype=np.float64).sum()) for a in truth)
    return float(np.sqrt(error / signal)) if signal else float(error > 0)

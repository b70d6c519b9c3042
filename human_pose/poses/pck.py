"""PCK, the percentage of correct keypoints: how many keypoints of a reference network another network finds again.

The reference is a float network, for example, and the other its quantized version. All lengths are pixels of the
network's input. A keypoint is found again if the other network has the keypoint of the same name of the same person
near it. People are matched by their nearest keypoints, the closest pair first.

PCK: Yang and Ramanan, "Articulated Human Detection with Flexible Mixtures of Parts", IEEE TPAMI 2013; relative to the
torso's length as in Sapp and Taskar, CVPR 2013.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .pose import Pose

NEAR_PIXELS = 5.0  # of the network's input
NEAR_TORSO = 0.2  # torso lengths of the person


@dataclass(frozen=True)
class Pck:
    """PCK over a number of frames.

    keypoints: how many the reference found; within_pixels: the share of them found again within NEAR_PIXELS;
    within_torso: the share within NEAR_TORSO, over the people whose torso the reference found, None if there are none;
    mean_pixels: mean distance of the keypoints that both found on the same person, None if there are none;
    people_float, people: how many people the reference and the other network found.
    """

    frames: int
    keypoints: int
    within_pixels: float
    within_torso: float | None
    mean_pixels: float | None
    people_float: int
    people: int

    @property
    def pck(self) -> float:
        """The main value, 0..1: relative to the torso where torsos were found, else within NEAR_PIXELS."""
        return self.within_pixels if self.within_torso is None else self.within_torso


def compare_poses(frames: Iterable[tuple[Sequence[Pose], Sequence[Pose]]]) -> Pck:
    """PCK over frames. frames: for each the poses of the reference and of the other network, in pixels of the input."""
    distances: list[np.ndarray] = []
    torsos: list[np.ndarray] = []
    count = people_float = people = 0
    for truth, found in frames:
        count, people_float, people = count + 1, people_float + len(truth), people + len(found)
        partners = match(truth, found)
        for number, pose in enumerate(truth):
            seen = ~np.isnan(pose.keypoints[:, 0])
            partner = found[partners[number]] if number in partners else None
            distance = np.full(len(pose.keypoints), np.inf) if partner is None else _distances(pose, partner)
            distances.append(distance[seen])
            torsos.append(np.full(int(seen.sum()), torso_length(pose)))
    distance, torso = (np.concatenate([*parts, np.empty(0)]) for parts in (distances, torsos))
    in_both = distance[np.isfinite(distance)]
    of_torso = distance[~np.isnan(torso)] <= NEAR_TORSO * torso[~np.isnan(torso)]
    return Pck(
        count,
        len(distance),
        float((distance <= NEAR_PIXELS).mean()) if len(distance) else 1.0,
        float(of_torso.mean()) if len(of_torso) else None,
        float(in_both.mean()) if len(in_both) else None,
        people_float,
        people,
    )


def match(truth: Sequence[Pose], found: Sequence[Pose]) -> dict[int, int]:
    """Match people: {index in truth: index in found}, each at most once, the nearest pair first.

    The distance of two people is the mean over the keypoints of the first. The distance of a keypoint is at most the
    size of the first person; a missing keypoint counts as that size. Two people without a nearer keypoint are not
    matched.
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
    """Distance from the neck, or the middle of the shoulders, to the middle of the hips in pixels; NaN if unknown."""
    has_neck = "neck" in pose.skeleton.keypoints
    top = _middle(pose, ["neck"] if has_neck else ["right_shoulder", "left_shoulder"])
    return float(np.hypot(*(_middle(pose, ["right_hip", "left_hip"]) - top)))


def _middle(pose: Pose, names: Sequence[str]) -> np.ndarray:
    """The middle of the keypoints that were found, (2,) in pixels; NaN if none was, or there are none of these."""
    points = _named(pose, names)
    found = points[~np.isnan(points[:, 0])]
    return found.mean(axis=0) if len(found) else np.full(2, np.nan, np.float32)


def _distances(pose: Pose, other: Pose) -> np.ndarray:
    """The distance of each keypoint of the first, (K,) in pixels; infinite where one of the two lacks it."""
    between = np.hypot(*(pose.keypoints[:, :2] - _named(other, pose.skeleton.keypoints)).T)
    distances: np.ndarray = np.where(np.isnan(between), np.inf, between)
    return distances


def _named(pose: Pose, names: Sequence[str]) -> np.ndarray:
    """The places of keypoints by their names, (names, 2) in pixels; NaN where the pose or its skeleton lacks one."""
    own = pose.skeleton.keypoints
    if names is own:
        return pose.keypoints[:, :2]
    places = np.full((len(names), 2), np.nan, np.float32)
    for row, name in enumerate(names):
        if name in own:
            places[row] = pose.keypoints[own.index(name), :2]
    return places

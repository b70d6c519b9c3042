"""One person in a frame."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .skeleton import Skeleton


class Keypoint(NamedTuple):
    """x and y in frame pixels, from the top left corner; score 0..1."""

    x: float
    y: float
    score: float


@dataclass(frozen=True)
class Pose:
    """One person.

    keypoints: (K, 3) float32, x and y in frame pixels and the score 0..1, in the order of `skeleton.keypoints`; a
    keypoint that was not found is NaN in all three. score: confidence that this is a person, 0..1. id: the number that
    this person keeps from frame to frame; None before a tracker has given one.
    """

    skeleton: Skeleton
    keypoints: np.ndarray
    score: float
    id: int | None = None

    def __getitem__(self, name: str) -> Keypoint | None:
        """A keypoint by its name, None if it was not found. Raises KeyError where the skeleton has no such keypoint."""
        if name not in self.skeleton.keypoints:
            raise KeyError(
                f"There is no keypoint '{name}'. Those of this skeleton: {', '.join(self.skeleton.keypoints)}."
            )
        x, y, score = map(float, self.keypoints[self.skeleton.index(name)])
        return None if np.isnan(x) else Keypoint(x, y, score)

"""The people that the tracker knows, one row each."""

import numpy as np

from . import motion

SIZE_SETTLES_S = 1.0


class People:
    def __init__(self, keypoints: int) -> None:
        self.points = np.empty((0, keypoints, 2))
        self.velocity = np.empty((0, 2))
        self.covariance = np.empty((0, 3))
        self.size = np.empty(0)
        self.number = np.empty(0, int)
        self.first_s = np.empty(0)
        self.last_s = np.empty(0)
        self.sights = np.empty(0, int)
        self.frames = np.empty(0, int)

    def __len__(self) -> int:
        return len(self.number)

    def predict(self, seconds: float) -> None:
        if seconds > 0 and len(self):
            self.points += self.velocity[:, None] * seconds
            self.covariance = motion.later_uncertainty(self.covariance, seconds)

    def see(self, rows: np.ndarray, points: np.ndarray, sizes: np.ndarray, time_s: float, seconds: float) -> None:
        old = self.points[rows]
        moved = points - old
        shared = moved[..., :1] == moved[..., :1]
        count = shared.sum(1)
        # the median displacement of shared keypoints
        ordered = np.sort(moved, axis=1)  # NaN come last
        k = count[:, :1, None]
        median = (
            np.take_along_axis(ordered, (k - 1) // 2, 1) + np.take_along_axis(ordered, k // 2, 1)
        )[:, 0] / 2
        share, speed_share, after = motion.seen(self.covariance[rows], seconds)
        kept = np.where(np.isnan(points), old + median[:, None], points)
        self.points[rows] = kept - ((1 - share)[:, None] * median)[:, None]
        self.velocity[rows] += speed_share[:, None] * median
        self.covariance[rows] = after
        old_size = self.size[rows]
        weight = np.maximum(1 - np.exp(-seconds / SIZE_SETTLES_S), 1 / (self.sights[rows] + 1))
        ratio = np.where(sizes > 0, sizes / old_size, 1.0)
        self.size[rows] = old_size * ratio**weight
        self.last_s[rows] = time_s
        self.sights[rows] += 1

    def add(self, points: np.ndarray, sizes: np.ndarray, time_s: float) -> None:
        n = len(points)
        self.points = np.concatenate([self.points, points])
        self.velocity = np.concatenate([self.velocity, np.zeros((n, 2))])
        self.covariance = np.concatenate([self.covariance, motion.first_uncertainty(n)])
        self.size = np.concatenate([self.size, sizes])
        self.number = np.concatenate([self.number, np.zeros(n, int)])
        self.first_s = np.concatenate([self.first_s, np.full(n, time_s)])
        self.last_s = np.concatenate([self.last_s, np.full(n, time_s)])
        self.sights = np.concatenate([self.sights, np.ones(n, int)])
        self.frames = np.concatenate([self.frames, np.ones(n, int)])

    def keep(self, rows: np.ndarray) -> None:
        for name, value in vars(self).items():
            setattr(self, name, value[rows])

    def widen(self, more: int) -> None:
        self.points = np.concatenate([self.points, np.full((len(self), more, 2), np.nan)], 1)

"""Gives each person a number that stays the same from frame to frame."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..poses.pose import Pose
from ..poses.skeleton import Skeleton
from . import motion
from .assignment import best_pairs
from .people import People
from .similarity import BodyScale, keypoint_similarity, squared_distances, variances

MEMORY_S = 5.0  # a confirmed person who is away for longer is forgotten
FADE_S = 3.0
REACH = 2.5  # body sizes: a person whose place is more uncertain than this on each axis is not found again
LEAST_ALIKE = 0.08
SIZE_SPREAD = 0.2  # natural logarithm: how much the size of one body varies between poses
CONFIRM_S = 0.2
DUPLICATE = 0.5
WEAK = 0.1
LEAST_KEYPOINTS = 4


class Tracker:
    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._time_s: float | None = None
        self._last_number = 0
        self._people = People(0)
        self._columns: dict[Skeleton, np.ndarray] = {}

    def update(self, poses: Sequence[Pose], time_s: float) -> list[Pose]:
        """The same poses in the same order, each with its person's number (`id`), or None while the person is not confirmed yet."""
        first = self._time_s is None
        passed = 0.0 if self._time_s is None else time_s - self._time_s
        if passed < 0 or passed > MEMORY_S:
            self._people = People(len(self._names))
            first, passed = True, 0.0
        self._time_s = time_s
        points = self._points(poses)
        people = self._people
        people.predict(passed)
        if len(poses):
            sizes = self._scale.sizes(points)
            found = (points[..., 0] == points[..., 0]).sum(1)
        else:
            sizes, found = np.empty(0), np.empty(0, int)
        scores = np.array([pose.score for pose in poses])
        rows, columns = np.empty(0, int), np.empty(0, int)
        if len(people) and len(poses):
            squared = squared_distances(people.points, points, people.size)
            gain = self._gains(people, squared, sizes, time_s)
            rows, columns = self._rounds(gain, scores)
            people.see(rows, points[columns], sizes[columns], time_s, passed)
        people.frames += 1
        taken = np.zeros(len(poses), bool)
        taken[columns] = True
        row_of = np.full(len(poses), -1)
        row_of[columns] = rows
        # new
        new = (~taken & (sizes > 0) & (found >= LEAST_KEYPOINTS) & (scores >= WEAK)).nonzero()[0]
        if len(new):
            row_of[new] = np.arange(len(people), len(people) + len(new))
            people.add(points[new], sizes[new], time_s)
        self._confirm(people, first, time_s)
        numbers = people.number
        result = [
            replace(pose, id=int(numbers[row]) if row >= 0 and numbers[row] > 0 else None)
            for pose, row in zip(poses, row_of.tolist(), strict=True)
        ]
        away = time_s - people.last_s
        keep = np.where(numbers > 0, away <= MEMORY_S, away <= np.maximum(CONFIRM_S, passed * 1.01))
        if not keep.all():
            people.keep(keep)
        return result

    def _gains(self, people: People, squared: np.ndarray, sizes: np.ndarray, time_s: float) -> np.ndarray:
        place = people.covariance[:, 0]
        alike = keypoint_similarity(squared, self._variances + place[:, None, None])
        away = time_s - people.last_s
        with np.errstate(divide="ignore", invalid="ignore"):
            unlike = np.log(sizes[None] / people.size[:, None])
            unlike = np.where(np.isfinite(unlike), unlike, 0.0)
            gain = np.log(alike) - unlike**2 / (2 * SIZE_SPREAD**2)
        gain += (np.log(REACH**2 / (place + 0.02)) - away / FADE_S)[:, None]
        return np.where(alike >= LEAST_ALIKE, gain, 0.0)

    def _rounds(self, gain: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        strong = scores >= WEAK
        rows, columns = best_pairs(np.where(strong[None], gain, 0.0))
        if strong.all():
            return rows, columns
        left = np.where(strong[None], 0.0, gain)
        left[rows] = 0
        more_rows, more_columns = best_pairs(left)
        return np.concatenate([rows, more_rows]), np.concatenate([columns, more_columns])

    def _confirm(self, people: People, first: bool, time_s: float) -> None:
        waiting = people.number == 0
        if not waiting.any():
            return
        ready = waiting & (
            first
            | (
                (people.sights >= 2)
                & (people.last_s == time_s)
                & (people.last_s - people.first_s >= CONFIRM_S - 1e-6)
                & (2 * people.sights >= people.frames)
            )
        )
        sure = ((people.number > 0) & (people.last_s == time_s)).nonzero()[0]
        for row in ready.nonzero()[0].tolist():
            if len(sure):
                s = squared_distances(people.points[row : row + 1], people.points[sure], people.size[row : row + 1])
                if keypoint_similarity(s, self._variances).max() > DUPLICATE:
                    people.first_s[row] = time_s
                    people.sights[row] = people.frames[row] = 1
                    continue
            self._last_number += 1
            people.number[row] = self._last_number
            sure = np.append(sure, row)

    def _points(self, poses: Sequence[Pose]) -> np.ndarray:
        """The places of the keypoints in pixels, (N, K, 2), by name: skeletons may differ."""
        for pose in poses:
            if pose.skeleton not in self._columns:
                self._learn(pose.skeleton)
        points = np.full((len(poses), len(self._names), 2), np.nan)
        for row, pose in enumerate(poses):
            points[row, self._columns[pose.skeleton]] = pose.keypoints[:, :2]
        return points

    def _learn(self, skeleton: Skeleton) -> None:
        more = [name for name in skeleton.keypoints if name not in self._names]
        self._names = (*self._names, *more)
        self._columns[skeleton] = np.array([self._names.index(name) for name in skeleton.keypoints], int)
        self._scale = BodyScale(self._names)
        self._variances = variances(self._names)
        self._people.widen(len(more))

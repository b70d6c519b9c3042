"""Gives each person a number that stays the same from frame to frame.

Every frame, people are predicted and compared with the poses, and the assignment with the largest sum of evidence
is taken. Evidence is the logarithm of how much better a pose fits a known person than somebody new:

- the similarity of keypoints, OKS, whose tolerance grows with the uncertainty of the prediction;
- a reward for a sure prediction: a pose that fits a person who was just seen is not given to one lost long ago;
- the ratio of body sizes;
- the time in which the person was looked for and not found.

When few people are where they should be, `camera` sees if the whole picture moved.

Taken from published methods: OKS between frames, from Xiao et al., "Simple Baselines for Human Pose Estimation and
Tracking", 2018; weak poses that continue people and start none, from Zhang et al., "ByteTrack", 2022, but in one
assignment with the others instead of a second; prediction and optimal assignment, from Bewley et al., "SORT", 2016;
the trust in what was seen over what was predicted, after a gap, from Cao et al., "Observation-Centric SORT", 2023; a
pose that fits two people moves neither much, as in joint probabilistic data association (Fortmann et al., 1983).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..poses.pose import Pose
from ..poses.skeleton import Skeleton
from .assignment import best_pairs
from .camera import picture_shift
from .people import People
from .similarity import BodyScale, keypoint_similarity, squared_distances, variances

MEMORY_S = 5.0  # who was not seen for longer is forgotten
FADE_S = 3.0  # a person looked for in vain for so long is e times less likely to come back
REACH = 3.0  # body sizes: when a place is less certain than this (a standard deviation), a pose there proves nothing
LEAST_ALIKE = 0.02  # OKS: less is no similarity, whatever else speaks for it
ENOUGH_ALIKE = 0.5  # OKS: when people are as alike as this on average, the camera stands still
SIZE_SPREAD = 0.15  # the standard deviation of the logarithm of one person's sizes: about 15 %

CONFIRM_S = 0.2  # a person is confirmed when seen for so long
WEAK = 0.13  # a pose with a smaller score may continue a person and starts none
WEAK_COST = 1.0  # such a pose is e times less likely to be a person
LEAST_KEYPOINTS = 4  # so many keypoints start a person
SAME_BODY = 0.5  # OKS: as alike as this, two poses of one frame lie on one body

CLOCK_S = 1e-6  # times that differ by less are equal


class Tracker:
    """Numbers start at 1, are never given again, and rise in the order in which people are confirmed.

    A person is confirmed at the second sight or later, once CONFIRM_S have passed since the first, if seen in at least
    half of the frames since. So at 5 FPS and below the second sight confirms, and a ghost of one frame gets no number.
    Who is there in the very first frame is confirmed at once, because a picture may be all there is. A pose that lies
    on a confirmed person's body waits. A skeleton needs a pair of `similarity.USUAL_LENGTHS`; without, the
    size of its bodies is not known, and nobody gets a number.

    All people are forgotten when time goes back, when it jumps ahead by more than MEMORY_S, and at a cut of the scene.
    """

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._columns: dict[Skeleton, np.ndarray] = {}
        self._variances = variances(())
        self._scale = BodyScale(())
        self._people = People.nobody(0)
        self._time_s: float | None = None
        self._numbers = 0

    def update(self, poses: Sequence[Pose], time_s: float) -> list[Pose]:
        """The same poses in the same order, each with its person's number (`id`).

        time_s: when the frame was taken, in seconds. The `id` is None while the person is not confirmed yet, and where
        the pose is too weak or has too few keypoints to be a new person.
        """
        passed = 0.0 if self._time_s is None else time_s - self._time_s
        is_first = self._time_s is None or passed < 0 or passed > MEMORY_S
        self._time_s = time_s
        points = self._points(poses)
        sizes = self._scale.sizes(points)
        scores = np.array([pose.score for pose in poses])
        if is_first:
            self._people = People.nobody(len(self._names))
        people = self._people
        people.predict(passed)
        alike = self._alike(points)
        if self._follow_camera(alike, points, passed):
            alike = self._alike(points)
        evidence = self._evidence(alike, sizes, passed) - WEAK_COST * (scores < WEAK)
        rows, columns = best_pairs(evidence)
        if len(rows) == 0 and self._is_cut(len(poses), passed):
            people.keep(np.zeros(len(people), bool))
        people.see(rows, points[columns], sizes[columns], belief(evidence)[rows, columns], time_s, passed)
        row_of = np.full(len(poses), -1)
        row_of[columns] = rows
        new = (row_of < 0) & ~np.isnan(sizes) & (scores >= WEAK) & (keypoint_counts(points) >= LEAST_KEYPOINTS)
        row_of[new] = len(people) + np.arange(np.count_nonzero(new))
        if new.any():
            people.add(People.seen_first(points[new], sizes[new], time_s))
        self._confirm(is_first)
        numbers = np.append(people.number, 0)[row_of].tolist()
        self._forget(passed)
        return [replace(pose, id=number or None) for pose, number in zip(poses, numbers, strict=True)]

    def _alike(self, points: np.ndarray) -> np.ndarray:
        """The similarity of people and poses, (P, N), 0..1; it tolerates what is uncertain about where people are."""
        people = self._people
        if len(people) == 0 or len(points) == 0:
            return np.zeros((len(people), len(points)))
        squared = squared_distances(people.points, points, people.size)
        return keypoint_similarity(squared, self._variances + people.covariance[:, :1, None])

    def _evidence(self, alike: np.ndarray, sizes: np.ndarray, passed: float) -> np.ndarray:
        """How much better each pose fits each person than somebody new, (P, N), natural logarithm; 0: not at all."""
        if alike.size == 0:
            return alike
        people = self._people
        growth = np.log(sizes / people.size[:, None])  # NaN where the size of the pose is not known
        unlike_size = np.where(np.isnan(growth), 0.0, growth / SIZE_SPREAD) ** 2 / 2
        vain_s = np.maximum(self._now() - people.last_s - passed, 0.0)
        certain = 2 * np.log(REACH) - np.log(people.covariance[:, 0] + self._variances.mean())
        evidence = np.log(np.maximum(alike, LEAST_ALIKE)) - unlike_size + (certain - vain_s / FADE_S)[:, None]
        return np.where(alike >= LEAST_ALIKE, evidence, 0.0)

    def _were_here(self, passed: float) -> np.ndarray:
        """The confirmed people who were seen in the last frame, (P,) bool."""
        people = self._people
        return (people.number > 0) & (people.last_s >= self._now() - passed - CLOCK_S)

    def _follow_camera(self, alike: np.ndarray, points: np.ndarray, passed: float) -> bool:
        """If few are where they should be, see if the camera turned, and shift everybody. True if it did."""
        people, asked = self._people, self._were_here(passed)
        if alike.size == 0 or alike[asked].max(1).sum() >= ENOUGH_ALIKE * np.count_nonzero(asked):
            return False
        variance = people.covariance[asked, 0] + self._variances.mean()
        shift = picture_shift(people.points[asked], points, people.size[asked], variance)
        people.points += shift
        return bool(shift.any())

    def _is_cut(self, poses: int, passed: float) -> bool:
        """Ask if nobody was found again. True if several people were in the last frame and several are in this one."""
        return poses > 1 and int(np.count_nonzero(self._were_here(passed))) > 1

    def _confirm(self, is_first: bool) -> None:
        """Give numbers to those who have been seen enough."""
        people, now = self._people, self._now()
        is_here = people.last_s == now
        waits = is_here & (people.number == 0)
        if not is_first:
            waits &= (people.sights > 1) & (now - people.first_s >= CONFIRM_S - CLOCK_S)
            waits &= 2 * people.sights >= people.frames
        for row in waits.nonzero()[0].tolist():
            sure = is_here & (people.number > 0)
            squared = squared_distances(people.points[[row]], people.points[sure], people.size[[row]])
            if (keypoint_similarity(squared, self._variances) > SAME_BODY).any():
                people.first_s[row], people.sights[row], people.frames[row] = now, 1, 1  # starts anew
            else:
                self._numbers += 1
                people.number[row] = self._numbers

    def _forget(self, passed: float) -> None:
        """Forget who has been away for long; who is not confirmed, already after CONFIRM_S or a frame."""
        people = self._people
        patience_s = np.where(people.number > 0, MEMORY_S, max(CONFIRM_S, passed)) + CLOCK_S
        stays = self._now() - people.last_s <= patience_s
        if not stays.all():
            people.keep(stays)

    def _now(self) -> float:
        assert self._time_s is not None
        return self._time_s

    def _points(self, poses: Sequence[Pose]) -> np.ndarray:
        """The places of the keypoints in pixels, (N, K, 2), in the tracker's order of names: skeletons may differ."""
        skeletons = {id(pose.skeleton): pose.skeleton for pose in poses}
        for skeleton in skeletons.values():
            if skeleton not in self._columns:
                self._learn(skeleton)
        points = np.full((len(poses), len(self._names), 2), np.nan)
        for skeleton in skeletons.values():
            rows = [row for row, pose in enumerate(poses) if pose.skeleton is skeleton]
            keypoints = np.array([poses[row].keypoints for row in rows])
            points[np.array(rows)[:, None], self._columns[skeleton]] = keypoints[..., :2]
        return points

    def _learn(self, skeleton: Skeleton) -> None:
        """A skeleton that comes for the first time may have keypoints of other names."""
        more = [name for name in skeleton.keypoints if name not in self._names]
        self._names = (*self._names, *more)
        self._columns[skeleton] = np.array([self._names.index(name) for name in skeleton.keypoints], int)
        self._scale = BodyScale(self._names)
        self._variances = variances(self._names)
        self._people.widen(len(more))


def keypoint_counts(points: np.ndarray) -> np.ndarray:
    """How many keypoints of each pose were found, (N,); points: (N, K, 2)."""
    counts: np.ndarray = np.count_nonzero(points[..., 0] == points[..., 0], axis=1)
    return counts


def belief(evidence: np.ndarray) -> np.ndarray:
    """How probable it is that a pose is this person's, not another's nor somebody's who is new, (P, N)."""
    likely = np.where(evidence > 0, np.exp(evidence), 0.0)
    result: np.ndarray = likely / (1 + likely.sum(0))
    return result

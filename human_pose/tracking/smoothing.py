"""Poses for display: keypoints that do not tremble, people that do not flicker."""

import math
from collections.abc import Sequence

import numpy as np

from ..poses.pose import Pose
from ..poses.skeleton import Skeleton

# A body size is the diagonal of the box around a person's keypoints, about three times the torso of a whole body.
# `python -m benchmarks.smoothing` measures what these values do; benchmarks/README.md says how they were chosen.
MIN_CUTOFF_HZ = 0.7  # of a keypoint at rest: lower is calmer
OWN_GAIN = 6.0  # Hz for each body size a second of the keypoint's own speed: higher follows a wrist more closely
COMMON_GAIN = 9.0  # Hz for each body size a second of the median of a person's keypoints, which has less noise
SPEED_CUTOFF_HZ = 2.0  # of the velocities
NOISE_SPEED = 0.2  # body sizes a second: the speed of mere noise, so slower ones count little
SIZE_S = 0.5  # time constant of the body size

HOLD_S = 0.2  # what was not found is shown for less than this time
LONGEST_STEP_S = 0.5  # a longer step is a new scene

# Within a time t, a keypoint can move this far; farther is a wrong place or a wrong person. In body sizes.
NOISE_WAY = 0.1
FASTEST = 5.0  # body sizes a second, about 9 m/s
SMALLEST_SIZE = 20.0  # pixels; a network finds no smaller body, but may find two of its keypoints only

_TOLERANCE_S = 1e-6  # times are sums of frames' durations

# What the memory has of a keypoint, in its first axis: float64, NaN if it is not known.
_AT = slice(0, 2)  # its smoothed place, in pixels
_FOUND_AT = slice(2, 4)  # the place where the network found it last, in pixels
_VELOCITY = slice(4, 6)  # smoothed, in body sizes a second
_DOUBTED_AT = slice(6, 8)  # the place, too far away to be believed, where the network found it in the last frame
_SCORE = 8
_FOUND_S = 9  # the time at which it was found last
_VALUES = 10


class Smoother:
    """Calms the keypoints of people that a tracker has numbered. Made for display: its places lag behind a little.

    Each keypoint passes a One Euro filter: Casiez, Roussel, Vogel, "1 Euro Filter: A Simple Speed-based Low-pass Filter
    for Noisy Input in Interactive Systems", CHI 2012. It is a low-pass filter whose cutoff frequency grows with the
    speed: who stands still does not tremble, who moves fast is followed closely. It differs from the paper's in four
    ways. Speeds are in body sizes a second, so that near and far people are calmed alike. x and y share a speed, so
    that the direction does not matter. The speed comes from what was found in two frames, never from a smoothed place,
    so that it does not depend on the frame rate. Noise alone has a speed too: small speeds count less than in
    proportion, and the common speed of all keypoints of a person, which has little noise, counts more.

    A keypoint that was not found moves along with the person and fades; so does one that was found farther away than
    it can have moved. If the next frame finds it there again, it starts afresh there: nothing is dragged through the
    picture, and a wrong place of one frame is not shown. Whoever was not found at all stays in place and fades.
    """

    def __init__(self) -> None:
        self._skeleton: Skeleton | None = None
        self._time_s = math.nan
        self._rows: dict[int, int] = {}  # of each number in the following lists and arrays
        self._poses: list[Pose] = []  # as found last
        self._found_s: list[float] = []
        # The last row of the arrays is that of a person who is new: nothing is known.
        self._sizes = np.full(1, np.nan)  # body sizes in pixels
        self._memory = np.full((_VALUES, 1, 0), np.nan)

    def smooth(self, poses: Sequence[Pose], time_s: float) -> list[Pose]:
        """The people to show: those with a number, their keypoints calmed, then those who were found until just now.

        poses: of one frame; those without a number are left out. time_s: the frame's time in s. After a step of more
        than 0.5 s, and when time stands still or goes back, everyone starts afresh; so they do with another skeleton.
        The poses are new, the given ones do not change. A score falls to 0 within 0.2 s after a keypoint, or a person,
        was found last; after that the keypoint is NaN, and the person is left out.
        """
        found = [(pose.id, pose) for pose in poses if pose.id is not None]
        skeleton = found[0][1].skeleton if found else self._skeleton
        step_s = time_s - self._time_s
        if not 0 < step_s <= LONGEST_STEP_S or skeleton != self._skeleton:
            self._forget(skeleton)
            step_s = 0.0  # with nothing in the memory, any step does
        self._time_s = time_s

        rows = [self._rows.get(number, -1) for number, _ in found]
        numbers = {number for number, _ in found}
        held = [
            (number, row)
            for number, row in self._rows.items()
            if number not in numbers and time_s - self._found_s[row] < HOLD_S - _TOLERANCE_S
        ]
        measured = np.full((len(found) + len(held), self._memory.shape[2], 3), np.nan)
        for row, (_, pose) in enumerate(found):
            measured[row] = pose.keypoints
        self._update(measured, [*rows, *(row for _, row in held)], step_s)

        self._poses = [pose for _, pose in found] + [self._poses[row] for _, row in held]
        self._found_s = [time_s] * len(found) + [self._found_s[row] for _, row in held]
        self._rows = {number: row for row, (number, _) in enumerate([*found, *held])}
        return self._shown()

    def strengths(self) -> dict[int, np.ndarray]:
        """How fresh the keypoints are of people who were shown last, (K,): 1 if just found, falling to 0 while held.

        Only of people of whom something is held.
        """
        left = 1 - (self._time_s - self._memory[_FOUND_S, :-1]) / HOLD_S
        held = np.any(left < 1, axis=1)
        return {number: np.nan_to_num(left[row]) for number, row in self._rows.items() if held[row]}

    def _forget(self, skeleton: Skeleton | None) -> None:
        self._skeleton = skeleton
        self._rows, self._poses, self._found_s = {}, [], []
        self._sizes = np.full(1, np.nan)
        self._memory = np.full((_VALUES, 1, len(skeleton.keypoints) if skeleton else 0), np.nan)

    def _update(self, measured: np.ndarray, rows: list[int], step_s: float) -> None:
        """Take the keypoints of a frame into the memory, and reorder it.

        measured: (N, K, 3) x, y and score, NaN where not found. rows: the row that each person has had, -1 for a new
        one. Inside, places are (2, N, K).
        """
        people = len(rows)
        memory = self._memory.take(np.array(rows, int), axis=1)
        place, score = np.ascontiguousarray(measured[:, :, :2].transpose(2, 0, 1)), measured[:, :, 2]
        is_found = ~np.isnan(score)
        sizes = _body_sizes(self._sizes[rows], place, step_s) if people else np.empty(0)
        size = sizes[:, None]

        # At few frames a second, one frame is longer than a hold, but no gap.
        longest_s = np.where(is_found, max(HOLD_S, step_s) + _TOLERANCE_S, HOLD_S - _TOLERANCE_S)
        memory[:, self._time_s - memory[_FOUND_S] > longest_s] = np.nan
        at, found_at, elapsed_s = memory[_AT], memory[_FOUND_AT], self._time_s - memory[_FOUND_S]

        way = (place - found_at) / size
        farthest = NOISE_WAY + FASTEST * elapsed_s
        is_far = _length(way) > farthest
        is_there_again = _length(place - memory[_DOUBTED_AT]) <= farthest * size
        is_doubted = is_far & ~is_there_again
        is_taken = is_found & ~is_doubted
        goes_on = is_taken & ~is_far & ~np.isnan(elapsed_s)

        velocity = memory[_VELOCITY]
        velocity = velocity + _weight(SPEED_CUTOFF_HZ, elapsed_s) * (way / elapsed_s - velocity)
        common = _median(np.where(goes_on, velocity, np.nan))
        cutoff_hz = MIN_CUTOFF_HZ + OWN_GAIN * _beyond_noise(velocity) + COMMON_GAIN * _beyond_noise(common)
        calmed = at + _weight(cutoff_hz, elapsed_s) * (place - at)

        new = np.full((_VALUES, people + 1, memory.shape[2]), np.nan)
        after = new[:, :people]
        after[_AT] = np.where(goes_on, calmed, np.where(is_taken, place, at + common * size * step_s))
        after[_FOUND_AT] = np.where(is_taken, place, found_at)
        after[_VELOCITY] = np.where(goes_on, velocity, np.where(is_taken, 0.0, memory[_VELOCITY]))
        after[_DOUBTED_AT] = np.where(is_doubted, place, np.nan)
        after[_SCORE] = np.where(is_taken, score, memory[_SCORE])
        after[_FOUND_S] = np.where(is_taken, self._time_s, memory[_FOUND_S])
        self._memory, self._sizes = new, np.append(sizes, np.nan)

    def _shown(self) -> list[Pose]:
        memory = self._memory[:, :-1]
        keypoints = np.empty((*memory.shape[1:], 3), np.float32)
        keypoints[:, :, :2] = memory[_AT].transpose(1, 2, 0)
        keypoints[:, :, 2] = memory[_SCORE] * (1 - (self._time_s - memory[_FOUND_S]) / HOLD_S)
        fades = [1 - (self._time_s - found_s) / HOLD_S for found_s in self._found_s]
        return [
            Pose(pose.skeleton, of_person, pose.score * fade, pose.id)
            for pose, of_person, fade in zip(self._poses, keypoints, fades, strict=True)
        ]


def _body_sizes(before: np.ndarray, places: np.ndarray, step_s: float) -> np.ndarray:
    """The size of each person in pixels, (N,): what it was, NaN if unknown, moved slowly towards what is found now.

    places: (2, N, K) in pixels.
    """
    now = _length(np.fmax.reduce(places, axis=2) - np.fmin.reduce(places, axis=2))
    sizes = before + step_s / (SIZE_S + step_s) * (now - before)
    sizes = np.where(np.isnan(before), now, np.where(np.isnan(now), before, sizes))
    return np.fmax(sizes, SMALLEST_SIZE)


def _length(vectors: np.ndarray) -> np.ndarray:
    """(2, ...) -> (...)"""
    lengths: np.ndarray = np.hypot(vectors[0], vectors[1])
    return lengths


def _beyond_noise(velocity: np.ndarray) -> np.ndarray:
    """The speed, (2, ...) -> (...): nearly v for a high speed v, v^2 / NOISE_SPEED for mere noise, 0 for NaN."""
    speed = np.fmax(_length(velocity), 0)
    beyond: np.ndarray = speed * speed / (speed + NOISE_SPEED)
    return beyond


def _weight(cutoff_hz: float | np.ndarray, elapsed_s: np.ndarray) -> np.ndarray:
    """The weight of a new value in a low-pass filter of first order, 0..1, for the time since the last value."""
    angle = 2 * math.pi * cutoff_hz * elapsed_s
    return angle / (1 + angle)


def _median(vectors: np.ndarray) -> np.ndarray:
    """The median over the keypoints that are not NaN, (2, N, K) -> (2, N, 1); 0 if all are. np.nanmedian is slow."""
    if not vectors.shape[2]:
        return np.zeros((*vectors.shape[:2], 1))
    ordered = np.sort(vectors, axis=2)  # NaN comes last
    count = np.count_nonzero(~np.isnan(vectors[0]), axis=1)
    person = np.arange(len(count))
    medians = (ordered[:, person, np.maximum(count - 1, 0) // 2] + ordered[:, person, count // 2]) / 2
    return np.where(count > 0, medians, 0)[:, :, None]

"""The decoder in plain loops: one cell, one pair of keypoints and one limb after the other.

`openpose` does the same in a few array operations. Tests and benchmarks check that both give the same poses.
"""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..poses.pose import Pose
from .openpose import (
    DEFAULT_MIN_KEYPOINTS,
    DEFAULT_THRESHOLD,
    MIN_FIELD,
    MIN_LIMB_MEAN,
    MIN_SUPPORT,
    SAMPLES_PER_LIMB,
)
from .openpose_fields import KEYPOINTS, LIMBS, SKELETON, FieldLimb
from .peaks import MAX_LOGGED, MIN_LOGGED

HALF: np.float32 = np.float32(0.5)
NONE: np.float32 = np.float32(0)


class Peak(NamedTuple):
    """A keypoint: x and y in cells, and its score; each a float32."""

    x: np.float32
    y: np.float32
    score: np.float32


class Connection(NamedTuple):
    """A limb: the indices of the two peaks that it joins, and its score."""

    start: int
    end: int
    score: float


@dataclass
class Person:
    """A person. peaks: {keypoint index: index of the peak}; score: the sum over the limbs.

    size: a lower bound of the torso's length in cells, from the limb that is longest for its kind; 0: unknown.
    """

    peaks: dict[int, int] = field(default_factory=dict)
    score: float = 0.0
    size: float = 0.0


def decode(
    heatmaps: np.ndarray,
    pafs: np.ndarray,
    pixels_per_cell: tuple[float, float],
    threshold: float = DEFAULT_THRESHOLD,
    min_keypoints: int = DEFAULT_MIN_KEYPOINTS,
) -> list[Pose]:
    """As openpose.decode."""
    peaks = [find_peaks(heatmap, threshold) for heatmap in heatmaps[: len(KEYPOINTS)]]
    connections = [find_connections(peaks[limb.start_id], peaks[limb.end_id], pafs[list(limb.paf)]) for limb in LIMBS]
    people = [
        person
        for person in group_people(connections, peaks)
        if len(person.peaks) >= min_keypoints and person.score / (len(person.peaks) - 1) >= MIN_LIMB_MEAN
    ]
    people.sort(key=lambda person: person.score, reverse=True)
    poses = []
    for person in people:
        keypoints = np.full((len(KEYPOINTS), 3), np.nan, np.float32)
        for part, number in person.peaks.items():
            x, y, score = peaks[part][number]
            keypoints[part, 0] = (x + HALF) * np.float32(pixels_per_cell[0])
            keypoints[part, 1] = (y + HALF) * np.float32(pixels_per_cell[1])
            keypoints[part, 2] = score
        poses.append(Pose(SKELETON, keypoints, person.score / len(LIMBS)))
    return poses


def find_peaks(heatmap: np.ndarray, threshold: float) -> list[Peak]:
    """The cells of (h, w) that reach the threshold and that no neighbour exceeds; of equal neighbours the last."""
    height, width = heatmap.shape
    peaks = []
    for row, column in np.argwhere(heatmap >= threshold).tolist():
        score = heatmap[row, column]
        is_peak = True
        for y in range(max(0, row - 1), min(height, row + 2)):
            for x in range(max(0, column - 1), min(width, column + 2)):
                comes_later = (y, x) > (row, column)
                if heatmap[y, x] > score or (comes_later and heatmap[y, x] == score):
                    is_peak = False
        if is_peak:
            x = np.float32(column + offset(heatmap[row], column))
            y = np.float32(row + offset(heatmap[:, column], row))
            peaks.append(Peak(x, y, min(score, np.float32(1))))
    return peaks


def offset(line: np.ndarray, peak: int) -> np.float32:
    """The top of the parabola through the logarithms of three cells, in cells from the peak's centre."""
    last = len(line) - 1
    if last < 2 and peak in (0, last):
        return NONE
    logarithm = np.log(np.clip(line, MIN_LOGGED, MAX_LOGGED))
    here = logarithm[peak]
    if peak == 0:
        before, after = 3 * here - 3 * logarithm[1] + logarithm[2], logarithm[1]
    elif peak == last:
        before, after = logarithm[last - 1], 3 * here - 3 * logarithm[last - 1] + logarithm[last - 2]
    else:
        before, after = logarithm[peak - 1], logarithm[peak + 1]
    curvature = 2 * here - before - after
    if curvature <= 0:
        return NONE
    clipped: np.float32 = np.clip(HALF * (after - before) / curvature, np.float32(-0.5), HALF)
    return clipped


def find_connections(starts: list[Peak], ends: list[Peak], paf: np.ndarray) -> list[Connection]:
    """The pairs that the limb's field (2, h, w) supports, the highest score first; each peak at most once."""
    scored = []
    for number, start in enumerate(starts):
        for other_number, end in enumerate(ends):
            score = score_limb(start, end, paf)
            if score is not None:
                scored.append((-score, number, other_number))
    connections: list[Connection] = []
    for negative_score, number, other_number in sorted(scored):
        if all(number != taken.start and other_number != taken.end for taken in connections):
            connections.append(Connection(number, other_number, float(-negative_score)))
    return connections


def score_limb(start: Peak, end: Peak, paf: np.ndarray) -> np.float32 | None:
    """The mean projection of the field on the line, times the ends' geometric mean score; None if not a limb."""
    _, height, width = paf.shape
    from_x, from_y = inside(start.x, width), inside(start.y, height)
    way_x, way_y = inside(end.x, width) - from_x, inside(end.y, height) - from_y
    length = np.sqrt(way_x * way_x + way_y * way_y)

    def projection(step: np.float32) -> np.float32:
        """Projection of the field in the cell nearest to that point of the line, times the length."""
        column = int(from_x + HALF + way_x * step)
        row = int(from_y + HALF + way_y * step)
        projected: np.float32 = paf[0, row, column] * way_x + paf[1, row, column] * way_y
        return projected

    if not projection(HALF) > MIN_FIELD * length:
        return None
    total, support = np.float32(0), 0
    for step in np.linspace(0, 1, SAMPLES_PER_LIMB, dtype=np.float32):
        sample = projection(step)
        total += sample
        support += bool(sample > MIN_FIELD * length)
    score = total / (SAMPLES_PER_LIMB * length) * np.sqrt(start.score * end.score)
    return score if support >= MIN_SUPPORT and score > 0 else None


def inside(place: np.float32, cells: int) -> np.float32:
    """Limit a position to the cells' centres: a peak may be half a cell outside, where there is no field."""
    return min(max(place, np.float32(0)), np.float32(cells - 1))


def group_people(connections: list[list[Connection]], peaks: list[list[Peak]]) -> list[Person]:
    """Group limbs that share a keypoint into people.

    connections: for each of LIMBS the limbs found; peaks: for each keypoint the peaks found.
    """
    people: list[Person] = []
    for limb, found in zip(LIMBS, connections, strict=True):
        for connection in found:
            add_limb(people, limb, connection, peaks)
    return people


def add_limb(people: list[Person], limb: FieldLimb, connection: Connection, peaks: list[list[Peak]]) -> None:
    """Add a limb to the person who owns one of its ends, join the two who own one end each, or start a new person.

    A person gets no second keypoint of a kind, because limbs with higher scores come first, and no limb that is too
    long.
    """
    ends = {limb.start_id: connection.start, limb.end_id: connection.end}
    owners = [person for person in people if any(person.peaks.get(part) == peak for part, peak in ends.items())]
    if not owners and not limb.founds_person:
        return
    parts = [*(owner.peaks for owner in owners), ends]
    joined = {part: peak for peaks_of_part in parts for part, peak in peaks_of_part.items()}
    if any(joined[part] != peak for peaks_of_part in parts for part, peak in peaks_of_part.items()):
        return
    size = max([owner.size for owner in owners], default=0)
    is_larger = all(joined != owner.peaks for owner in owners)
    if is_larger and has_too_long_limb(joined, size, peaks):
        return
    if limb.length is not None:
        size = max(size, length(limb, joined, peaks) / limb.length)
    score = connection.score
    for owner in reversed(owners):
        score += owner.score
    if owners:
        owners[0].peaks, owners[0].score, owners[0].size = joined, score, size
        people[:] = [person for person in people if all(person is not other for other in owners[1:])]
    else:
        people.append(Person(joined, score, size))


def has_too_long_limb(person: dict[int, int], size: float, peaks: list[list[Peak]]) -> bool:
    """Whether two of the keypoints make a limb that is too long for a torso of that size; 0: size unknown."""
    return size > 0 and any(
        length(limb, person, peaks) > limb.longest * size
        for limb in LIMBS
        if limb.start_id in person and limb.end_id in person
    )


def length(limb: FieldLimb, person: dict[int, int], peaks: list[list[Peak]]) -> float:
    """The length of a person's limb in cells."""
    start, end = (peaks[part][person[part]] for part in (limb.start_id, limb.end_id))
    return math.dist((float(start.x), float(start.y)), (float(end.x), float(end.y)))

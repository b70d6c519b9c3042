"""Heatmaps and part affinity fields -> the poses of all people in the frame.

After Cao et al., "Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields", arXiv 1611.08050: keypoints are
the peaks of the heatmaps; a limb is a pair of keypoints along whose connecting line the limb's field points from the
first to the second; limbs that share a keypoint make a person.

All keypoints, and all pairs that could be a limb, are looked at in one batch of arrays each. `tests/clear_decode.py`
says the same in plain words, one keypoint and one limb after the other; both give the same bits.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .skeleton import KEYPOINTS, LIMBS

DEFAULT_THRESHOLD = 0.05  # least score of a keypoint
DEFAULT_LEAST_KEYPOINTS = 5  # of a person; fewer make a fragment
SAMPLES_PER_LIMB = 10  # points of the line between two keypoints at which the field is looked up
LEAST_FIELD = 0.02  # a sample whose projection on the line is not above this does not support the limb
LEAST_SUPPORT = 8  # samples that must support a limb
LEAST_LIMB_MEAN = 0.05  # of a person; what is found in stones and leaves has less, people nearly always more
LEAST_LOGGED, MOST_LOGGED = 1e-3, 1e3  # what heatmaps are kept between before their logarithm is taken

_PARTS = range(len(KEYPOINTS))
_STARTS, _ENDS = [limb.start_id for limb in LIMBS], [limb.end_id for limb in LIMBS]
_LIMB_STARTS, _LIMB_ENDS = np.array(_STARTS), np.array(_ENDS)
_LIMB_IDS = np.arange(len(LIMBS))
_LIMB_FIELDS = np.array([limb.paf[0] for limb in LIMBS])  # the channel of x; that of y follows it
_STEPS = np.linspace(0, 1, SAMPLES_PER_LIMB, dtype=np.float32)[:, None]
_MIDDLE = np.full((1, 1), 0.5, np.float32)


@dataclass(frozen=True)
class Pose:
    """One person.

    keypoints: (18, 3) float32, x and y in frame pixels and the score 0..1, in the order of `skeleton.KEYPOINTS`;
    a keypoint that was not found is NaN in all three. score: the sum of the limbs' scores over their number, 0..1: how
    much of a person was seen, and how surely.
    """

    keypoints: np.ndarray
    score: float


class Peaks(NamedTuple):
    """The peaks of all heatmaps, keypoint by keypoint, each row by row.

    points: (2, n) float32, x and y in cells, with fractions; scores: (n,) float32; counts: (parts,) int, how many each
    map has.
    """

    points: np.ndarray
    scores: np.ndarray
    counts: np.ndarray


class Connection(NamedTuple):
    """A limb that was seen: which of `skeleton.LIMBS`, which two peaks it joins, and how surely, 0..1."""

    limb: int
    start: int
    end: int
    score: float


def decode(
    heatmaps: np.ndarray,
    pafs: np.ndarray,
    pixels_per_cell: tuple[float, float],
    threshold: float = DEFAULT_THRESHOLD,
    least_keypoints: int = DEFAULT_LEAST_KEYPOINTS,
) -> list[Pose]:
    """Find everybody's pose.

    heatmaps: (19, h, w) float32; pafs: (38, h, w) float32; pixels_per_cell: frame pixels that one cell of the maps
    spans in x and in y; threshold: least score of a keypoint, 0..1; least_keypoints: fewer are no person. Returns the
    poses, the surest first.
    """
    peaks = find_peaks(heatmaps[: len(KEYPOINTS)], threshold)
    people = group_people(find_connections(peaks, pafs), len(peaks.scores))
    return _poses([person for person in people if person.is_likely(least_keypoints)], peaks, pixels_per_cell)


def find_peaks(heatmaps: np.ndarray, threshold: float) -> Peaks:
    """Local maxima of (parts, h, w) float32.

    A cell is a peak if it reaches the threshold and none of its eight neighbours is higher. Of equal neighbours the
    last in reading order is the peak, so that a plateau of two cells is one keypoint.
    """
    parts, height, width = heatmaps.shape
    # All maps in a row, a cell of nothing around each: every neighbour is a fixed number of places away.
    row_cells = width + 2
    padded = np.full((parts, height + 2, row_cells), -np.inf, np.float32)
    padded[:, 1:-1, 1:-1] = heatmaps
    cells = padded.reshape(-1)
    at = (cells >= threshold).nonzero()[0]
    # Left and right, above and below, then across the corners: each time fewer are left to look at.
    scores = cells.take(at)
    at = at[(scores >= cells.take(at - 1)) & (scores > cells.take(at + 1))]
    scores = cells.take(at)
    at = at[(scores >= cells.take(at - row_cells)) & (scores > cells.take(at + row_cells))]
    scores = cells.take(at)
    above = np.maximum(cells.take(at - row_cells - 1), cells.take(at - row_cells + 1))
    below = np.maximum(cells.take(at + row_cells - 1), cells.take(at + row_cells + 1))
    at = at[(scores >= above) & (scores > below)]
    row_of_all, column = np.divmod(at, row_cells)
    part, row = np.divmod(row_of_all, height + 2)
    number = np.empty((2, len(at)), np.intp)
    number[0], number[1] = column - 1, row - 1
    points = (number + _offsets(cells, at, number, heatmaps.shape)).astype(np.float32)
    return Peaks(points, np.minimum(cells.take(at), 1), np.bincount(part, minlength=parts))


def _offsets(cells: np.ndarray, at: np.ndarray, number: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Where the top of each peak is, (2, n) float32, x and y in cells from the peak's own, -0.5..0.5.

    It is the top of the parabola through the logarithms of three cells, exact for a Gaussian. cells: the padded maps;
    at: the peaks' places in them; number: (2, n) their columns and rows; shape: of the maps. At a map's border the
    three cells are the peak's and the two next to it: their parabola goes on beyond the border.
    """
    _, height, width = shape
    step = np.array([[1], [width + 2]])
    before, peak, after = _logarithms(cells.take(at + step * [[[-1]], [[0]], [[1]]]))
    last = np.array([[width - 1], [height - 1]])
    at_border = (number == 0) | (number == last)
    if np.count_nonzero(at_border):
        axis, index = np.nonzero(at_border & (last >= 2))
        is_first = number[axis, index] == 0
        inward = np.where(is_first, step[axis, 0], -step[axis, 0])
        edge = peak[axis, index]
        one, two = _logarithms(cells[at[index] + inward * [[1], [2]]])
        beyond = 3 * edge - 3 * one + two
        before[axis, index] = np.where(is_first, beyond, before[axis, index])
        after[axis, index] = np.where(is_first, after[axis, index], beyond)
        too_narrow = at_border & (last < 2)
        before[too_narrow] = after[too_narrow] = peak[too_narrow]
    curvature = 2 * peak - before - after
    curvature[curvature <= 0] = np.inf
    offsets = np.float32(0.5) * (after - before) / curvature
    clipped: np.ndarray = np.minimum(np.maximum(offsets, -0.5), 0.5)
    return clipped


def _logarithms(values: np.ndarray) -> np.ndarray:
    logarithms: np.ndarray = np.log(np.minimum(np.maximum(values, LEAST_LOGGED), MOST_LOGGED))
    return logarithms


def find_connections(peaks: Peaks, pafs: np.ndarray) -> list[Connection]:
    """Join peaks into limbs, a peak at most once in each limb, the surest first; limb after limb.

    pafs: (38, h, w) float32. The field in the middle of the line decides which pairs are looked at more closely: that
    is where the limbs of two people part.
    """
    _, height, width = pafs.shape
    fields = pafs.reshape(-1)
    limits = np.array([[width - 1], [height - 1]], np.float32)
    points = np.minimum(np.maximum(peaks.points, 0), limits)
    corners = points + np.float32(0.5)  # a cell's number is its centre's: cut, this is rounded

    def along_the_line(steps: np.ndarray) -> np.ndarray:
        """The field at some steps of the way, times the way as a vector: its projection times the length."""
        column, row = (origin[:, None] + way[:, None] * steps).astype(np.intp)
        cell = row * width + column + channel
        projection: np.ndarray = fields.take(cell) * way[0] + fields.take(cell + height * width) * way[1]
        return projection

    limb, start, end = _pairs(peaks.counts)
    origin, way = corners.take(start, 1), points.take(end, 1) - points.take(start, 1)
    length = np.sqrt(way[0] * way[0] + way[1] * way[1])
    channel = (_LIMB_FIELDS * (height * width)).take(limb)
    likely = (along_the_line(_MIDDLE)[0] > LEAST_FIELD * length).nonzero()[0]
    limb, start, end, channel = limb[likely], start[likely], end[likely], channel[likely]
    origin, way, length = origin.take(likely, 1), way.take(likely, 1), length[likely]

    samples = along_the_line(_STEPS)
    support = (samples > LEAST_FIELD * length).sum(axis=0)
    scores = samples.cumsum(axis=0)[-1] / (SAMPLES_PER_LIMB * length) * np.sqrt(peaks.scores[start] * peaks.scores[end])
    seen = ((support >= LEAST_SUPPORT) & (scores > 0)).nonzero()[0]
    surest_first = seen[np.lexsort((-scores[seen], limb[seen]))]

    connections = []
    taken_by = [-1] * len(peaks.scores)  # the last limb that a peak is an end of
    for connection in map(Connection, *(values[surest_first].tolist() for values in (limb, start, end, scores))):
        limb_id, one, other, _ = connection
        if taken_by[one] != limb_id != taken_by[other]:
            taken_by[one] = taken_by[other] = limb_id
            connections.append(connection)
    return connections


def _pairs(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every pair of peaks that could be a limb: the limb, the peak it starts at and the one it ends at.

    counts: (18,) int, how many peaks each keypoint has; the peaks are numbered keypoint by keypoint.
    """
    first = counts.cumsum() - counts
    starts, ends = counts.take(_LIMB_STARTS), counts.take(_LIMB_ENDS)
    # A row for each limb and each of its starts, which goes with every end.
    row_limb = _LIMB_IDS.repeat(starts)
    row_start = np.arange(len(row_limb)) + (first.take(_LIMB_STARTS) - (starts.cumsum() - starts)).repeat(starts)
    row_ends = ends.take(row_limb)
    row_begin = row_ends.cumsum() - row_ends
    limb, start = row_limb.repeat(row_ends), row_start.repeat(row_ends)
    end = np.arange(len(limb)) + (first.take(_LIMB_ENDS).take(row_limb) - row_begin).repeat(row_ends)
    return limb, start, end


class Person:
    """Peaks that belong together: {keypoint id: peak}. number: in the order of founding; score: of its limbs."""

    __slots__ = ("number", "peaks", "score")

    def __init__(self, number: int, peaks: dict[int, int], score: float) -> None:
        self.number, self.peaks, self.score = number, peaks, score

    def add(self, part: int, peak: int, score: float) -> "Person | None":
        """Take a peak, unless there is another for that keypoint: the surer limb came first. Returns its owner."""
        if part in self.peaks:
            return None
        self.peaks[part] = peak
        self.score += score
        return self

    def is_likely(self, least_keypoints: int) -> bool:
        """Whether it has so many keypoints, and limbs that were clearly seen; n keypoints hang on n - 1 limbs."""
        return len(self.peaks) >= least_keypoints and self.score >= LEAST_LIMB_MEAN * (len(self.peaks) - 1)


def group_people(connections: list[Connection], peak_count: int) -> list[Person]:
    """Put together the limbs that share a peak.

    A limb goes to the person who owns one of its ends, unites the two who own one each, or founds a new person. A peak
    has at most one owner, which a table tells.
    """
    people: list[Person] = []
    owners: list[Person | None] = [None] * peak_count
    for limb, start, end, score in connections:
        one, other = owners[start], owners[end]
        if one is None:
            if other is not None:
                owners[start] = other.add(_STARTS[limb], start, score)
            elif LIMBS[limb].founds_person:
                person = Person(len(people), {_STARTS[limb]: start, _ENDS[limb]: end}, score)
                owners[start] = owners[end] = person
                people.append(person)
        elif other is None:
            owners[end] = one.add(_ENDS[limb], end, score)
        elif one is other:
            one.score += score
        elif one.peaks.keys().isdisjoint(other.peaks):
            first, second = (one, other) if one.number < other.number else (other, one)
            first.peaks |= second.peaks
            first.score += second.score + score
            for peak in second.peaks.values():
                owners[peak] = first
            second.peaks = {}
    return [person for person in people if person.peaks]


def _poses(people: list[Person], peaks: Peaks, pixels_per_cell: tuple[float, float]) -> list[Pose]:
    """Peaks in cells -> keypoints in frame pixels; the centre of cell (0, 0) is half a cell from the frame's corner."""
    people = sorted(people, key=lambda person: person.score, reverse=True)
    missing = len(peaks.scores)
    table = np.full((missing + 1, 3), np.nan, np.float32)
    table[:-1, :2] = (peaks.points.T + np.float32(0.5)) * np.array(pixels_per_cell, np.float32)
    table[:-1, 2] = peaks.scores
    chosen = [person.peaks.get(part, missing) for person in people for part in _PARTS]
    keypoints = table[np.array(chosen, np.intp)].reshape(len(people), len(KEYPOINTS), 3)
    return [Pose(found, person.score / len(LIMBS)) for found, person in zip(keypoints, people, strict=True)]

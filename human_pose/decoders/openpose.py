"""Heatmaps and part affinity fields -> the poses of all people in the frame.

After Cao et al., "Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields", arXiv 1611.08050: keypoints are
the peaks of the heatmaps; a limb is a pair of keypoints along whose connecting line the limb's field points from the
first to the second; limbs that share a keypoint make a person. A limb that is too long for the person is left out: it
leads to somebody else.

All keypoints, and all pairs that could be a limb, are looked at in one batch of arrays each. `openpose_plain` does the
same in plain words, one keypoint and one limb after the other; both give equal poses to within 1e-5.
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..poses.pose import Pose
from ..poses.skeleton import Skeleton
from .decoder import Outputs
from .openpose_fields import CELL_PIXELS, KEYPOINTS, LIMBS, SKELETON
from .peaks import Peaks, find_peaks

DEFAULT_THRESHOLD = 0.05  # least score of a keypoint
DEFAULT_MIN_KEYPOINTS = 5  # of a person; fewer make a fragment
SAMPLES_PER_LIMB = 10  # points of the line between two keypoints at which the field is looked up
MIN_FIELD = 0.02  # a sample whose projection on the line is not above this does not support the limb
MIN_SUPPORT = 8  # samples that must support a limb
MIN_LIMB_MEAN = 0.05  # of a person; what is found in stones and leaves has less, people nearly always more

_PARTS = range(len(KEYPOINTS))
_STARTS, _ENDS = [limb.start_id for limb in LIMBS], [limb.end_id for limb in LIMBS]
_LIMB_STARTS, _LIMB_ENDS = np.array(_STARTS), np.array(_ENDS)
_LONGEST = [limb.longest for limb in LIMBS]
_FOUNDS_PERSON, _IS_DRAWN = [limb.founds_person for limb in LIMBS], [limb.drawn for limb in LIMBS]
_USUAL = [limb.length or math.inf for limb in LIMBS]
_LIMB_IDS = np.arange(len(LIMBS))
_LIMB_FIELDS = np.array([limb.paf[0] for limb in LIMBS])  # the channel of x; that of y follows it
_STEPS = np.linspace(0, 1, SAMPLES_PER_LIMB, dtype=np.float32)[:, None]
_MIDDLE = np.full((1, 1), 0.5, np.float32)


# A limb that was seen: which of LIMBS, the peaks where it starts and ends, and how surely, 0..1. There are
# many, and each is looked at once: a tuple without names takes a fifth of the time to make.
Connection = tuple[int, int, int, float]


@dataclass(frozen=True)
class OpenPoseDecoder:
    """Heatmaps and part affinity fields; see `decoder.Decoder`."""

    threshold: float = DEFAULT_THRESHOLD
    min_keypoints: int = DEFAULT_MIN_KEYPOINTS

    @property
    def skeleton(self) -> Skeleton:
        return SKELETON

    @property
    def output_names(self) -> tuple[str, ...]:
        return "heatmaps", "pafs"

    def with_limits(self, threshold: float, min_keypoints: int) -> "OpenPoseDecoder":
        return replace(self, threshold=threshold, min_keypoints=min_keypoints)

    def decode(self, outputs: Outputs, frame_pixels: tuple[float, float] = (1.0, 1.0)) -> list[Pose]:
        pixels_per_cell = CELL_PIXELS * frame_pixels[0], CELL_PIXELS * frame_pixels[1]
        return decode(outputs["heatmaps"], outputs["pafs"], pixels_per_cell, self.threshold, self.min_keypoints)

    def signal(self, outputs: Outputs) -> Outputs:
        return {"heatmaps": outputs["heatmaps"][: len(KEYPOINTS)], "pafs": outputs["pafs"]}  # without the background


def decode(
    heatmaps: np.ndarray,
    pafs: np.ndarray,
    pixels_per_cell: tuple[float, float],
    threshold: float = DEFAULT_THRESHOLD,
    min_keypoints: int = DEFAULT_MIN_KEYPOINTS,
) -> list[Pose]:
    """Find everybody's pose.

    heatmaps: (19, h, w) float32; pafs: (38, h, w) float32; pixels_per_cell: frame pixels that one cell of the maps
    spans in x and in y; threshold: least score of a keypoint, 0..1; min_keypoints: fewer are no person. Returns the
    poses, the surest first.
    """
    peaks = find_peaks(heatmaps[: len(KEYPOINTS)], threshold)
    people = group_people(find_connections(peaks, pafs), peaks.points)
    return _poses([person for person in people if person.is_likely(min_keypoints)], peaks, pixels_per_cell)


class Lines(NamedTuple):
    """Straight lines between pairs of peaks that could be limbs.

    limb, start, end: (n,) int, which of LIMBS and which peaks it would join; origin, way: (2, n) float32,
    where the line starts and how far it goes in x and y, in cells counted from the map's corner; length: (n,) float32.
    """

    limb: np.ndarray
    start: np.ndarray
    end: np.ndarray
    origin: np.ndarray
    way: np.ndarray
    length: np.ndarray

    def take(self, index: np.ndarray) -> "Lines":
        return Lines(*(values.take(index, -1) for values in self))


def find_connections(peaks: Peaks, pafs: np.ndarray) -> list[Connection]:
    """Join peaks into limbs, a peak at most once in each limb, the surest first; limb after limb.

    pafs: (38, h, w) float32. The field in the middle of the line decides which pairs are looked at more closely: that
    is where the limbs of two people part.
    """
    lines = _lines(peaks, pafs.shape)
    lines = lines.take((_projections(pafs, lines, _MIDDLE)[0] > MIN_FIELD * lines.length).nonzero()[0])

    samples = _projections(pafs, lines, _STEPS)
    support = (samples > MIN_FIELD * lines.length).sum(axis=0)
    ends_score = np.sqrt(peaks.scores[lines.start] * peaks.scores[lines.end])
    scores = samples.sum(axis=0) / (SAMPLES_PER_LIMB * lines.length) * ends_score
    seen = ((support >= MIN_SUPPORT) & (scores > 0)).nonzero()[0]
    surest_first = seen[np.lexsort((-scores[seen], lines.limb[seen]))]

    columns = (values[surest_first].tolist() for values in (lines.limb, lines.start, lines.end, scores))
    connections = []
    taken_by = [-1] * len(peaks.scores)  # the last limb that a peak is an end of
    for connection in zip(*columns, strict=True):
        limb_id, one, other, _ = connection
        if taken_by[one] != limb_id != taken_by[other]:
            taken_by[one] = taken_by[other] = limb_id
            connections.append(connection)
    return connections


def _lines(peaks: Peaks, shape: tuple[int, ...]) -> Lines:
    """Those of all pairs of peaks that could be a limb; shape: of the fields, (38, h, w)."""
    _, height, width = shape
    limits = np.array([[width - 1], [height - 1]], np.float32)
    points = np.minimum(np.maximum(peaks.points, 0), limits)
    corners = points + np.float32(0.5)  # a cell's number is its centre's: cut, this is rounded
    limb, start, end = _pairs(peaks.counts)
    way = points.take(end, 1) - points.take(start, 1)
    return Lines(limb, start, end, corners.take(start, 1), way, np.sqrt(way[0] * way[0] + way[1] * way[1]))


def _projections(pafs: np.ndarray, lines: Lines, steps: np.ndarray) -> np.ndarray:
    """The limb's field in the cells nearest to some points of each line: its projection on the line times the length.

    pafs: (38, h, w) float32; steps: (m, 1) float32, the points as parts of the way, 0..1. Returns (m, n) float32.
    """
    _, height, width = pafs.shape
    fields = pafs.reshape(-1)
    column, row = (lines.origin[:, None] + lines.way[:, None] * steps).astype(np.intp)
    cell = row * width + column + (_LIMB_FIELDS * (height * width)).take(lines.limb)
    projections: np.ndarray = fields.take(cell) * lines.way[0] + fields.take(cell + height * width) * lines.way[1]
    return projections


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
    """Peaks that belong together: {keypoint id: peak}. number: in the order of founding; score: of its limbs.

    size: of the torso, in cells, at least, as the longest limb shows; 0 where only the head is known.
    """

    __slots__ = ("number", "peaks", "score", "size")

    def __init__(self, number: int, peaks: dict[int, int], score: float, size: float) -> None:
        self.number, self.peaks, self.score, self.size = number, peaks, score, size

    def is_likely(self, min_keypoints: int) -> bool:
        """Whether it has so many keypoints, and limbs that were clearly seen; n keypoints hang on n - 1 limbs."""
        return len(self.peaks) >= min_keypoints and self.score >= MIN_LIMB_MEAN * (len(self.peaks) - 1)


def group_people(connections: list[Connection], points: np.ndarray) -> list[Person]:
    """Put together the limbs that share a peak. points: (2, n) float32, where the peaks are, in cells.

    A limb goes to the person who owns one of its ends, unites the two who own one each, or founds a new person. A limb
    that is too long for that person, or leads to a keypoint that the person has already, is left out. A peak has at
    most one owner, which a table tells.
    """
    people: list[Person] = []
    owners: list[Person | None] = [None] * points.shape[1]
    places = list(zip(*points.tolist(), strict=True))
    for limb, start, end, score in connections:
        one, other = owners[start], owners[end]
        length = math.dist(places[start], places[end])
        size = length / _USUAL[limb]
        if one is None or other is None:
            owner = one or other
            part, peak = (_ENDS[limb], end) if other is None else (_STARTS[limb], start)
            if owner is None:
                if _FOUNDS_PERSON[limb]:
                    person = Person(len(people), {_STARTS[limb]: start, part: peak}, score, size)
                    owners[start] = owners[end] = person
                    people.append(person)
            elif (
                part not in owner.peaks
                and not 0 < owner.size * _LONGEST[limb] < length  # of an unknown size, 0, every length fits
                and (_IS_DRAWN[limb] or _fit(owner.peaks | {part: peak}, owner.size, places))
            ):
                owners[peak] = owner
                owner.peaks[part] = peak
                owner.score += score
                owner.size = size if size > owner.size else owner.size
        elif one is other:
            one.score += score
            one.size = size if size > one.size else one.size
        elif one.peaks.keys().isdisjoint(other.peaks):
            first, second = (one, other) if one.number < other.number else (other, one)
            peaks, known_size = first.peaks | second.peaks, max(first.size, second.size)
            if _fit(peaks, known_size, places):
                first.peaks, first.size = peaks, max(known_size, size)
                first.score += second.score + score
                for peak in second.peaks.values():
                    owners[peak] = first
                second.peaks = {}
    return [person for person in people if person.peaks]


def _fit(peaks: dict[int, int], size: float, places: list[tuple[float, float]]) -> bool:
    """Whether no limb between some peaks is too long for a torso of that size; 0: it is unknown, and so all fit.

    The limbs that are drawn form a tree: each that joins two parts of a person is the only one between them. One that
    is not drawn, from a shoulder to an ear, goes past the tree: other limbs are then drawn that were never looked at.
    """
    return size == 0 or all(
        math.dist(places[peaks[start]], places[peaks[end]]) <= longest * size
        for start, end, longest in zip(_STARTS, _ENDS, _LONGEST, strict=True)
        if start in peaks and end in peaks
    )


def _poses(people: list[Person], peaks: Peaks, pixels_per_cell: tuple[float, float]) -> list[Pose]:
    """Peaks in cells -> keypoints in frame pixels; the centre of cell (0, 0) is half a cell from the frame's corner."""
    people = sorted(people, key=lambda person: person.score, reverse=True)
    missing = len(peaks.scores)
    table = np.full((missing + 1, 3), np.nan, np.float32)
    table[:-1, :2] = (peaks.points.T + np.float32(0.5)) * np.array(pixels_per_cell, np.float32)
    table[:-1, 2] = peaks.scores
    chosen = [person.peaks.get(part, missing) for person in people for part in _PARTS]
    keypoints = table[np.array(chosen, np.intp)].reshape(len(people), len(KEYPOINTS), 3)
    return [Pose(SKELETON, found, person.score / len(LIMBS)) for found, person in zip(keypoints, people, strict=True)]

"""Heatmaps and part affinity fields -> the poses of all people in the frame.

After Cao et al., "Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields", arXiv 1611.08050: keypoints are
the peaks of the heatmaps. A limb is a pair of keypoints; along the line between them, the limb's field points from the
first to the second. Limbs that share a keypoint make a person. A limb that is too long for the person is left out,
because it leads to another person.

All keypoints are processed in one batch of arrays, and so are all candidate limbs. `openpose_plain` does the same in
plain loops, one keypoint and one limb after the other; the poses of both are equal to within 1e-5.
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

DEFAULT_THRESHOLD = 0.05  # minimum score of a keypoint
DEFAULT_MIN_KEYPOINTS = 5  # of a person; fewer are only a fragment
SAMPLES_PER_LIMB = 10  # points on the line between two keypoints at which the field is sampled
MIN_FIELD = 0.02  # a sample supports the limb if its projection on the line is above this
MIN_SUPPORT = 8  # minimum number of samples that support a limb
MIN_LIMB_MEAN = 0.05  # minimum mean score of a person's limbs; detections in stones or leaves have less

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


# A limb that was found: index in LIMBS, start peak, end peak, score 0..1. There are many of them, and a plain tuple
# takes a fifth of the time of a named one to create.
Connection = tuple[int, int, int, float]


@dataclass(frozen=True)
class OpenPoseDecoder:
    """Decodes heatmaps and part affinity fields; see `decoder.Decoder`."""

    threshold: float = DEFAULT_THRESHOLD
    min_keypoints: int = DEFAULT_MIN_KEYPOINTS

    @property
    def skeleton(self) -> Skeleton:
        return SKELETON

    @property
    def output_names(self) -> tuple[str, ...]:
        return "heatmaps", "pafs"

    def with_limits(self, threshold: float | None = None, min_keypoints: int | None = None) -> "OpenPoseDecoder":
        threshold = self.threshold if threshold is None else threshold
        return replace(self, threshold=threshold, min_keypoints=min_keypoints or self.min_keypoints)

    def for_evaluation(self) -> "OpenPoseDecoder":
        return self  # AP is best with the same limits: docs/accuracy.md

    def decode(
        self,
        outputs: Outputs,
        frame_pixels: tuple[float, float] = (1.0, 1.0),
        origin: tuple[float, float] = (0.0, 0.0),
    ) -> list[Pose]:
        pixels_per_cell = CELL_PIXELS * frame_pixels[0], CELL_PIXELS * frame_pixels[1]
        poses = decode(outputs["heatmaps"], outputs["pafs"], pixels_per_cell, self.threshold, self.min_keypoints)
        if origin != (0, 0):
            for pose in poses:
                pose.keypoints[:, :2] -= np.multiply(origin, frame_pixels)
        return poses

    def signal(self, outputs: Outputs) -> Outputs:
        return {"heatmaps": outputs["heatmaps"][: len(KEYPOINTS)], "pafs": outputs["pafs"]}  # without the background

    def quantities(self, outputs: Outputs) -> Outputs:
        return outputs  # all of them are in -1..1, and the background's heatmap is there where nobody is


def decode(
    heatmaps: np.ndarray,
    pafs: np.ndarray,
    pixels_per_cell: tuple[float, float],
    threshold: float = DEFAULT_THRESHOLD,
    min_keypoints: int = DEFAULT_MIN_KEYPOINTS,
) -> list[Pose]:
    """Find the poses of all people.

    heatmaps: (19, h, w) float32; pafs: (38, h, w) float32; pixels_per_cell: frame pixels that one cell of the maps
    spans in x and in y; threshold: minimum score of a keypoint, 0..1; min_keypoints: minimum of a person. Returns the
    poses, the highest score first.
    """
    peaks = find_peaks(heatmaps[: len(KEYPOINTS)], threshold)
    people = group_people(find_connections(peaks, pafs), peaks.points)
    return _poses([person for person in people if person.is_likely(min_keypoints)], peaks, pixels_per_cell)


class Lines(NamedTuple):
    """The candidate limbs: straight lines between pairs of peaks.

    limb, start, end: (n,) int, the index in LIMBS and the indices of the two peaks; origin, way: (2, n) float32, the
    start of the line and the vector to its end, x and y in cells from the map's corner; length: (n,) float32, in cells.
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
    """Join peaks to limbs, in the order of LIMBS, the highest score first; a peak is in each limb at most once.

    pafs: (38, h, w) float32. The field in the middle of the line decides which pairs are examined further, because
    wrong pairs, whose ends are on two people, mostly fail there.
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
    taken_by = [-1] * len(peaks.scores)  # for each peak, the last limb that uses it
    for connection in zip(*columns, strict=True):
        limb_id, one, other, _ = connection
        if taken_by[one] != limb_id != taken_by[other]:
            taken_by[one] = taken_by[other] = limb_id
            connections.append(connection)
    return connections


def _lines(peaks: Peaks, shape: tuple[int, ...]) -> Lines:
    """The lines of all candidate limbs. shape: the shape of the fields, (38, h, w)."""
    _, height, width = shape
    limits = np.array([[width - 1], [height - 1]], np.float32)
    points = np.minimum(np.maximum(peaks.points, 0), limits)
    corners = points + np.float32(0.5)  # cell centres are at whole numbers: adding 0.5 and truncating rounds
    limb, start, end = _pairs(peaks.counts)
    way = points.take(end, 1) - points.take(start, 1)
    return Lines(limb, start, end, corners.take(start, 1), way, np.sqrt(way[0] * way[0] + way[1] * way[1]))


def _projections(pafs: np.ndarray, lines: Lines, steps: np.ndarray) -> np.ndarray:
    """Projection of the limb's field on each line, times the line's length, in the cells nearest to some points.

    pafs: (38, h, w) float32; steps: (m, 1) float32, the points as fractions of the line, 0..1. Returns (m, n) float32.
    """
    _, height, width = pafs.shape
    fields = pafs.reshape(-1)
    column, row = (lines.origin[:, None] + lines.way[:, None] * steps).astype(np.intp)
    cell = row * width + column + (_LIMB_FIELDS * (height * width)).take(lines.limb)
    projections: np.ndarray = fields.take(cell) * lines.way[0] + fields.take(cell + height * width) * lines.way[1]
    return projections


def _pairs(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every pair of peaks that could be a limb: index of the limb, of the start peak and of the end peak, (n,) each.

    counts: (18,) int, the number of peaks of each keypoint; peaks are numbered keypoint by keypoint.
    """
    first = counts.cumsum() - counts
    starts, ends = counts.take(_LIMB_STARTS), counts.take(_LIMB_ENDS)
    # One row for each limb and each of its start peaks; the row is then repeated for every end peak.
    row_limb = _LIMB_IDS.repeat(starts)
    row_start = np.arange(len(row_limb)) + (first.take(_LIMB_STARTS) - (starts.cumsum() - starts)).repeat(starts)
    row_ends = ends.take(row_limb)
    row_begin = row_ends.cumsum() - row_ends
    limb, start = row_limb.repeat(row_ends), row_start.repeat(row_ends)
    end = np.arange(len(limb)) + (first.take(_LIMB_ENDS).take(row_limb) - row_begin).repeat(row_ends)
    return limb, start, end


class Person:
    """A person: {keypoint index: peak}.

    number: people are numbered in the order in which they were found; score: the sum over the limbs; size: a lower
    bound of the torso's length in cells, from the limbs so far; 0 while it is unknown.
    """

    __slots__ = ("number", "peaks", "score", "size")

    def __init__(self, number: int, peaks: dict[int, int], score: float, size: float) -> None:
        self.number, self.peaks, self.score, self.size = number, peaks, score, size

    def is_likely(self, min_keypoints: int) -> bool:
        """Whether it has enough keypoints, and its limbs a high enough mean score; n keypoints have n - 1 limbs."""
        return len(self.peaks) >= min_keypoints and self.score >= MIN_LIMB_MEAN * (len(self.peaks) - 1)


def group_people(connections: list[Connection], points: np.ndarray) -> list[Person]:
    """Group limbs that share a peak into people. points: (2, n) float32, the positions of the peaks in cells.

    A limb is added to the person who owns one of its ends, joins the two people who own one end each, or starts a new
    person. A limb is left out if it is too long for the person, or if the person already has another peak for that
    keypoint. A peak has at most one owner; `owners` lists it.
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
                and not 0 < owner.size * _LONGEST[limb] < length  # size 0: unknown, every length fits
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
    """Whether no limb between these peaks is too long for a torso of that size; 0: size unknown, all limbs fit.

    The drawn limbs form a tree, so a drawn limb that joins two parts of a person is the only limb between them. A limb
    that is not drawn, from shoulder to ear, is outside the tree: joining by it makes other limbs appear that were not
    checked yet.
    """
    return size == 0 or all(
        math.dist(places[peaks[start]], places[peaks[end]]) <= longest * size
        for start, end, longest in zip(_STARTS, _ENDS, _LONGEST, strict=True)
        if start in peaks and end in peaks
    )


def _poses(people: list[Person], peaks: Peaks, pixels_per_cell: tuple[float, float]) -> list[Pose]:
    """Peaks in cells -> keypoints in frame pixels. The centre of cell (0, 0) is half a cell from the frame's corner."""
    people = sorted(people, key=lambda person: person.score, reverse=True)
    missing = len(peaks.scores)
    table = np.full((missing + 1, 3), np.nan, np.float32)
    table[:-1, :2] = (peaks.points.T + np.float32(0.5)) * np.array(pixels_per_cell, np.float32)
    table[:-1, 2] = peaks.scores
    chosen = [person.peaks.get(part, missing) for person in people for part in _PARTS]
    keypoints = table[np.array(chosen, np.intp)].reshape(len(people), len(KEYPOINTS), 3)
    return [Pose(SKELETON, found, person.score / len(LIMBS)) for found, person in zip(keypoints, people, strict=True)]

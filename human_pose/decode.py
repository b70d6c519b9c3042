"""Heatmaps and part affinity fields -> the poses of all people in the frame.

After Cao et al., "Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields", arXiv 1611.08050: keypoints are
the peaks of the heatmaps; a limb is a pair of keypoints along whose connecting line the limb's field points from the
first to the second; limbs that share a keypoint make a person.
"""

from dataclasses import dataclass

import numpy as np

from .skeleton import KEYPOINTS, LIMBS, Limb

DEFAULT_THRESHOLD = 0.1  # least score of a keypoint
SAMPLES_PER_LIMB = 10  # points of the line between two keypoints at which the field is looked up
LEAST_FIELD = 0.05  # a sample whose projection on the line is below this does not support the limb
LEAST_SUPPORT = 0.8  # share of the samples that must support a limb
LEAST_KEYPOINTS = 4  # fewer make a fragment, not a person


@dataclass(frozen=True)
class Pose:
    """One person.

    keypoints: (18, 3) float32, x and y in frame pixels and the score 0..1, in the order of `skeleton.KEYPOINTS`;
    a keypoint that was not found is NaN in all three. score: mean score of the keypoints that were found.
    """

    keypoints: np.ndarray
    score: float


@dataclass(frozen=True)
class Connection:
    """A limb that was seen: which peak of the limb's first and of its second keypoint it joins, and how surely."""

    start: int
    end: int
    score: float


def decode(
    heatmaps: np.ndarray,
    pafs: np.ndarray,
    pixels_per_cell: tuple[float, float],
    threshold: float = DEFAULT_THRESHOLD,
) -> list[Pose]:
    """Find everybody's pose.

    heatmaps: (19, h, w) float32; pafs: (38, h, w) float32; pixels_per_cell: frame pixels that one cell of the maps
    spans in x and in y; threshold: least score of a keypoint, 0..1. Returns the poses, the surest first.
    """
    peaks = [find_peaks(heatmaps[part], threshold) for part in range(len(KEYPOINTS))]
    connections = [find_connections(peaks[limb.start_id], peaks[limb.end_id], pafs[list(limb.paf)]) for limb in LIMBS]
    people = group_people(connections)
    poses = [_pose(person, peaks, pixels_per_cell) for person in people if len(person) >= LEAST_KEYPOINTS]
    return sorted(poses, key=lambda pose: pose.score, reverse=True)


def find_peaks(heatmap: np.ndarray, threshold: float) -> np.ndarray:
    """Local maxima of (h, w) float32 -> (n, 3) float32: x, y in cells, with fractions, and the score; row by row.

    A cell is a peak if it reaches the threshold and none of its four neighbours is higher. Of two equal neighbours the
    right or lower one is the peak, so that a plateau of two cells is one keypoint.
    """
    height, width = heatmap.shape
    padded = np.full((height + 2, width + 2), -np.inf, np.float32)
    padded[1:-1, 1:-1] = heatmap
    left, right = padded[1:-1, :-2], padded[1:-1, 2:]
    above, below = padded[:-2, 1:-1], padded[2:, 1:-1]
    is_peak = (heatmap >= threshold) & (heatmap >= left) & (heatmap > right) & (heatmap >= above) & (heatmap > below)
    rows, columns = np.nonzero(is_peak)
    x = columns + _parabola_offset(left[is_peak], heatmap[is_peak], right[is_peak])
    y = rows + _parabola_offset(above[is_peak], heatmap[is_peak], below[is_peak])
    return np.stack([x, y, heatmap[is_peak]], axis=1).astype(np.float32)


def _parabola_offset(before: np.ndarray, peak: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Where the parabola through three neighbouring values has its top, in cells from the middle one, -0.5..0.5.

    At the border, where a neighbour is missing (-inf), the offset is 0.
    """
    inside = np.isfinite(before) & np.isfinite(after)
    before, after = np.where(inside, before, 0.0), np.where(inside, after, 0.0)
    curvature = np.where(inside, 2 * peak - before - after, 0.0)
    offset: np.ndarray = 0.5 * (after - before) / np.where(curvature > 0, curvature, np.inf)
    return offset.clip(-0.5, 0.5)


def find_connections(starts: np.ndarray, ends: np.ndarray, field: np.ndarray) -> list[Connection]:
    """Join keypoints into limbs, each keypoint at most once, the surest limb first.

    starts: (n, 3), ends: (m, 3): peaks in cells; field: (2, h, w) float32, the limb's part affinity field, x then y.
    """
    if len(starts) == 0 or len(ends) == 0:
        return []
    _, height, width = field.shape
    along = ends[None, :, :2] - starts[:, None, :2]  # (n, m, 2)
    length = np.linalg.norm(along, axis=2)  # (n, m)
    direction = along / np.maximum(length, 1e-6)[..., None]
    steps = np.linspace(0, 1, SAMPLES_PER_LIMB, dtype=np.float32)
    points = starts[:, None, None, :2] + steps[:, None] * along[:, :, None, :]  # (n, m, samples, 2)
    cells = np.rint(points).astype(int)
    x, y = cells[..., 0].clip(0, width - 1), cells[..., 1].clip(0, height - 1)
    projections = field[0, y, x] * direction[..., None, 0] + field[1, y, x] * direction[..., None, 1]
    support = (projections > LEAST_FIELD).mean(axis=2)
    # A limb of more than half the map's height is unlikely: the longer, the more its score is lowered.
    too_long = np.minimum(0.5 * height / np.maximum(length, 1e-6) - 1, 0)
    scores = projections.mean(axis=2) + too_long
    likely = (support >= LEAST_SUPPORT) & (scores > 0) & (length > 0)

    connections: list[Connection] = []
    free_starts, free_ends = set(range(len(starts))), set(range(len(ends)))
    pairs = np.argwhere(likely)
    for start, end in pairs[np.argsort(-scores[likely], kind="stable")].tolist():
        if start in free_starts and end in free_ends:
            free_starts.remove(start)
            free_ends.remove(end)
            connections.append(Connection(start, end, float(scores[start, end])))
    return connections


def group_people(connections: list[list[Connection]]) -> list[dict[int, int]]:
    """Put together the limbs that share a keypoint.

    connections: for each limb of `skeleton.LIMBS` those that were found. Returns for each person
    {keypoint id: index of its peak}.
    """
    people: list[dict[int, int]] = []
    for limb, found in zip(LIMBS, connections, strict=True):
        for connection in found:
            _add_limb(people, limb, connection)
    return people


def _add_limb(people: list[dict[int, int]], limb: Limb, connection: Connection) -> None:
    """Add one limb to the person who owns one of its ends, unite the two who own one each, or found a new person."""
    ends = {limb.start_id: connection.start, limb.end_id: connection.end}
    owners = [person for person in people if any(person.get(part) == peak for part, peak in ends.items())]
    if not owners:
        if limb.founds_person:
            people.append(ends)
    elif len(owners) == 1:
        owner = owners[0]
        # An end that the person has elsewhere already stays as it is: the surer limb came first.
        owner.update({part: peak for part, peak in ends.items() if part not in owner})
    else:
        one, other = owners[:2]
        if not one.keys() & other.keys():
            one.update(other)
            people[:] = [person for person in people if person is not other]


def _pose(person: dict[int, int], peaks: list[np.ndarray], pixels_per_cell: tuple[float, float]) -> Pose:
    """Peaks in cells -> keypoints in frame pixels; the centre of cell (0, 0) is half a cell from the frame's corner."""
    keypoints = np.full((len(KEYPOINTS), 3), np.nan, np.float32)
    for part, peak in person.items():
        x, y, score = peaks[part][peak]
        keypoints[part] = (x + 0.5) * pixels_per_cell[0], (y + 0.5) * pixels_per_cell[1], score
    return Pose(keypoints, float(np.nanmean(keypoints[:, 2])))

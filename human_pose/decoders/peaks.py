"""Find the peaks of heatmaps: the positions of keypoints, to a fraction of a cell."""

from typing import NamedTuple

import numpy as np

MIN_LOGGED, MAX_LOGGED = 1e-3, 1e3  # heatmaps are clipped to this range before the logarithm


class Peaks(NamedTuple):
    """The peaks of all heatmaps, keypoint by keypoint, each row by row.

    points: (2, n) float32, x and y in cells, with fractions; scores: (n,) float32; counts: (parts,) int, the number of
    peaks in each map.
    """

    points: np.ndarray
    scores: np.ndarray
    counts: np.ndarray


def find_peaks(heatmaps: np.ndarray, threshold: float) -> Peaks:
    """Local maxima of (parts, h, w) float32.

    A cell is a peak if it reaches the threshold and none of its eight neighbours is higher. Of equal neighbours the
    last in reading order is the peak, so that a plateau of two cells is one keypoint.
    """
    parts, height, width = heatmaps.shape
    # One flat array of all maps, each with a border of -inf: every neighbour is at a fixed distance.
    row_cells = width + 2
    padded = np.full((parts, height + 2, row_cells), -np.inf, np.float32)
    padded[:, 1:-1, 1:-1] = heatmaps
    cells = padded.reshape(-1)
    at = (cells >= threshold).nonzero()[0]
    # Compare with left and right, above and below, then the corners: each step leaves fewer candidates.
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
    """The top of each peak, (2, n) float32, x and y in cells from the centre of the peak's cell, -0.5..0.5.

    It is the top of the parabola through the logarithms of three cells, exact for a Gaussian. cells: the padded maps;
    at: the peaks' indices in them; number: (2, n) their columns and rows; shape: of the maps. At a map's border the
    three cells are the peak's and the two next to it, and their parabola is extended beyond the border.
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
    logarithms: np.ndarray = np.log(np.minimum(np.maximum(values, MIN_LOGGED), MAX_LOGGED))
    return logarithms

"""Choose the corner for the panel: the one where it covers the fewest people; it rarely moves."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..poses.pose import Pose

GAP = 1 / 80  # between the panel and the picture's edges, of the picture's shorter side
AROUND = 0.1  # how far a body extends beyond its keypoints, of the person's size


class Corner(NamedTuple):
    """A corner of the picture."""

    is_right: bool
    is_bottom: bool


class Box(NamedTuple):
    """A rectangle in pixels; right and bottom are the first pixels after it."""

    left: int
    top: int
    right: int
    bottom: int


CORNERS = tuple(Corner(is_right, is_bottom) for is_bottom in (False, True) for is_right in (False, True))


def box_in(corner: Corner, panel_size: tuple[int, int], picture_size: tuple[int, int]) -> Box:
    """The box of a panel (width, height) in a corner of a picture (width, height)."""
    starts = []
    for side, room, is_far in zip(panel_size, picture_size, corner, strict=True):
        gap = min(round(min(picture_size) * GAP), max(0, room - side) // 2)
        starts.append(room - side - gap if is_far else gap)
    left, top = starts
    return Box(left, top, left + panel_size[0], top + panel_size[1])


def people_boxes(poses: Sequence[Pose], scale: float = 1.0, offset: tuple[float, float] = (0, 0)) -> np.ndarray:
    """The people's boxes, (n, 4) float: left, top, right, bottom, in pixels of the picture.

    scale, offset: the picture shows the frame `scale` times as large, its top left corner at `offset`.
    """
    boxes = []
    for pose in poses:
        found = pose.keypoints[np.isfinite(pose.keypoints[:, 0]), :2]
        if len(found):
            lowest, highest = found.min(axis=0), found.max(axis=0)
            around = AROUND * (highest - lowest).max() + 1
            boxes.append([*(lowest - around), *(highest + around)])
    in_frame = np.array(boxes, np.float64).reshape(-1, 4)
    return in_frame * scale + np.array([*offset, *offset], np.float64)


class PanelPlace:
    """Keeps the panel in a corner where it covers few people, and rarely moves it."""

    STAYS_S = 5.0  # minimum time in a corner, so that the panel can be read
    MEMORY_S = 2.0  # time constant of the running mean: a person who only passes does not move the panel
    FRAME = 0.5  # people; the cost of covering the frame where the picture has margins
    WORTH_A_MOVE = 0.3  # people; another corner must cover fewer by this much

    def __init__(self) -> None:
        self.corner = CORNERS[0]
        self._covered = np.zeros(len(CORNERS))  # running mean of the people covered in each corner
        self._moved_at = self._updated_at = -np.inf

    def update(
        self,
        people: np.ndarray,
        panel_size: tuple[int, int],
        picture_size: tuple[int, int],
        now: float,
        frame: Box | None = None,
    ) -> Box:
        """Take in where the people are, and return the panel's box in the picture.

        people: (n, 4) as `people_boxes` gives them; panel_size, picture_size: width, height; now: the time in s; frame:
        the box of the frame in a picture that has margins; None: it has no margins.
        """
        boxes = [box_in(corner, panel_size, picture_size) for corner in CORNERS]
        covered = np.array([_covered(people, box) for box in boxes])
        if frame is not None:  # prefer a margin
            covered += [self.FRAME * _covered(np.array([box], np.float64), frame) for box in boxes]
        weight = 1 - np.exp(-(now - self._updated_at) / self.MEMORY_S)  # 1 at first
        self._covered = self._covered + weight * (covered - self._covered)
        self._updated_at = now
        best = int(self._covered.argmin())
        here = self._covered[CORNERS.index(self.corner)]
        is_first = self._moved_at == -np.inf
        if is_first or (now - self._moved_at > self.STAYS_S and here - self._covered[best] > self.WORTH_A_MOVE):
            self.corner = CORNERS[best]
            self._moved_at = now
        return boxes[CORNERS.index(self.corner)]


def _covered(people: np.ndarray, box: Box) -> float:
    """How many people (n, 4) a box covers: the sum of the covered share of each."""
    sides = np.minimum(people[:, 2:], (box.right, box.bottom)) - np.maximum(people[:, :2], (box.left, box.top))
    areas = (people[:, 2:] - people[:, :2]).prod(axis=1)
    return float((np.maximum(sides, 0).prod(axis=1) / areas).sum())

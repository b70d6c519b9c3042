"""A line across the picture, and who crosses it in which direction."""

import functools
import math
from dataclasses import dataclass
from typing import Literal

from ..poses.pose import Pose
from ..poses.skeleton import Skeleton

Direction = Literal["in", "out"]
Point = tuple[float, float]  # x, y; in heights of the picture, so that both axes have the same unit

CLEAR = 0.1  # share of the body's size that a person must get away from the line: trembling on it is no crossing
SHRINKING = 0.9  # a body's size falls to at most this share from sighting to sighting: keypoints vanish for a while
SHORTEST = 1e-6  # of a gate, in shares of the picture; what is shorter has no direction
SMALLEST_BODY = 0.1  # heights of the picture; of few keypoints the size is not known
HIPS = "middle of the hips"
# What shows best where a person is, after the middle of the hips. Arms and legs swing, so they come last.
TRUNK = ("left_hip", "right_hip", "neck", "left_shoulder", "right_shoulder", "nose")


@dataclass(frozen=True)
class Gate:
    """A line from point 1 to point 2, in shares of the picture: 0, 0 is the top left corner, 1, 1 the bottom right.

    Who crosses it from the left of the arrow from point 1 to point 2 to its right goes in; the other way is out. The
    gate 0.5, 1, 0.5, 0 points up in the middle of the picture: who walks from the picture's left to its right goes in.
    Raises ValueError where a number is not 0..1, or the two points are the same.
    """

    x1: float
    y1: float
    x2: float
    y2: float

    def __post_init__(self) -> None:
        if not all(0 <= number <= 1 for number in (self.x1, self.y1, self.x2, self.y2)):
            raise ValueError("a gate's numbers are shares of the picture, from 0 to 1")
        if max(abs(self.x2 - self.x1), abs(self.y2 - self.y1)) < SHORTEST:
            raise ValueError("a gate needs two different points")


class Place:
    """Where a person is: one point of the body, which does not jump when keypoints vanish or appear.

    It is the point that was seen first: the middle of the hips, else the first one of `TRUNK`, else any keypoint. While
    that is hidden, the place follows another point of the body, at the distance that the two had when both were seen.
    """

    def __init__(self) -> None:
        self._offsets: dict[str, Point] = {}  # from the place to each point of the body, when it was seen last
        self._first = ""  # the point that is the place

    def find(self, points: dict[str, Point]) -> tuple[Point | None, bool]:
        """The place, None where nothing is seen; and whether it continues the way so far.

        points: what is seen of the body, by its name, the best first.
        """
        if not points:
            return None, False
        name = self._first if self._first in points else next((name for name in points if name in self._offsets), "")
        continues = name != ""
        if not continues:  # the first sighting; or nothing of what was seen so far is seen now
            self._first = name = next(iter(points))
            self._offsets = {name: (0.0, 0.0)}
        x, y = points[name][0] - self._offsets[name][0], points[name][1] - self._offsets[name][1]
        self._offsets.update({name: (point[0] - x, point[1] - y) for name, point in points.items()})
        return (x, y), continues


class Walk:
    """The way of one person with respect to a gate.

    A crossing counts when the straight line from one sighting to the next met the gate itself, and the person is then
    seen on the other side, clear of the gate: `CLEAR` of the body's size away from it.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._place = Place()
        self._last: Point | None = None
        self._size = SMALLEST_BODY
        self._is_right = False  # the side of the gate's arrow where the person was clear of it last, or seen first
        self._met_gate = False  # whether the last change of sides went through the gate, not beyond its ends

    def step(self, pose: Pose, frame_size: tuple[int, int]) -> Direction | None:
        """Go on to where the person is now; returns how she crossed the gate. frame_size: width, height in pixels."""
        width, height = frame_size
        points = _points(pose, height)
        here, continues = self._place.find(points)
        if here is None:
            return None
        self._size = max(_size(points), SHRINKING * self._size, SMALLEST_BODY)
        line = _Line(self._gate, width / height)
        is_right = line.offset(here) >= 0
        if self._last is None or not continues:
            self._is_right = is_right
        elif is_right != (line.offset(self._last) >= 0):
            self._met_gate = line.is_met(self._last, here)
        self._last = here
        if line.distance(here) < CLEAR * self._size:
            return None
        has_crossed = self._met_gate and is_right != self._is_right
        self._is_right = is_right
        if not has_crossed:
            return None
        return "in" if is_right else "out"


class _Line:
    """A gate's line in a picture; aspect: its width by its height."""

    def __init__(self, gate: Gate, aspect: float) -> None:
        self._x, self._y = gate.x1 * aspect, gate.y1
        self._dx, self._dy = (gate.x2 - gate.x1) * aspect, gate.y2 - gate.y1
        self._square = self._dx**2 + self._dy**2

    def offset(self, point: Point) -> float:
        """Of which side a point is: more than 0 on the arrow's right, less than 0 on its left (y points down)."""
        return self._dx * (point[1] - self._y) - self._dy * (point[0] - self._x)

    def along(self, point: Point) -> float:
        """How far along the arrow a point is: 0 at its start, 1 at its end."""
        return (self._dx * (point[0] - self._x) + self._dy * (point[1] - self._y)) / self._square

    def distance(self, point: Point) -> float:
        """The distance from the nearest point of the line between its ends."""
        along = min(1.0, max(0.0, self.along(point)))
        return math.hypot(point[0] - self._x - along * self._dx, point[1] - self._y - along * self._dy)

    def is_met(self, start: Point, end: Point) -> bool:
        """Whether the way between two points on different sides goes through the line, not beyond its ends."""
        before, after = self.offset(start), self.offset(end)
        share = before / (before - after)
        return 0 <= self.along((start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))) <= 1


@functools.lru_cache
def _order(skeleton: Skeleton) -> list[tuple[str, int]]:
    """The keypoints and their rows, the trunk's first."""
    names = [name for name in TRUNK if name in skeleton.keypoints]
    names += [name for name in skeleton.keypoints if name not in TRUNK]
    return [(name, skeleton.index(name)) for name in names]


def _points(pose: Pose, height: int) -> dict[str, Point]:
    """What was found, by its name: the middle of the hips, if both were, and all keypoints, the trunk's first."""
    rows = pose.keypoints.tolist()
    found = {
        name: (rows[row][0] / height, rows[row][1] / height)
        for name, row in _order(pose.skeleton)
        if math.isfinite(rows[row][0]) and math.isfinite(rows[row][1])
    }
    if "left_hip" not in found or "right_hip" not in found:
        return found
    left, right = found["left_hip"], found["right_hip"]
    return {HIPS: ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2), **found}


def _size(points: dict[str, Point]) -> float:
    """The longer side of the box around the points."""
    xs, ys = [x for x, _ in points.values()], [y for _, y in points.values()]
    return max(max(xs) - min(xs), max(ys) - min(ys))

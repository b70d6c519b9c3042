"""Draw the skeletons of the people into a frame."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from ..media.scaling import scale_into
from .labels import Marks, person_colour, put_label
from .pose import Pose

OUTLINE = (24, 24, 24)
MARGIN_COLOUR = (20, 20, 20)  # of the margin around a frame whose aspect ratio differs from the picture's
GATE_COLOUR = (120, 235, 255)
NO_MARKS = Marks()
THICKNESS = 1 / 240  # of the picture's shorter side


def draw(image: np.ndarray, poses: Sequence[Pose], in_place: bool = False, marks: Marks = NO_MARKS) -> np.ndarray:
    """Draw the skeletons into a copy of the frame, or with `in_place` into the frame itself.

    image: (h, w, 3) uint8 BGR. Returns (h, w, 3) uint8 BGR.
    """
    picture = image if in_place else image.copy()
    draw_skeletons(picture, poses, marks=marks)
    return picture


def draw_skeletons(picture: np.ndarray, poses: Sequence[Pose], scale: float = 1.0, marks: Marks = NO_MARKS) -> None:
    """Draw the skeletons on a picture (h, w, 3) uint8 BGR that is `scale` times as large as the frame of the poses."""
    thickness = max(1, round(min(picture.shape[:2]) * THICKNESS))
    if marks.gate is not None:
        _draw_gate(picture, marks.gate, thickness)
    for pose in poses:
        _draw_skeleton(picture, pose, scale, thickness, marks)
    for pose in poses:  # above all skeletons
        if pose.id is not None and pose.id in marks.labels:
            put_label(picture, pose, marks.labels[pose.id], scale)


def _draw_skeleton(picture: np.ndarray, pose: Pose, scale: float, thickness: int, marks: Marks) -> None:
    """Draw one skeleton, with a dark outline that makes it visible on any background."""
    skeleton, points = pose.skeleton, pose.keypoints[:, :2] * scale
    number = -1 if pose.id is None else pose.id
    of_person = person_colour(number) if marks.by_person and pose.id is not None else None
    strengths = marks.strengths.get(number)
    strength = {} if strengths is None else dict(zip(skeleton.keypoints, strengths.tolist(), strict=True))
    at = {
        name: (round(float(x)), round(float(y)))
        for name, (x, y) in zip(skeleton.keypoints, points, strict=True)
        if np.isfinite(x)
    }
    limbs = [limb for limb in skeleton.limbs if limb.start in at and limb.end in at]
    for limb in limbs:
        cv2.line(picture, at[limb.start], at[limb.end], OUTLINE, thickness + 2, cv2.LINE_AA)
    for limb in limbs:
        colour = of_person or skeleton.limb_colour(limb)
        if strength:
            colour = _faded(colour, min(strength[limb.start], strength[limb.end]))
        cv2.line(picture, at[limb.start], at[limb.end], colour, thickness, cv2.LINE_AA)
    for keypoint, point in at.items():
        colour = of_person or skeleton.colour(keypoint)
        if strength:
            colour = _faded(colour, strength[keypoint])
        cv2.circle(picture, point, thickness + 1, OUTLINE, -1, cv2.LINE_AA)
        cv2.circle(picture, point, thickness, colour, -1, cv2.LINE_AA)


def _faded(colour: tuple[int, int, int], strength: float) -> tuple[int, int, int]:
    """A colour on its way to the outline's, which is all that is left at strength 0."""
    blue, green, red = (round(strength * c + (1 - strength) * o) for c, o in zip(colour, OUTLINE, strict=True))
    return blue, green, red


def _draw_gate(picture: np.ndarray, gate: tuple[float, float, float, float], thickness: int) -> None:
    """Draw the line, and an arrow from its middle to the side that is inside: the right of the way from 1 to 2."""
    start, end = (np.array(gate).reshape(2, 2) * picture.shape[1::-1]).round()
    middle, along = (start + end) / 2, (end - start) / max(1.0, float(np.linalg.norm(end - start)))
    tip = middle + np.array([-along[1], along[0]]) * min(picture.shape[:2]) / 16
    for colour, width in ((OUTLINE, thickness + 2), (GATE_COLOUR, thickness)):
        cv2.line(picture, _pixel(start), _pixel(end), colour, width, cv2.LINE_AA)
        cv2.arrowedLine(picture, _pixel(middle), _pixel(tip), colour, width, cv2.LINE_AA, tipLength=0.4)


def _pixel(point: np.ndarray) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


class View(NamedTuple):
    """A picture (h, w, 3) uint8 BGR that shows a frame scaled by `scale`, and the box of the frame in it, in pixels."""

    picture: np.ndarray
    scale: float
    left: int
    top: int
    width: int
    height: int


def draw_to_fit(
    image: np.ndarray,
    poses: Sequence[Pose],
    size: tuple[int, int],
    room_at_left: int = 0,
    marks: Marks = NO_MARKS,
) -> View:
    """Draw the frame with its skeletons into a picture of `size` (width, height), as large as its aspect ratio allows.

    image: (h, w, 3) uint8 BGR, is not changed. room_at_left: width in pixels that the left margin should have; if half
    of the margin is less, the frame moves to the right edge.
    """
    height, width = image.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    shown = min(size[0], max(1, round(width * scale))), min(size[1], max(1, round(height * scale)))
    beside = size[0] - shown[0]
    left = beside if beside // 2 < room_at_left else beside // 2
    top = (size[1] - shown[1]) // 2
    picture = np.empty((size[1], size[0], 3), np.uint8)
    if shown != size:
        cv2.rectangle(picture, (0, 0), size, MARGIN_COLOUR, cv2.FILLED)  # NumPy takes some ms for this
    inside = picture[top : top + shown[1], left : left + shown[0]]
    scale_into(image, inside)
    draw_skeletons(inside, poses, scale, marks)
    return View(picture, scale, left, top, *shown)

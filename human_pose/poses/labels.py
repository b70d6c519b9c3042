"""What tells people apart in the picture: a colour for each number, and a label beside the head."""

import colorsys
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from .pose import Pose

HEAD = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
LETTERS = 1 / 42  # maximum height of the letters, of the picture's shorter side
LETTERS_OF_BODY = 1 / 12  # of the person's size: labels of people far away must not cover each other
SMALLEST_LETTERS = 11  # pixels
BACKGROUND = (34, 30, 28)  # BGR
GOLDEN = 0.618034  # of the circle of hues: numbers that follow each other have colours far apart


class Marks(NamedTuple):
    """How people are told apart.

    labels: the text beside the head of the person with a number. by_person: whether limbs have the person's colour
    instead of their side's. gate: a line across the picture, x1, y1, x2, y2 in shares of its size. strengths: of people
    with keypoints that are only held, (K,) 1..0: how much of a keypoint's colour is left.
    """

    labels: Mapping[int, str] = {}
    by_person: bool = False
    gate: tuple[float, float, float, float] | None = None
    strengths: Mapping[int, np.ndarray] = {}


@cache
def person_colour(number: int) -> tuple[int, int, int]:
    """BGR colour of a person's number."""
    red, green, blue = colorsys.hsv_to_rgb((0.13 + GOLDEN * number) % 1.0, 0.65, 1.0)
    return round(255 * blue), round(255 * green), round(255 * red)


def put_label(picture: np.ndarray, pose: Pose, text: str, scale: float) -> None:
    """Put a label beside a person's head, above it where there is no room, and inside the picture in any case.

    picture: (h, w, 3) uint8 BGR, `scale` times as large as the frame of the pose.
    """
    found = np.isfinite(pose.keypoints[:, 0])
    if pose.id is None or not found.any():
        return
    points = pose.keypoints[found, :2] * scale
    body = float(np.ptp(points, axis=0).max())
    letters = max(SMALLEST_LETTERS, round(min(body * LETTERS_OF_BODY, min(picture.shape[:2]) * LETTERS)))
    label = _label(text, person_colour(pose.id), letters)
    (height, width), (picture_height, picture_width) = label.shape[:2], picture.shape[:2]
    if height > picture_height or width > picture_width:
        return
    head = (
        pose.keypoints[[n for n, name in enumerate(pose.skeleton.keypoints) if name in HEAD and found[n]], :2] * scale
    )
    if len(head) == 0:  # beside the highest keypoint
        head = points[np.argmin(points[:, 1])][None]
    left = round(float(head[:, 0].max() + 0.06 * body)) + height // 3
    top = round(float(head[:, 1].mean())) - height // 2
    if left + width > picture_width:
        left = round(float(head[:, 0].min() - 0.06 * body)) - height // 3 - width
    left, top = (min(max(at, 0), room) for at, room in ((left, picture_width - width), (top, picture_height - height)))
    picture[top : top + height, left : left + width] = label


@lru_cache(maxsize=256)
def _label(text: str, colour: tuple[int, int, int], letters: int) -> np.ndarray:
    """A label: (h, w, 3) uint8 BGR. Kept, because a text stays the same for a second."""
    width = int(cv2.getTextSize((1, 1), text, (0, 0), _face(), letters, 600)[2])
    label = np.full((round(1.5 * letters), width + letters, 3), BACKGROUND, np.uint8)
    cv2.putText(label, text, (letters // 2, round(1.1 * letters)), colour, _face(), letters, 600)
    return label


@cache
def _face() -> cv2.FontFace:
    return cv2.FontFace("sans")

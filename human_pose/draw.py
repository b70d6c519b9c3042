"""The picture to show: the frame, the skeletons, and a panel of text that can be read on any frame."""

import re
from collections.abc import Sequence
from functools import cache, lru_cache

import cv2
import numpy as np

from .decode import Pose
from .panel import Corner, Line
from .skeleton import KEYPOINTS, LIMBS, keypoint_colour, limb_colour

SMALLEST_CANVAS = (480, 360)  # width, height; smaller frames are enlarged, so that the panel has room
OUTLINE = (24, 24, 24)
PANEL_SHADE = 0.3  # how much of the frame shines through the panel
LINE_SPACING = 1.4  # of a letter's height
TITLE_COLOUR = (120, 235, 255)
TEXT_COLOUR = (245, 245, 245)


def draw(
    image: np.ndarray, poses: Sequence[Pose], panel: Sequence[Line], corner: Corner, in_place: bool = False
) -> np.ndarray:
    """The frame with its skeletons, and the panel's lines, if any, in its corner.

    image: (h, w, 3) uint8 BGR, stays as it is, unless `in_place` allows to draw on it. Returns (h, w, 3) uint8 BGR of
    the same size, or larger by a whole factor and black margins where the frame is smaller than SMALLEST_CANVAS.
    """
    canvas, factor = _canvas(image, in_place)
    thickness = max(2, round(min(canvas.shape[:2]) / 240))
    if panel:
        text_size, left, top = _shade_panel(canvas, panel, corner)
    for pose in poses:
        _draw_skeleton(canvas, pose.keypoints[:, :2] * factor, thickness)
    if panel:
        _write_panel(canvas, panel, text_size, left, top)
    return canvas


def _canvas(image: np.ndarray, in_place: bool) -> tuple[np.ndarray, int]:
    """What to draw on, a copy of the frame unless it may be drawn on itself, and by how much it is enlarged."""
    height, width = image.shape[:2]
    factor = max(1, min(SMALLEST_CANVAS[0] // width, SMALLEST_CANVAS[1] // height))
    if factor > 1:
        image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
    canvas_size = max(image.shape[0], SMALLEST_CANVAS[1]), max(image.shape[1], SMALLEST_CANVAS[0])
    if canvas_size == image.shape[:2]:
        return image.copy() if factor == 1 and not in_place else image, factor
    canvas = np.zeros((*canvas_size, 3), np.uint8)
    canvas[: image.shape[0], : image.shape[1]] = image
    return canvas, factor


def _draw_skeleton(canvas: np.ndarray, points: np.ndarray, thickness: int) -> None:
    """points: (18, 2) in canvas pixels, NaN where missing. A dark outline sets the limbs off from any background."""
    at = {KEYPOINTS[part]: (round(float(x)), round(float(y))) for part, (x, y) in enumerate(points) if np.isfinite(x)}
    limbs = [limb for limb in LIMBS if limb.drawn and limb.start in at and limb.end in at]
    for limb in limbs:
        cv2.line(canvas, at[limb.start], at[limb.end], OUTLINE, thickness + 2, cv2.LINE_AA)
    for limb in limbs:
        cv2.line(canvas, at[limb.start], at[limb.end], limb_colour(limb), thickness, cv2.LINE_AA)
    for keypoint, point in at.items():
        cv2.circle(canvas, point, thickness + 1, OUTLINE, -1, cv2.LINE_AA)
        cv2.circle(canvas, point, thickness, keypoint_colour(keypoint), -1, cv2.LINE_AA)


@cache
def _font() -> cv2.FontFace:
    return cv2.FontFace("sans")


def _style(line: Line, text_size: int) -> tuple[cv2.FontFace, int, int]:
    """Font, height in pixels and weight of a line."""
    return _font(), round(text_size * line.size), 700 if line.is_title else 500 if line.size > 1 else 400


def _text_width(line: Line, text_size: int) -> int:
    return int(cv2.getTextSize((1, 1), line.text, (0, 0), *_style(line, text_size))[2])


def _columns(lines: Sequence[Line], text_size: int) -> list[int]:
    """Left edges of the columns, in pixels from the panel's text edge, that the tabs in all lines align to."""
    rows = [line.text.split("\t") for line in lines if "\t" in line.text]
    edges = [0]
    for column in range(max((len(row) for row in rows), default=0)):
        widest = max(_text_width(Line(row[column]), text_size) for row in rows if column < len(row))
        edges.append(edges[-1] + widest + text_size)
    return edges


def _panel_size(lines: Sequence[Line], text_size: int) -> tuple[int, int]:
    """Width and height that the lines take, with a margin of one letter."""
    height = sum(round(text_size * line.size * LINE_SPACING) for line in lines)
    plain = max((_text_width(line, text_size) for line in lines if "\t" not in line.text), default=0)
    return max(plain, _columns(lines, text_size)[-1] - text_size) + 2 * text_size, height + text_size


@lru_cache(maxsize=64)
def _text_size(canvas_size: tuple[int, int], lines: tuple[Line, ...]) -> int:
    """Height in pixels of the small letters, so that the panel is easy to read and fits canvas_size (width, height)."""
    width, height = canvas_size
    text_size = max(12, round(min(width, height) / 42))
    while text_size > 7:
        needed = _panel_size(lines, text_size)
        if needed[0] <= width and needed[1] <= height:
            break
        text_size -= 1
    return text_size


def _shade_panel(canvas: np.ndarray, lines: Sequence[Line], corner: Corner) -> tuple[int, int, int]:
    """Darken the panel's background. Returns the letters' height and the panel's left and top edge, in pixels."""
    # Any digit counts as a 0, lest the letters change their size with the figures, and be measured anew with each.
    zeros = tuple(line._replace(text=re.sub("[0-9]", "0", line.text)) for line in lines)
    text_size = _text_size((canvas.shape[1], canvas.shape[0]), zeros)
    width, height = _panel_size(zeros, text_size)
    left = max(0, canvas.shape[1] - width) if corner.is_right else 0
    top = max(0, canvas.shape[0] - height) if corner.is_bottom else 0
    behind = canvas[top : top + height, left : left + width]
    np.copyto(behind, cv2.convertScaleAbs(behind, alpha=PANEL_SHADE))
    return text_size, left, top


def _write_panel(canvas: np.ndarray, lines: Sequence[Line], text_size: int, left: int, top: int) -> None:
    columns = _columns(lines, text_size)
    y = top + text_size // 2
    for line in lines:
        height = round(text_size * line.size * LINE_SPACING)
        y += height
        colour = TITLE_COLOUR if line.is_title else TEXT_COLOUR
        for text, x in zip(line.text.split("\t"), columns, strict=False):
            position = (left + text_size + x, y - height // 4)
            cv2.putText(canvas, text, position, colour, *_style(line, text_size))

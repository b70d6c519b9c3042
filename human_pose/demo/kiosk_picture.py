"""Pictures of an exhibition: the caption under every picture, and the picture while there is nothing to see."""

from functools import lru_cache

import cv2
import numpy as np

from .panel_picture import BACKGROUND, EDGE

CAPTION = 0.13  # of the screen's height
LETTERS = 0.36  # of the caption's height, where the text then fits into two lines
MOST_LINES = 2
SMALLEST_LETTERS = 8  # pixels
WHITE = (255, 255, 255)


def caption_height(height: int) -> int:
    """How many pixels of a screen the caption takes."""
    return round(CAPTION * height)


def add_caption(picture: np.ndarray, text: str, height: int) -> np.ndarray:
    """The picture (h, w, 3) uint8 with the caption under it; height: of the caption."""
    return np.vstack([picture, text_box(text, (picture.shape[1], height))])


def waiting_picture(text: str, size: tuple[int, int]) -> np.ndarray:
    """What the screen shows while there is no picture: (h, w, 3) uint8; size: width, height."""
    width, height = size
    picture = np.full((height, width, 3), BACKGROUND, np.uint8)
    top, bottom = round(0.38 * height), round(0.62 * height)
    picture[top:bottom] = text_box(text, (width, bottom - top))
    return picture


@lru_cache(maxsize=4)
def text_box(text: str, size: tuple[int, int]) -> np.ndarray:
    """A text in the middle of a box, (h, w, 3) uint8 BGR, in MOST_LINES with the largest letters that fit."""
    width, height = size
    box = np.full((height, width, 3), BACKGROUND, np.uint8)
    box[: max(2, height // 50)] = EDGE
    face = cv2.FontFace("sans")
    letters = max(SMALLEST_LETTERS, round(LETTERS * height))
    lines = _lines(text, face, letters, 0.94 * width)
    while letters > SMALLEST_LETTERS and len(lines) > MOST_LINES:
        letters -= 1
        lines = _lines(text, face, letters, 0.94 * width)
    spacing = 1.3 * letters
    baseline = (height - spacing * len(lines)) / 2 + letters
    for number, line in enumerate(lines):
        x = (width - _width(line, face, letters)) // 2
        cv2.putText(box, line, (x, round(baseline + number * spacing)), WHITE, face, letters, 600)
    return box


def _lines(text: str, face: cv2.FontFace, letters: int, room: float) -> list[str]:
    """The text in lines that fit into `room` pixels; a word that is longer has a line of its own."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _width(longer, face, letters) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _width(text: str, face: cv2.FontFace, letters: int) -> int:
    return int(cv2.getTextSize((1, 1), text, (0, 0), face, letters, 600)[2])

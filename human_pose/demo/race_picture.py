"""Draw a race: a picture of each of the two side by side, under it its figures, between them the ratio."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from ..poses.draw import draw_to_fit
from .panel_picture import BACKGROUND, EDGE
from .people import Seen
from .race import Race, Racer

FOOT = 0.24  # of the picture's height
LARGE_FOOT = 0.32  # the same, to be read from some metres away
DIM = 0.45  # brightness of the picture of who waits for its turn
WHITE, GREY, ORANGE = (255, 255, 255), (180, 180, 180), (110, 200, 255)


class Line(NamedTuple):
    """A text in the middle of a box: where its middle is and how high its letters are, in parts of the box."""

    text: str
    y: float
    height: float
    colour: tuple[int, int, int] = WHITE
    weight: int = 600


def draw_race(race: Race, first_image: np.ndarray, size: tuple[int, int], foot_part: float = FOOT) -> np.ndarray:
    """The picture of a race, (h, w, 3) uint8 BGR. size: its width and height. first_image: before there are results.

    foot_part: the height of the figures, in parts of the picture's.
    """
    width, height = size
    foot, half = round(foot_part * height), width // 2
    beside = half - width // 10  # of the figures in the middle
    picture = np.empty((height, width, 3), np.uint8)
    cv2.rectangle(picture, (0, 0), (width, height), BACKGROUND, cv2.FILLED)
    for index, (racer, name) in enumerate(zip(race.racers, race.names, strict=True)):
        left = index * (width - half)
        view = _view(racer, first_image, (half - 1, height - foot), race.is_ready and racer not in race.running)
        picture[: height - foot, left : left + half - 1] = view
        side = _box(_side(racer, name), (beside, foot))
        left = index * (width - beside)
        picture[height - foot :, left : left + beside] = side
    picture[height - foot :, beside : width - beside] = _box(_middle(race), (width - 2 * beside, foot))
    return picture


def _view(racer: Racer, first_image: np.ndarray, size: tuple[int, int], is_dim: bool) -> np.ndarray:
    """The last result of a racer in a picture of `size` (width, height). It is drawn once for each result."""
    result = racer.last
    if racer.view is not None and racer.view[0] is result and racer.view[1:3] == (size, is_dim):
        return racer.view[3]
    image, seen = (first_image, Seen((), ())) if result is None else (result[0].frame.image, result[1])
    picture = draw_to_fit(image, seen.shown, size, 0, seen.marks).picture
    if is_dim:
        picture = cv2.convertScaleAbs(picture, alpha=DIM)
    racer.view = result, size, is_dim, picture
    return picture


def _side(racer: Racer, name: str) -> tuple[Line, ...]:
    """What stands under the picture of a racer."""
    lines = [Line(name, 0.13, 0.16, EDGE, 700)]
    if not racer.is_ready:
        compiling = racer.estimator.compiling
        seconds = 0.0 if compiling is None else compiling[1]
        return (*lines, Line(f"compiling ... {seconds:.0f} s", 0.5, 0.18, ORANGE))
    mark = racer.estimator.compiled.mark
    fps, latency_ms = racer.fps, racer.latency_ms
    lines.append(Line("-" if fps is None else f"{fps:.1f} FPS", 0.46, 0.36))
    second = "" if latency_ms is None else f"{latency_ms:.1f} ms latency"
    lines.append(Line(", ".join(filter(None, (second, mark))), 0.72, 0.15))
    if racer.slowed_by is not None:
        lines.append(Line(f"the other slows it by {100 * max(0.0, racer.slowed_by):.0f} %", 0.9, 0.12, GREY, 400))
    return tuple(lines)


def _middle(race: Race) -> tuple[Line, ...]:
    """What stands between the two."""
    ratio = race.ratio
    lines = []
    if ratio is not None:
        lines.append(Line(f"{max(ratio, 1 / ratio):.2f} x", 0.46, 0.3, ORANGE, 700))
        lines.append(Line("left is faster" if ratio >= 1 else "right is faster", 0.72, 0.12, WHITE, 400))
    how = "they take turns" if race.takes_turns else "each alone first" if race.measures_alone else "together"
    if race.is_ready:
        lines.append(Line(how, 0.9, 0.12, GREY, 400))
    return tuple(lines)


@lru_cache(maxsize=16)
def _box(lines: Sequence[Line], size: tuple[int, int]) -> np.ndarray:
    """Lines of text, (h, w, 3) uint8 BGR; size: width, height. A line that is too wide gets smaller letters."""
    width, height = size
    picture = np.empty((height, width, 3), np.uint8)
    cv2.rectangle(picture, (0, 0), size, BACKGROUND, cv2.FILLED)
    face = cv2.FontFace("sans")
    for text, y, share, colour, weight in lines:
        letters = max(6, round(share * height))
        while letters > 6 and _text_width(text, face, letters, weight) > 0.94 * width:
            letters -= 1
        x = (width - _text_width(text, face, letters, weight)) // 2
        cv2.putText(picture, text, (x, round(y * height) + letters // 3), colour, face, letters, weight)
    return picture


def _text_width(text: str, face: cv2.FontFace, letters: int, weight: int) -> int:
    return int(cv2.getTextSize((1, 1), text, (0, 0), face, letters, weight)[2])

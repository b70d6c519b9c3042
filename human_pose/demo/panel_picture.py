"""Draw the panel: its letters, its lines, and its place over the frame.

The panel is opaque and at most a third of the picture's width. Long lines are wrapped. If the panel does not fit even
with the smallest letters, its last blocks are left out.
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from .panel import Block, Style, Table, Text
from .panel_place import Box, PanelPlace

WIDEST = 1 / 3  # of the picture's width
HIGHEST, HIGHEST_OVER_SMALL = 0.97, 0.75  # of the picture's height
SMALL_PICTURE = 300  # pixels of its shorter side
LETTERS = 1 / 40  # height of the body's letters, of the picture's shorter side, where the panel then fits
LARGE_LETTERS = 1 / 22  # the same, to be read from some metres away
SMALLEST_LETTERS = 12  # pixels, minimum height of the body's letters
LINE_SPACING = 1.35  # times the letter height
BACKGROUND = (34, 30, 28)
EDGE = (120, 235, 255)
BREAKS = re.compile(r"\s*[^\s,:/-]*[,:/-]?")  # a line may break after these, also inside long words


class Look(NamedTuple):
    """The look of a text: its size relative to the body's letters, its weight and colour (BGR)."""

    size: float
    weight: int
    colour: tuple[int, int, int]


LOOKS = {
    Style.TITLE: Look(1.2, 700, (120, 235, 255)),
    Style.HEADLINE: Look(1.9, 600, (255, 255, 255)),
    Style.BODY: Look(1.0, 400, (245, 245, 245)),
    Style.NOTE: Look(1.0, 600, (110, 200, 255)),
    Style.SMALL: Look(0.84, 400, (215, 215, 215)),
}
LABEL = LOOKS[Style.SMALL]._replace(colour=(165, 165, 165))
MARKED = LOOKS[Style.SMALL]._replace(colour=LOOKS[Style.TITLE].colour)


class Cell(NamedTuple):
    """A text in a line: its look, and where it starts, in pixels from the panel's margin."""

    text: str
    look: Look
    x: int = 0


class Line(NamedTuple):
    """A line of the panel; height and the space above it in pixels."""

    cells: tuple[Cell, ...]
    height: int
    space: int = 0


class Layout(NamedTuple):
    """The height of the body's letters, the size of the panel, both in pixels, and how many blocks it holds."""

    letters: int
    width: int
    height: int
    blocks: int


@lru_cache(maxsize=64)
def lay_out(blocks: tuple[Block, ...], picture_size: tuple[int, int], part_of_side: float = LETTERS) -> Layout | None:
    """The layout with the largest letters that fits a picture (width, height); as many blocks as fit, the first first.

    part_of_side: the height of the largest letters, see LETTERS. None if even the first two blocks do not fit.
    """
    width, height = picture_size
    largest = max(SMALLEST_LETTERS, round(min(width, height) * part_of_side))
    for count in range(len(blocks), min(2, len(blocks)) - 1, -1):
        for letters in range(largest, SMALLEST_LETTERS - 1, -1):
            room = int(width * WIDEST) - 2 * _margin(letters)
            lines = _lines(blocks[:count], letters, room)
            if lines is None:
                continue
            needed = _height(lines) + 2 * _margin(letters)
            if needed <= height * (HIGHEST if min(width, height) >= SMALL_PICTURE else HIGHEST_OVER_SMALL):
                return Layout(letters, _width(lines, letters) + 2 * _margin(letters), needed, count)
    return None


@lru_cache(maxsize=4)
def panel_picture(
    blocks: tuple[Block, ...], picture_size: tuple[int, int], part_of_side: float = LETTERS
) -> np.ndarray | None:
    """The panel for a picture of a size (width, height): (h, w, 3) uint8 BGR; None if it is empty or does not fit.

    Its width does not depend on the figures. part_of_side: see lay_out.
    """
    layout = lay_out(tuple(_with_widest_figures(block) for block in blocks), picture_size, part_of_side)
    if layout is None or not blocks:
        return None
    margin = _margin(layout.letters)
    lines = _lines(blocks[: layout.blocks], layout.letters, layout.width - 2 * margin) or []
    height = min(layout.height, _height(lines) + 2 * margin)
    panel = np.full((height, layout.width, 3), BACKGROUND, np.uint8)
    panel[:, : max(2, layout.letters // 6)] = EDGE
    y = margin
    for line in lines:
        y += line.space + line.height
        for text, look, x in line.cells:
            at = (margin + x, y - line.height // 4)
            cv2.putText(panel, text, at, look.colour, *_font(look, layout.letters))
    return panel


def put_panel(
    picture: np.ndarray,
    blocks: Sequence[Block],
    place: PanelPlace,
    people: np.ndarray,
    now: float,
    frame: Box | None = None,
    part_of_side: float = LETTERS,
) -> None:
    """Put the panel over a picture (h, w, 3), where it covers few people (n, 4).

    frame, now: see PanelPlace.update. part_of_side: see lay_out.
    """
    size = picture.shape[1::-1]
    panel = panel_picture(tuple(blocks), size, part_of_side)
    if panel is not None:
        left, top, right, bottom = place.update(people, panel.shape[1::-1], size, now, frame)
        picture[top:bottom, left:right] = panel


def _with_widest_figures(block: Block) -> Block:
    """The block with every figure replaced by one of the maximum width."""
    if isinstance(block, Text):
        return block._replace(text=_widest(block.text))
    return block._replace(rows=tuple(tuple(map(_widest, row)) for row in block.rows))


def _widest(text: str) -> str:
    if text == "-" or text.startswith("- "):
        return "000.0" + text[1:]
    return re.sub(r"\d", "0", re.sub(r"\b\d{1,2}\.\d\b", "000.0", text))


def _margin(letters: int) -> int:
    return round(0.7 * letters)


@cache
def _face() -> cv2.FontFace:
    return cv2.FontFace("sans")


def _font(look: Look, letters: int) -> tuple[cv2.FontFace, int, int]:
    return _face(), round(letters * look.size), look.weight


@lru_cache(maxsize=4096)
def _text_width(text: str, look: Look, letters: int) -> int:
    return int(cv2.getTextSize((1, 1), text, (0, 0), *_font(look, letters))[2])


def _width(lines: Sequence[Line], letters: int) -> int:
    """The width of the longest line in pixels."""
    return max((x + _text_width(text, look, letters) for line in lines for text, look, x in line.cells), default=0)


def _height(lines: Sequence[Line]) -> int:
    return sum(line.space + line.height for line in lines)


def _lines(blocks: Sequence[Block], letters: int, room: int) -> list[Line] | None:
    """The lines of the blocks in `room` pixels of width; None if a word is wider."""
    lines: list[Line] = []
    for block in blocks:
        found = _text_lines(block, letters, room) if isinstance(block, Text) else _table_lines(block, letters, room)
        if found is None:
            return None
        if lines and isinstance(block, Table):  # a space above each table
            found[0] = found[0]._replace(space=letters // 2)
        lines += found
    return lines


def _text_lines(block: Text, letters: int, room: int) -> list[Line] | None:
    look = LOOKS[block.style]
    look = _look_in_one_line(block.text, look, letters, room)
    texts = _wrap(block.text, look, letters, room)
    height = round(letters * look.size * LINE_SPACING)
    return None if texts is None else [Line((Cell(text, look),), height) for text in texts]


def _look_in_one_line(text: str, look: Look, letters: int, room: int) -> Look:
    """A smaller look if the text then fits one line; else the look as it is."""
    smaller = look
    while smaller.size > LOOKS[Style.SMALL].size:
        if _text_width(text, smaller, letters) <= room:
            return smaller
        smaller = smaller._replace(size=round(smaller.size - 0.08, 2))
    return look


def _table_lines(table: Table, letters: int, room: int) -> list[Line] | None:
    look = LOOKS[Style.SMALL]
    height, gap = round(letters * look.size * LINE_SPACING), round(0.7 * letters)
    columns = list(zip(*table.rows, strict=True))
    widths = [max(_text_width(cell, look, letters) for cell in column) for column in columns]
    wrapped = table.columns.find("w")
    over = sum(widths) + gap * (len(widths) - 1) - room
    if over > 0:
        if wrapped < 0:
            return None
        widths[wrapped] -= over
    lefts = [sum(widths[:column]) + gap * column for column in range(len(widths))]
    lines: list[Line] = []
    for number, row in enumerate(table.rows):
        parts = [[cell] for cell in row]
        if wrapped >= 0:
            texts = _wrap(row[wrapped], look, letters, widths[wrapped])
            if texts is None:
                return None
            parts[wrapped] = texts
        for part in range(max(map(len, parts))):
            cells = []
            for column, texts in enumerate(parts):
                if part < len(texts):
                    is_right = table.columns[column] == "r"
                    shift = widths[column] - _text_width(texts[part], look, letters) if is_right else 0
                    cells.append(Cell(texts[part], _cell_look(table, number, column), lefts[column] + shift))
            lines.append(Line(tuple(cells), height))
    return lines


def _cell_look(table: Table, row: int, column: int) -> Look:
    if row == table.marked:
        return MARKED
    is_label = row == 0 if table.has_header else column % 2 == 0
    return LABEL if is_label else LOOKS[Style.SMALL]


def _wrap(text: str, look: Look, letters: int, room: int) -> list[str] | None:
    """Break a text into lines of at most `room` pixels, at BREAKS; None if a piece between breaks is wider."""
    if _text_width(text, look, letters) <= room:
        return [text]
    lines = [""]
    for piece in filter(None, BREAKS.findall(text)):
        longer = lines[-1] + piece
        if _text_width(longer.strip(), look, letters) <= room:
            lines[-1] = longer
        elif _text_width(piece.strip(), look, letters) <= room:
            lines.append(piece)
        else:
            return None
    return [line.strip() for line in lines if line.strip()]

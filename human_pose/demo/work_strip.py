"""The picture of the work: a strip of the last two seconds, a lane for each request, a bar for each inference.

It shows what figures only tell: how many requests overlap, that a request is started again as soon as its result is
taken, and where the device had nothing to do.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import NamedTuple

import cv2
import numpy as np

from ..inference.backend import CompiledModel, Inference

SHOWN_S = 2.0
HIGHEST = 0.25  # of the picture's height
LANE = 1 / 60  # height of a lane, of the picture's shorter side, where all lanes then fit
LABEL = 0.16  # width of the devices' names, of the picture's width
GROUND, DARK = (34, 30, 28), (62, 56, 52)  # BGR: between lanes, and a lane where nothing runs
COLOURS = {  # of a device's bars, by its kind, BGR
    "CPU": (230, 160, 70), "GPU": (90, 200, 90), "NPU": (220, 120, 200),
    "MULTI": (60, 170, 255), "HETERO": (230, 220, 90), "AUTO": (110, 220, 240),
}  # fmt: skip
OTHERS = (170, 150, 255)


class Bar(NamedTuple):
    """An inference: its request's index, and when it began and ended, in s of time.perf_counter."""

    request: int
    began_at: float
    ended_at: float


class WorkStrip:
    """Collects the inferences of the last SHOWN_S of each device, and draws them."""

    def __init__(self) -> None:
        self._bars: dict[str, deque[Bar]] = {}  # by device
        self._compiled: dict[str, CompiledModel] = {}

    def add(self, inference: Inference) -> None:
        """Take in a result. Call it for every result, whether the strip is shown or not."""
        device = inference.compiled.device
        self._compiled[device] = inference.compiled
        bars = self._bars.setdefault(device, deque())
        ended_at = inference.began_at + inference.latency_ms / 1000
        bars.append(Bar(inference.request, inference.began_at, ended_at))
        while bars[0].ended_at < ended_at - SHOWN_S:
            bars.popleft()

    def put(self, picture: np.ndarray, now: float, running: Iterable[tuple[CompiledModel, int, float]] = ()) -> int:
        """Draw the strip over the lower edge of a picture (h, w, 3). Returns its height in pixels.

        now: the time of the strip's right edge, in s; running: see Estimator.running; their bars end at now.
        """
        since = now - SHOWN_S
        self._bars = {device: bars for device, bars in self._bars.items() if bars[-1].ended_at > since}
        shown = {device: list(bars) for device, bars in self._bars.items()}
        for compiled, request, began_at in running:
            self._compiled[compiled.device] = compiled
            shown.setdefault(compiled.device, []).append(Bar(request, began_at, now))
        if not shown:
            return 0
        height, width = picture.shape[:2]
        lanes = [
            max(self._compiled[device].requests_in_use, 1 + max(bar.request for bar in bars))
            for device, bars in shown.items()
        ]
        pixels = min(round(LANE * min(height, width)), int(HIGHEST * height) // (sum(lanes) + len(lanes)))
        if pixels < 2:
            return 0
        left = round(LABEL * width)
        top = height - pixels * (sum(lanes) + len(lanes))
        strip = picture[top:]
        cv2.rectangle(strip, (0, 0), (width, height), GROUND, cv2.FILLED)
        y = 0
        for (device, bars), count in zip(shown.items(), lanes, strict=True):
            colour = COLOURS.get(device.partition(":")[0].partition(".")[0], OTHERS)
            lane = cv2.applyColorMap(_filled(bars, count, width - left, since), _palette(colour))
            for number in range(count):
                at = y + pixels // 2 + number * pixels
                strip[at : at + pixels - max(1, pixels // 5), left:] = lane[number]
            height_of_all = (count + 1) * pixels
            strip[y : y + height_of_all, :left] = _label(_name(device), count, colour, left, height_of_all)
            y += height_of_all
        return int(height - top)


def _name(device: str) -> str:
    """The device, short where it is a server."""
    return device.rpartition("//")[2].partition("/")[0] if "://" in device else device


def _filled(bars: Sequence[Bar], lanes: int, width: int, since: float) -> np.ndarray:
    """The lanes (lanes, width) uint8, from the time `since` on: 1 where a request runs, a pixel less between bars."""
    values = np.fromiter(chain.from_iterable(bars), float, 3 * len(bars)).reshape(-1, 3)
    rows = values[:, 0].astype(int) * (width + 1)
    pixels = ((values[:, 1:] - since) * (width / SHOWN_S)).astype(int).clip(0, width)
    begin, end = pixels[:, 0], np.maximum(pixels[:, 1] - 1, np.minimum(pixels[:, 0] + 1, pixels[:, 1]))
    size = lanes * (width + 1)
    steps = np.bincount(rows + begin, minlength=size) - np.bincount(rows + end, minlength=size)
    return (steps.reshape(lanes, -1).cumsum(axis=1)[:, :width] > 0).astype(np.uint8)


@cache
def _palette(colour: tuple[int, int, int]) -> np.ndarray:
    """For cv2.applyColorMap: 0 is a lane where nothing runs, 1 a bar."""
    palette = np.zeros((256, 1, 3), np.uint8)
    palette[0], palette[1] = DARK, colour
    return palette


@lru_cache(maxsize=32)
def _label(name: str, requests: int, colour: tuple[int, int, int], width: int, height: int) -> np.ndarray:
    """The name of a device, and below it its requests where there is room: (height, width, 3) uint8 BGR."""
    picture = np.full((height, width, 3), GROUND, np.uint8)
    face = cv2.FontFace("sans")
    detail = f"{requests} request{'s' if requests > 1 else ''}, {SHOWN_S:.0f} s"
    lines = [name, detail] if height >= 34 else [name]
    letters = max(8, min(20, round(0.7 * height / len(lines)), width // 8))
    while letters > 8 and _width(name, face, letters) > width - letters:
        letters -= 1
    y = (height - round(1.25 * letters * len(lines))) // 2
    for number, text in enumerate(lines):
        y += round(1.25 * letters)
        size = letters if number == 0 else round(0.85 * letters)
        look = colour if number == 0 else (165, 165, 165)
        cv2.putText(picture, text, (letters // 2, y - letters // 4), look, face, size, 600 if number == 0 else 400)
    return picture


def _width(text: str, face: cv2.FontFace, letters: int) -> int:
    return int(cv2.getTextSize((1, 1), text, (0, 0), face, letters, 600)[2])

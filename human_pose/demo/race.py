"""Two configurations on the same frames, and how fast each is: a race."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from itertools import cycle
from typing import Any

import numpy as np

from ..errors import UsageError
from ..inference.backend import VIRTUAL_DEVICES, Inference, members_of
from ..inference.configuration import Configuration, labels
from ..inference.estimator import Estimator
from ..inference.remote_address import is_remote
from ..media.capture import Frame
from ..tracking.visit_files import NullVisitWriter
from .networks import Networks, configuration_of
from .people import People, Seen
from .statistics import ConfigurationStatistics

RACE_S = 30.0  # where nobody ends it
TURN_S = 2.0  # of each, where they take turns
ALONE_S = 3.0  # of each at the start, where they then run together
READ_WAIT_S = 0.01  # maximum wait for a frame while nothing is in flight
IDLE_S = 0.001  # between two looks, while there is nothing to do

Result = tuple[Inference, Seen]


class Racer:
    """One of the two: its estimator, its people, its figures, and its last result."""

    def __init__(self, configuration: Configuration, networks: Networks, sample: np.ndarray, is_smoothed: bool) -> None:
        """sample: the source's first image (h, w, 3) uint8 BGR."""
        self.configuration = configuration
        self.estimator = Estimator(networks, configuration, sample, waits=False)
        self.last: Result | None = None
        self.view: tuple[Result | None, tuple[int, int], bool, np.ndarray] | None = None  # kept by race_picture
        self.figures: ConfigurationStatistics | None = None  # of the race
        self.alone: ConfigurationStatistics | None = None
        self._people = People(NullVisitWriter(), is_smoothed=is_smoothed)
        self._networks = networks

    @property
    def is_ready(self) -> bool:
        """Whether its network is compiled."""
        return self.estimator.configuration is not None

    def collect(self) -> Inference | None:
        """Its next result, or None. Raises DeviceError if its device fails."""
        inference = self.estimator.collect(wait=False)
        if inference is not None:
            self.last = inference, self._people.see(inference.frame, self._networks.decode(inference))
        return inference

    def begin(self) -> None:
        """Its network is compiled: figures begin."""
        self.alone = ConfigurationStatistics(self.estimator.compiled)
        self.figures = ConfigurationStatistics(self.estimator.compiled)

    def interrupt(self) -> None:
        """Do not count the time until its next result."""
        for figures in (self.figures, self.alone):
            if figures is not None:
                figures.interrupt()

    @property
    def fps(self) -> float | None:
        """Results a second in the race; None while there are few."""
        return None if self.figures is None else self.figures.throughput.mean()

    @property
    def latency_ms(self) -> float | None:
        """The mean of the race; None before the first result."""
        summary = None if self.figures is None else self.figures.latencies.summary()
        return None if summary is None else summary.mean

    @property
    def slowed_by(self) -> float | None:
        """By which part of its FPS the other slows it while both run; None where that is not known."""
        alone = None if self.alone is None else self.alone.throughput.mean()
        return None if alone is None or self.fps is None else 1 - self.fps / alone


class Race:
    """Lets two configurations run on the frames of one source.

    On devices that have nothing in common both run at once, after each has run alone for ALONE_S, so that it is known
    how much they slow each other. Else they take turns of TURN_S: no figure of one contains work of the other. A frame
    goes to each that has a request for it; the slower one leaves out frames.
    """

    def __init__(
        self, pair: Sequence[Configuration], networks: Networks, sample: np.ndarray, is_smoothed: bool = True
    ) -> None:
        """sample: the source's first image (h, w, 3) uint8 BGR. Raises UsageError where both are the same."""
        check_pair(pair)
        self.racers = [Racer(configuration, networks, sample, is_smoothed) for configuration in pair]
        self.takes_turns = False
        self.submitted = 0
        self._networks = networks
        self._phases: Iterator[tuple[Racer, ...]] | None = None  # None: not both are compiled yet
        self._running: tuple[Racer, ...] = ()
        self._until = 0.0

    @property
    def names(self) -> list[str]:
        """What tells the two apart."""
        return labels([self._networks.shown(racer.configuration) for racer in self.racers])

    @property
    def running(self) -> tuple[Racer, ...]:
        """Who gets frames at present; nobody between two turns, and before both networks are compiled."""
        return self._running

    @property
    def measures_alone(self) -> bool:
        """Whether one runs alone only to be compared with its figures while both run."""
        return not self.takes_turns and len(self._running) == 1

    @property
    def is_ready(self) -> bool:
        """Whether both networks are compiled."""
        return self._phases is not None

    @property
    def is_idle(self) -> bool:
        """Whether no frame is in flight."""
        return all(racer.estimator.is_idle for racer in self.racers)

    @property
    def ratio(self) -> float | None:
        """FPS of the first over FPS of the second; None while it is not known."""
        first, second = (racer.fps for racer in self.racers)
        return None if first is None or not second else first / second

    def step(self, read: Callable[[float], Frame | None] | None) -> list[Inference]:
        """Collect what is done, and hand the next frame to who runs. Returns the new results.

        read: takes the maximum wait in s and returns a frame or None; None: no more frames. Raises DeviceError if a
        device fails.
        """
        self._advance(time.perf_counter())
        results = []
        for racer in self.racers:
            inference = racer.collect()
            if inference is not None:
                results.append(inference)
                if racer in self._running:
                    figures = racer.alone if self.measures_alone else racer.figures
                    assert figures is not None
                    figures.add(inference.latency_ms, time.perf_counter(), False, inference.while_switching)
        free = [racer for racer in self._running if racer.estimator.has_idle_request]
        frame = read(READ_WAIT_S if self.is_idle else 0) if read is not None and free else None
        if frame is not None:
            self.submitted += 1
            for racer in free:
                racer.estimator.submit(frame)
        elif not results:
            time.sleep(IDLE_S)
        return results

    def interrupt(self) -> None:
        """A pause: the time until the next result is not counted."""
        for racer in self._running:
            racer.interrupt()

    def _advance(self, now: float) -> None:
        """Begin the next phase when the present one is over, and nothing of it is in flight."""
        if self._phases is None:
            if not all(racer.is_ready for racer in self.racers):
                return
            first, second = self.racers
            for racer in self.racers:
                racer.begin()
            self.takes_turns = bool(_devices(first) & _devices(second))
            alone = [(first,), (second,)]
            self._phases = cycle(alone) if self.takes_turns else iter([*alone, (first, second)])
        if now < self._until:
            return
        self.interrupt()
        self._running = ()
        if self.is_idle:
            self._running = next(self._phases)
            length_s = math.inf if len(self._running) == 2 else TURN_S if self.takes_turns else ALONE_S
            self._until = now + length_s

    def verdict(self) -> str:
        """Who is faster, and how it was measured, in a sentence or two; '' while it is not known."""
        if not self.ratio:
            return ""
        faster, slower = self.names if self.ratio >= 1 else self.names[::-1]
        factor = max(self.ratio, 1 / self.ratio)
        how = f"They took turns of {TURN_S:.0f} s, because they share a device."
        if not self.takes_turns:
            slowed = [
                f"{name} by {100 * max(0.0, racer.slowed_by):.0f} %"
                for name, racer in zip(self.names, self.racers, strict=True)
                if racer.slowed_by is not None
            ]
            how = "Both ran at once" + (f"; that slowed {' and '.join(slowed)}." if slowed else ".")
        return f"{faster} is {factor:.2f} times as fast as {slower}. {how}"

    def table(self) -> str:
        """A row for each of the two, and the verdict."""
        rows: list[tuple[str, ...]] = [("race", "frames", "FPS", "alone", "latency ms", "p95")]
        for name, racer in zip(self.names, self.racers, strict=True):
            alone = None if racer.alone is None else racer.alone.throughput.mean()
            p95 = None if racer.figures is None else racer.figures.latencies.percentile(95)
            mark = f" ({racer.estimator.compiled.mark})" if racer.is_ready and racer.estimator.compiled.mark else ""
            frames = 0 if racer.figures is None else racer.figures.frames
            figures = (
                "-" if figure is None else f"{figure:.1f}" for figure in (racer.fps, alone, racer.latency_ms, p95)
            )
            rows.append((name + mark, str(frames), *figures))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.rjust(width) if column else cell.ljust(width)
                      for column, (cell, width) in enumerate(zip(row, widths, strict=True)))
            for row in rows
        ]  # fmt: skip
        return "\n".join([*lines, *filter(None, [self.verdict()])])

    def report(self) -> list[dict[str, Any]]:
        """Each of the two as data."""
        return [
            {
                **asdict(self._networks.shown(racer.configuration)),
                "takes_turns": self.takes_turns,
                "fps": racer.fps,
                "fps_alone": None if racer.alone is None else racer.alone.throughput.mean(),
                "latency_ms": racer.latency_ms,
                "frames": 0 if racer.figures is None else racer.figures.frames,
            }
            for racer in self.racers
        ]


def pair_of(words: Sequence[str], start: Configuration) -> list[Configuration]:
    """The two sides of --race; what a side leaves out is as in `start`. Raises UsageError."""
    pair = [configuration_of(text, start) for text in words]
    check_pair(pair)
    return pair


def check_pair(pair: Sequence[Configuration]) -> None:
    """Raise UsageError where these are not two configurations that differ."""
    if len(pair) != 2:
        raise UsageError("A race is between two. Give two configurations, each in quotes: --race CPU 'CPU FP16'.")
    if pair[0] == pair[1]:
        raise UsageError(f"Both sides of the race are '{pair[0]}'. Give two that differ: --race CPU 'CPU FP16'.")


def _devices(racer: Racer) -> set[str]:
    """The devices that a racer works on: GPU.0 and GPU are the same; a server is one of its own."""
    device = racer.configuration.device
    if is_remote(device):
        return {device}
    names = [*members_of(device), *racer.estimator.compiled.executed_on]
    return {name.removesuffix(".0") for name in names if name not in VIRTUAL_DEVICES}

"""The profile: how long each stage takes per frame."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from .. import STARTED_AT

# The stages of the loop. Reading and inference run beside it; "wait" is the time that the loop waits for them.
LOOP = ("preprocess", "wait", "decode", "track", "draw", "show", "write")
STAGES = ("capture", "preprocess", "wait", "infer", *LOOP[2:])  # in the order of a frame's way
RECENT = 0.05  # weight of the newest value in the panel's running mean

P = ParamSpec("P")
R = TypeVar("R")


class Profile:
    """The time of each stage: total and running mean. Thread-safe if each stage is timed by one thread only."""

    def __init__(self) -> None:
        self.frames = 0
        self.start_s: dict[str, float] = {}
        self._marked_at = STARTED_AT
        self._duration_s = 0.0
        self._intervals = 0
        self._previous_at: float | None = None
        self.totals_ms: dict[str, float] = dict.fromkeys(STAGES, 0.0)
        self._recent_ms: dict[str, float] = {}
        self._frame_ms = dict.fromkeys(self.totals_ms, 0.0)  # of the current frame

    def mark(self, part: str) -> None:
        """End a part of the program's start; it began at the last mark, or at the program's start."""
        now = time.perf_counter()
        self.start_s[part] = now - self._marked_at
        self._marked_at = now

    def add(self, stage: str, ms: float) -> None:
        self.totals_ms[stage] += ms
        self._frame_ms[stage] += ms

    @contextmanager
    def stage(self, stage: str) -> Iterator[None]:
        """Time the code inside the context as part of a stage."""
        started_at = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, 1000 * (time.perf_counter() - started_at))

    def timed(self, stage: str, function: Callable[P, R]) -> Callable[P, R]:
        """The function, with its calls timed as part of a stage."""

        def timed_function(*arguments: P.args, **named: P.kwargs) -> R:
            with self.stage(stage):
                return function(*arguments, **named)

        return timed_function

    def end_frame(self, at: float) -> None:
        """A frame has passed all stages at the time `at`, in s."""
        self.frames += 1
        if self.frames == 1:
            self.mark("first picture")
        if self._previous_at is not None:
            self._duration_s += at - self._previous_at
            self._intervals += 1
        self._previous_at = at
        for stage, ms in self._frame_ms.items():
            before = self._recent_ms.get(stage, ms)
            self._recent_ms[stage] = before + RECENT * (ms - before)
            self._frame_ms[stage] = 0.0

    def interrupt(self) -> None:
        """Do not count the time until the next frame, because the program is paused."""
        self._previous_at = None

    def frame_ms(self) -> float | None:
        """Mean ms from the end of one frame to the end of the next, over the run; None before the second frame."""
        return 1000 * self._duration_s / self._intervals if self._intervals else None

    def recent_ms(self) -> dict[str, float]:
        """Recent ms per frame of each stage."""
        return dict(self._recent_ms)

    def mean_ms(self) -> dict[str, float]:
        """Mean ms per frame of each stage, over the run."""
        return {stage: total / max(1, self.frames) for stage, total in self.totals_ms.items()}

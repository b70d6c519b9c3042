"""What a user may want: the most frames a second, the least latency, or the largest input for a live picture."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

LIVE_FPS = 30.0
LIVE_LATENCY_MS = 50.0
Run = Mapping[str, Any]  # what measurement.throughput.application_run gives


def fps_of(run: Run) -> float:
    """Frames a second of the whole application."""
    return float(run["application_fps"])


def latency_of(run: Run) -> float:
    """Of the application's requests, the median in ms."""
    return float(run["application_latency_ms"]["p50"])


def headroom(run: Run) -> float:
    """How much faster than needed for a live picture; below 1 it does not keep up."""
    return min(fps_of(run) / LIVE_FPS, LIVE_LATENCY_MS / max(latency_of(run), 1e-6))


@dataclass(frozen=True)
class Goal:
    """score: of a run, the higher the better. hint: of the configuration that runs by default."""

    name: str
    score: Callable[[Run], float]
    hint: str
    wish: str


GOALS = {
    goal.name: goal
    for goal in (
        Goal("throughput", fps_of, "throughput", "the most frames a second"),
        Goal("latency", lambda run: 1000 / max(latency_of(run), 1e-6), "latency", "the lowest latency"),
        Goal("live", headroom, "throughput",
             f"the largest input with {LIVE_FPS:.0f} FPS at {LIVE_LATENCY_MS:.0f} ms of latency"),
    )
}  # fmt: skip

"""Decides when the window paints which result: evenly spaced; if results come too fast, only the newest."""

from collections import deque
from typing import Generic, TypeVar

MAX_WAITING = 3  # results; with more, the window would lag visibly behind
LONGEST_SPACING = 3  # paint intervals; the maximum time between two paints, when only one result waits
RATE_OVER_S = 1.0  # the time over which results are counted
SAME_BURST = 0.25  # paint intervals; results this close together are one burst
TOO_FAST = 1.03  # times the paint rate; results that come faster cannot all be painted
EARLY = 0.1  # paint intervals; a result that is early by no more than this is painted at once

T = TypeVar("T")


class Pacer(Generic[T]):
    """Decides when each result is painted.

    Requests that run side by side end together, so results come in bursts of two or more. If they were painted on
    arrival, one result of each burst would stay too long and the others would not be seen. So a few results wait here.
    Each is painted in order, at least one paint interval after the previous one. If more results come than can be
    painted, the newest is painted and the others are skipped.
    """

    def __init__(self, display_fps: float) -> None:
        self.painted = 0  # number of results so far
        self._interval_s = 1 / display_fps
        self._waiting: deque[tuple[T, float]] = deque()  # with their arrival times
        self._arrivals: deque[float] = deque()  # in the last second
        self._arriving_since = 0.0
        self._rate: float | None = None
        self._turn_at = -1e9  # the scheduled time of the last paint
        self._paints: deque[float] = deque()  # in the last second
        self._is_interrupted = False

    def add(self, result: T, at: float) -> None:
        """A result came at the time `at`, in s."""
        while self._arrivals and self._arrivals[0] <= at - RATE_OVER_S:
            self._arrivals.popleft()
        if not self._arrivals:
            self._arriving_since = at
        self._arrivals.append(at)
        self._rate = self._measure_rate()
        self._waiting.append((result, at))
        if len(self._waiting) > MAX_WAITING:
            self._waiting.popleft()

    def take(self, now: float) -> T | None:
        """The result to paint at the time `now`, in s; None if none is due."""
        if not self._waiting or self.due_in(now) > EARLY * self._interval_s:
            return None
        waiting_since = self._waiting[0][1]
        turn_at = max(self._turn_at + self._spacing(), waiting_since)
        # If a paint is slightly late because the program was busy, the following paints keep their times.
        self._turn_at = turn_at if now - turn_at < self._interval_s else now
        if self._come_too_fast():
            result, _ = self._waiting.pop()
            self._waiting.clear()
        else:
            result, _ = self._waiting.popleft()
        self._count(now)
        return result

    def due_in(self, now: float) -> float:
        """Seconds until the next waiting result is due; 0 or less: it is due now."""
        return self._turn_at + self._spacing() - now

    @property
    def has_waiting(self) -> bool:
        """Whether a result is waiting to be painted."""
        return bool(self._waiting)

    def interrupt(self) -> None:
        """Results stop for a while (a pause); that time does not count in fps()."""
        self._is_interrupted = True

    def fps(self) -> float | None:
        """Results painted per second, over the last second with paints; None before the second paint."""
        span_s = self._paints[-1] - self._paints[0] if self._paints else 0.0
        return (len(self._paints) - 1) / span_s if span_s > 0 else None

    def _measure_rate(self) -> float | None:
        """Results per second; None during the first second, when it is not known yet.

        The count starts with the first burst of the last second and ends before the current burst.
        """
        first, last = self._arrivals[0], self._arrivals[-1]
        if last - self._arriving_since < RATE_OVER_S or last == first:
            return None
        before = len(self._arrivals)
        while self._arrivals[before - 1] > last - SAME_BURST * self._interval_s:
            before -= 1
        return before / (last - first)

    def _come_too_fast(self) -> bool:
        return self._rate is not None and self._rate > TOO_FAST / self._interval_s

    def _spacing(self) -> float:
        """Seconds between two paints: the mean time between results, or one paint interval while several wait."""
        if self._rate is None or len(self._waiting) > 1:
            return self._interval_s
        return max(self._interval_s, min(1 / self._rate, LONGEST_SPACING * self._interval_s))

    def _count(self, now: float) -> None:
        self.painted += 1
        if self._is_interrupted:
            self._paints.clear()
            self._is_interrupted = False
        self._paints.append(now)
        while len(self._paints) > 2 and self._paints[0] < now - RATE_OVER_S:  # keep at least one interval
            self._paints.popleft()

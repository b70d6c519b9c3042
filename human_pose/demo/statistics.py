"""Running statistics of a run, for each configuration: throughput in FPS and latency in ms.

Latency is the infer request's: from the start of inference on an input to its result. Throughput is the program's:
results drawn, divided by the time they took. A rate is a total over a total, never a mean of rates. Results that come
while another network is compiled, or while two configurations work at once, are not counted.
"""

import math
from collections import Counter, deque
from dataclasses import dataclass
from typing import NamedTuple

from ..inference.backend import CompiledModel
from ..inference.configuration import Configuration
from ..inference.profile import Profile

ENOUGH_RESULTS = 10  # for a rate; with fewer, bursts of results would distort it
SPAN_S = 1.0  # counted time; min and max of the throughput are rates over spans of this length


@dataclass(frozen=True)
class Summary:
    """Mean, minimum and maximum of some values."""

    mean: float
    min: float
    max: float


class Latencies:
    """Latencies in ms, as a histogram of bins of 0.01 ms, so that a run of days needs little memory."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._number = 0
        self._total_ms = 0.0
        self._min_ms = math.inf
        self._max_ms = -math.inf

    def add(self, latency_ms: float) -> None:
        self._counts[round(latency_ms * 100)] += 1
        self._number += 1
        self._total_ms += latency_ms
        self._min_ms = min(self._min_ms, latency_ms)
        self._max_ms = max(self._max_ms, latency_ms)

    def summary(self) -> Summary | None:
        """None while there is no value."""
        if self._number == 0:
            return None
        return Summary(self._total_ms / self._number, self._min_ms, self._max_ms)

    def percentile(self, percent: float) -> float | None:
        """The nearest-rank percentile of the latencies, to 0.01 ms; None while there is no value."""
        if self._number == 0:
            return None
        rank = max(1, math.ceil(percent * self._number / 100))
        reached = 0
        for hundredths in sorted(self._counts):
            reached += self._counts[hundredths]
            if reached >= rank:
                break
        return hundredths / 100


class Throughput:
    """Results per second, over the stretches in which results came without an interruption.

    n results after the start of a stretch span n intervals; the time between two stretches is not counted. Min and max
    are rates over consecutive spans of at least SPAN_S of counted time. The spans cover all of the counted time, so the
    mean is between min and max.
    """

    def __init__(self) -> None:
        self._intervals = 0
        self._duration_s = 0.0
        self._previous_at: float | None = None
        self._open = _Span()  # not long enough yet
        self._last: _Span | None = None  # the last complete span; the open one is added to it
        self._min_fps, self._max_fps = math.inf, -math.inf  # of the earlier spans

    def start_stretch(self, at: float) -> None:
        """Begin to count at the time `at`, in s; the result that came then is not counted."""
        self._previous_at = at

    def end_stretch(self) -> None:
        """Stop counting until the next result, which starts a new stretch."""
        self._previous_at = None

    def add(self, at: float) -> None:
        """A result came at the time `at`, in s. The first result of a stretch only starts it."""
        if self._previous_at is not None:
            elapsed_s = at - self._previous_at
            self._intervals += 1
            self._duration_s += elapsed_s
            self._open = _Span(self._open.results + 1, self._open.duration_s + elapsed_s)
            if self._open.duration_s >= SPAN_S:
                if self._last is not None:
                    self._min_fps = min(self._min_fps, self._last.fps)
                    self._max_fps = max(self._max_fps, self._last.fps)
                self._last, self._open = self._open, _Span()
        self._previous_at = at

    def mean(self) -> float | None:
        """None before ENOUGH_RESULTS are counted."""
        return self._intervals / self._duration_s if self._intervals >= ENOUGH_RESULTS and self._duration_s else None

    def min_max(self) -> tuple[float | None, float | None]:
        """The lowest and the highest rate of a span; None before there are a mean and a complete span."""
        mean = self.mean()
        if self._last is None or mean is None:
            return None, None
        last = _Span(self._last.results + self._open.results, self._last.duration_s + self._open.duration_s).fps
        # Rounding can put the mean outside them by the last bit, so it is included here.
        return min(self._min_fps, last, mean), max(self._max_fps, last, mean)


class _Span(NamedTuple):
    """A number of consecutive results, and the time they took."""

    results: int = 0
    duration_s: float = 0.0

    @property
    def fps(self) -> float:
        return self.results / self.duration_s


class LastSecond:
    """The results of the last second, or the last ENOUGH_RESULTS of a slow device: for figures that follow changes."""

    def __init__(self) -> None:
        self._results: deque[tuple[float, float]] = deque()
        self._starts_afresh = False

    def add(self, at: float, latency_ms: float) -> None:
        """A result came at the time `at`, in s."""
        if self._starts_afresh:
            self._results.clear()
            self._starts_afresh = False
        self._results.append((at, latency_ms))
        while len(self._results) > ENOUGH_RESULTS and self._results[0][0] < at - 1:
            self._results.popleft()

    def interrupt(self) -> None:
        """The next result starts anew; until it comes, the figures stay."""
        self._starts_afresh = True

    def fps(self) -> float | None:
        """n results span n - 1 intervals; None before ENOUGH_RESULTS."""
        span_s = self._results[-1][0] - self._results[0][0] if len(self._results) >= ENOUGH_RESULTS else 0.0
        return (len(self._results) - 1) / span_s if span_s > 0 else None

    def latency_ms(self) -> float | None:
        """The mean; None before the first result."""
        if not self._results:
            return None
        return sum(latency_ms for _, latency_ms in self._results) / len(self._results)


class ConfigurationStatistics:
    """What one configuration did in this run.

    Each result is counted in exactly one of: frames, from which the figures are computed; warmup_frames, the first
    result of each request; while_switching, results that a compilation or another configuration disturbed.
    """

    def __init__(self, compiled: CompiledModel) -> None:
        self.use(compiled)
        self.frames = self.warmup_frames = self.while_switching = 0
        self.latencies = Latencies()
        self.delays = Latencies()  # in ms, from a frame's capture to its drawn picture
        self.throughput = Throughput()
        self.last_second = LastSecond()

    def use(self, compiled: CompiledModel) -> None:
        """Use a newly compiled network, whose requests have to warm up."""
        self.compiled = compiled
        self._to_warm_up = compiled.request_count

    def add(self, latency_ms: float, at: float, in_pause: bool = False, while_switching: bool = False) -> bool:
        """A result came at the time `at`, in s. Returns whether the figures count it; it is shown in any case.

        in_pause: it was in flight when the program was paused, so it does not count for the throughput.
        """
        is_warm_up = self._to_warm_up > 0
        self._to_warm_up -= is_warm_up
        if while_switching:
            self.while_switching += 1
            self.interrupt()
            return False
        if is_warm_up:
            self.warmup_frames += 1
            if not in_pause:
                self.throughput.start_stretch(at)
            return False
        self.frames += 1
        self.latencies.add(latency_ms)
        if not in_pause:
            self.throughput.add(at)
            self.last_second.add(at, latency_ms)
        return True

    def interrupt(self) -> None:
        """Do not count the time until the next result: a pause, a compilation, or another configuration."""
        self.throughput.end_stretch()
        self.last_second.interrupt()


@dataclass
class Switch:
    """A change of configuration, and how long the viewer waited.

    ready_s: from the key to its first result; None if there was none, or a pause came first.
    longest_gap_ms: the longest time between two results until then.
    """

    configuration: Configuration
    asked_at: float  # in s of time.perf_counter
    ready_s: float | None = None
    longest_gap_ms: float = 0.0


class RunStatistics:
    """The statistics of every configuration used, in the order of first use, of the switches, and the profile."""

    def __init__(self) -> None:
        self.used: dict[Configuration, ConfigurationStatistics] = {}
        self.switches: list[Switch] = []
        self.profile = Profile()
        self._is_counted = False  # whether the last result is counted
        self._open_switch: Switch | None = None
        self._is_paused = False
        self._current: ConfigurationStatistics | None = None
        self._previous_at: float | None = None

    def add(
        self,
        compiled: CompiledModel,
        latency_ms: float,
        at: float,
        while_switching: bool = False,
        settled_at: float = -math.inf,
    ) -> ConfigurationStatistics:
        """A result came at the time `at`, in s. Returns the statistics of the configuration that made it.

        while_switching, settled_at: see Inference.
        """
        current = self.used.setdefault(compiled.configuration, ConfigurationStatistics(compiled))
        if current.compiled is not compiled:  # it failed, or was forgotten, and was compiled again
            current.use(compiled)
        self._follow_switch(compiled.configuration, at)
        if self._current is not None and current is not self._current:
            self._current.interrupt()
        if self._previous_at is not None and settled_at > self._previous_at:
            current.interrupt()  # a compilation began and ended while no frame was in flight
        self._current, self._previous_at = current, at
        self._is_counted = current.add(latency_ms, at, self._is_paused, while_switching)
        return current

    @property
    def counting(self) -> Configuration | None:
        """The configuration whose result was added last, if that result was counted."""
        return self._current.compiled.configuration if self._current is not None and self._is_counted else None

    def end_frame(self, captured_at: float, read_ms: float, at: float) -> None:
        """The result added last is drawn at the time `at`, in s. captured_at, read_ms: see Frame."""
        self.profile.add("capture", read_ms)
        if self._is_counted and self._current is not None:
            self._current.delays.add(1000 * (at - captured_at))
        self.profile.end_frame(at)

    def ask_for_switch(self, configuration: Configuration, at: float) -> None:
        """The viewer asks for a configuration at the time `at`, in s."""
        self._open_switch = Switch(configuration, at)
        self.switches.append(self._open_switch)

    def _follow_switch(self, configuration: Configuration, at: float) -> None:
        switch = self._open_switch
        if switch is None:
            return
        if self._previous_at is not None:
            switch.longest_gap_ms = max(switch.longest_gap_ms, 1000 * (at - self._previous_at))
        if configuration == switch.configuration:
            switch.ready_s = at - switch.asked_at
            self._open_switch = None

    def pause(self, is_paused: bool) -> None:
        """The program is paused or continues: the time between the last result and the next is not counted."""
        self._is_paused = is_paused
        self._previous_at = self._open_switch = None
        self.profile.interrupt()
        if self._current is not None:
            self._current.interrupt()

    @property
    def frames(self) -> int:
        """The number of all results, counted in the figures or not."""
        return sum(one.frames + one.warmup_frames + one.while_switching for one in self.used.values())

"""Running statistics of a run, for each device: throughput in FPS and latency in ms.

Latency is that of the infer request: from the start of inference on an input to its result. Throughput is that of the
whole program: results drawn, over the time they took. A rate is a total over a total, never a mean of rates.
"""

import math
from collections import Counter, deque
from dataclasses import dataclass

from .compiled import CompiledNetwork
from .profile import Profile


@dataclass(frozen=True)
class Summary:
    """Mean, least and greatest of some values."""

    mean: float
    min: float
    max: float


class Latencies:
    """Latencies in ms, kept as counts of hundredths of a millisecond, so that a run of days needs no more memory."""

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
        """The least latency, to 0.01 ms, that `percent` of the values do not exceed (nearest rank)."""
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
    """Results a second, over the spells in which results came one after the other.

    n results after the start of a spell span n intervals; the time between two spells counts for nothing. Least and
    greatest are taken over the whole seconds of each spell.
    """

    def __init__(self) -> None:
        self._intervals = 0
        self._duration_s = 0.0
        self._previous_at: float | None = None
        self._second_starts_at = 0.0
        self._in_this_second = 0
        self._min: int | None = None
        self._max: int | None = None

    def start_spell(self, at: float) -> None:
        """Begin to count at the time `at`, in s; nothing is counted for it."""
        self._previous_at = self._second_starts_at = at
        self._in_this_second = 0

    def end_spell(self) -> None:
        self._previous_at = None

    def add(self, at: float) -> None:
        """A result came at the time `at`; the first one without a spell starts one."""
        if self._previous_at is None:
            self.start_spell(at)
            return
        self._intervals += 1
        self._duration_s += at - self._previous_at
        self._previous_at = at
        while at > self._second_starts_at + 1:
            self._min = self._in_this_second if self._min is None else min(self._min, self._in_this_second)
            self._max = self._in_this_second if self._max is None else max(self._max, self._in_this_second)
            self._second_starts_at += 1
            self._in_this_second = 0
        self._in_this_second += 1

    def mean(self) -> float | None:
        return self._intervals / self._duration_s if self._duration_s > 0 else None

    def over_whole_seconds(self) -> tuple[int | None, int | None]:
        """Least and greatest number of results in a whole second; None while there was none."""
        return self._min, self._max


class LastSecond:
    """What came in during the last second: for the figures that are read while they change."""

    def __init__(self) -> None:
        self._results: deque[tuple[float, float]] = deque()
        self._starts_afresh = False

    def add(self, at: float, latency_ms: float) -> None:
        if self._starts_afresh:
            self._results.clear()
            self._starts_afresh = False
        self._results.append((at, latency_ms))
        while len(self._results) > 2 and self._results[0][0] < at - 1:  # of a slow device, at least one interval
            self._results.popleft()

    def interrupt(self) -> None:
        """The next result does not follow on these, which stand until it comes."""
        self._starts_afresh = True

    def fps(self) -> float | None:
        """n results span n - 1 intervals."""
        span_s = self._results[-1][0] - self._results[0][0] if self._results else 0.0
        return (len(self._results) - 1) / span_s if span_s > 0 else None

    def latency_ms(self) -> float | None:
        if not self._results:
            return None
        return sum(latency_ms for _, latency_ms in self._results) / len(self._results)


class DeviceStatistics:
    """What one device string did in this run."""

    def __init__(self, compiled: CompiledNetwork) -> None:
        self.use(compiled)
        self.frames = 0
        self.warmup_frames = 0
        self.latencies = Latencies()
        self.delays = Latencies()  # from a frame's arrival to its picture
        self.throughput = Throughput()
        self.last_second = LastSecond()

    def use(self, compiled: CompiledNetwork) -> None:
        """The network as it is compiled now; its requests are yet to warm up."""
        self.compiled = compiled
        self._to_warm_up = compiled.request_count

    def add(self, latency_ms: float, at: float, in_pause: bool = False) -> bool:
        """A result came; the first one of each request warms the device up: it is shown, but not counted.

        in_pause: it was in flight when the program was paused, and tells nothing of how many come in a second. Returns
        whether it is counted.
        """
        if not in_pause:
            self.last_second.add(at, latency_ms)
        if self._to_warm_up > 0:
            self._to_warm_up -= 1
            self.warmup_frames += 1
            if not in_pause:
                self.throughput.start_spell(at)
            return False
        self.frames += 1
        self.latencies.add(latency_ms)
        if not in_pause:
            self.throughput.add(at)
        return True

    def interrupt(self) -> None:
        """The time until the next result is not the device's: the program was paused or another device was in use."""
        self.throughput.end_spell()
        self.last_second.interrupt()


@dataclass
class Switch:
    """A change of device: what it cost the viewer.

    ready_s: from the wish to the new device's first result, None if it never came or a pause came between.
    longest_gap_ms: the longest that the picture stood still in that time.
    """

    device: str
    asked_at: float  # in s of the run's clock
    ready_s: float | None = None
    longest_gap_ms: float = 0.0


class RunStatistics:
    """The statistics of every device used, in the order of first use, of the switches between them, and the profile."""

    def __init__(self) -> None:
        self.devices: dict[str, DeviceStatistics] = {}
        self.switches: list[Switch] = []
        self.profile = Profile()
        self._is_counted = False  # the last result, that is, it was no warm-up
        self._open_switch: Switch | None = None
        self._is_paused = False
        self._current: DeviceStatistics | None = None
        self._previous_at: float | None = None

    def add(self, compiled: CompiledNetwork, latency_ms: float, at: float) -> DeviceStatistics:
        """A result came at the time `at`, in s. Returns the statistics of the device that made it."""
        device = self.devices.setdefault(compiled.device, DeviceStatistics(compiled))
        if device.compiled is not compiled:  # it failed, and was compiled for again
            device.use(compiled)
        self._follow_switch(compiled.device, at)
        if self._current is not None and device is not self._current:
            self._current.interrupt()
        self._current, self._previous_at = device, at
        self._is_counted = device.add(latency_ms, at, self._is_paused)
        return device

    def end_frame(self, captured_at: float, read_ms: float, at: float) -> None:
        """The result added last is drawn, at the time `at`. captured_at: when its frame came, in s; see Frame."""
        self.profile.add("capture", read_ms)
        if self._is_counted and self._current is not None:
            self._current.delays.add(1000 * (at - captured_at))
        self.profile.end_frame(at)

    def ask_for_switch(self, device: str, at: float) -> None:
        """The viewer wishes for a device at the time `at`."""
        self._open_switch = Switch(device, at)
        self.switches.append(self._open_switch)

    def _follow_switch(self, device: str, at: float) -> None:
        switch = self._open_switch
        if switch is None:
            return
        if self._previous_at is not None:
            switch.longest_gap_ms = max(switch.longest_gap_ms, 1000 * (at - self._previous_at))
        if device == switch.device:
            switch.ready_s = at - switch.asked_at
            self._open_switch = None

    def pause(self, is_paused: bool) -> None:
        """The program is paused, or goes on: what comes next does not follow on what came before."""
        self._is_paused = is_paused
        self._previous_at = self._open_switch = None
        self.profile.interrupt()
        if self._current is not None:
            self._current.interrupt()

    @property
    def frames(self) -> int:
        """All results, those of the warm-up included."""
        return sum(device.frames + device.warmup_frames for device in self.devices.values())

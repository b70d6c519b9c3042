"""Which results are painted, and when, on invented times: a loop that looks every 2 ms, and a display of 60 Hz."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from human_pose.demo.pacer import MAX_WAITING, Pacer

TICK_S = 0.002


def paint(arrivals: Sequence[float], display_fps: float = 60, after_s: float = 0.2) -> list[tuple[int, float]]:
    """Feed results that come at the given times, in s; returns the index and the time of each that is painted."""
    pacer: Pacer[int] = Pacer(display_fps)
    painted: list[tuple[int, float]] = []
    coming = list(enumerate(arrivals))
    for tick in range(round((arrivals[-1] + after_s) / TICK_S)):
        now = tick * TICK_S
        while coming and coming[0][1] <= now + 1e-9:
            pacer.add(coming.pop(0)[0], now)
            if (result := pacer.take(now)) is not None:
                painted.append((result, now))
        if (result := pacer.take(now)) is not None:
            painted.append((result, now))
    assert pacer.painted == len(painted)
    assert not pacer.has_waiting
    assert [index for index, _ in painted] == sorted({index for index, _ in painted})  # in order, none twice
    return painted


def bursts(size: int, fps: float, seconds: float) -> list[float]:
    """Times of results that come `size` at a time, `fps` a second on average."""
    return [burst * size / fps for burst in range(round(seconds * fps / size)) for _ in range(size)]


def intervals(painted: Sequence[tuple[int, float]], after_s: float = 1.1) -> list[float]:
    """Between paints, in s, once the rate is known."""
    times = [at for _, at in painted if at > after_s]
    return [later - earlier for earlier, later in pairwise(times)]


@pytest.mark.parametrize(("size", "fps"), [(1, 50), (2, 50), (3, 50), (4, 50), (2, 58), (4, 56), (2, 20), (1, 60)])
def test_every_result_is_painted_as_long_as_they_are_fewer_than_paints(size: int, fps: float) -> None:
    arrivals = bursts(size, fps, 5)
    painted = paint(arrivals)
    assert len(painted) >= 0.98 * len(arrivals)
    assert painted[-1][0] == len(arrivals) - 1
    lags = [at - arrivals[index] for index, at in painted]
    assert max(lags) <= (MAX_WAITING + 0.5) / 60
    assert min(intervals(painted)) >= 1 / 60 - 2 * TICK_S


def test_pairs_are_spread_evenly() -> None:
    """50 a second in pairs, 40 ms apart: one every 20 ms."""
    between = intervals(paint(bursts(2, 50, 5)))
    assert min(between) >= 0.018 - 1e-9
    assert max(between) <= 0.022 + 1e-9


@pytest.mark.parametrize("size", [1, 2, 4])
def test_of_more_results_than_paints_the_newest_is_painted(size: int) -> None:
    arrivals = bursts(size, 100, 5)
    painted = paint(arrivals)
    assert len(painted) == pytest.approx(5 * 60, rel=0.15 if size > 2 else 0.03)  # a long burst leaves paints without
    assert painted[-1][0] == len(arrivals) - 1
    # Nothing newer had come when it was painted, but for the rest of its own burst.
    behind = [sum(arrival <= at - TICK_S for arrival in arrivals) - 1 - index for index, at in painted if at > 1.1]
    assert max(behind) <= 0


def test_slow_results_are_painted_at_once() -> None:
    arrivals = bursts(1, 3, 4)
    painted = paint(arrivals)
    assert [index for index, _ in painted] == list(range(len(arrivals)))
    assert max(at - arrivals[index] for index, at in painted) <= TICK_S


def test_a_burst_of_many_ends_with_the_newest_after_a_few_paints() -> None:
    steady = bursts(1, 30, 2)
    arrivals = [*steady, *[2.0] * 40]
    painted = [(index, at) for index, at in paint(arrivals) if index >= len(steady)]
    assert painted[-1][0] == len(arrivals) - 1
    assert painted[-1][1] - 2.0 <= 5 / 60
    assert len(painted) <= MAX_WAITING + 1


def test_painted_a_second_is_what_was_painted_and_a_pause_is_no_part_of_it() -> None:
    pacer: Pacer[int] = Pacer(60)
    assert pacer.fps() is None
    for index in range(50):
        pacer.add(index, index / 25)
        assert pacer.take(index / 25) == index
        assert pacer.take(index / 25) is None
    assert pacer.fps() == pytest.approx(25)
    pacer.interrupt()
    assert pacer.fps() == pytest.approx(25)
    for index in range(3):
        pacer.add(index, 60 + index / 10)
        assert pacer.take(60 + index / 10) == index
    assert pacer.fps() == pytest.approx(10)


def test_at_25_paints_a_second_every_fourth_of_100_results_is_painted() -> None:
    assert len(paint(bursts(1, 100, 5), display_fps=25)) == pytest.approx(5 * 25, rel=0.03)

"""Successive halving on played measurements, whose best candidate is known."""

import random
from collections.abc import Callable

import pytest

from human_pose.tune.trials import InterruptedTuningError, Trials, halve

RUN_S = 1.0


class Played:
    """A machine on which candidate k has the speed `speeds[k]`; its clock moves on with each run."""

    def __init__(
        self, speeds: list[float], noise: float = 0.0, drift: Callable[[float], float] = lambda s: 1.0
    ) -> None:
        self.speeds, self.noise, self.drift = speeds, noise, drift
        self.now = 0.0
        self.runs: list[int] = []
        self.random = random.Random(5)

    def clock(self) -> float:
        return self.now

    def measure(self, candidate: int) -> float | None:
        self.now += RUN_S
        self.runs.append(candidate)
        speed = self.speeds[candidate]
        return None if speed == 0 else speed * self.drift(self.now) * self.random.gauss(1, self.noise)

    def trials(self, until: float = 1e9, seed: int = 0) -> Trials[int]:
        return Trials(self.measure, until, self.clock, seed)


SPEEDS = [60.0, 61, 62, 90, 63, 100, 64, 65, 66, 67, 68, 69]  # the best is number 5


@pytest.mark.parametrize("seed", range(10))
def test_the_best_is_found_with_noise_in_a_fraction_of_the_grids_runs(seed: int) -> None:
    played = Played(SPEEDS, noise=0.04)
    assert halve(played.trials(seed=seed), range(len(SPEEDS)), 1, until=48)[0] == 5
    assert len(played.runs) <= 48 + 12


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("drift", [lambda s: 1 - s / 100, lambda s: 1 + s / 50, lambda s: 1.0 if s < 20 else 0.5])
def test_the_best_is_found_on_a_machine_that_gets_slower_or_faster(seed: int, drift: Callable[[float], float]) -> None:
    """Up to half of the speed is lost meanwhile, more than the best is better by."""
    played = Played(SPEEDS, noise=0.01, drift=drift)
    assert halve(played.trials(seed=seed), range(len(SPEEDS)), 1, until=48)[0] == 5


def test_the_second_half_is_left_out_first_and_the_rest_measured_more_often() -> None:
    played = Played([1.0, 2, 3, 4, 5, 6, 7, 8])
    assert halve(played.trials(), range(8), 2, until=32) == [7, 6]
    often = [played.runs.count(candidate) for candidate in range(8)]
    assert often[0] == often[3] == 2  # 16 s for each of the two steps: two rounds of eight, four of four
    assert often[4] == often[7] == 6


def test_a_round_has_the_reverse_order_of_the_one_before() -> None:
    played = Played([1.0] * 5)
    trials = played.trials()
    trials.round(range(5))
    trials.round(range(5))
    assert played.runs[5:] == played.runs[4::-1]


def test_a_steady_drift_hits_all_alike_within_two_rounds() -> None:
    played = Played([10.0] * 4, drift=lambda s: 1 - s / 20)
    trials = played.trials()
    trials.round(range(4))
    trials.round(range(4))
    sums = [sum(trials.scores(candidate)) for candidate in range(4)]
    assert sums == pytest.approx([sums[0]] * 4)


def test_what_fails_is_measured_once_and_left_out() -> None:
    played = Played([1.0, 0, 3, 0])
    trials = played.trials()
    assert halve(trials, range(4), 1, until=20) == [2]
    assert trials.failed == {1, 3}
    assert played.runs.count(1) == played.runs.count(3) == 1


def test_when_the_time_is_over_what_was_measured_decides() -> None:
    played = Played(SPEEDS)
    trials = played.trials(until=5)
    assert trials.round(range(len(SPEEDS)), is_whole=True)
    assert halve(trials, range(len(SPEEDS)), 1, until=5) == [5]
    assert len(played.runs) == len(SPEEDS)


def test_a_round_that_was_broken_off_decides_among_those_that_had_their_turn() -> None:
    played = Played(SPEEDS)
    kept = halve(played.trials(until=5), range(len(SPEEDS)), 1, until=5)
    assert len(played.runs) == 5
    assert kept == [max(played.runs, key=lambda candidate: SPEEDS[candidate])]


def test_a_step_without_time_for_a_round_decides_by_the_one_before() -> None:
    played = Played(SPEEDS)
    trials = played.trials(until=100)
    trials.round(range(len(SPEEDS)))
    assert halve(trials, range(len(SPEEDS)), 2, until=12)[0] == 5
    assert len(played.runs) == len(SPEEDS)


def test_where_all_fail_nothing_is_left() -> None:
    assert halve(Played([0.0] * 4).trials(), range(4), 1, until=20) == []


def test_ratios_are_of_the_same_rounds() -> None:
    played = Played([10.0, 20], drift=lambda s: 1.0 if s < 3 else 0.1)
    trials = played.trials()
    trials.round([0, 1])
    trials.round([0])
    trials.round([0, 1])
    assert len(trials.ratios(1, 0)) == 2


def test_an_interruption_leaves_what_was_measured() -> None:
    played = Played(SPEEDS)

    def measure(candidate: int) -> float | None:
        if len(played.runs) == 14:
            raise InterruptedTuningError
        return played.measure(candidate)

    trials = Trials(measure, 1e9, played.clock)
    with pytest.raises(InterruptedTuningError):
        halve(trials, range(len(SPEEDS)), 1, until=100)
    assert trials.ranked(range(len(SPEEDS)))[0] == 5

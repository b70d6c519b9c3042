"""Rounds of measurements, in which all candidates take turns, and successive halving over them.

In a round each candidate is measured once. Scores are compared within a round, and the next round has the reverse
order, so that a machine that gets slower or faster meanwhile does so for all candidates alike.

Successive halving: Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization",
AISTATS 2016.
"""

import math
import random
import time
from collections.abc import Callable, Sequence
from statistics import mean, median
from typing import Generic, TypeVar

T = TypeVar("T")
Measure = Callable[[T], float | None]  # a candidate's score, the higher the better; None: it failed


class InterruptedTuningError(Exception):
    """The user asked to stop: raised by a measurement, which then has no score."""


class Trials(Generic[T]):
    """Measures candidates, and keeps every score.

    rounds: the scores of each round, those that were broken off included. failed: candidates without a score; they are
    not measured again.
    """

    def __init__(
        self, measure: Measure[T], until: float, clock: Callable[[], float] = time.monotonic, seed: int = 0
    ) -> None:
        """until: when the last run should be done, by the clock in s, except in a round that is to be whole."""
        self.rounds: list[dict[T, float]] = []
        self.failed: set[T] = set()
        self.until, self.clock = until, clock
        self._measure = measure
        self._draw = random.Random(seed)
        self._order: list[T] = []
        self._runs, self._spent_s = 0, 0.0

    def round(self, candidates: Sequence[T], is_whole: bool = False) -> bool:
        """Measure each candidate once. Returns whether all had their turn before the time was over.

        is_whole: measure all of them, whatever the time is.
        """
        known = [one for one in reversed(self._order) if one in candidates]
        new = [one for one in candidates if one not in known]
        self._order = known + self._draw.sample(new, len(new))
        scores: dict[T, float] = {}
        self.rounds.append(scores)
        for candidate in self._order:
            if candidate in self.failed:
                continue
            if not is_whole and self.clock() + self.round_s([candidate]) > self.until:
                return False
            begun_at = self.clock()
            score = self._measure(candidate)
            self._runs, self._spent_s = self._runs + 1, self._spent_s + self.clock() - begun_at
            if score is None:
                self.failed.add(candidate)
            else:
                scores[candidate] = score
        return True

    def round_s(self, candidates: Sequence[T]) -> float:
        """How long a round of so many candidates takes, by the runs so far."""
        return len(candidates) * self._spent_s / max(1, self._runs)

    def scores(self, candidate: T) -> list[float]:
        """All scores of a candidate, in the order in which they were measured."""
        return [scores[candidate] for scores in self.rounds if candidate in scores]

    @property
    def measured(self) -> list[T]:
        """All candidates that have a score."""
        return list(dict.fromkeys(one for scores in self.rounds for one in scores))

    def has_round_of(self, candidates: Sequence[T]) -> bool:
        """Whether all of them were measured in one and the same round."""
        return any(all(one in scores for one in candidates) for scores in self.rounds)

    def ratios(self, candidate: T, reference: T, since: int = 0) -> list[float]:
        """The candidate's score over the reference's, for each round from `since` on in which both were measured."""
        both = [scores for scores in self.rounds[since:] if candidate in scores and reference in scores]
        return [scores[candidate] / scores[reference] for scores in both if scores[reference] > 0]

    def ranked(self, candidates: Sequence[T]) -> list[T]:
        """The candidates that have a score, the best first: by rounds in which all of them took part, if there are any.

        A score counts relative to the mean of its round, and of several rounds the median.
        """
        measured = [one for one in candidates if one not in self.failed and self.scores(one)]
        common = [scores for scores in self.rounds if all(one in scores for one in measured)]
        rounds = common or self.rounds

        def merit(candidate: T) -> float:
            own = [scores for scores in rounds if candidate in scores]
            means = [mean(scores[one] for one in measured) if common else 1.0 for scores in own]
            return median(scores[candidate] / value for scores, value in zip(own, means, strict=True))

        return sorted(measured, key=merit, reverse=True)


def halve(trials: Trials[T], candidates: Sequence[T], keep: int, until: float) -> list[T]:
    """The best `keep` candidates, the best first. Each step has as many rounds as its part of the time allows, then
    leaves the worse half out.

    until: when it should be done, by the trials' clock. A step without time for a round decides by earlier ones, if
    there was one of all its candidates.
    """
    left = [one for one in candidates if one not in trials.failed]
    while len(left) > keep:
        steps = max(1, math.ceil(math.log2(len(left) / keep)))
        step_ends = trials.clock() + (until - trials.clock()) / steps
        while not trials.has_round_of(left) or trials.clock() + trials.round_s(left) <= step_ends:
            if not trials.round(left):
                return trials.ranked(left)[:keep]
            left = [one for one in left if one not in trials.failed]
            if len(left) <= keep:
                return left
        left = trials.ranked(left)[: max(keep, math.ceil(len(left) / 2))]
    return left

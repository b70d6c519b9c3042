"""The search: families of candidates, the ways in which the best of them work, sizes for a live picture, the final."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from ..measurement.cells import Cell
from .space import Way, in_way
from .trials import InterruptedTuningError, Trials, halve

FAR_BEHIND = 0.7  # a family with less than this part of the best one's score is left out: no way of working makes it up
KEPT_FAMILIES = 2
FINALISTS = 2
UNTIL_FINAL = 0.6  # the part of the time that is over when the final begins
UNTIL_WAYS_LIVE = 0.35  # for a live picture, when the search for the size begins
SPREAD = 1.1  # a size is tried although it would be too large by so much, by the square of its side


@dataclass
class Found:
    """How far the search came.

    ranked: the candidates that are left, the best first; is_final: whether they were compared with each other in a
    final; interrupted: by the user. keeps_up: for a live picture, whether the first does; else true.
    """

    ranked: list[Cell] = field(default_factory=list)
    is_final: bool = False
    interrupted: bool = False
    keeps_up: bool = True

    @property
    def best(self) -> Cell | None:
        return self.ranked[0] if self.ranked else None


class Search:
    """One search. baseline: the configuration that runs by default, which is in the final."""

    def __init__(
        self,
        trials: Trials[Cell],
        baseline: Cell,
        ways: Callable[[str], Sequence[Way]],
        same: Callable[[Cell], object] = lambda cell: cell,
        sizes: Sequence[int] = (),
        own_size: int = 0,
        may_win: Callable[[Cell], bool] = lambda cell: True,
    ) -> None:
        """ways: of a device. same: what a measured cell turned out to be; of two that are the same one is left out.

        sizes: for a live picture, from small to large; none: the size of each candidate stays. own_size: the network's.
        may_win: what cannot win is only compared with, as a baseline that is not accurate enough.
        """
        self._trials, self._baseline, self._ways, self._same = trials, baseline, ways, same
        self._sizes, self._own_size = list(sizes), own_size
        self._may_win = may_win
        self._left: list[Cell] = []
        self.final_begins = 0  # the index of its first round
        self._begun_at = trials.clock()

    def run(self, families: Sequence[Cell]) -> Found:
        """Search until the time is over, the best is found, or the user stops it."""
        found = Found()
        try:
            self._narrow(families)
            found.is_final = self._final(self._left)
        except InterruptedTuningError:
            found.interrupted = True
        found.ranked = self._ranked([cell for cell in self._left if self._may_win(cell)])
        if self._sizes:
            found.keeps_up = bool(found.ranked) and self._keeps_up(found.ranked[0])
        return found

    def _narrow(self, families: Sequence[Cell]) -> None:
        until = self._at(UNTIL_WAYS_LIVE if self._sizes else UNTIL_FINAL)
        self._left = list(families)
        if len(families) > 1:
            self._trials.round(families)
            self._left = self._best_families(families)
        candidates = [in_way(family, way) for family in self._left for way in self._ways(family.device)]
        self._left = list(dict.fromkeys([*self._left, *candidates]))
        if len(self._left) > FINALISTS:
            self._trials.round(self._left)
            self._left = self._without_doubles(self._left)
        self._left = halve(self._trials, self._left, FINALISTS, until) or self._left
        if self._sizes:
            self._left = self._sized(self._left)

    def _best_families(self, families: Sequence[Cell]) -> list[Cell]:
        ranked = self._trials.ranked(self._without_doubles(families))
        if not ranked:
            return []
        near = [one for one in ranked if self._last(one) >= FAR_BEHIND * self._last(ranked[0])]
        return near[: max(KEPT_FAMILIES, math.ceil(len(families) / 2))]

    def _without_doubles(self, cells: Sequence[Cell]) -> list[Cell]:
        """Of those that turned out to be the same, the first; what failed is left out."""
        measured = [cell for cell in cells if cell not in self._trials.failed and self._trials.scores(cell)]
        return list({self._same(cell): cell for cell in reversed(measured)}.values())[::-1]

    def _sized(self, finalists: Sequence[Cell]) -> list[Cell]:
        """Each finalist at the largest size that keeps up, and at the next smaller one.

        The first guess is from the score at the size measured so far: work grows with the square of the side.
        """
        left: list[Cell] = []
        for finalist in self._trials.ranked(finalists):
            size = finalist.size or self._own_size
            reach = size * math.sqrt(SPREAD * self._last(finalist))
            place = max((i for i, one in enumerate(self._sizes) if one <= reach), default=0)
            self._left = [*left, replace(finalist, size=self._sizes[place])]
            place = self._climb(finalist, place)
            left += [replace(finalist, size=self._sizes[i]) for i in (place, place - 1) if i >= 0]
        return left

    def _climb(self, finalist: Cell, place: int) -> int:
        """The index of the largest size that keeps up in a run each; 0 where none does."""

        def keeps_up(index: int) -> bool:
            cell = replace(finalist, size=self._sizes[index])
            is_done = bool(self._trials.scores(cell)) or (
                self._trials.round([cell]) and cell not in self._trials.failed
            )
            return is_done and self._last(cell) >= 1

        if keeps_up(place):
            while place + 1 < len(self._sizes) and keeps_up(place + 1):
                place += 1
            return place
        while place > 0 and not keeps_up(place - 1):
            place -= 1
        return max(0, place - 1)

    def _final(self, finalists: Sequence[Cell]) -> bool:
        """Rounds of the finalists and the baseline until the time is over. Returns whether there was one."""
        if not finalists:
            return False
        entrants = list(dict.fromkeys([*finalists, self._baseline]))
        self.final_begins = len(self._trials.rounds)
        rounds = 0
        while self._trials.clock() + (self._trials.round_s(entrants) if rounds else 0) <= self._trials.until:
            if not self._trials.round(entrants):
                break
            rounds += 1
            if all(one in self._trials.failed for one in finalists):
                break
        self._left = [one for one in entrants if one not in self._trials.failed]
        return rounds > 0

    def _ranked(self, cells: Sequence[Cell]) -> list[Cell]:
        """The best first; for a live picture the largest that keeps up, then those that nearly do."""
        ranked = self._trials.ranked(cells)
        if not self._sizes:
            return ranked
        size_of = {cell: cell.size or self._own_size for cell in ranked}
        return sorted(ranked, key=lambda cell: (self._keeps_up(cell), size_of[cell] if self._keeps_up(cell) else 0),
                      reverse=True)  # fmt: skip

    def _keeps_up(self, cell: Cell) -> bool:
        return median(self._trials.scores(cell)) >= 1

    def _last(self, cell: Cell) -> float:
        scores = self._trials.scores(cell)
        return scores[-1] if scores else 0.0

    def _at(self, part: float) -> float:
        """When a part of the time is over, by the trials' clock."""
        return self._begun_at + part * (self._trials.until - self._begun_at)

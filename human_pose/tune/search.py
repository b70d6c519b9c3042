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
UNTIL_SIZES = 0.35  # for a live picture, when the search for the size begins
SPARE = 1.1  # the first size to be tried may be too large by so much work


@dataclass
class Found:
    """How far the search came.

    ranked: the candidates that are left, the best first; is_final: whether they were compared with the baseline in a
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
    """One search. final_begins: the index of the final's first round among the trials'; 0 before there is one."""

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
        """baseline: the configuration that runs by default, which is in the final. ways: of a device.

        same: what a measured cell turned out to be; of two that are the same one is left out. sizes: for a live
        picture, from small to large; none: the size of each candidate stays. own_size: the network's. may_win: what
        cannot win is only compared with, as a baseline that is not accurate enough.
        """
        self._trials, self._baseline, self._ways, self._same = trials, baseline, ways, same
        self._sizes, self._own_size, self._may_win = list(sizes), own_size, may_win
        self._left: list[Cell] = []
        self.final_begins = 0
        self._begun_at = trials.clock()

    def run(self, families: Sequence[Cell]) -> Found:
        """Search until the time is over or the user stops it."""
        found = Found()
        try:
            self._narrow(families)
            found.is_final = self._final()
        except InterruptedTuningError:
            found.interrupted = True
        found.ranked = self._ranked(self._left) or self._ranked(self._trials.measured)
        if self._sizes:
            found.keeps_up = bool(found.ranked) and self._keeps_up(found.ranked[0])
        return found

    def _narrow(self, families: Sequence[Cell]) -> None:
        """Leave the finalists."""
        self._left = list(families)
        self._trials.round(families, is_whole=True)
        self._left = self._best_families(families)
        candidates = [in_way(family, way) for family in self._left for way in self._ways(family.device)]
        self._left = list(dict.fromkeys([*self._left, *candidates]))
        if len(self._left) > FINALISTS and self._trials.round(self._left):
            self._left = self._without_doubles(self._left)
        until = self._at(UNTIL_SIZES if self._sizes else UNTIL_FINAL)
        self._left = halve(self._trials, self._left, 1 if self._sizes else FINALISTS, until)
        if self._sizes and self._left:
            self._left = self._sized(self._left[0])

    def _best_families(self, families: Sequence[Cell]) -> list[Cell]:
        ranked = self._trials.ranked(self._without_doubles(families))
        near = [one for one in ranked if self._last(one) >= FAR_BEHIND * self._last(ranked[0])]
        return near[: max(KEPT_FAMILIES, math.ceil(len(families) / 2))]

    def _without_doubles(self, cells: Sequence[Cell]) -> list[Cell]:
        """Of those that turned out to be the same, the first; what failed is left out."""
        first: dict[object, Cell] = {}
        for cell in cells:
            if self._trials.scores(cell) and cell not in self._trials.failed:
                first.setdefault(self._same(cell), cell)
        return list(first.values())

    def _sized(self, cell: Cell) -> list[Cell]:
        """A candidate at the largest size that keeps up, at the next larger, and at the next smaller one.

        The first guess is from the score at the size measured so far: work grows with the square of the side.
        """
        reach = (cell.size or self._own_size) * math.sqrt(SPARE * self._last(cell))
        place = max((index for index, size in enumerate(self._sizes) if size <= reach), default=0)
        sized = [self._at_size(cell, size) for size in self._sizes]
        self._left = [cell]
        if self._kept_up_once(sized[place]):
            while place + 1 < len(sized) and self._kept_up_once(sized[place + 1]):
                place += 1
        else:
            while place > 0:
                place -= 1
                if self._kept_up_once(sized[place]):
                    break
        return sized[max(0, place - 1) : place + 2][::-1]

    def _at_size(self, cell: Cell, size: int) -> Cell:
        return replace(cell, size=None if size == self._own_size else size)

    def _kept_up_once(self, cell: Cell) -> bool:
        """Whether the last run of a cell did; one that was not measured yet is, if there is time."""
        if not self._trials.scores(cell):
            self._trials.round([cell])
        return self._last(cell) >= 1

    def _final(self) -> bool:
        """Rounds of what is left and the baseline until the time is over, one at least. Returns whether any has run."""
        if not self._left:
            return False
        entrants = list(dict.fromkeys([*self._left, self._baseline]))
        self.final_begins = len(self._trials.rounds)
        rounds = 0
        while rounds == 0 or self._trials.clock() + self._trials.round_s(entrants) <= self._trials.until:
            if not self._trials.round(entrants, is_whole=rounds == 0):
                break
            rounds += 1
            self._left = entrants = [one for one in entrants if one not in self._trials.failed]
            if not entrants:
                break
        return rounds > 0

    def _ranked(self, cells: Sequence[Cell]) -> list[Cell]:
        """The best first of those that may win; for a live picture the largest that keeps up, then what is nearest."""
        ranked = self._trials.ranked([cell for cell in cells if self._may_win(cell)])
        if not self._sizes:
            return ranked
        kept = [cell for cell in ranked if self._keeps_up(cell)]
        kept.sort(key=lambda cell: cell.size or self._own_size, reverse=True)
        return [*kept, *(cell for cell in ranked if cell not in kept)]

    def _keeps_up(self, cell: Cell) -> bool:
        return median(self._trials.scores(cell)) >= 1

    def _last(self, cell: Cell) -> float:
        scores = self._trials.scores(cell)
        return scores[-1] if scores else 0.0

    def _at(self, part: float) -> float:
        """When a part of the time is over, by the trials' clock."""
        return self._begun_at + part * (self._trials.until - self._begun_at)

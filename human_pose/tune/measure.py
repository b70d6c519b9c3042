"""A candidate's run, in a process of its own: the study's."""

from dataclasses import dataclass, field
from typing import Any

from ..console import StopRequest
from ..measurement.cells import Cell, StudyOptions
from ..study.plan import Job
from ..study.runner import do
from .goals import Goal
from .trials import InterruptedTuningError


@dataclass
class Measurements:
    """Measures cells for a goal, and keeps what every run gave.

    runs: what each cell's runs gave; errors: why a cell's last one gave nothing.
    """

    goal: Goal
    options: StudyOptions
    stop: StopRequest
    runs: dict[Cell, list[dict[str, Any]]] = field(default_factory=dict)
    errors: dict[Cell, str] = field(default_factory=dict)

    def score(self, cell: Cell) -> float | None:
        """Of one run of the whole application; None where it failed. Raises InterruptedTuningError."""
        run = self._do("application", cell)
        if "error" not in run and run["application_latency_ms"] is None:
            run = {"error": "it gave no result (--seconds makes the runs longer)"}
        if "error" in run:
            self.errors[cell] = str(run["error"])
            return None
        self.runs.setdefault(cell, []).append(run)
        return self.goal.score(run)

    def agreement(self, cell: Cell, reference: str) -> dict[str, Any]:
        """PCK of a cell's keypoints against those of the FP32 network in a file; {'error': ...} where it failed.

        Raises InterruptedTuningError.
        """
        return self._do("agreement", cell, reference)

    @property
    def disturbed_runs(self) -> tuple[int, int]:
        """How many runs other programs disturbed, and of how many that is known."""
        conditions = [run["conditions"] for runs in self.runs.values() for run in runs]
        known = [one["disturbed"] for one in conditions if one["other_cores"] is not None]
        return sum(known), len(known)

    def _do(self, task: str, cell: Cell, reference: str = "") -> dict[str, Any]:
        run = do(Job(task, cell), self.options, self.stop, reference)
        if run is None:
            raise InterruptedTuningError
        return run

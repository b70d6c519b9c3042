"""From a wish to a search: what is to be tried, the measurements, and what was found."""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import openvino as ov

from ..console import ProgressLine, StopRequest, minutes
from ..errors import DemoError, UsageError
from ..inference.devices import open_core
from ..inference.model import load_model
from ..invocation import command
from ..measurement.cells import Cell, StudyOptions
from ..measurement.machine import cores
from ..measurement.workload import first_frames
from ..zoo.resolve import choose_model, executable_precisions
from .accuracy import known_ap, known_sizes
from .goals import GOALS, Goal
from .measure import Measurements
from .options import run_seconds
from .search import Found, Search
from .space import Source, Way, devices_of, executed_types, families, new_cell, sizes_of, ways
from .trials import InterruptedTuningError, Trials

SAME = ("execution_precision", "requests", "streams", "input_size")  # of a run: who has the same does the same


@dataclass
class Plan:
    """What is tried.

    model: as the user named it. baseline: the configuration that runs by default. families: a candidate for each device
    and set of types. sizes: for a live picture. own_size: the network's. reference: the file that FP32 executes.
    """

    core: ov.Core
    goal: Goal
    model: str
    options: StudyOptions
    baseline: Cell
    families: list[Cell]
    sizes: list[int]
    own_size: int
    reference: str
    min_ap: float | None

    def size_of(self, cell: Cell) -> int:
        """The size of a candidate's input, as --size names it."""
        return cell.size or self.own_size

    def resized(self, cell: Cell, size: int) -> Cell:
        """A candidate with an input of another size."""
        return replace(cell, size=None if size == self.own_size else size)

    def ap(self, cell: Cell) -> float | None:
        """A candidate's AP, 0 to 1; None where it is not known."""
        return known_ap(self.model, executed_types(self.core, cell.device, cell.precision), self.size_of(cell))

    def has_enough_ap(self, cell: Cell) -> bool:
        """Whether a candidate has the AP that was asked for, if one was."""
        ap = self.ap(cell)
        return self.min_ap is None or (ap is not None and ap >= self.min_ap)

    def name(self, cell: Cell) -> str:
        """'CPU FP16-INT8, throughput hint, 3 requests, 2 streams, size 256'."""
        numbers = [(name, number) for name, number in cell.numbers if number is not None and name != "size"]
        counts = [f"{number} {name if number != 1 else name.removesuffix('s')}" for name, number in numbers]
        return ", ".join([f"{cell.where} {cell.precision}", f"{cell.hint} hint", *counts, f"size {self.size_of(cell)}"])


@dataclass
class Tuned:
    """What was found, and all that was measured.

    since: the first of the rounds that the figures are of: the final, or all where there was none. agreement: of the
    best with FP32, where AP does not tell.
    """

    plan: Plan
    found: Found
    trials: Trials[Cell]
    measured: Measurements
    since: int
    elapsed_s: float
    agreement: dict[str, Any] | None = None

    def runs(self, cell: Cell) -> list[dict[str, Any]]:
        """The runs of a candidate that its figures are of."""
        count = sum(cell in scores for scores in self.trials.rounds[self.since :])
        return self.measured.runs[cell][-count:] if count else self.measured.runs[cell]


def plan_of(options: argparse.Namespace) -> Plan:
    """What is to be tried. Raises UsageError for what cannot work."""
    core = open_core(options.plugins)
    devices = devices_of(core, options.devices)
    first_frames(options.input)
    default = choose_model(options.model, None)
    network = load_model(core, default)
    sources = sources_of(options.model)
    floats = [source for source in sources if source.precision != "FP16-INT8"]
    goal = GOALS[options.goal]
    device = "CPU" if "CPU" in core.available_devices else devices[0]
    plan = Plan(
        core,
        goal,
        options.model,
        StudyOptions(
            devices,
            [options.model],
            [],
            str(Path(options.input).resolve()),
            seconds=run_seconds(options.seconds),
            plugins=None if options.plugins is None else str(options.plugins.resolve()),
            cache=True,
            agreement_frames=12,
        ),
        new_cell(core, Source(default.name, default.precision, str(default.path)), device, "throughput"),
        families(core, devices, sources, goal.hint),
        sizes_of(network) if goal.name == "live" else [],
        network.own_size,
        floats[-1].file,
        options.min_ap,
    )
    if plan.min_ap is not None:
        _leave_out_inaccurate(plan, plan.min_ap)
    return plan


def sources_of(model: str) -> list[Source]:
    """The precisions in which a network can be executed here, FP32 last. Raises UsageError or DemoError for none."""
    found = [file for precision in executable_precisions(model) if (file := _file_of(model, precision)) is not None]
    if all(source.precision == "FP16-INT8" for source in found):
        choose_model(model, "FP32")  # says why there is none
    return found


def _file_of(model: str, precision: str) -> Source | None:
    """A precision of a network; None where it cannot be had."""
    try:
        file = choose_model(model, precision)
    except DemoError:
        return None
    return Source(file.name, precision, str(file.path))


def _leave_out_inaccurate(plan: Plan, min_ap: float) -> None:
    """Give each family the smallest size at which it has enough AP, and leave out those that never have.

    Raises UsageError where none has, or AP is not known.
    """
    known = {
        family: [one for size in known_sizes(plan.model) if plan.ap(one := plan.resized(family, size)) is not None]
        for family in plan.families
    }
    if not any(known.values()):
        raise UsageError(
            f"The AP of {plan.model} is not known here, so nothing can have --min-ap {min_ap:g}. Leave --min-ap out; "
            f"{command('evaluate')} measures AP."
        )
    enough = {family: [one for one in cells if plan.has_enough_ap(one)] for family, cells in known.items()}
    if not any(enough.values()):
        best = max((one for cells in known.values() for one in cells), key=lambda one: plan.ap(one) or 0)
        raise UsageError(
            f"No candidate has an AP of {min_ap:g}: the best known is {plan.ap(best):.3f}, of {best.precision} at size "
            f"{plan.size_of(best)}. Give --min-ap {plan.ap(best):.3f} or less."
        )
    plan.families = [cells[0] for cells in enough.values() if cells]
    if plan.sizes:
        plan.sizes = sorted({plan.size_of(cell) for cells in enough.values() for cell in cells})


def tune(plan: Plan, seconds: float, clock: Callable[[], float] = time.monotonic) -> Tuned:
    """Search for about so many seconds by a clock in s, or until the user stops it."""
    begun_at = clock()
    progress = ProgressLine()
    with StopRequest() as stop:
        measured = Measurements(plan.goal, plan.options, stop)

        def score(cell: Cell) -> float | None:
            left_s = max(0.0, begun_at + seconds - clock())
            progress.show(f"about {minutes(left_s)} left: {plan.name(cell)}")
            return measured.score(cell)

        def same(cell: Cell) -> object:
            run = measured.runs[cell][-1]
            return cell.device, cell.hint, cell.threads, *(str(run[fact]) for fact in SAME)

        def ways_of(device: str) -> Sequence[Way]:
            return ways(device, plan.goal.name, cores())

        trials = Trials(score, begun_at + seconds, clock)
        search = Search(trials, plan.baseline, ways_of, same, plan.sizes, plan.own_size, plan.has_enough_ap)
        found = search.run(plan.families)
        since = search.final_begins if found.is_final else 0
        tuned = Tuned(plan, found, trials, measured, since, clock() - begun_at)
        best = found.best
        if best is not None and not found.interrupted and plan.ap(best) is None and best.precision != "FP32":
            try:
                tuned.agreement = measured.agreement(best, plan.reference)
            except InterruptedTuningError:
                found.interrupted = True
    progress.clear()
    return tuned

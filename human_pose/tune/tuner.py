"""From a wish to a search: what is to be tried, the measurements, and what was found."""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import openvino as ov

from ..console import ProgressLine, StopRequest, minutes
from ..errors import DemoError, UsageError
from ..inference.devices import open_core
from ..inference.model import PoseModel, load_model
from ..measurement.cells import Cell, StudyOptions
from ..measurement.machine import cores
from ..measurement.workload import first_frames
from ..zoo.resolve import choose_model, executable_precisions
from .accuracy import known_ap, known_sizes
from .goals import GOALS, Goal
from .measure import Measurements
from .options import run_seconds
from .search import Found, Search
from .space import Source, devices_of, executed_types, families, sizes_of, ways
from .trials import Trials


@dataclass
class Plan:
    """What is tried.

    baseline: the configuration that runs by default. families: a candidate for each device and set of types. sizes: for
    a live picture. reference: the file that FP32 executes.
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

    def ap(self, cell: Cell) -> float | None:
        """A candidate's AP, 0 to 1; None where it is not known."""
        return known_ap(self.model, executed_types(self.core, cell.device, cell.precision), self.size_of(cell))

    def has_enough_ap(self, cell: Cell) -> bool:
        ap = self.ap(cell)
        return self.min_ap is None or (ap is not None and ap >= self.min_ap)


@dataclass
class Tuned:
    """What was found, and all that was measured. agreement: of the best with FP32, where AP does not tell."""

    plan: Plan
    found: Found
    trials: Trials[Cell]
    measured: Measurements
    final_begins: int
    elapsed_s: float
    agreement: dict[str, Any] | None = None


def plan_of(options: argparse.Namespace) -> Plan:
    """What is to be tried. Raises UsageError for what cannot work."""
    core = open_core(options.plugins)
    devices = devices_of(core, options.devices)
    first_frames(options.input)
    sources = sources_of(options.model)
    goal = GOALS[options.goal]
    default = choose_model(options.model, None)
    network = load_model(core, default)
    baseline = Cell("openvino", default.name, default.precision, str(default.path), "CPU", "throughput")
    if "CPU" not in core.available_devices:
        baseline = replace(baseline, device=devices[0])
    measure_options = StudyOptions(
        devices, [options.model], [], str(Path(options.input).resolve()), seconds=run_seconds(options.seconds),
        plugins=None if options.plugins is None else str(options.plugins.resolve()), cache=True, agreement_frames=12,
    )  # fmt: skip
    plan = Plan(
        core, goal, options.model, measure_options, baseline, families(core, devices, sources, goal.hint), [],
        network.own_size, str(choose_model(options.model, "FP32").path), options.min_ap,
    )  # fmt: skip
    _choose_sizes(plan, network)
    return plan


def _choose_sizes(plan: Plan, network: PoseModel) -> None:
    """For a live picture the sizes to try; else for each family the smallest size with enough AP."""
    if plan.goal.name == "live":
        plan.sizes = sizes_of(network)
    if plan.min_ap is None:
        return
    known = {
        family: [one for size in known_sizes(plan.model) if plan.ap(one := replace(family, size=size)) is not None]
        for family in plan.families
    }
    if not any(known.values()):
        raise UsageError(
            f"The AP of {plan.model} is not known, so nothing has --min-ap {plan.min_ap:g}. Leave it out, or measure AP: "
            "python -m human_pose.evaluate"
        )
    enough = {family: [one for one in cells if plan.has_enough_ap(one)] for family, cells in known.items()}
    if not any(enough.values()):
        best = max((one for cells in known.values() for one in cells), key=lambda one: plan.ap(one) or 0)
        raise UsageError(
            f"No candidate has an AP of {plan.min_ap:g}. The best known is {plan.ap(best):.3f}, of {best.precision} at "
            f"size {best.size}. Give --min-ap {plan.ap(best):.3f} or less."
        )
    plan.families = [cells[0] for cells in enough.values() if cells]
    if plan.sizes:
        common = [{cell.size for cell in cells} for cells in enough.values() if cells]
        plan.sizes = sorted(size for size in set.intersection(*common) if size is not None)


def sources_of(model: str) -> list[Source]:
    """The precisions in which a network can be executed here. Raises UsageError where there is no such network."""
    default = choose_model(model, None)
    found = []
    for precision in executable_precisions(model):
        try:
            file = choose_model(model, precision)
        except DemoError:
            if precision == default.precision:
                raise
            continue
        found.append(Source(file.name, precision, str(file.path)))
    return found


def tune(plan: Plan, seconds: float) -> Tuned:
    """Search for about so many seconds, or until the user stops it."""
    begun_at = time.monotonic()
    with StopRequest() as stop:
        measured = Measurements(plan.goal, plan.options, stop)
        progress = ProgressLine()

        def score(cell: Cell) -> float | None:
            left_s = max(0.0, begun_at + seconds - time.monotonic())
            progress.show(f"about {minutes(left_s)} left: {cell.label(with_model=False)}")
            return measured.score(cell)

        def same(cell: Cell) -> object:
            run = measured.runs[cell][-1]
            facts = (run[key] if key != "input_size" else tuple(run[key]) for key in SAME)
            return (cell.device, cell.hint, cell.threads, *facts)

        def ways_of(device: str) -> Sequence[Any]:
            return ways(device, plan.goal.name, cores())

        trials = Trials(score, begun_at + seconds)
        search = Search(trials, plan.baseline, ways_of, same, plan.sizes, plan.own_size, plan.has_enough_ap)
        found = search.run(plan.families)
        tuned = Tuned(plan, found, trials, measured, search.final_begins, time.monotonic() - begun_at)
        best = found.best
        if best is not None and plan.ap(best) is None and best.precision != "FP32" and not found.interrupted:
            tuned.agreement = measured.agreement(best, plan.reference)
        progress.clear()
    return tuned


SAME = ("execution_precision", "requests", "streams", "input_size")  # of a run: who has the same does the same

"""Does the tuner find the best cell of the grid, and in which part of the grid's time?

python -m benchmarks.tuning [--for throughput|latency] [--small] [--times 3] [--repeats 3] [--part 0.2] [--seconds S]

The grid is the product of devices, precisions, hints, requests, streams and threads; each cell is measured --repeats
times by the tuner's own code, in rounds. Then the tuner has --part of the time that the grid took. Grid and tuner
alternate, --times times. Each time ends with a duel of the tuner's choice and the grid's best cell in --duel rounds:
the best of many cells is partly luck, so its figures in the grid would make it look better than it is. --small has
fewer requests, streams and threads; with it, three times take about 15 minutes on two cores.
The goal: within 3 %, in a fifth of the time, every time.
"""

import argparse
import itertools
import math
import statistics
import sys
import time
from dataclasses import dataclass, replace

from benchmarks.common import cores, machine
from human_pose.console import StopRequest, run_command, show_messages
from human_pose.errors import DemoError
from human_pose.measurement.cells import Cell
from human_pose.tune.measure import Measurements
from human_pose.tune.options import run_seconds, tune_parser
from human_pose.tune.space import Way, in_way, new_cell
from human_pose.tune.trials import InterruptedTuningError, Trials
from human_pose.tune.tuner import Plan, plan_of, sources_of, tune

WITHIN = 0.03
MARGIN = 0.97  # of the time allowed, which the tuner is given: its last run may end late


@dataclass
class Time:
    """One of the times. ratio: the tuner's choice over the grid's best cell, by the duel; 1 where they are the same."""

    grid_s: float
    tuner_s: float
    allowed_s: float
    best: Cell
    chosen: Cell
    ratio: float
    disturbed: int
    known: int

    @property
    def is_met(self) -> bool:
        return self.ratio >= 1 - WITHIN and self.tuner_s <= self.allowed_s


def cells_of(plan: Plan, small: bool) -> list[Cell]:
    """The grid, of everything, also of what executes in the same types."""
    requests = (None, 2, 4) if small else (None, 1, 2, 3, 4)
    streams = (None, 1) if small else (None, 1, 2)
    threads = (None,) if small else (None, max(1, cores() // 2))
    several = [Way(*one) for one in itertools.product(("throughput", "latency"), requests, streams, threads)]
    families = [
        new_cell(plan.core, source, device, "throughput")
        for device in plan.options.devices
        for source in sources_of(plan.model)
    ]
    return [in_way(family, way) for family in families for way in several]


def rounds_of(cells: list[Cell], repeats: int, measured: Measurements) -> Trials[Cell]:
    """Each cell so many times, in rounds."""
    trials: Trials[Cell] = Trials(measured.score, math.inf)
    for _ in range(repeats):
        trials.round(cells)
    return trials


def one_time(plan: Plan, cells: list[Cell], options: argparse.Namespace, stop: StopRequest) -> Time:
    """The grid, the tuner, and the duel."""
    measured = Measurements(plan.goal, plan.options, stop)
    begun_at = time.monotonic()
    grid = rounds_of(cells, options.repeats, measured)
    grid_s = time.monotonic() - begun_at
    ranked = grid.ranked(grid.measured)
    if not ranked:
        raise DemoError(f"No cell can be measured: {next(iter(measured.errors.values()))}")
    allowed_s = options.seconds or options.part * grid_s
    quick = replace(plan, options=replace(plan.options, seconds=run_seconds(allowed_s)))
    tuned = tune(quick, MARGIN * allowed_s)
    chosen = tuned.found.best
    if tuned.found.interrupted:
        raise InterruptedTuningError
    if chosen is None:
        raise DemoError("The tuner found nothing.")
    ratio = 1.0
    if chosen != ranked[0]:
        duel = rounds_of([chosen, ranked[0]], options.duel, measured)
        ratio = statistics.median(duel.ratios(chosen, ranked[0]))
    counts = [one.disturbed_runs for one in (measured, tuned.measured)]
    disturbed, known = (sum(numbers) for numbers in zip(*counts, strict=True))
    return Time(grid_s, tuned.elapsed_s, options.part * grid_s, ranked[0], chosen, ratio, disturbed, known)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--for", dest="goal", choices=("throughput", "latency"), default="throughput")
    add("-m", "--model")
    add("-i", "--input")
    add("--devices", nargs="+")
    add("--small", action="store_true", help="a grid of fewer requests, streams and threads")
    add("--times", type=int, default=3, help="grid and tuner, so many times; default: %(default)s")
    add("--repeats", type=int, default=3, help="of each cell of the grid; default: %(default)s")
    add("--duel", type=int, default=5, help="rounds of the choice against the grid's best; default: %(default)s")
    add("--part", type=float, default=0.2, help="of the grid's time that the tuner has; default: %(default)s")
    add("--seconds", type=float, help="that the tuner has instead")
    options = parser.parse_args()
    show_messages()
    sys.exit(run_command(lambda: compare(options)))


def compare(options: argparse.Namespace) -> int:
    """Print what each time gave. Returns the exit code."""
    words = ["--for", options.goal]  # the grid's runs are as long as those of a tuning of the default length
    for name, value in (("-m", options.model), ("-i", options.input)):
        words += [name, value] if value else []
    words += ["--devices", *options.devices] if options.devices else []
    plan = plan_of(tune_parser(None).parse_args(words))
    plan.options = replace(plan.options, cache=False)  # else the tuner would find the networks of the grid compiled
    cells = cells_of(plan, options.small)
    print(f"{machine()}; {plan.model}, for {plan.goal.wish}")
    print(f"Grid of {len(cells)} cells, {options.repeats} runs of {plan.options.seconds:g} s each")
    times: list[Time] = []
    with StopRequest() as stop:
        for number in range(1, options.times + 1):
            try:
                done = one_time(plan, cells, options, stop)
            except InterruptedTuningError:
                print(f"Interrupted in time {number}.")
                return 130
            times.append(done)
            share = done.tuner_s / done.grid_s
            print(
                f"{number}: grid {done.grid_s:.0f} s, best {plan.name(done.best)}\n"
                f"   tuner {done.tuner_s:.0f} s ({share:.2f} of it), choice {plan.name(done.chosen)}\n"
                f"   choice / best {done.ratio:.3f}: {'met' if done.is_met else 'missed'}; "
                f"{done.disturbed} of {done.known} runs disturbed",
                flush=True,
            )
    met = sum(done.is_met for done in times)
    print(f"Within {WITHIN:.0%} of the grid's best in at most {options.part:g} of its time: {met} of {len(times)}")
    return 0


if __name__ == "__main__":
    main()

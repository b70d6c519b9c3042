"""Does the tuner find the best cell of the grid, and in which part of the grid's time?

python -m benchmarks.tuning [--for throughput|latency] [--small] [--times 3] [--repeats 3] [--part 0.2] [--duel 12]

The grid is the product of devices, precisions, hints, requests, streams and threads; each cell is measured --repeats
times by the tuner's own code, in rounds. Then the tuner runs --times times, each time with --part of the time that the
grid took, and a new cache of compiled networks, as the grid had. At the end its choices and the grid's best cell are
compared in --duel rounds of longer runs: the best of many cells is partly luck, so its figures in the grid would make
it look better than it is. --small leaves the threads out; it takes about half an hour on two cores.
The goal: within 3 %, in a fifth of the time, every time.
"""

import argparse
import contextlib
import itertools
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from benchmarks.common import cores, machine
from human_pose.console import StopRequest, run_command, show_messages
from human_pose.errors import DemoError
from human_pose.measurement.cells import Cell
from human_pose.measurement.intervals import figures
from human_pose.tune.measure import Measurements
from human_pose.tune.options import run_seconds, tune_parser
from human_pose.tune.space import Way, in_way, new_cell
from human_pose.tune.trials import InterruptedTuningError, Trials
from human_pose.tune.tuner import Plan, plan_of, sources_of, tune

WITHIN = 0.03
MARGIN = 0.97  # of the time allowed, which the tuner is given: its last run may end late
DUEL_RUN_S = 4.0


@dataclass
class Time:
    """One of the times: the tuner's choice, how long it took, and how many of the runs of which it is known others
    disturbed.
    """

    chosen: Cell
    elapsed_s: float
    disturbed: int
    known: int


def cells_of(plan: Plan, small: bool) -> list[Cell]:
    """The grid, of everything, also of what executes in the same types."""
    requests, streams = (None, 1, 2, 3, 4), (None, 1, 2)
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


@contextlib.contextmanager
def new_cache() -> Iterator[None]:
    """Processes started in this context share a cache of compiled networks that is empty at first."""
    before = os.environ.get("XDG_CACHE_HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["XDG_CACHE_HOME"]
            else:
                os.environ["XDG_CACHE_HOME"] = before


def one_time(plan: Plan, allowed_s: float) -> Time:
    """The tuner, with so much time."""
    quick = replace(plan, options=replace(plan.options, seconds=run_seconds(allowed_s)))
    with new_cache():
        tuned = tune(quick, MARGIN * allowed_s)
    if tuned.found.interrupted:
        raise InterruptedTuningError
    if tuned.found.best is None:
        raise DemoError("The tuner found nothing.")
    return Time(tuned.found.best, tuned.elapsed_s, *tuned.measured.disturbed_runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--for", dest="goal", choices=("throughput", "latency"), default="throughput")
    add("-m", "--model")
    add("-i", "--input")
    add("--devices", nargs="+")
    add("--small", action="store_true", help="a grid without numbers of threads")
    add("--times", type=int, default=3, help="how often the tuner runs; default: %(default)s")
    add("--repeats", type=int, default=3, help="of each cell of the grid; default: %(default)s")
    add("--duel", type=int, default=12, help="rounds of the choices against the grid's best; default: %(default)s")
    add("--part", type=float, default=0.2, help="of the grid's time that the tuner has; default: %(default)s")
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
    cells = cells_of(plan, options.small)
    print(f"{machine()}; {plan.model}, for {plan.goal.wish}")
    print(f"Grid of {len(cells)} cells, {options.repeats} runs of {plan.options.seconds:g} s each", flush=True)
    with StopRequest() as stop:
        try:
            return grid_tuner_and_duel(plan, cells, options, stop)
        except InterruptedTuningError:
            print("Interrupted.")
            return 130


def grid_tuner_and_duel(plan: Plan, cells: list[Cell], options: argparse.Namespace, stop: StopRequest) -> int:
    measured = Measurements(plan.goal, plan.options, stop)
    begun_at = time.monotonic()
    with new_cache():
        grid = rounds_of(cells, options.repeats, measured)
    grid_s = time.monotonic() - begun_at
    ranked = grid.ranked(grid.measured)
    if not ranked:
        raise DemoError(f"No cell can be measured: {next(iter(measured.errors.values()))}")
    best = ranked[0]
    disturbed, known = measured.disturbed_runs
    print(f"grid: {grid_s:.0f} s, best {plan.name(best)}; {disturbed} of {known} runs disturbed", flush=True)
    times = []
    for number in range(1, options.times + 1):
        done = one_time(plan, options.part * grid_s)
        times.append(done)
        share = done.elapsed_s / grid_s
        print(
            f"{number}: tuner {done.elapsed_s:.0f} s ({share:.2f} of it), choice {plan.name(done.chosen)}; "
            f"{done.disturbed} of {done.known} runs disturbed",
            flush=True,
        )
    duelists = list(dict.fromkeys([best, *(done.chosen for done in times)]))
    duel = Measurements(plan.goal, replace(plan.options, seconds=DUEL_RUN_S), stop)
    scores = rounds_of(duelists, options.duel if len(duelists) > 1 else 0, duel)
    if scores.rounds:
        disturbed, known = duel.disturbed_runs
        print(f"duel: {options.duel} rounds, {disturbed} of {known} runs disturbed")
    met = 0
    for number, done in enumerate(times, 1):
        ratios = figures(scores.ratios(done.chosen, best)) if done.chosen != best else figures([1.0])
        between = "" if ratios.low is None else f" ({ratios.low:.3f} to {ratios.high:.3f})"
        if done.chosen == best:
            between = ", the same cell"
        is_met = ratios.mean >= 1 - WITHIN and done.elapsed_s <= options.part * grid_s
        met += is_met
        print(f"{number}: choice / best {ratios.mean:.3f}{between}: {'met' if is_met else 'missed'}")
    print(f"Within {WITHIN:.0%} of the grid's best in at most {options.part:g} of its time: {met} of {len(times)}")
    return 0


if __name__ == "__main__":
    main()

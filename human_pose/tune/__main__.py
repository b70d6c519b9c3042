"""What is best on this machine: measures what is worth trying, with successive halving, and says what is fastest.

Each candidate runs the whole application in a process of its own; all take turns.
"""

import sys

from ..errors import DemoError, explain_import_error

try:
    from ..console import print_result, run_command, say, set_up_terminal
    from ..demo.best import Best, keep_best, new_best
    from ..inference.configuration import Configuration
    from .options import tune_parser
    from .report import report
    from .tuner import Tuned, plan_of, tune
except ImportError as import_error:
    sys.exit(f"error: {explain_import_error(import_error)}")

INTERRUPTED = 130


def run_tuning(arguments: list[str] | None) -> int:
    """Tune, print what was found, keep it if asked to. 1 where nothing works or keeps up, 130 if interrupted."""
    options = tune_parser(__doc__).parse_args(arguments)
    plan = plan_of(options)
    tuned = tune(plan, options.seconds)
    found = tuned.found
    if found.best is None and not found.interrupted:
        why = next(iter(tuned.measured.errors.values()), "there was no time. Give more --seconds.")
        raise DemoError(f"No candidate can be measured: {why}")
    print_result(report(tuned))
    if options.apply:
        if found.interrupted or not found.is_final or not found.keeps_up:
            reason = "it was interrupted" if found.interrupted else "nothing keeps up"
            reason = reason if found.interrupted or not found.keeps_up else "the time was too short (--seconds)"
            say(f"Not kept, because {reason}.")
        else:
            say(
                f"Kept in '{keep_best(best_of(tuned))}': python human_pose_est.py -d best{_model_option(options.model)}"
            )
    if found.interrupted:
        return INTERRUPTED
    return 0 if found.keeps_up else 1


def best_of(tuned: Tuned) -> Best:
    """The first choice, to be kept."""
    plan, cell = tuned.plan, tuned.found.best
    assert cell is not None
    size = 0 if plan.size_of(cell) == plan.own_size else plan.size_of(cell)
    configuration = Configuration(cell.device, plan.model, cell.precision, cell.hint, size)
    return new_best(plan.core, plan.goal.name, configuration, cell.requests, cell.streams, cell.threads)


def _model_option(model: str) -> str:
    from ..zoo.catalog import DEFAULT_MODEL

    return "" if model == DEFAULT_MODEL else f" -m {model}"


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code."""
    set_up_terminal()
    return run_command(lambda: run_tuning(arguments))


def program() -> None:
    """The console command."""
    sys.exit(main())


if __name__ == "__main__":
    program()

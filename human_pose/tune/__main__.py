"""What is best on this machine: measures what is worth trying, with successive halving, and says what is best.

Each candidate runs the whole application in a process of its own; all take turns.
"""

import sys
from dataclasses import replace

from ..errors import DemoError, explain_import_error

try:
    from ..console import print_result, run_command, say, set_up_terminal
    from ..demo.best import Best, keep_best, model_option, new_best
    from ..invocation import command
    from .options import tune_parser
    from .report import report
    from .search import Found
    from .tuner import Tuned, plan_of, tune
except ImportError as import_error:
    sys.exit(f"error: {explain_import_error(import_error)}")

EXIT_CODE_INTERRUPTED = 130


def run_tuning(arguments: list[str] | None) -> int:
    """Tune, print what was found, keep it if asked to. 1 where nothing keeps up, 130 if interrupted.

    Raises DemoError where no candidate could be measured.
    """
    options = tune_parser(__doc__).parse_args(arguments)
    plan = plan_of(options)
    tuned = tune(plan, options.seconds)
    found = tuned.found
    if found.best is None and not found.interrupted:
        why = next(iter(tuned.measured.errors.values()), "there was no time. Give more --seconds.")
        raise DemoError(f"No candidate can be measured: {why}")
    print_result(report(tuned))
    if options.apply:
        reason = why_not_kept(found)
        if reason:
            say(f"Not kept, because {reason}.")
        else:
            file = keep_best(best_of(tuned))
            say(f"Kept in '{file}'. To use it: {command()} -d best{model_option(options.model)}")
    if found.interrupted:
        return EXIT_CODE_INTERRUPTED
    return 0 if found.keeps_up else 1


def why_not_kept(found: Found) -> str:
    """Why a choice is not sure enough to be kept; '' where it is."""
    if found.interrupted:
        return "the measurement was interrupted"
    if not found.keeps_up:
        return "it does not keep up"
    return "" if found.is_final else "it could not be compared with the default"


def best_of(tuned: Tuned) -> Best:
    """The first choice, to be kept."""
    plan, cell = tuned.plan, tuned.found.best
    assert cell is not None
    configuration = replace(cell.configuration, model=plan.model)  # as the user named it
    return new_best(plan.core, plan.goal.name, configuration, cell.requests, cell.streams, cell.threads)


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code."""
    set_up_terminal()
    return run_command(lambda: run_tuning(arguments))


def program() -> None:
    """The console command."""
    sys.exit(main())


if __name__ == "__main__":
    program()

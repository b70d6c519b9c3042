"""Why a device does not appear on this machine, and the command that mends it.

python -m human_pose.doctor              CPU, GPU, NPU, packages, display, video, cache, models
python -m human_pose.doctor --json       the same as data, with all that was read
python -m human_pose.doctor --clean      remove what this program keeps in your folders

Exit code 0 if the demo can run here, 1 if not.
"""

import argparse
import json
import sys
import textwrap
from collections.abc import Sequence

from ..command import OptionParser
from ..console import print_result, run_command, set_up_terminal
from ..invocation import as_typed, command
from .checks import can_run, examine
from .clean import clean
from .facts import Facts
from .finding import MISSING, PROBLEM, Finding
from .read import read_facts

CLEAN_HELP = (
    "remove the cache (compiled networks, what the tuner kept) and, of an installed package, the models that were "
    "downloaded or made; --clean cache: only the cache. A checkout's own models/ stays"
)
TOPIC_WIDTH, STATE_WIDTH, WIDTH = 10, 9, 100


def as_text(findings: Sequence[Finding]) -> str:
    """A paragraph for each finding; what mends it stands below."""
    lines = []
    for finding in findings:
        head = f"{finding.topic:{TOPIC_WIDTH}}{finding.state:{STATE_WIDTH}}"
        indent = " " * len(head)
        lines += textwrap.wrap(finding.text, WIDTH, initial_indent=head, subsequent_indent=indent)
        if finding.remedy:
            lines.append(f"{indent}-> {finding.remedy}")
    runs = "The demo can run here." if can_run(findings) else "The demo cannot run here yet."
    wrong = sum(finding.state == PROBLEM for finding in findings)
    lacking = [finding.topic for finding in findings if finding.state == MISSING]
    counted = [f"{wrong} problem{'s' * (wrong != 1)}"] if wrong else []
    counted += [f"without {' and '.join(dict.fromkeys(lacking))}"] if lacking else []
    return "\n".join([*lines, "", runs + (f" ({', '.join(counted)})" if counted else "")])


def as_data(facts: Facts, findings: Sequence[Finding]) -> str:
    """JSON: whether the demo can run, the findings, and the facts they rest on."""
    content = {
        "can_run": can_run(findings),
        "findings": [vars(finding) for finding in findings],
        "facts": facts.as_data(),
    }
    return json.dumps(content, indent=1)


def run(options: argparse.Namespace) -> int:
    if options.clean:
        for line in clean(with_models=options.clean == "all"):
            print_result(line)
        return 0
    facts = read_facts()
    findings = examine(facts)
    print_result(as_data(facts, findings) if options.json else as_text(findings))
    return 0 if can_run(findings) else 1


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code."""
    set_up_terminal()
    parser = OptionParser(
        prog=command("doctor"),
        description=as_typed(__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--json", action="store_true", help="print data instead of text")
    what.add_argument("--clean", nargs="?", choices=("all", "cache"), const="all", help=CLEAN_HELP)
    options = parser.parse_args(arguments)
    return run_command(lambda: run(options))


def program() -> None:
    """The console command."""
    sys.exit(main())


if __name__ == "__main__":
    program()

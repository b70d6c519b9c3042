"""The options of the tuner's command line."""

import argparse
from pathlib import Path

from ..command import MODEL_HELP, OptionParser, examples, score, seconds
from ..folders import BUNDLED_VIDEO
from ..invocation import command
from ..zoo.catalog import CATALOG, DEFAULT_MODEL
from ..zoo.resolve import default_model
from .goals import GOALS

LEAST_SECONDS = 5.0
DEFAULT_SECONDS = 60.0
RUNS_ABOUT = 40  # so many measurements of a run's length make up the time; starting processes takes the rest
SHORTEST_RUN_S, LONGEST_RUN_S = 0.3, 2.0

EXAMPLES = {
    "python -m human_pose.tune": "the most frames a second, in a minute",
    "python -m human_pose.tune --for live --apply": "keep the largest input that keeps up with a camera",
    "python -m human_pose.tune --min-ap 0.5": "the fastest of those that find people well enough",
    "python human_pose_est.py -d best": "use what was kept",
}


def budget(text: str) -> float:
    """Seconds, LEAST_SECONDS or more."""
    if seconds(text) < LEAST_SECONDS:
        raise argparse.ArgumentTypeError(f"{text} s are too few to compare anything; give {LEAST_SECONDS:.0f} or more")
    return seconds(text)


def tune_parser(description: str | None) -> OptionParser:
    # fmt: off
    parser = OptionParser(prog=command("tune"), description=description, epilog=examples(EXAMPLES),
                          allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--for", dest="goal", choices=GOALS, default="throughput",
        help="; ".join(f"{goal.name}: {goal.wish}" for goal in GOALS.values()) + "; default: %(default)s")
    add("--min-ap", type=score, metavar="X",
        help="only candidates with this average precision on COCO, 0 to 1, where it is known (docs/accuracy.md); "
             "for throughput and latency the smallest input that has it")
    add("--seconds", type=budget, default=DEFAULT_SECONDS, metavar="S",
        help="about how long it may take; longer is surer; default: %(default).0f")
    add("-m", "--model", default=default_model(),
        help=f"{' or '.join(CATALOG)}, {MODEL_HELP}; default: {DEFAULT_MODEL}")
    add("-i", "--input", default=str(BUNDLED_VIDEO), metavar="VIDEO", help="default: the video in videos/")
    add("--devices", nargs="+", metavar="D",
        help="as CPU GPU MULTI:GPU,CPU; default: all that this machine has, and MULTI and HETERO over them")
    add("--apply", action="store_true",
        help=f"keep the best for this machine: '{command()} -d best' and key B use it")
    add("--plugins", type=Path, metavar="FILE",
        help="a plugins.xml for OpenVINO, for example one that defines stand-in devices")
    # fmt: on
    return parser


def run_seconds(total: float) -> float:
    """How long each run measures."""
    return min(LONGEST_RUN_S, max(SHORTEST_RUN_S, total / RUNS_ABOUT))

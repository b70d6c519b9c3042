"""The options of the study's command line."""

import argparse
from pathlib import Path
from typing import Any

from ..command import (
    SERVER_HELP,
    SIZE_HELP,
    OptionParser,
    add_remote_options,
    count,
    examples,
    input_size,
    request_count,
    seconds,
)
from ..errors import UsageError
from ..folders import BUNDLED_VIDEO
from ..inference.settings import HINTS
from ..invocation import command
from ..measurement.cells import DEFAULT_REQUESTS, StudyOptions
from ..measurement.intervals import MIN_RUNS
from ..zoo.catalog import DEFAULT_MODEL, ORIGINAL_MODEL, PRECISIONS
from ..zoo.resolve import known_names

EXAMPLES = {
    "python -m human_pose.study --quick": "a first impression, two minutes",
    "python -m human_pose.study --runs 20 --seconds 4": "the study; writes the folder study/",
    "python -m human_pose.study --resume": "go on where it was stopped",
    "python -m human_pose.study report study": "write the report of study/results.json anew",
}


def grid(text: str) -> str:
    """A column of the second grid."""
    return text if text == DEFAULT_REQUESTS else str(request_count(text))


def model(text: str) -> str:
    """A model's name, or the whole path of a file or folder, so that a study goes on from any folder."""
    is_path = text not in known_names() and Path(text).exists()
    return str(Path(text).resolve()) if is_path else text


def existing(text: str) -> str:
    """The whole path of a file or folder."""
    if not Path(text).exists():
        raise argparse.ArgumentTypeError(f"cannot open '{text}': no such file")
    return str(Path(text).resolve())


def pause(text: str) -> float:
    """0 s or more."""
    return 0.0 if text == "0" else seconds(text)


def study_parser(description: str | None) -> OptionParser:
    # fmt: off
    parser = OptionParser(prog=command("study"), description=description, epilog=examples(EXAMPLES),
                          allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--output", type=Path, default=Path("study"), metavar="DIR",
        help="folder of the report: report.html, report.md, results.json, charts (SVG); default: %(default)s")
    add("--resume", action="store_true",
        help="go on with the study in --output, by the settings it was begun with; other options are not looked at")
    add("--quick", action="store_true",
        help="a first impression, two minutes at most: the default model on the CPU with the throughput hint, five "
             "runs of a second; no grid of requests, no other devices; options that are given still hold")
    add("--devices", nargs="+", metavar="D",
        help=f"as CPU GPU MULTI:GPU,CPU HETERO:GPU,CPU, or {SERVER_HELP}; default: all there is, but AUTO")
    add_remote_options(parser)
    add("-m", "--model", nargs="+", dest="models", type=model, metavar="M",
        help="names, or paths of networks or their folders; several may be precisions of one model; default: "
             f"{DEFAULT_MODEL} and {ORIGINAL_MODEL}")
    add("-p", "--precisions", nargs="+", choices=PRECISIONS, metavar="P", help="default: FP32 FP16 FP16-INT8")
    add("--hint", nargs="+", dest="hints", choices=HINTS, metavar="HINT", help="default: throughput latency")
    add("--requests-grid", nargs="*", dest="requests", type=grid, metavar="N",
        help=f"requests in flight of the second grid, numbers or '{DEFAULT_REQUESTS}', the program's own choice; "
             f"nothing: no such grid; default: 1 2 3 4 {DEFAULT_REQUESTS}")
    add("-i", "--input", type=existing, metavar="VIDEO", help="default: the video in videos/")
    add("--size", "--height", dest="size", type=input_size, metavar="N", help=SIZE_HELP)
    add("--runs", type=count, metavar="N", help="of each cell; the original has half as many, at least 5; default: 20")
    length = parser.add_mutually_exclusive_group().add_argument
    length("--seconds", type=seconds, metavar="S",
           help="of each of a run's two measurements, inference alone and the whole application; default: 4")
    length("--frames", type=count, metavar="N", help="so many frames for each measurement instead")
    add("--pause", type=pause, dest="pause_s", metavar="S", help="seconds before each run, to cool down; default: 0")
    add("--seed", type=int, metavar="N", help="of the order of the runs; default: 0")
    add("--original", type=existing, metavar="FILE",
        help="TensorFlow graph (.pb) or .onnx with the first model's weights; default: what "
             f"'{command('models')} fetch {ORIGINAL_MODEL} --original' put into models/")
    add("--images", type=existing, metavar="DIR", help="folder of labelled images, for the AP of each precision")
    add("--annotations", type=existing, metavar="FILE", help="their COCO keypoints annotations")
    add("--agreement-frames", type=count, metavar="N",
        help="frames of the video on which keypoints are compared with FP32's; default: 40")
    add("--plugins", type=existing, metavar="FILE", help="a plugins.xml for OpenVINO, as for stand-in devices")
    add("--cache", action="store_true", default=None, help="keep compiled networks: quicker, compile times tell less")
    add("--note", metavar="TEXT", help="stands on top of the report")
    add("--no-charts", dest="charts", action="store_false", help="none; then matplotlib is not needed")
    # fmt: on
    return parser


# As the demo runs by default: its model, video, input size and hint. Five runs are the fewest that have an interval.
QUICK: dict[str, Any] = {
    "models": [DEFAULT_MODEL], "devices": ["CPU"], "hints": ["throughput"], "requests": [], "runs": MIN_RUNS,
    "seconds": 1.0, "agreement_frames": 12,
    "note": "A quick study. It leaves out, unless asked for: devices other than the CPU, the latency hint and other "
            f"numbers of requests; and OpenVINO's benchmark_app. The whole study: {command('study')}.",
}  # fmt: skip


def options_of(parsed: argparse.Namespace) -> StudyOptions:
    """The study's options from the command line's. Raises UsageError where they do not go together."""
    if (parsed.images is None) != (parsed.annotations is None):
        raise UsageError("AP needs both --images DIR and --annotations FILE.")
    if parsed.original is not None and not parsed.original.endswith((".pb", ".onnx")):
        raise UsageError(f"'{parsed.original}' is no original. Give a TensorFlow graph (.pb) or an .onnx file.")
    defaults: dict[str, Any] = {
        "devices": [], "models": [DEFAULT_MODEL, ORIGINAL_MODEL], "precisions": ["FP32", "FP16", "FP16-INT8"],
        "input": str(BUNDLED_VIDEO), "requests": ["1", "2", "3", "4", DEFAULT_REQUESTS],
    }  # fmt: skip
    given = {
        key: value for key, value in vars(parsed).items() if value is not None and key in StudyOptions.__annotations__
    }
    chosen = defaults | (QUICK if parsed.quick else {}) | given
    if parsed.remote_ca is not None:
        chosen["remote_ca"] = str(parsed.remote_ca.resolve())
    runs = chosen.get("runs", StudyOptions.runs)
    return StudyOptions(**{**chosen, "original_runs": max(min(runs, MIN_RUNS), (runs + 1) // 2)})

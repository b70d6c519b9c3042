"""The options of the demo's command line."""

import argparse
from pathlib import Path

from ..command import (
    MODEL_HELP,
    PRECISION_HELP,
    SERVER_HELP,
    SIZE_HELP,
    OptionParser,
    add_remote_options,
    count,
    gate,
    input_size,
    rate,
    remote_settings,
    request_count,
    score,
    seconds,
)
from ..decoders import one_stage, openpose
from ..errors import UsageError
from ..folders import BUNDLED_VIDEO, cache_folder
from ..inference.hetero import read_rules
from ..inference.settings import HINTS, Settings
from ..invocation import as_typed, command
from ..output_log import OutputLog
from ..tracking.visits import DEFAULT_GAP_S
from ..zoo.catalog import CATALOG, DEFAULT_MODEL, PRECISIONS
from .best import BEST

DEFAULT_DISPLAY_FPS = 60.0
KIOSK_S = 20.0  # on each stop of --kiosk
CHOSEN_BY_BEST = ("precision", "size", "hint", "requests", "streams", "threads")
KEY_HELP = """keys in the window:
  TAB, Shift+TAB  run the network on the next device, on the one before
  1 to 9          run it on the device of that number
  SPACE           pause and go on
  I               details: the model, its requests, averages
  C               compare the devices used so far
  P               show where a frame's time goes, stage by stage
  F               the next precision of the network: FP16-INT8, FP16, FP32
  T               the other hint: throughput, latency
  + and -         a larger or a smaller input of the network
  N               the next network
  B               the best of this machine, as 'python -m human_pose.tune --apply' found it
  R               a race, side by side, with the configuration used before; R again ends it
  L               colour the limbs by person or by side
  V               show the work: the last two seconds, a lane for each request, a bar for each inference
  H               hide or show the panel
  S               save the picture as PNG
  ESC or Q        quit and print the averages
"""


def parse_options(arguments: list[str] | None, description: str | None) -> argparse.Namespace:
    """Parse the command line and check each option; a wrong one ends the program with exit code 2."""
    # fmt: off
    parser = OptionParser(prog=command(), description=description, epilog=as_typed(KEY_HELP), allow_abbrev=False,
                          formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("-i", "--input", default=str(BUNDLED_VIDEO), metavar="SOURCE",
        help="video file, image, folder of images, webcam index (0) or stream URL; default: the video in videos/")
    add("-m", "--model", help=f"{' or '.join(CATALOG)}, {MODEL_HELP}; default: {DEFAULT_MODEL}")
    add("-p", "--precision", choices=PRECISIONS, help=PRECISION_HELP)
    add("-o", "--output", metavar="FILE",
        help="write the annotated video here (.mp4, .mov, .mkv: H.264 with the source's sound where the program ffmpeg "
             "is installed; .avi: Motion JPEG); for images, an image, or a folder for the images")
    add("--keypoints", type=Path, metavar="FILE",
        help="write all keypoints here: .jsonl, one line per frame; .csv, one row per keypoint; .json, COCO's results")
    add("--no-show", dest="show", action="store_false", help="open no window")
    add("--no-panel", dest="panel", action="store_false",
        help="no panel in the output, and none in the window until H is pressed")
    add("--work", action="store_true", help="show the work over the lower edge of the picture, as V does")
    add("--loop", action="store_true", help="start the source over at its end")
    add("--realtime", action="store_true",
        help="play a file by its own clock and drop the frames that come too fast, like a camera")
    add("--frames", type=count, metavar="N", help="stop after N frames")
    add("--size", "--height", type=input_size, metavar="N", help=SIZE_HELP)
    add("--threshold", type=score, metavar="T",
        help=f"minimum score, 0 to 1: of a keypoint, or in one-stage networks of a person; default: the decoder's own, "
             f"{openpose.DEFAULT_THRESHOLD} (one-stage: {one_stage.DEFAULT_THRESHOLD})")
    add("--min-keypoints", type=count, metavar="N",
        help=f"hide people with fewer keypoints; default: the decoder's own, {openpose.DEFAULT_MIN_KEYPOINTS} "
             f"(one-stage: {one_stage.DEFAULT_MIN_KEYPOINTS})")
    add("--display-fps", type=rate, default=DEFAULT_DISPLAY_FPS, metavar="N",
        help="paint the window at most N times a second; every frame is still processed; default: %(default).0f")
    add("--profile", action="store_true", help="print how long each stage takes per frame")
    add("--report", type=Path, metavar="FILE", help="also write the averages to this file as JSON")

    people = parser.add_argument_group("people").add_argument
    people("--colours", choices=("side", "person"), default="side",
           help="colours of the limbs: one for each side of the body, or one for each person; default: %(default)s")
    people("--no-smoothing", dest="smoothing", action="store_false",
           help="show the skeletons as the network finds them, not calmed")
    people("--visits", type=Path, metavar="FILE",
           help="write here who was in view from when to when, each visit when it ends: .csv or .jsonl")
    people("--visit-gap", type=seconds, default=DEFAULT_GAP_S, metavar="SECONDS",
           help="who is gone for no longer than this is still the same visit; default: %(default).0f")
    people("--gate", type=gate, metavar="X1,Y1,X2,Y2",
           help="count who crosses this line, in shares of the picture's width and height from its top left corner; "
                "from the left of the arrow from point 1 to point 2 to its right is in: at 0.5,1,0.5,0 from left to "
                "right")

    device_group = parser.add_argument_group("devices")
    devices = device_group.add_argument
    devices("-d", "--device",
            help="the device to start on: CPU, GPU, NPU, AUTO, MULTI:GPU,CPU, HETERO:GPU,CPU, ...; or "
                 f"{SERVER_HELP}; or best, what '{command('tune')} --apply' found for this machine; "
                 "default: CPU")
    devices("--devices", nargs="+", metavar="D",
            help="what TAB walks through, separated by spaces: --devices CPU GPU MULTI:GPU,CPU; default: all devices")
    devices("--list-devices", action="store_true", help="print the devices that this machine has and lacks, and quit")
    devices("--tour", type=seconds, metavar="SECONDS",
            help="visit every device automatically, stay that long on each, then quit; with --kiosk: on each stop")
    devices("--race", nargs="+", metavar="C",
            help="show two configurations side by side on the same frames, and how much faster one is; each is a "
                 "device, precision, hint, size or network, in quotes where it is several of them: --race CPU "
                 "'CPU FP16 latency'; ends with ESC, after --frames frames, or without a window after 30 s")
    devices("--kiosk", nargs="*", metavar="STOP",
            help="for an exhibition: full screen, and for ever round these stops, each a configuration or a race, as "
                 "in --kiosk CPU 'CPU latency' 'CPU vs CPU FP16'; --tour says how long each stays, default: "
                 f"{KIOSK_S:.0f} s; default: every device and a race; only ESC, held for two seconds, ends it")
    devices("--hint", choices=HINTS,
            help="throughput: as many results as possible; latency: one request, each as fast as possible; cumulative: "
                 "throughput, and AUTO uses all its devices at once; default: throughput")
    devices("--requests", type=request_count, metavar="N",
            help="infer requests in flight; default: as many as the device asks for")
    devices("--streams", type=count, metavar="N", help="number of requests that a device works on at once")
    devices("--threads", type=count, metavar="N", help="number of CPU threads")
    devices("--affinity", default="auto", metavar="SPLIT",
            help="how HETERO splits the network: auto, OpenVINO's own split; conv, convolutions on the first device, "
                 "the rest on the last; or a JSON file {node, type or expression: device}; default: %(default)s")
    devices("--affinity-map", type=Path, metavar="FILE",
            help="write HETERO's split as JSON and, where Graphviz is installed, a picture of it beside the file")
    devices("-c", "--property", action="append", default=[], metavar="KEY=VALUE",
            help="any other OpenVINO property, for the devices that support it; may be given several times")
    devices("--no-cache", dest="cache", action="store_false",
            help="do not keep compiled networks in the user's cache folder; compile each time")
    add_remote_options(device_group, has_wait=True)
    devices("--plugins", type=Path, metavar="FILE",
            help="a plugins.xml for OpenVINO, for example one that defines stand-in devices")
    # fmt: on
    options = parser.parse_args(arguments)
    if options.device is None:
        options.device = options.devices[0] if options.devices else "CPU"
    if options.kiosk is not None:
        contradicting = _contradicts_kiosk(options)
        if contradicting is not None:
            parser.error(
                f"--kiosk runs for ever in a window and writes no file but --report: leave {contradicting} out"
            )
        options.tour = options.tour or KIOSK_S
    if options.plugins is not None and not options.plugins.is_file():
        parser.error(f"argument --plugins: there is no file '{options.plugins}'")
    if options.device == BEST:
        given = [f"--{name}" for name in CHOSEN_BY_BEST if getattr(options, name) is not None]
        if given:
            parser.error(f"argument -d: 'best' comes with what was tuned; leave {' and '.join(given)} out")
        if options.race:
            parser.error("argument -d: a race takes no 'best'; start with it and press R after another key")
        if options.kiosk is not None:
            parser.error("argument -d: a kiosk takes no 'best'; list its stops")
    options.hint = options.hint or HINTS[0]
    return options


def _contradicts_kiosk(options: argparse.Namespace) -> str | None:
    """The option that contradicts --kiosk, which needs a window and has no end; None if there is none."""
    wrong = {
        "-o": options.output, "--keypoints": options.keypoints, "--visits": options.visits,
        "--affinity-map": options.affinity_map, "--frames": options.frames, "--race": options.race,
        "--list-devices": options.list_devices, "--no-show": not options.show,
    }  # fmt: skip
    return next((option for option, value in wrong.items() if value), None)


def settings_of(options: argparse.Namespace, precision: str, written: OutputLog | None = None) -> Settings:
    """The settings for all devices. written: the log for the affinity map. Raises UsageError."""
    properties: dict[str, str] = {}
    for text in options.property:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise UsageError(f"'{text}' is not a property. Give -c KEY=VALUE, as in -c INFERENCE_NUM_THREADS=2.")
        if properties.setdefault(name, value) != value:
            raise UsageError(f"-c {name}={properties[name]} and -c {name}={value} contradict each other. Give one.")
    for option, number, name in (
        ("--streams", options.streams, "NUM_STREAMS"),
        ("--threads", options.threads, "INFERENCE_NUM_THREADS"),
    ):
        if number is not None and properties.get(name, str(number)) != str(number):
            raise UsageError(f"{option} {number} and -c {name}={properties[name]} contradict each other. Give one.")
    if "CACHE_DIR" in properties:
        raise UsageError(
            "-c CACHE_DIR is not supported: compiled networks are checked before use, in the user's cache folder. "
            "Set XDG_CACHE_HOME to move that folder, or give --no-cache."
        )
    if options.affinity not in ("auto", "conv"):
        read_rules(Path(options.affinity))
    return Settings(
        precision,
        options.hint,
        options.requests,
        options.streams,
        options.threads,
        properties,
        cache_folder() if options.cache else None,
        options.affinity,
        options.affinity_map,
        written,
        remote_settings(options),
    )

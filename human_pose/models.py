"""The models of the demo: list, download, convert and quantize them.

python -m human_pose.models list
python -m human_pose.models fetch human-pose-estimation-0001 -p FP16 FP16-INT8
python -m human_pose.models convert graph.onnx --name my-net
python -m human_pose.models quantize my-net --calibration street.mp4
"""

import argparse
import os
import sys
from pathlib import Path

from .errors import UsageError, explain_import_error

try:
    from .command import SIZE_HELP, OptionParser, count, input_size, score
    from .console import print_result, run_command, say, set_up_terminal
    from .decoders.openpose import DEFAULT_THRESHOLD
    from .folders import MODELS_FOLDER
    from .quantization.calibration import HELD_OUT, MIN_SAMPLES
    from .quantization.quantize import DEFAULT_BOUND, INT8, Wish, quantize
    from .zoo.catalog import BUNDLED, CATALOG, ORIGINAL_MODEL, PRECISIONS, ZOO
    from .zoo.convert import convert
    from .zoo.download import download
    from .zoo.listing import as_table, entries
    from .zoo.originals import GRAPH, fetch_original
    from .zoo.resolve import ZOO_VARIABLE, check_new_name, model_file
except ImportError as import_error:
    sys.exit(f"error: {explain_import_error(import_error)}")


def list_models(options: argparse.Namespace) -> None:
    """Print every model: in which precisions, on disk or to be downloaded, how large."""
    print_result(as_table(entries()))


def fetch(options: argparse.Namespace) -> None:
    """Download a model of the catalog, verified by its checksum."""
    name = options.name
    if options.original:
        fetch_graph(name)
        return
    if name not in CATALOG:
        raise UsageError(f"'{name}' is not in the catalog. Give {' or '.join(CATALOG)}.")
    for precision in options.precision or precisions_of(name):
        folder = model_file(MODELS_FOLDER, name, precision).parent
        if BUNDLED[name] == precision:
            print_result(f"{name} {precision} comes with the project: {folder}")
            continue
        files = CATALOG[name][precision]
        if all((folder / file.name).is_file() for file in files):
            print_result(f"{name} {precision} is already there: {folder}")
            continue
        download(files, os.environ.get(ZOO_VARIABLE, ZOO), folder)
        print_result(f"{name} {precision}, {sum(file.size for file in files) / 1e6:.1f} MB: {folder}")


def precisions_of(name: str) -> list[str]:
    """Of a model of the catalog: the bundled one first, then those to be downloaded."""
    return [BUNDLED[name], *CATALOG[name]]


def fetch_graph(name: str) -> None:
    """Download what a bundled model was made of, and make its FP32 IR of it."""
    if name != ORIGINAL_MODEL:
        raise UsageError(f"The original of '{name}' cannot be fetched, only that of {ORIGINAL_MODEL}.")
    print_result(f"{GRAPH} is already there." if GRAPH.is_file() else str(fetch_original()))
    # The bundled weights are rounded to FP16: in FP32 the network is compared as it was trained.
    print_result(f"{name} FP32, made of it: {convert(GRAPH, name, 'FP32')}")


def convert_model(options: argparse.Namespace) -> None:
    """Convert a network of another framework into an IR below models/; -m NAME then runs it."""
    check_new_name(options.name)
    print_result(str(convert(options.source, options.name, options.precision)))


def quantize_model(options: argparse.Namespace) -> None:
    """Quantize a float model to INT8, measure what that did to its keypoints, and refuse it if they were lost."""
    wish = Wish(
        options.model,
        options.calibration,
        options.name,
        options.size,
        options.samples,
        options.bound,
        options.force,
        options.accuracy_control,
    )
    xml, figures = quantize(wish)
    say(f"{figures[0].upper()}{figures[1:]}.")
    print_result(str(xml))


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    """The command and its options; a wrong one ends the program with exit code 2."""
    # fmt: off
    parser = OptionParser(prog="python -m human_pose.models", description=__doc__, allow_abbrev=False,
                          formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")

    lister = commands.add_parser("list", help="what models there are, on disk or to be downloaded",
                                 description=list_models.__doc__)
    lister.set_defaults(run=list_models)

    fetcher = commands.add_parser("fetch", help="download a model of the catalog", description=fetch.__doc__)
    fetcher.add_argument("name", metavar="NAME", help=" or ".join(CATALOG))
    fetcher.add_argument("-p", "--precision", nargs="+", choices=PRECISIONS, help="default: all there are")
    fetcher.add_argument("--original", action="store_true",
                         help=f"the TensorFlow graph that {ORIGINAL_MODEL} was made of, 8 MB, for the study; its FP32 "
                              "IR is made of it")
    fetcher.set_defaults(run=fetch)

    converter = commands.add_parser("convert", help="make an IR of a TensorFlow graph, an ONNX file, ...",
                                    description=convert_model.__doc__)
    converter.add_argument("source", type=Path, metavar="SOURCE",
                           help="whatever OpenVINO reads: a .pb graph, an .onnx file, a SavedModel folder, an .xml")
    converter.add_argument("--name", required=True, help="what the model is called in models/ and with -m")
    converter.add_argument("--precision", choices=("FP16", "FP32"), default="FP16",
                           help="of the stored weights; default: %(default)s")
    converter.set_defaults(run=convert_model)

    quantizer = commands.add_parser(
        "quantize", help="make an INT8 model of a float one, and measure it", description=quantize_model.__doc__,
        epilog=f"Needs NNCF: pip install nncf. Every {HELD_OUT}th frame calibrates nothing; on "
               f"these the poses (threshold {DEFAULT_THRESHOLD}) of both models are compared. The figures are written "
               f"beside the model, models/NAME/{INT8}/NAME.json. docs/quantization.md has examples.")
    add = quantizer.add_argument
    add("model", metavar="MODEL", help="a float model: a name, or the path of an IR's .xml")
    add("--calibration", required=True, metavar="VIDEO_OR_FOLDER",
        help="a video or a folder of images like those that the model is to work on, with people in them")
    add("--name", help="what the INT8 model is called in models/ and with -m; default: the float model's name")
    add("--size", "--height", type=input_size, metavar="N", help=SIZE_HELP)
    add("--samples", type=samples, default=300, metavar="N",
        help="frames, spread over the source, held-out ones included; default: %(default)s")
    add("--bound", type=score, default=DEFAULT_BOUND, metavar="X",
        help="least share of the float model's keypoints that must be found again within 0.2 of the torso; less is "
             "refused, exit code 1; default: %(default)s")
    add("--force", action="store_true", help="keep the model whatever was measured")
    add("--accuracy-control", action="store_true",
        help="leave the most sensitive layers in float, as many as it takes to meet the bound; takes longer")
    quantizer.set_defaults(run=quantize_model)
    # fmt: on
    options = parser.parse_args(arguments)
    if options.command == "fetch" and options.precision and options.name in CATALOG:
        lacking = [precision for precision in options.precision if precision not in precisions_of(options.name)]
        if lacking:
            parser.error(f"argument -p: {options.name} has no {lacking[0]}")
    return options


def samples(text: str) -> int:
    """Enough to calibrate on and to judge."""
    if count(text) < MIN_SAMPLES:
        raise argparse.ArgumentTypeError(f"'{text}' frames are too few; give {MIN_SAMPLES} or more")
    return count(text)


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit code."""
    set_up_terminal()
    options = read_options(arguments)
    return run_command(lambda: options.run(options))


def program() -> None:
    """The console command."""
    sys.exit(main())


if __name__ == "__main__":
    program()

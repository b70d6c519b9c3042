"""The models of the demo: list, download, convert and quantize them, and write them for a server.

python -m human_pose.models list
python -m human_pose.models fetch human-pose-estimation-0001 -p FP16 FP16-INT8
python -m human_pose.models convert graph.onnx --name my-net
python -m human_pose.models quantize my-net --calibration street.mp4
python -m human_pose.models serve-layout served -m human-pose-estimation-0001
"""

import argparse
import os
import sys
from pathlib import Path

from .errors import UsageError, explain_import_error

try:
    from .command import MODEL_HELP, PRECISION_HELP, SIZE_HELP, OptionParser, count, frame_size, input_size, score
    from .console import print_result, run_command, say, set_up_terminal
    from .decoders.openpose import DEFAULT_THRESHOLD
    from .folders import MODELS_FOLDER
    from .invocation import as_typed, command, pip_install
    from .quantization.calibration import HELD_OUT, MIN_SAMPLES
    from .quantization.quantize import DEFAULT_BOUND, INT8, Options, quantize
    from .zoo.catalog import BUNDLED, CATALOG, ORIGINAL_MODEL, PRECISIONS, ZOO
    from .zoo.convert import convert
    from .zoo.download import download
    from .zoo.listing import as_table, entries
    from .zoo.originals import GRAPH, fetch_original
    from .zoo.resolve import ZOO_VARIABLE, check_new_name, choose_model, model_file
    from .zoo.serve_layout import ServedModel, serve_layout
except ImportError as import_error:
    sys.exit(f"error: {explain_import_error(import_error)}")


def list_models(options: argparse.Namespace) -> None:
    """Print every model: its precisions, whether it is on disk or to be downloaded, its size and its licence."""
    print_result(as_table(entries()))


def fetch(options: argparse.Namespace) -> None:
    """Download a model of the catalog and verify its checksum."""
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
    """The precisions of a catalog model: the bundled one first, then those to be downloaded."""
    return [BUNDLED[name], *CATALOG[name]]


def fetch_graph(name: str) -> None:
    """Download the graph that a bundled model was converted from, and convert it to an FP32 IR."""
    if name != ORIGINAL_MODEL:
        raise UsageError(f"The original of '{name}' cannot be fetched, only that of {ORIGINAL_MODEL}.")
    print_result(f"{GRAPH} is already there." if GRAPH.is_file() else str(fetch_original()))
    # The bundled weights are rounded to FP16; the FP32 IR has the weights as they were trained.
    print_result(f"{name} FP32, converted from it: {convert(GRAPH, name, 'FP32')}")


def convert_model(options: argparse.Namespace) -> None:
    """Convert a network of another framework to an IR in models/; -m NAME then runs it."""
    check_new_name(options.name)
    print_result(str(convert(options.source, options.name, options.precision)))


def quantize_model(options: argparse.Namespace) -> None:
    """Quantize a float model to INT8, compare its keypoints, and refuse the result if too many were lost."""
    quantization = Options(
        options.model,
        options.calibration,
        options.name,
        options.size,
        options.samples,
        options.bound,
        options.force,
        options.accuracy_control,
    )
    xml, result = quantize(quantization)
    say(f"{result[0].upper()}{result[1:]}.")
    print_result(str(xml))


def write_for_server(options: argparse.Namespace) -> None:
    """Add a model to a folder that OpenVINO Model Server and Triton serve."""
    file = choose_model(options.model, options.precision)
    wanted = ServedModel(file, options.name, options.frame_size, options.size, options.force)
    place, tensors = serve_layout(options.folder, wanted)
    say(f"{file.title}: {tensors}")
    print_result(str(place))


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    """The command and its options; a wrong one ends the program with exit code 2."""
    # fmt: off
    parser = OptionParser(prog=command("models"), description=as_typed(__doc__ or ""), allow_abbrev=False,
                          formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")

    lister = commands.add_parser("list", help="list the models, on disk or to be downloaded",
                                 description=list_models.__doc__)
    lister.set_defaults(run=list_models)

    fetcher = commands.add_parser("fetch", help="download a model of the catalog", description=fetch.__doc__)
    fetcher.add_argument("name", metavar="NAME", help=" or ".join(CATALOG))
    fetcher.add_argument("-p", "--precision", nargs="+", choices=PRECISIONS, help="default: all of them")
    fetcher.add_argument("--original", action="store_true",
                         help=f"the TensorFlow graph that {ORIGINAL_MODEL} was converted from, 8 MB, for the study; it "
                              "is also converted to an FP32 IR")
    fetcher.set_defaults(run=fetch)

    converter = commands.add_parser("convert", help="convert a TensorFlow graph, an ONNX file, ... to an IR",
                                    description=convert_model.__doc__)
    converter.add_argument("source", type=Path, metavar="SOURCE",
                           help="a file that OpenVINO reads: a .pb graph, an .onnx file, a SavedModel folder, an .xml")
    converter.add_argument("--name", required=True, help="the name of the model in models/ and for -m")
    converter.add_argument("--precision", choices=("FP16", "FP32"), default="FP16",
                           help="precision of the stored weights; default: %(default)s")
    converter.set_defaults(run=convert_model)

    quantizer = commands.add_parser(
        "quantize", help="quantize a float model to INT8, and compare the two", description=quantize_model.__doc__,
        epilog=f"Needs NNCF: {pip_install('quantize')}. Every {HELD_OUT}th frame is held out from calibration; "
               f"on these frames the poses of both models (threshold {DEFAULT_THRESHOLD}) are compared. The result is "
               f"written beside the model, to models/NAME/{INT8}/NAME.json. docs/quantization.md has examples.")
    add = quantizer.add_argument
    add("model", metavar="MODEL", help="a float model: a name, or the path of a network or of its folder")
    add("--calibration", required=True, metavar="VIDEO_OR_FOLDER",
        help="a video or a folder of images with people, like those that the model will work on")
    add("--name", help="the name of the INT8 model in models/ and for -m; default: the float model's name")
    add("--size", "--height", type=input_size, metavar="N", help=SIZE_HELP)
    add("--samples", type=samples, default=300, metavar="N",
        help="number of frames, spread over the source, with the held-out ones; default: %(default)s")
    add("--bound", type=score, default=DEFAULT_BOUND, metavar="X",
        help="minimum PCK: the share of the float model's keypoints found again within 0.2 of the torso; a model below "
             "it is refused, exit code 1; default: %(default)s")
    add("--force", action="store_true", help="keep the model even if it is below the bound")
    add("--accuracy-control", action="store_true",
        help="keep the most sensitive layers in float, as many as the bound needs; takes longer")
    quantizer.set_defaults(run=quantize_model)

    server = commands.add_parser(
        "serve-layout", help="write a model for OpenVINO Model Server and Triton", description=write_for_server.__doc__,
        epilog="The demo then takes the server as a device: --devices CPU grpc://host:port/NAME, with the same -m. "
               "docs/remote.md has the servers' commands.")
    add = server.add_argument
    add("folder", type=Path, metavar="DIR",
        help="what the server serves; models that it holds already stay. It is made if it is not there")
    add("-m", "--model", metavar="NAME_OR_PATH", help=f"{MODEL_HELP}; default: the demo's")
    add("-p", "--precision", choices=PRECISIONS, help=PRECISION_HELP)
    add("--name", help="the model's name in the address; default: the model's own")
    add("--frame-size", type=frame_size, metavar="WIDTHxHEIGHT",
        help="fix the input for frames of this size; without it, frames of every size and every --size are taken")
    add("--size", "--height", type=input_size, metavar="N",
        help="with --frame-size: the side of the network's input, as in the demo; default: the model's own")
    add("--force", action="store_true", help="replace another model of that name")
    server.set_defaults(run=write_for_server)
    # fmt: on
    options = parser.parse_args(arguments)
    if options.command == "serve-layout" and options.size and not options.frame_size:
        parser.error("argument --size: give --frame-size as well; an open input takes every client's own --size")
    if options.command == "fetch" and options.precision and options.name in CATALOG:
        lacking = [precision for precision in options.precision if precision not in precisions_of(options.name)]
        if lacking:
            parser.error(f"argument -p: {options.name} has no {lacking[0]}")
    return options


def samples(text: str) -> int:
    """A number of frames, enough to calibrate on and to compare."""
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

"""Make one folder, and an archive of it, that runs the demo on a Linux machine with nothing installed.

python -m human_pose.deploy DIR                       for the CPU, with the bundled networks
python -m human_pose.deploy DIR --devices CPU GPU     with OpenVINO's plugin for Intel GPUs, too
python -m human_pose.deploy DIR --with study          with what the study needs
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import UsageError, explain_import_error

try:
    from ..command import MODEL_HELP, PRECISION_HELP, OptionParser
    from ..console import handle_stop_signals, print_result, run_command, say, set_up_terminal
    from ..inference.model import ModelFile
    from ..invocation import as_typed, command
    from ..zoo.catalog import BUNDLED, DEFAULT_MODEL, PRECISIONS
    from ..zoo.listing import licence_text
    from ..zoo.resolve import model_here
    from .contents import EXTRAS
    from .folder import Wanted, archive_of, dotted, make
except ImportError as import_error:
    sys.exit(f"error: {explain_import_error(import_error)}")

# The oldest releases of common systems with each glibc or newer: what the folder is said to run on.
SYSTEMS = {
    "Ubuntu": {(2, 31): "20.04", (2, 35): "22.04", (2, 39): "24.04"},
    "Debian": {(2, 28): "10", (2, 31): "11", (2, 36): "12", (2, 41): "13"},
    "RHEL": {(2, 28): "8", (2, 34): "9", (2, 39): "10"},
    "Fedora": {(2, 34): "35", (2, 35): "36", (2, 36): "37", (2, 37): "38", (2, 38): "39", (2, 39): "40", (2, 40): "41"},
}


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    """The options; a wrong one ends the program with exit code 2."""
    parser = OptionParser(
        prog=command("deploy"), description=as_typed(__doc__), allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="docs/deploy.md says what is inside, on which Linux it runs, and how to bring it to an exhibition.",
    )  # fmt: skip
    add = parser.add_argument
    add("folder", type=Path, metavar="DIR", help="the folder; it must not be there yet, or be empty")
    add("--devices", nargs="+", default=["CPU"], metavar="DEVICE",
        help="whose plugins are inside: CPU, GPU, NPU; the CPU's always is; default: CPU")  # fmt: skip
    add("-m", "--model", action="append", metavar="NAME_OR_PATH",
        help=f"{MODEL_HELP}; may be given several times; default: the bundled "
             f"ones, {' and '.join(BUNDLED)}")  # fmt: skip
    add("-p", "--precision", choices=PRECISIONS, help=PRECISION_HELP)
    add("--with", nargs="+", default=[], choices=EXTRAS, dest="extras", metavar="EXTRA",
        help=f"extras to include: {', '.join(EXTRAS)}")  # fmt: skip
    add("--archive", choices=("gz", "xz", "none"), default="gz",
        help="DIR.tar.gz; DIR.tar.xz, smaller, which takes minutes; or none; default: %(default)s")  # fmt: skip
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Make the folder, and say what it is."""
    models = networks(options.model, options.precision)
    devices = tuple(dict.fromkeys(["CPU", *options.devices]))
    wanted = Wanted(devices, models, tuple(dict.fromkeys(options.extras)))
    made = make(options.folder, wanted, options.archive)
    say(f"Runs on Linux on x86-64 with glibc {dotted(made.glibc)} or newer: {systems_with(made.glibc)}.")
    unknown = [str(library) for library in made.unlicensed]
    unknown += [model.title for model in models if not licence_text(model)]
    for one in unknown:
        say(f"The licence of {one} is not known: look for it before you give the folder away.")
    print_result(f"{options.folder}  {made.size / 1e6:.0f} MB")
    if made.packed is not None:
        print_result(f"{archive_of(options.folder, options.archive)}  {made.packed / 1e6:.0f} MB")
    return 0


def networks(names: Sequence[str] | None, precision: str | None) -> tuple[ModelFile, ...]:
    """The networks to include. Raises UsageError where one is not here, or where two have one name."""
    if names is None and precision is None:
        return tuple(model_here(name, bundled) for name, bundled in BUNDLED.items())
    found = [model_here(name, precision) for name in names or [DEFAULT_MODEL]]
    titles = [model.title for model in found]
    for title in titles:
        if titles.count(title) > 1:
            raise UsageError(f"Two networks are called {title}. Rename the file of one.")
    return tuple(found)


def systems_with(glibc: tuple[int, ...]) -> str:
    """'Ubuntu 22.04, Debian 12': the oldest releases with such a glibc."""
    found = [
        f"{name} {next((release for version, release in releases.items() if version >= glibc), '')}"
        for name, releases in SYSTEMS.items()
    ]
    return ", ".join(words for words in found if not words.endswith(" ")) + ", and newer ones"


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code."""
    set_up_terminal()
    options = read_options(arguments)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt  # so that nothing half-made is left

    handle_stop_signals(stop)
    return run_command(lambda: run(options))


def program() -> None:
    """The console command."""
    sys.exit(main())


if __name__ == "__main__":
    program()

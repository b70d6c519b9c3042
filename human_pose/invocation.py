"""How this program was started, so that messages name commands as this user can type them."""

import re
import sys
from pathlib import Path

BUNDLED = Path(__file__).resolve().parent / "bundled"  # an installed package has this folder, a checkout does not
IS_INSTALLED = BUNDLED.is_dir()
# The folder that `human_pose.deploy` makes has this file; what starts there is the console command.
IS_DEPLOYED = (BUNDLED / "../../../human-pose").is_file()
NO_PLUGIN = "this folder was made without its plugin"  # why such a folder lacks a device
DISTRIBUTION = "human-pose-demo"  # what pip calls the package
CONSOLE_COMMAND = "human-pose"

_IN_TEXT = re.compile(r"\bpython (?:-m human_pose\.(?P<program>\w+)|human_pose_est\.py)")


def command(program: str = "") -> str:
    """The start of a command line: of a program, such as "models", or of the demo.

    "human-pose models" where this program was itself started by the console command, else
    "python -m human_pose.models".
    """
    if Path(sys.argv[0]).stem == CONSOLE_COMMAND:
        return f"{CONSOLE_COMMAND} {program}".rstrip()
    if program:
        return f"python -m human_pose.{program}"
    return "python -m human_pose" if IS_INSTALLED else "python human_pose_est.py"


def as_typed(text: str) -> str:
    """A text, such as a module's docstring, with its commands as `command` gives them."""
    return _IN_TEXT.sub(lambda found: command(found["program"] or ""), text)


def pip_install(extra: str = "") -> str:
    """The command that installs what an extra of the package needs, or what the package itself needs."""
    if not IS_INSTALLED:
        return f"pip install '.[{extra}]'" if extra else "pip install -r requirements.txt"
    if IS_DEPLOYED and extra:
        return f"make this folder anew, with `python -m human_pose.deploy DIR --with {extra}`"
    if extra:
        return f"pip install '{DISTRIBUTION}[{extra}]'"
    import importlib.metadata  # it takes a while, and is seldom needed

    try:
        needed = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:  # the files were copied, not installed
        needed = ["openvino", "opencv-python", "numpy"]
    return " ".join(["pip install", *(f"'{one}'" for one in needed if ";" not in one)])

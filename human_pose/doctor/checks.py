"""What is right and wrong with a machine, and the command that mends it. Each check is a function of facts alone."""

from collections.abc import Iterator, Sequence

from ..errors import package_of
from ..invocation import IS_INSTALLED, command, pip_install
from .device_checks import check_cpu, check_gpu, check_npu
from .facts import Facts
from .finding import NOTE, OK, PROBLEM, Check, Finding, install, numbers

RANGES = {"openvino": ((2026, 4), (2027,)), "opencv-python": ((5, 0), (6,)), "numpy": ((2, 2), (3,))}
LARGE_CACHE = 500_000_000  # bytes


def examine(facts: Facts) -> list[Finding]:
    """Everything, in the order in which it should be mended."""
    return [finding for check in CHECKS for finding in check(facts)]


def can_run(findings: Sequence[Finding]) -> bool:
    """Whether the demo can run, with or without a window."""
    return not any(finding.stops_demo for finding in findings)


def check_packages(facts: Facts) -> Iterator[Finding]:
    """The three packages are there, fit together, and can be imported."""
    mend = pip_install()
    wrong = False
    for name, (low, high) in RANGES.items():
        version = facts.packages.get(name, "")
        if not version:
            wrong = True
            yield Finding("packages", PROBLEM, f"{name} is not installed.", mend, stops_demo=True)
        elif not low <= numbers(version) < high:
            wrong = True
            wanted = f"{'.'.join(map(str, low))} or newer, below {'.'.join(map(str, high))}"
            yield Finding("packages", PROBLEM, f"{name} is {version}; the demo needs {wanted}.", mend)
    if facts.packages.get("opencv-python-headless") and facts.packages.get("opencv-python"):
        yield Finding(
            "packages",
            PROBLEM,
            "opencv-python and opencv-python-headless overwrite each other: there may be no window.",
            "pip uninstall -y opencv-python-headless && pip install --force-reinstall --no-deps opencv-python",
        )
    if facts.import_problem:
        text, _, remedy = facts.import_problem.partition(" On Debian or Ubuntu: ")
        yield Finding("packages", PROBLEM, text, remedy or mend, stops_demo=True)
    elif not wrong:
        versions = ", ".join(f"{name} {facts.packages[name]}" for name in RANGES)
        yield Finding("packages", OK, f"{versions}.")


def check_display(facts: Facts) -> Iterator[Finding]:
    """Whether there can be a window; without one the demo still writes files."""
    if facts.import_problem:
        return
    if "headless" in facts.display_problem:
        mend = "pip uninstall -y opencv-python-headless && pip install --force-reinstall --no-deps opencv-python"
        yield Finding("display", PROBLEM, f"No window: {facts.display_problem}.", mend)
    elif (package := package_of(facts.display_problem)) is not None:
        library = facts.display_problem.partition(".so")[0].split()[-1]  # Fedora's packages are called so
        mend = install(facts, package, library)
        yield Finding("display", PROBLEM, f"No window: {facts.display_problem}.", mend)
    elif facts.display_problem:
        mend = "ssh -X, or log in at the machine" if facts.remote == "SSH" else "log in to a desktop, or use --no-show"
        yield Finding("display", NOTE, f"No window: {facts.display_problem}. The demo runs without one.", mend)
    elif facts.remote:
        text = f"The display is remote ({facts.remote}): painting takes time that the figures at the machine lack."
        yield Finding("display", NOTE, text)
    else:
        yield Finding("display", OK, "A window can be opened.")


def check_codecs(facts: Facts) -> Iterator[Finding]:
    """Whether videos that play in a browser can be written."""
    if facts.has_ffmpeg:
        yield Finding("video", OK, "The program ffmpeg writes H.264, with sound.")
    else:
        text = "The program ffmpeg is not installed: .mp4 files are MPEG-4 or VP9, without sound."
        yield Finding("video", NOTE, text, install(facts, "ffmpeg", "ffmpeg-free"))


def check_cache(facts: Facts) -> Iterator[Finding]:
    """Where compiled networks are kept, and how to empty that."""
    if not facts.cache:
        text = "There is no cache folder that can be written: every start compiles anew."
        yield Finding("cache", NOTE, text, "set XDG_CACHE_HOME to a folder of yours")
    else:
        size = f"{facts.cache_bytes / 1e6:.0f} MB in {facts.cache}"
        is_large = facts.cache_bytes > LARGE_CACHE
        yield Finding("cache", NOTE if is_large else OK, f"{size}.", f"{command('doctor')} --clean cache" * is_large)


def check_models(facts: Facts) -> Iterator[Finding]:
    """The networks and the clip that the demo starts with."""
    if facts.import_problem:
        return
    if facts.models:
        yield Finding("models", OK, f"{', '.join(facts.models)}.")
    else:
        text = "No network is at hand, not even the bundled one."
        yield Finding("models", PROBLEM, text, _restore("models/"), stops_demo=True)
    if not facts.clip:
        yield Finding("models", NOTE, "The bundled clip is gone: give -i FILE.", _restore("videos/"))


def _restore(folder: str) -> str:
    return (
        "uninstall the package and install it again" if IS_INSTALLED else f"restore the folder {folder} of the project"
    )


CHECKS: tuple[Check, ...] = (
    check_packages, check_cpu, check_gpu, check_npu, check_display, check_codecs, check_cache, check_models,
)  # fmt: skip

"""Which files of this machine go into the folder, and where: the interpreter, the packages, the program, the networks.

runtime/python            starts the interpreter (python.sh)
runtime/bin, runtime/lib  the interpreter, its standard library, and the system's libraries that the wheels lack
runtime/packages          the packages, and this program with its models and its clip
desktop                   the entry for a desktop's menu and its icon
"""

import importlib.metadata
import platform
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution
from pathlib import Path

from ..errors import UsageError
from ..folders import BUNDLED_MODELS, BUNDLED_VIDEO, PROJECT
from ..inference.metadata import sidecars
from ..inference.model import ModelFile
from ..invocation import DISTRIBUTION, IS_DEPLOYED, pip_install

RUNTIME = "runtime"
PACKAGES = f"{RUNTIME}/packages"
BUNDLED = f"{PACKAGES}/human_pose/bundled"
BASE = ("openvino", "opencv-python", "numpy")
EXTRAS = {  # the same as in pyproject.toml
    "batch": ("cryptography", "distributed", "fsspec", "pyarrow"),
    "evaluate": ("matplotlib", "pycocotools"),
    "graph": ("graphviz",),
    "quantize": ("nncf",),
    "remote": ("tritonclient[grpc]",),
    "study": ("matplotlib", "psutil"),
}
ALWAYS_INSIDE = ("auto", "auto_batch", "hetero")  # plugins that join devices; MULTI is part of AUTO's

Files = dict[str, Path]  # where in the folder -> where on this machine

# Of the standard library: tests, what needs a screen of its own, what builds packages; modules whose libraries are
# under the GPL (readline, gdbm) or that nothing here uses.
NO_MODULES = {
    "test", "tests", "idle_test", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip", "pydoc_data", "distutils",
    "venv", "sqlite3", "curses", "dbm", "site-packages", "dist-packages", "__pycache__",
}  # fmt: skip
NO_STDLIB = re.compile(r"(config-|(turtle|sitecustomize|usercustomize)\.py)|.*\.(exe|a|o)$")
NO_EXTENSIONS = re.compile(r"(\w*_test|_tkinter|_curses|_sqlite3|_dbm|_gdbm|readline|nis|_crypt|ossaudiodev|xx|_xx)")
# Of packages: tests, what compilers and type checkers read, OpenCV's files of trained detectors.
NO_FOLDERS = {"test", "tests", "include", "cmake", "__pycache__", "sboms"}
NO_PACKAGE_FILES = re.compile(
    r".*\.(pyi|pyx|pxd|h|hpp|a|pc|cmake)$|numpy/(f2py|distutils|_pyinstaller)/|numpy/_core/(_\w+_tests|_simd)\."
    r"|cv2/data/.*\.xml$|openvino/frontend/\w+/py_.*\.so|.*\.dist-info/(RECORD|INSTALLER|REQUESTED|WHEEL|direct_url.json)"
)
LICENCE_NAME = re.compile(r"(licen[cs]e|copying|notice|copyright|.*third-party)[^/]*$", re.IGNORECASE)


def check_machine() -> None:
    """Raise UsageError where no folder can be made."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise UsageError(
            f"The folder is for Linux on x86-64; this machine has {platform.system()} on {platform.machine()}. "
            "Run this command on a machine of the kind that the folder is for."
        )


def interpreter_files() -> Files:
    """The interpreter that runs this command. Its own place may be anywhere: it finds its library by its own path."""
    binary = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    files = {f"{RUNTIME}/bin/python3": binary}
    stdlib = Path(sysconfig.get_path("stdlib"))
    place = f"{RUNTIME}/{sys.platlibdir}/python{sys.version_info.major}.{sys.version_info.minor}"
    for path in _walk(stdlib, NO_MODULES):
        name = path.relative_to(stdlib).as_posix()
        if not NO_STDLIB.match(name) and not (path.suffix == ".so" and NO_EXTENSIONS.match(path.name)):
            files[f"{place}/{name}"] = path
    return files


def _walk(folder: Path, without: set[str]) -> Iterator[Path]:
    """The files in a folder, but not in folders of these names."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if path.name not in without and not path.name.startswith("config-"):
                yield from _walk(path, without)
        else:
            yield path


def distributions(extras: Iterable[str]) -> list[Distribution]:
    """The three packages, and those of the extras with all that they require. Raises UsageError."""
    found = {name: _distribution(name) for name in BASE}
    for extra in extras:
        open_ends = list(EXTRAS[extra])
        while open_ends:
            name, own_extras = _requirement(open_ends.pop())
            if name in found or name == "openvino-telemetry":
                continue
            found[name] = _distribution(name, extra)
            for requirement in found[name].requires or []:
                of_extra = re.search(r"""extra\s*==\s*['"]([\w-]+)""", requirement)
                if (of_extra is None or of_extra[1] in own_extras) and _is_installed(_requirement(requirement)[0]):
                    open_ends.append(requirement)  # else it is for another system or Python
    return list(found.values())


def _requirement(text: str) -> tuple[str, list[str]]:
    """'tritonclient[grpc]>=2.73' -> ('tritonclient', ['grpc'])."""
    found = re.match(r"([\w.-]+)\s*(?:\[([^\]]*)\])?", text)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found[1]).lower(), [extra.strip() for extra in (found[2] or "").split(",")]


def _is_installed(name: str) -> bool:
    try:
        return bool(importlib.metadata.distribution(name))
    except importlib.metadata.PackageNotFoundError:
        return False


def _distribution(name: str, extra: str = "") -> Distribution:
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError as error:
        raise UsageError(f"The package {name} is not installed here: {pip_install(extra)}") from error
    if found.files is None:
        if IS_DEPLOYED:
            raise UsageError("A deployed folder cannot make another: copy it, or run this command where Python is.")
        raise UsageError(f"The package {name} has no list of its files. Install it with pip: {pip_install(extra)}")
    return found


def package_files(package: Distribution, left_out: re.Pattern[str]) -> Files:
    """left_out: of OpenVINO's libraries."""
    return {
        f"{PACKAGES}/{file.as_posix()}": Path(str(file.locate()))
        for file in package.files or []
        if not file.as_posix().startswith("..")
        and not NO_FOLDERS & set(file.parts)
        and not NO_PACKAGE_FILES.match(file.as_posix())
        and not left_out.match(file.as_posix())
    }


def openvino_without(devices: Iterable[str], has_onnx: bool) -> re.Pattern[str]:
    """What OpenVINO does not need for these devices: plugins, frontends, the interface for C. Raises UsageError."""
    libraries = Path(str(_distribution("openvino").locate_file("openvino/libs")))
    plugins = [path.name for path in libraries.glob("libopenvino_intel_*_plugin.so")]
    offered = sorted(name.removeprefix("libopenvino_intel_").removesuffix("_plugin.so").upper() for name in plugins)
    for device in devices:
        if device not in offered:
            raise UsageError(
                f"OpenVINO's package has no plugin for '{device}'. Give some of {', '.join(offered)}; AUTO, MULTI and "
                "HETERO are always inside."
            )
    kept = "|".join([*ALWAYS_INSIDE, *(f"intel_{device.lower()}" for device in devices)])
    frontends = "ir|onnx" if has_onnx else "ir"
    return re.compile(
        rf"openvino/libs/(libopenvino_((?!({kept})_plugin)\w+_plugin|(?!({frontends})_)\w+_frontend|c)\."
        + (r"|cache\.json)" if "GPU" not in devices else ")")  # the GPU plugin's
    )


def program_files() -> Files:
    """The program, its clip, and what is told about clip and models."""
    package = Path(__file__).resolve().parents[1]
    files = {
        f"{PACKAGES}/human_pose/{path.relative_to(package).as_posix()}": path
        for path in _walk(package, {"__pycache__", "bundled"})
    }
    files[f"{PACKAGES}/human_pose_est.py"] = package.parent / "human_pose_est.py"
    for path in _walk(BUNDLED_VIDEO.parent, set()):
        files[f"{BUNDLED}/videos/{path.name}"] = path
    files[f"{BUNDLED}/models/README.md"] = BUNDLED_MODELS / "README.md"
    share = Path(sys.prefix) / "share"  # where an installed package has them; a checkout has them in packaging/
    for name, place in (("desktop", share / "applications"), ("svg", share / "icons/hicolor/scalable/apps")):
        for folder in (PROJECT / "packaging", place):
            if (path := folder / f"{DISTRIBUTION}.{name}").is_file():
                files[f"desktop/{path.name}"] = path
    return files


def network_files(model: ModelFile) -> Files:
    """A network in the place where the bundled ones are, with the files beside it that are read."""
    place = f"{BUNDLED}/models/{model.name}/{model.precision}"
    files = {f"{place}/{model.name}{path.suffix}": path for path in {model.path, model.weights}}
    for path in sidecars(model.path):
        own = path.name.replace(model.path.stem, model.name, 1) if path.name.startswith(model.path.stem) else path.name
        files[f"{place}/{own}"] = path
    return files

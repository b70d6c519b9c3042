"""Imports point one way: which folder may import which, and what needs which package."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# From the ground up: a place imports only places before it; the modules of a folder import each other one way.
GROUND = ["invocation", "errors", "console", "output_log", "files", "folders"]
PLACES = [
    *GROUND, "media", "poses", "tracking", "decoders", "inference", "zoo", "command", "api", "quantization", "demo",
    "batch", "evaluate", "measurement", "models", "deploy", "doctor", "study", "tune", "__main__",
]  # fmt: skip
RUN_TIME_PACKAGES = {"openvino", "cv2", "numpy"}
PACKAGES: dict[str, set[str]] = {  # of each place, at most; the others may use all three
    **{place: set[str]() for place in GROUND},
    "media": {"cv2", "numpy"},
    "poses": {"cv2", "numpy"},
    "tracking": {"numpy"},
    "decoders": {"cv2", "numpy"},
}
OPTIONAL = {"batch.admission": {"distributed"}}  # of modules that are imported only where the package is used
PACKAGE = Path(__file__).resolve().parent.parent / "human_pose"


def importing(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module and of its try blocks; what a function imports is imported where it is used."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.Try):
            yield from importing(statement.body)


def imports_of(file: Path) -> tuple[set[str], set[str]]:
    """The modules of this package that a file imports, with dots, and the foreign packages, at its start."""
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts[1:]
    own: set[str] = set()
    packages: set[str] = set()
    for node in importing(ast.parse(file.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.ImportFrom) and node.level > 0:
            base = [*parts[: len(parts) - node.level], *(node.module.split(".") if node.module else [])]
            for alias in node.names:
                whole = [*base, alias.name]
                is_module = PACKAGE.joinpath(*whole).with_suffix(".py").is_file()
                own.add(".".join(whole if is_module else base))
        elif isinstance(node, ast.ImportFrom) and node.module:
            packages.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            packages.update(alias.name.split(".")[0] for alias in node.names)
    return own - {""}, packages - sys.stdlib_module_names - {"human_pose"}


MODULES = sorted(file for file in PACKAGE.rglob("*.py") if file.name != "__init__.py")


def place_of(module: str) -> str:
    return module.split(".")[0]


def dotted(file: Path) -> str:
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts)


def test_every_module_has_its_place() -> None:
    assert {place_of(dotted(file)) for file in MODULES} == set(PLACES)


@pytest.mark.parametrize("place", PLACES)
def test_a_place_imports_only_places_before_it(place: str) -> None:
    allowed = {*PLACES[: PLACES.index(place)], place}
    wrong = {
        dotted(file): later
        for file in MODULES
        if place_of(dotted(file)) == place and (later := {m for m in imports_of(file)[0] if place_of(m) not in allowed})
    }
    assert wrong == {}


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = {dotted(file): imports_of(file)[0] for file in MODULES}
    done: set[str] = set()

    def visit(module: str, way: list[str]) -> None:
        assert module not in way, f"a circle: {' -> '.join([*way[way.index(module) :], module])}"
        if module not in done:
            for other in graph.get(module, set()):
                visit(other, [*way, module])
            done.add(module)

    for module in graph:
        visit(module, [])


def test_the_demo_needs_only_its_three_packages(root: Path) -> None:
    files = [root / "human_pose_est.py", *MODULES]
    for file in files:
        packages = imports_of(file)[1] if file in MODULES else top_packages(file)
        place = place_of(dotted(file)) if file in MODULES else ""
        optional = OPTIONAL.get(dotted(file), set()) if file in MODULES else set()
        assert packages <= PACKAGES.get(place, RUN_TIME_PACKAGES) | optional, file


def top_packages(file: Path) -> set[str]:
    found: set[str] = set()
    for node in importing(ast.parse(file.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
    return found - sys.stdlib_module_names


WITHOUT_OPENVINO = [
    "poses.draw", "poses.keypoint_files", "tracking.visit_files", "decoders.openpose", "demo.statistics", "demo.pacer",
    "media.writer", "zoo.catalog",
]  # fmt: skip
LOADED_BY = """
import importlib, sys
for module in sys.argv[1:]:
    importlib.import_module(f"human_pose.{module}")
    if "openvino" in sys.modules:
        sys.exit(f"by {module}, or by none that was imported before it")
"""


def test_openvino_is_not_loaded_by_what_has_no_part_in_inference(root: Path) -> None:
    command = [sys.executable, "-c", LOADED_BY, *WITHOUT_OPENVINO]
    done = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_benchmarks_import_no_tests(root: Path) -> None:
    for file in (root / "benchmarks").glob("*.py"):
        names = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom)]
        assert not [node for node in names if (node.module or "").split(".")[0] == "tests"], file


def test_tests_lie_in_the_folders_of_what_they_test(root: Path) -> None:
    others = {"__pycache__", "helpers", "emulated_gpu"}  # the last tests the whole program on another device
    folders = {path.name for path in (root / "tests").iterdir() if path.is_dir()} - others
    assert folders <= {path.name for path in PACKAGE.iterdir() if path.is_dir()}

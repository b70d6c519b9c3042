"""Imports of the package point one way, and the demo needs nothing but its three packages."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOMS = [
    "errors", "skeleton", "terminal", "quiet", "ending", "written", "files", "catalog", "download", "equalize", "twin",
    "network", "scaling", "preprocess", "model_files", "convert", "cache", "devices", "affinity", "compiled",
    "benchmark_app", "profile", "stats", "sources", "capture", "infer_request", "compilation", "inference", "peaks",
    "decode", "export", "draw", "panel", "place", "overlay", "pacing", "screen", "window", "tour", "encoder", "outputs",
    "partial", "sound", "writer", "panel_content", "viewer", "report", "options", "evaluate", "agreement", "samples",
    "int8", "judge", "quantize", "shelf", "originals", "models",
]  # fmt: skip
STUDY = [
    "figures", "machine", "plan", "material", "measure", "original", "hetero", "accuracy", "cell", "results", "runner",
    "findings", "conclusions", "summary", "tables", "charts", "report", "compare", "options",
]  # fmt: skip
RUN_TIME_PACKAGES = {"openvino", "cv2", "numpy"}


def importing(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module and of its try blocks; what a function imports is imported where it is used."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.Try):
            yield from importing(statement.body)


def imports_of(file: Path) -> tuple[set[str], set[str]]:
    """The rooms that a file imports, and the foreign packages that it imports at its start."""
    rooms: set[str] = set()
    packages: set[str] = set()
    for node in importing(ast.parse(file.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            rooms.update([node.module] if node.module else [alias.name for alias in node.names])
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            packages.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            packages.update(alias.name.split(".")[0] for alias in node.names)
    return rooms, packages - sys.stdlib_module_names - {"human_pose"}


def test_every_room_has_its_place(root: Path) -> None:
    assert sorted(ROOMS) == sorted(file.stem for file in (root / "human_pose").glob("[a-z]*.py"))


def test_rooms_import_only_rooms_before_them(root: Path) -> None:
    wrong = {
        room: later
        for position, room in enumerate(ROOMS)
        if (later := imports_of(root / "human_pose" / f"{room}.py")[0] - set(ROOMS[:position]))
    }
    assert wrong == {}


def test_the_demo_needs_only_its_three_packages(root: Path) -> None:
    files = [root / "human_pose_est.py", *(root / "human_pose").rglob("*.py")]
    assert set().union(*(imports_of(file)[1] for file in files)) == RUN_TIME_PACKAGES


def test_decoding_knows_no_device_and_no_window(root: Path) -> None:
    rooms, packages = imports_of(root / "human_pose" / "decode.py")
    assert rooms == {"peaks", "skeleton"}
    assert packages == {"numpy"}
    assert imports_of(root / "human_pose" / "peaks.py") == (set(), {"numpy"})


def test_rooms_of_the_study_stand_in_order_too(root: Path) -> None:
    folder = root / "human_pose" / "study"
    assert sorted(STUDY) == sorted(file.stem for file in folder.glob("[a-z]*.py"))
    wrong = {
        room: later
        for position, room in enumerate(STUDY)
        if (later := imports_of(folder / f"{room}.py")[0] - set(STUDY[:position]))
    }
    assert wrong == {}

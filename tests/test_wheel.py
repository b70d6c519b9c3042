"""The package as a user has it: built, installed into an empty environment, run from another folder, uninstalled.

All tests but the last only read the environment, so it is made once; the last one uninstalls the package.
"""

import importlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest

from human_pose import folders
from human_pose.__main__ import DEMO, PROGRAMS
from human_pose.poses import skeleton
from human_pose.zoo.catalog import BUNDLED
from tests.conftest import but_for_waiting

pytestmark = [
    pytest.mark.xdist_group("wheel"),  # in one process, which builds and installs it once
    pytest.mark.skipif(sys.platform != "linux", reason="folders of an environment and of a user as on Linux"),
]

NEEDED = ("numpy", "opencv-python", "openvino", "openvino-telemetry")  # with what OpenVINO's own package asks for
SHARED = ("share/applications/human-pose-demo.desktop", "share/icons/hicolor/scalable/apps/human-pose-demo.svg")


@pytest.fixture(scope="module")
def built(root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist, and the wheel that is built of it, as anybody would build them, but with the builder that is here."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(root)]
    subprocess.run(command, check=True, capture_output=True)
    [sdist], [wheel] = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def wheel(built: tuple[Path, Path]) -> Path:
    return built[1]


class Environment:
    """A virtual environment, and a user with a home folder of his own who works in another folder."""

    def __init__(self, folder: Path) -> None:
        """It is empty but for a path to the packages that the wheel needs.

        To install these costs half a minute and a network. The path leads to a folder of links to the three packages
        alone; a path to all packages of this environment would hide that the wheel needs another one. The links are
        not in the environment itself, because pip takes a folder that holds nothing else for the package's own.
        """
        self.folder = folder / "env"
        venv.create(self.folder, symlinks=True)
        self.scripts = self.folder / "bin"
        self.python = self.scripts / "python"
        [self.site] = self.folder.glob("lib/python*/site-packages")
        needed = folder / "needed"
        needed.mkdir()
        for name in NEEDED:
            link_package(name, needed)
        (self.site / "needed.pth").write_text(str(needed))
        self.home, self.work, self.temporary = folder / "home", folder / "work", folder / "temporary"
        for path in (self.home, self.work, self.temporary):
            path.mkdir()
        self.before = self.files()

    def files(self) -> set[str]:
        """What is in the environment. Folders do not count: pip leaves those of desktop entries, which are shared."""
        paths = self.folder.rglob("*")
        return {path.relative_to(self.folder).as_posix() for path in paths if path.is_symlink() or not path.is_dir()}

    def pip(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", "--python", str(self.python)]
        subprocess.run([*command, *arguments], check=True, capture_output=True, cwd=self.work)

    def run(self, program: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
        """Run one of the environment's programs as that user."""
        left_out = ("PYTHON", "XDG_", "HUMAN_POSE", "VIRTUAL_ENV", "DISPLAY", "WAYLAND_DISPLAY")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        done = subprocess.run(
            [str(self.scripts / program), *map(str, arguments)], cwd=self.work, capture_output=True, text=True,
            check=False, timeout=120, env={**kept, "HOME": str(self.home), "TMPDIR": str(self.temporary)},
        )  # fmt: skip
        done.stderr = but_for_waiting(done.stderr)
        return done


def link_package(name: str, folder: Path) -> None:
    """Link what a package of this environment consists of into a folder."""
    distribution = importlib.metadata.distribution(name)
    for top in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
        if not (folder / top).exists():
            (folder / top).symlink_to(Path(str(distribution.locate_file(top))))


@pytest.fixture(scope="module")
def user(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel."""
    environment = Environment(tmp_path_factory.mktemp("user"))
    environment.pip("install", "--no-index", "--no-compile", str(wheel))
    return environment


def test_the_wheel_has_models_clip_and_licences_and_no_tests(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    names = archive.namelist()
    for model, precision in BUNDLED.items():
        assert f"human_pose/bundled/models/{model}/{precision}/{model}.bin" in names
    for name in ("human_pose/bundled/videos/park.mp4", "human_pose/py.typed", "human_pose_est.py"):
        assert name in names
    licences = {name.split("/licenses/")[1]: archive.read(name).decode() for name in names if "/licenses/" in name}
    assert set(licences) == {"LICENSE", "models/README.md", "videos/README.md"}
    assert "Apache License" in licences["LICENSE"]
    for model in BUNDLED:
        assert f"`{model}`" in licences["models/README.md"]
    assert "Copyright (c) 2022, perfanalytics" in licences["videos/README.md"]
    assert "Redistributions in binary form must reproduce" in licences["videos/README.md"]
    [metadata] = [name for name in names if name.endswith("/METADATA")]
    assert "License-Expression: Apache-2.0 AND BSD-3-Clause\n" in archive.read(metadata).decode()
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "docs"))]
    assert wheel.stat().st_size < 12e6


def test_the_sdist_has_what_the_wheel_is_made_of_and_nothing_of_this_folder(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "packaging/human-pose-demo.desktop", "human_pose_est.py"} <= names
    assert not [name for name in names if name.startswith(("tests", "docs", ".venv", "models/my"))]


def test_pip_installs_the_command_and_a_desktop_entry(user: Environment, root: Path) -> None:
    assert os.access(user.scripts / "human-pose", os.X_OK)
    for name in SHARED:
        assert (user.folder / name).read_bytes() == (root / "packaging" / Path(name).name).read_bytes()


def test_the_desktop_entry_starts_the_command_with_the_projects_icon(root: Path) -> None:
    file, icon = root / "packaging/human-pose-demo.desktop", root / "packaging/human-pose-demo.svg"
    lines = dict(line.split("=", 1) for line in reversed(file.read_text().splitlines()) if "=" in line)
    assert (lines["Exec"], lines["TryExec"], lines["Icon"]) == ("human-pose --loop", "human-pose", icon.stem)
    drawing = ET.parse(icon).getroot()
    assert drawing.attrib["width"] == drawing.attrib["height"]
    used = set(re.findall(r"#[0-9a-f]{6}", icon.read_text()))
    for blue, green, red in (skeleton.RIGHT_COLOUR, skeleton.LEFT_COLOUR, skeleton.MIDDLE_COLOUR):
        assert f"#{red:02x}{green:02x}{blue:02x}" in used
    if shutil.which("desktop-file-validate"):  # of Debian's desktop-file-utils
        done = subprocess.run(["desktop-file-validate", file], check=False, capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


FIVE_LINES = """
from human_pose import PoseEstimator
estimator = PoseEstimator("human-pose-estimation-0001", device="CPU", size=192)
for frame, poses in estimator.run(CLIP):
    poses = estimator(frame.image)
    if frame.index == 3: break
print(len(poses), poses[0]["right_wrist"] is not None, poses[0]["neck"].score > 0.3)
import human_pose; print(human_pose.__file__)
"""


@pytest.mark.slow
def test_the_library_works_from_an_installed_wheel_anywhere(user: Environment, root: Path) -> None:
    clip = repr(str(root / "videos" / "park.mp4"))
    done = user.run("python", "-c", FIVE_LINES.replace("CLIP", clip))
    assert done.stderr == ""
    found, where = done.stdout.splitlines()
    assert found == "1 True True"
    assert Path(where).is_relative_to(user.site)


def test_each_subcommand_of_the_console_command_is_a_program(root: Path) -> None:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 reads no TOML")
    assert tomllib.loads((root / "pyproject.toml").read_text())["project"]["scripts"] == {
        "human-pose": "human_pose.__main__:program"
    }
    with_main = {path.parent.name for path in (root / "human_pose").glob("*/__main__.py")}
    assert set(PROGRAMS) == with_main | {"evaluate", "models"}
    for module in [DEMO, *PROGRAMS.values()]:
        assert callable(importlib.import_module(module).program)


EVERY_HELP = """
import contextlib, sys
from human_pose.__main__ import PROGRAMS, program
for name in ["", *PROGRAMS]:
    sys.argv = ["human-pose", *([name] if name else []), "--help"]
    print("====")
    with contextlib.suppress(SystemExit):
        program()
"""


def test_each_subcommand_has_its_own_help(user: Environment) -> None:
    """In one process, which saves the others' start."""
    done = user.run("python", "-c", EVERY_HELP)
    assert (done.returncode, done.stderr) == (0, "")
    for name, shown in zip(["", *PROGRAMS], done.stdout.split("====\n")[1:], strict=True):
        assert shown.startswith(f"usage: human-pose {name}".rstrip() + " ")
        module = importlib.import_module(PROGRAMS.get(name, DEMO))
        assert module.__doc__ is not None
        assert module.__doc__.splitlines()[0] in shown


def test_a_home_that_this_user_may_not_enter_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a service that runs for another user. Root may enter all, so the refusal is played."""

    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(folders, "IS_INSTALLED", True)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert folders._models_folder() == tmp_path / folders.NAME / "models"
    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", refuse)
        assert folders._models_folder() == tmp_path / "models"


def kept(folder: Path) -> set[str]:
    """The files below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_the_package_writes_to_the_users_folders_alone_and_leaves_nothing_else(
    user: Environment, painted_xml: Path
) -> None:
    """It uninstalls the package at its end, so it must stay the last test of this file."""
    done = user.run("human-pose", "--no-show", "--frames", 12, "--size", 64)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("device")
    done = user.run("human-pose", "models", "convert", painted_xml, "--name", "mine")
    assert (done.returncode, done.stderr) == (0, "")
    done = user.run("human-pose", "models", "list")
    assert done.returncode == 0
    assert done.stdout.count("bundled") == len(BUNDLED)
    assert "mine" in done.stdout
    done = user.run("human-pose", "doctor")
    assert done.returncode == 0, done.stdout
    assert "mine FP16" in done.stdout

    cache, models = user.home / ".cache/human-pose-demo", user.home / ".local/share/human-pose-demo/models"
    assert kept(cache)
    assert kept(models) == {"mine/FP16/mine.bin", "mine/FP16/mine.xml"}
    assert len(kept(user.home)) == len(kept(cache)) + 2
    assert not [*user.work.rglob("*"), *user.temporary.rglob("*")]

    shutil.copytree(user.home, user.home.with_name("later"))
    done = user.run("human-pose", "doctor", "--clean")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"2 files, 0 MB, models that were downloaded or made: {models}" in done.stdout
    assert not kept(user.home)

    shutil.rmtree(user.home)
    user.home.with_name("later").rename(user.home)
    user.pip("uninstall", "-y", "human-pose-demo")
    assert user.files() == user.before
    assert not [path for path in user.site.iterdir() if path.name.startswith("human_pose")]
    assert kept(cache)
    assert len(kept(models)) == 2

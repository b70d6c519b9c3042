"""The packed folder in a system in which nothing is installed: no Python, no library of a desktop, no network.

HUMAN_POSE_BARE_ROOT names a root made by debootstrap (`debootstrap --variant=minbase bookworm DIR`); without it, these
tests skip. HUMAN_POSE_PACKED names a packed folder; without it, one is made, which needs a root with a glibc as new as
this machine's.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.helpers.bare_root import NOBODY, BareRoot, missing_to_enter, programs_of
from tests.helpers.window import Demo, wait_for

ROOT_VARIABLE, FOLDER_VARIABLE = "HUMAN_POSE_BARE_ROOT", "HUMAN_POSE_PACKED"
PROGRAM = "human-pose"
FEW = ("--no-show", "--frames", 20)

pytestmark = [pytest.mark.bare_root, pytest.mark.slow]


@pytest.fixture(scope="session")
def bare() -> BareRoot:
    """The root that is named."""
    named = os.environ.get(ROOT_VARIABLE)
    if not named:
        pytest.skip(f"{ROOT_VARIABLE} names no root made by debootstrap; .ci/run makes one and tests in it")
    if missing := missing_to_enter():
        pytest.skip(missing)
    root = Path(named).resolve()
    assert (root / "usr").is_dir(), f"{ROOT_VARIABLE}: {root} is no root"
    return BareRoot(root)


@pytest.fixture(scope="session")
def packed(bare: BareRoot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packed folder: the one that is named, or one that is made now, where there is a root to run it in."""
    if named := os.environ.get(FOLDER_VARIABLE):
        return Path(named).resolve()
    folder = tmp_path_factory.mktemp("packed") / "human-pose"
    subprocess.run([sys.executable, "-m", "human_pose.deploy", folder, "--archive", "none"], cwd=ROOT, check=True)
    return folder


@pytest.fixture
def damaged(packed: Path, tmp_path: Path) -> Path:
    """A copy of the packed folder, for a test that removes or changes a file."""
    copy = tmp_path / "folder"
    is_same_disk = packed.stat().st_dev == tmp_path.stat().st_dev
    shutil.copytree(packed, copy, copy_function=os.link if is_same_disk else shutil.copy2)
    return copy


def assert_ran(done: "subprocess.CompletedProcess[str]") -> None:
    """It ended well and printed the CPU's averages."""
    assert done.returncode == 0, done.stderr
    assert "\nCPU " in done.stdout, done.stderr
    assert "Traceback" not in done.stderr


def network_of(folder: Path) -> Path:
    """The weights of the network that the demo starts with."""
    [found] = folder.rglob("human-pose-estimation-0001.bin")
    return found


def assert_names(done: "subprocess.CompletedProcess[str]", file: Path) -> None:
    """It said nothing but one line, which names a file, and failed."""
    assert done.returncode != 0
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert f"/{file.name}'" in line


def test_the_root_has_no_python_and_no_display_library(bare: BareRoot) -> None:
    assert not {name for name in programs_of(bare.root) if name.startswith(("python", "pypy"))}
    libraries = {file.name for file in (bare.root / "usr" / "lib").rglob("lib*.so*")}
    assert not {name for name in libraries if name.startswith(("libpython", "libX11", "libxcb", "libGL", "libglib"))}


def test_it_runs_and_prints_the_averages(bare: BareRoot, packed: Path) -> None:
    assert_ran(bare.run(packed, PROGRAM, *FEW))


def test_its_window_switches_devices_and_quits(
    bare: BareRoot, packed: Path, demo: Callable[..., Demo], screen: str
) -> None:
    variables = {"HOME": "/root", "DISPLAY": screen}
    window = demo("--loop", command=bare.command(packed, PROGRAM, variables=variables))
    wait_for(lambda: window.shows("CPU"), "the panel to name the CPU")
    window.press("Tab")
    wait_for(lambda: window.shows("AUTO", "runs on CPU"), "the panel to name AUTO and where it runs")
    time.sleep(1)  # for some figures of AUTO
    assert "\nAUTO " in window.quit()


def test_its_doctor_and_its_list_of_models(bare: BareRoot, packed: Path) -> None:
    examined = bare.run(packed, PROGRAM, "doctor")
    assert "The demo can run here." in examined.stdout, examined.stderr
    listed = bare.run(packed, PROGRAM, "models", "list")
    assert "FP16-INT8  bundled" in listed.stdout, listed.stderr


def test_a_removed_file_is_named_in_one_line(bare: BareRoot, damaged: Path) -> None:
    network = network_of(damaged)
    network.unlink()
    assert_names(bare.run(damaged, PROGRAM, *FEW), network)


def test_a_changed_byte_is_named_in_one_line(bare: BareRoot, damaged: Path) -> None:
    assert bare.run(damaged, PROGRAM, "--check").returncode == 0
    network = network_of(damaged)
    content = bytearray(network.read_bytes())
    content[len(content) // 2] ^= 1
    network.unlink()  # it may be a link to the sound one
    network.write_bytes(content)
    assert_names(bare.run(damaged, PROGRAM, "--check"), network)


@pytest.mark.parametrize("home", [{}, {"HOME": "/root"}], ids=["no home", "a home that may not be entered"])
def test_as_nobody_from_a_path_of_all_letters(bare: BareRoot, packed: Path, home: dict[str, str]) -> None:
    rubbish = {"LD_LIBRARY_PATH": "/nonsense", "PYTHONPATH": "/nonsense", "PYTHONHOME": "/nonsense"}
    done = bare.run(packed, PROGRAM, *FEW, place="/opt/größer als 測試", user=NOBODY, variables={**rubbish, **home})
    assert_ran(done)

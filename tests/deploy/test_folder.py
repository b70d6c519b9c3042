"""`python -m human_pose.deploy`: the folder runs from another place, alone, and names what was done to it."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from human_pose.deploy import __main__ as deploy
from human_pose.deploy.elf import read_binary
from human_pose.deploy.libraries import OF_THE_MACHINE

pytestmark = pytest.mark.xdist_group("deploy")  # one folder for all, and one of these tests changes it at a time

Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, for the CPU; it was moved after it was made."""
    place = tmp_path_factory.mktemp("deployed")
    assert deploy.main([str(place / "made"), "--archive", "none"]) == 0
    return (place / "made").rename(place / "another place: é")


def run(folder: Path, *arguments: object, path: str | None = None, start: str = "human-pose") -> Done:
    """Run a program of the folder with an empty environment but for a home; path: programs found first."""
    return subprocess.run(
        [folder / start, *map(str, arguments)], cwd="/", capture_output=True, encoding="utf-8", check=False,
        timeout=120, env={"HOME": str(folder.parent / "home"), **({"PATH": path} if path else {})},
    )  # fmt: skip


def told(done: Done) -> tuple[int, str]:
    """The exit code, and what was said to the user."""
    return done.returncode, done.stderr


@contextlib.contextmanager
def moved_away(path: Path) -> Iterator[None]:
    """Without a file or a folder."""
    inside = next(parent for parent in path.parents if (parent / "manifest.json").exists())
    aside = path.rename(inside.parent / "aside")
    try:
        yield
    finally:
        aside.rename(path)


@contextlib.contextmanager
def changed_to(path: Path, data: bytes) -> Iterator[None]:
    """With another content of a file."""
    before = path.read_bytes()
    path.write_bytes(data)
    try:
        yield
    finally:
        path.write_bytes(before)


@pytest.mark.slow
def test_the_demo_runs(folder: Path) -> None:
    done = run(folder, "--no-show", "--frames", 12)
    assert (done.returncode, done.stderr.replace("Compiling the network for CPU ...\n", "")) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()[:2]] == ["device", "CPU"]
    counted, warm_up = (int(done.stdout.splitlines()[1].split()[column]) for column in (1, -2))
    assert counted + warm_up == 12


def test_the_doctor_finds_packages_networks_and_clip(folder: Path) -> None:
    done = run(folder, "doctor")
    assert told(done) == (0, "")
    assert all(f"{name} " in done.stdout for name in ("openvino", "opencv-python", "numpy"))
    assert "models    ok       human-pose-estimation-0001 FP16-INT8, mobilenet-thin FP16." in done.stdout
    assert "The demo can run here." in done.stdout


def test_the_networks_are_listed_as_bundled(folder: Path) -> None:
    done = run(folder, "models", "list")
    assert told(done) == (0, "")
    bundled = [line.split()[:2] for line in done.stdout.splitlines() if " bundled " in line]
    assert bundled == [["human-pose-estimation-0001", "FP16-INT8"], ["mobilenet-thin", "FP16"]]


def test_an_extra_that_is_not_inside_is_named_with_the_command_that_adds_it(folder: Path) -> None:
    code, said = told(run(folder, "study", "--quick", "--output", folder.parent / "study"))
    assert code == 2
    assert said.count("\n") == 1
    assert "deploy DIR --with study" in said


def test_a_folder_makes_no_folder(folder: Path) -> None:
    code, said = told(run(folder, "deploy", folder.parent / "next"))
    assert (code, said.count("\n")) == (2, 1)
    assert "A deployed folder cannot make another" in said


def test_programs_that_it_starts_are_not_given_its_libraries(folder: Path) -> None:
    question = "import os, sys; print(sys.executable, [name for name in os.environ if 'LIBRARY_PATH' in name])"
    done = run(folder, "-c", question, start="runtime/python")
    assert done.stdout == f"{folder}/runtime/python []\n"
    again = f"import subprocess, sys; subprocess.run([sys.executable, '-I', '-c', {question!r}])"
    assert run(folder, "-c", again, start="runtime/python").stdout == done.stdout


def test_only_the_plugins_of_the_cpu_are_inside(folder: Path) -> None:
    libraries = {path.name.split(".")[0] for path in (folder / "runtime/packages/openvino/libs").iterdir()}
    plugins = {name for name in libraries if name.endswith("_plugin")}
    assert plugins == {f"libopenvino_{kind}_plugin" for kind in ("auto", "auto_batch", "hetero", "intel_cpu")}
    assert {name for name in libraries if name.endswith("_frontend")} == {"libopenvino_ir_frontend"}


def test_every_library_is_inside_or_on_every_linux(folder: Path) -> None:
    binaries = {path.name: found for path in folder.rglob("*") if path.is_file() and (found := read_binary(path))}
    assert {"python3", "cv2.abi3.so", "libqxcb.so", "libxcb.so.1"} <= set(binaries)
    needed = {name for binary in binaries.values() for name in binary.needed}
    assert [name for name in needed - set(binaries) if not OF_THE_MACHINE.fullmatch(name)] == []
    assert not [name for name in binaries if name.startswith(("libstdc++", "libgcc_s", "libOpenCL"))]


def test_there_is_a_licence_of_everything(folder: Path) -> None:
    texts = {
        path.relative_to(folder / "licences").as_posix() for path in folder.glob("licences/**/*") if path.is_file()
    }
    owners = {text.split("/")[0] for text in texts}
    assert {"human-pose-demo", "models", "videos", "openvino", "opencv-python", "numpy"} <= owners
    assert any("THIRD-PARTY" in text.upper() for text in texts)
    if shutil.which("dpkg-query"):
        assert any(text.startswith("system-libraries/libxcb1/") for text in texts)


def test_the_manifest_has_every_file_with_its_checksum(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {"manifest.json"}
    assert set(manifest["files"]) == files
    for name in ("human-pose", "runtime/packages/human_pose/bundled/videos/park.mp4"):
        data = (folder / name).read_bytes()
        assert manifest["files"][name] == {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert (manifest["devices"], manifest["extras"], manifest["machine"]) == (["CPU"], [], "x86_64")
    asked = [binary.glibc for name in files if (binary := read_binary(folder / name))]
    assert manifest["glibc"] == ".".join(map(str, max(asked)))


def test_an_untouched_folder_is_as_it_was_made(folder: Path) -> None:
    count = len(json.loads((folder / "manifest.json").read_text())["files"])
    done = run(folder, "--check")
    assert (*told(done), done.stdout) == (0, "", f"Every file is as it was made: {count} files.\n")


def test_a_removed_file_is_named_at_the_start(folder: Path) -> None:
    clip = folder / "runtime/packages/human_pose/bundled/videos/park.mp4"
    with moved_away(clip):
        assert told(run(folder, "doctor")) == (1, f"error: '{clip}' is gone. Unpack the archive again.\n")


def test_without_its_programs_it_does_not_start(folder: Path) -> None:
    runtime = folder / "runtime"
    with moved_away(runtime):
        code, said = told(run(folder, "doctor"))
        assert code == 1
        assert said.startswith(f"error: '{runtime}/")
        assert said.endswith("is gone. Unpack the archive again.\n")


def test_a_file_of_another_size_is_named_at_the_start(folder: Path) -> None:
    weights = folder / "runtime/packages/human_pose/bundled/models/mobilenet-thin/FP16/mobilenet-thin.bin"
    with changed_to(weights, weights.read_bytes()[:-1]):
        said = f"error: '{weights}' does not have the size that it was made with. Unpack the archive again.\n"
        assert told(run(folder, "doctor")) == (1, said)


def test_a_changed_byte_is_named_by_the_check(folder: Path) -> None:
    weights = folder / "runtime/packages/human_pose/bundled/models/mobilenet-thin/FP16/mobilenet-thin.bin"
    data = weights.read_bytes()
    with changed_to(weights, bytes([data[0] ^ 1]) + data[1:]):
        assert told(run(folder, "--check")) == (1, f"error: '{weights}' was changed. Unpack the archive again.\n")


def test_a_file_that_was_added_is_named_at_the_start_but_not_what_lies_beside(folder: Path) -> None:
    added, beside = folder / "runtime/packages/numpy.py", folder / "my clip.mp4"
    beside.touch()
    added.touch()
    try:
        code, said = told(run(folder, "doctor"))
        assert (code, said.count("\n")) == (1, 1)
        assert said.startswith(f"error: '{added}' does not belong to this folder. Remove it")
        added.unlink()
        assert run(folder, "models", "list").returncode == 0
    finally:
        added.unlink(missing_ok=True)
        beside.unlink()


@pytest.mark.parametrize("damage", ["empty", "cut off", "a checksum that is none"])
def test_a_damaged_manifest_is_named(folder: Path, damage: str) -> None:
    manifest = folder / "manifest.json"
    data = manifest.read_bytes()
    no_checksum = data.replace(b'"sha256": "', b'"sha256": "x', 1)
    broken = {"empty": b"", "cut off": data[: len(data) // 2], "a checksum that is none": no_checksum}
    with changed_to(manifest, broken[damage]):
        code, said = told(run(folder, "--check"))
    reason = "was changed" if damage == "a checksum that is none" else "is not whole"
    assert (code, said) == (1, f"error: '{manifest}' {reason}. Unpack the archive again.\n")


def test_programs_that_may_not_be_executed_are_named(folder: Path) -> None:
    program = folder / "runtime/bin/python3"
    program.chmod(0o644)
    try:
        code, said = told(run(folder, "doctor"))
    finally:
        program.chmod(0o755)
    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith(f"error: '{program}' may not be executed.")


@pytest.mark.parametrize(
    ("program", "answers", "said"),
    [
        ("getconf", "glibc 2.17", "error: This machine has glibc 2.17; the folder needs "),
        ("uname", "Linux aarch64", "error: This folder is for Linux on x86-64, and this machine is Linux aarch64."),
    ],
)
def test_a_machine_that_cannot_run_it_is_told_so(
    folder: Path, tmp_path: Path, program: str, answers: str, said: str
) -> None:
    (tmp_path / program).write_text(f"#!/bin/sh\necho {answers}\n")
    (tmp_path / program).chmod(0o755)
    done = run(folder, "doctor", path=f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (1, 1, "")
    assert done.stderr.startswith(said)


def test_it_starts_through_a_link_and_without_a_path(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder / "human-pose")
    done = subprocess.run([tmp_path / "link", "models", "list"], env={"PATH": ""}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")

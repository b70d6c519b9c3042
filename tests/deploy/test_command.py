"""`python -m human_pose.deploy`: what it refuses, in one line, and that nothing half-made is left."""

import importlib.metadata
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from human_pose import invocation
from human_pose.deploy import __main__ as deploy
from human_pose.deploy import contents
from human_pose.deploy import folder as module
from human_pose.deploy.contents import EXTRAS, distributions, network_files, openvino_without
from human_pose.deploy.elf import Binary, read_binary
from human_pose.deploy.folder import pack
from human_pose.deploy.libraries import missing_libraries
from human_pose.errors import DemoError
from human_pose.inference.model import ModelFile
from human_pose.zoo import listing, resolve
from tests.conftest import room_for

Captured = pytest.CaptureFixture[str]
Refused = Callable[..., str]


@pytest.fixture
def refused(tmp_path: Path, capsys: Captured) -> Refused:
    """Run the command, which must fail; gives the line that it says."""

    def run(*options: object, code: int = 2, folder: Path = tmp_path / "folder") -> str:
        before = sorted(tmp_path.rglob("*"))
        try:
            assert deploy.main([str(folder), *map(str, options)]) == code
        except SystemExit as stop:  # by argparse
            assert stop.code == code
        output, said = capsys.readouterr()
        assert (output, said.count("\n")) == ("", 1)
        assert sorted(tmp_path.rglob("*")) == before, "something was left"
        return said

    return run


class TestRefused:
    """Wrong use, exit code 2."""

    def test_a_folder_that_is_not_empty(self, refused: Refused, tmp_path: Path) -> None:
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "mine.txt").touch()
        assert f"The folder '{tmp_path}/folder' is not empty." in refused()

    def test_a_file_of_that_name(self, refused: Refused, tmp_path: Path) -> None:
        (tmp_path / "folder").touch()
        assert f"'{tmp_path}/folder' is a file or a link." in refused()

    def test_an_archive_that_is_already_there(self, refused: Refused, tmp_path: Path) -> None:
        (tmp_path / "folder.tar.xz").touch()
        assert f"'{tmp_path}/folder.tar.xz' is already there." in refused("--archive", "xz")

    def test_a_place_that_is_not_there(self, refused: Refused, tmp_path: Path) -> None:
        assert f"there is no folder '{tmp_path}/none'" in refused(folder=tmp_path / "none" / "folder")

    @pytest.mark.parametrize("device", ["VPU", "AUTO", "gpu"])
    def test_a_device_that_openvino_has_no_plugin_for(self, refused: Refused, device: str) -> None:
        said = refused("--devices", "CPU", device)
        assert f"no plugin for '{device}'. Give some of CPU, GPU, NPU" in said

    def test_a_model_that_nobody_knows(self, refused: Refused) -> None:
        assert "Unknown model 'no-such-net'" in refused("--model", "no-such-net")

    def test_a_model_that_is_not_on_this_machine(self, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(resolve, "_is_whole", lambda path: "INT8" in str(path))
        said = refused("--model", "human-pose-estimation-0001", "--precision", "FP32")
        assert "human-pose-estimation-0001 is not here in FP32. It is here in FP16-INT8" in said

    def test_two_networks_of_one_name(self, refused: Refused, tmp_path: Path) -> None:
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "yard.onnx").touch()
        said = refused("--model", tmp_path / "a/yard.onnx", "--model", tmp_path / "b/yard.onnx")
        assert "Two networks are called yard FP16. Rename the file of one." in said

    def test_another_architecture(self, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("platform.machine", lambda: "aarch64")
        assert "The folder is for Linux on x86-64; this machine has Linux on aarch64." in refused()

    def test_an_extra_that_is_not_installed(self, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(contents.EXTRAS, "study", ("no-such-package>=1",))
        assert "The package no-such-package is not installed here: pip install '.[study]'" in refused("--with", "study")

    def test_an_extra_that_does_not_exist(self, refused: Refused) -> None:
        assert "invalid choice: 'everything'" in refused("--with", "everything")


class TestFailed:
    """A failed run, exit code 1; nothing is left under any name."""

    def test_no_space_for_a_library(self, refused: Refused, tmp_path: Path) -> None:
        with room_for(5_000):
            said = refused("--archive", "none", code=1)
        assert f"Cannot write '{tmp_path}/folder': File too large. Make room, or give another place." in said

    def test_no_space_for_the_archive(self, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "copy_all", lambda files, folder: (folder / "runtime").mkdir())
        monkeypatch.setattr(module, "newest_glibc", lambda paths: (2, 35))

        def is_full(folder: Path, archive: Path, name: str) -> None:
            archive.write_bytes(b"the first part")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(module, "pack", is_full)
        assert f"Cannot write '{tmp_path}/folder': No space left on device." in refused(code=1)

    def test_interrupted(self, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(files: object, folder: Path) -> None:
            (folder / "half").touch()
            raise KeyboardInterrupt

        monkeypatch.setattr(module, "copy_all", interrupt)
        assert refused(code=130) == "interrupted\n"

    def test_a_library_that_this_machine_lacks(self, tmp_path: Path) -> None:
        (tmp_path / "module.so").write_bytes(small_library(b"libnowhere.so.7"))
        with pytest.raises(DemoError, match=r"'module.so' needs the library libnowhere.so.7, which is not on this"):
            missing_libraries({"module.so": tmp_path / "module.so"})


def small_library(needed: bytes, glibc: bytes = b"GLIBC_2.28", machine: int = 62) -> bytes:
    """A binary that has only the two tables that are read: it needs one library, with versions of two."""
    names = b"\0".join([b"", needed, glibc, b"GLIBC_2.9", b"GLIBCXX_3.4.30", b""])

    def at(name: bytes) -> int:
        return names.index(b"\0" + name + b"\0") + 1

    versions = struct.pack("<HHIII", 1, 2, at(needed), 16, 48)
    versions += struct.pack("<IHHII", 0, 0, 2, at(glibc), 16) + struct.pack("<IHHII", 0, 0, 3, at(b"GLIBC_2.9"), 0)
    versions += struct.pack("<HHIII", 1, 1, at(needed), 16, 0) + struct.pack(
        "<IHHII", 0, 0, 4, at(b"GLIBCXX_3.4.30"), 0
    )
    dynamic = struct.pack("<qQqQ", 1, at(needed), 0, 0)
    contents_of = [(3, names, 0), (6, dynamic, 0), (0x6FFFFFFE, versions, 0)]
    body, table = b"", b""
    for kind, content, link in contents_of:
        table += struct.pack("<IIQQQQIIQQ", 0, kind, 0, 0, 64 + len(body), len(content), link, 0, 0, 0)
        body += content
    header = struct.pack(
        "<6s10xHHIQQQIHHHHHH", b"\x7fELF\x02\x01", 3, machine, 1, 0, 0, 64 + len(body), 0, 64, 0, 0, 64, 3, 0
    )
    return header + body + table


class TestBinaries:
    """What a binary asks for."""

    def test_the_highest_version_of_glibc_and_of_nothing_else(self, tmp_path: Path) -> None:
        (tmp_path / "a.so").write_bytes(small_library(b"libx.so.1"))
        assert read_binary(tmp_path / "a.so") == Binary(("libx.so.1",), (2, 28))

    @pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", small_library(b"libx.so.1", machine=183)])
    def test_other_files_are_none(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "a").write_bytes(data)
        assert read_binary(tmp_path / "a") is None

    def test_a_library_of_openvino(self) -> None:
        libraries = Path(str(importlib.metadata.distribution("openvino").locate_file("openvino/libs")))
        binary = read_binary(libraries / "libopenvino_intel_cpu_plugin.so")
        assert binary is not None
        assert "libc.so.6" in binary.needed
        assert any(name.startswith("libopenvino.so") for name in binary.needed)
        assert (2, 17) <= binary.glibc < (3,)

    def test_systems_are_named_by_their_oldest_release(self) -> None:
        said = deploy.systems_with((2, 35))
        assert said == "Ubuntu 22.04, Debian 12, RHEL 10, Fedora 36, and newer ones"
        assert deploy.systems_with((2, 40)) == "Debian 13, Fedora 41, and newer ones"


class TestContents:
    """Which files go into the folder."""

    @pytest.mark.parametrize(
        ("devices", "has_onnx", "inside", "outside"),
        [
            (["CPU"], False, ["intel_cpu_plugin.so", "auto_plugin.so"], ["intel_gpu_plugin.so", "c.so.2641"]),
            (["CPU", "GPU"], False, ["intel_gpu_plugin.so", "hetero_plugin.so"], ["intel_npu_plugin.so"]),
            (["CPU"], True, ["onnx_frontend.so.2641", "ir_frontend.so"], ["tensorflow_lite_frontend.so.2641"]),
            (["CPU"], False, ["ir_frontend.so.2641"], ["onnx_frontend.so.2641", "pytorch_frontend.so.2641"]),
        ],
    )
    def test_libraries_of_openvino(
        self, devices: list[str], has_onnx: bool, inside: list[str], outside: list[str]
    ) -> None:
        left_out = openvino_without(devices, has_onnx)
        assert not left_out.match("openvino/libs/libopenvino.so.2641")
        assert not [name for name in inside if left_out.match(f"openvino/libs/libopenvino_{name}")]
        assert [name for name in outside if left_out.match(f"openvino/libs/libopenvino_{name}")] == outside
        assert bool(left_out.match("openvino/libs/cache.json")) == ("GPU" not in devices)

    def test_extras_are_those_of_the_project(self, root: Path) -> None:
        tomllib = pytest.importorskip("tomllib", reason="Python 3.10 reads no TOML")
        extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        del extras["tensorflow"]  # half a gigabyte, for one row of the study
        names = {extra: tuple(text.split(">")[0] for text in texts) for extra, texts in extras.items()}
        assert names == EXTRAS

    def test_an_extra_brings_what_it_requires_and_nothing_that_reports(self) -> None:
        names = {package.name.lower() for package in distributions(["study"])}
        assert {"openvino", "opencv-python", "numpy", "matplotlib", "psutil", "pillow", "kiwisolver"} <= names
        assert not {"openvino-telemetry", "pytest", "pyarrow"} & names

    def test_a_network_of_the_users_own_is_taken_with_what_lies_beside_it(self, tmp_path: Path) -> None:
        for name in ("best.onnx", "best.pose.json", "metadata.yaml", "other.txt"):
            (tmp_path / name).touch()
        files = network_files(ModelFile("yard", "FP16", tmp_path / "best.onnx"))
        place = f"{contents.BUNDLED}/models/yard/FP16"
        assert set(files) == {f"{place}/{name}" for name in ("yard.onnx", "yard.pose.json", "metadata.yaml")}

    def test_a_folder_without_the_default_network_starts_with_what_it_has(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bundled = tmp_path / "bundled"
        (bundled / "yard" / "FP16").mkdir(parents=True)
        (bundled / "yard" / "FP16" / "yard.onnx").write_bytes(b"a network")
        for place in (resolve, listing):
            monkeypatch.setattr(place, "BUNDLED_MODELS", bundled)
            monkeypatch.setattr(place, "MODELS_FOLDER", tmp_path / "mine")
        monkeypatch.setattr(listing, "IS_INSTALLED", True)
        mine = tmp_path / "mine"
        assert resolve.default_model(mine) == "yard"
        assert resolve.choose_model(None, None, mine) == ModelFile("yard", "FP16", bundled / "yard/FP16/yard.onnx")
        assert resolve.models_here(mine) == ["yard"]
        rows = {row.name: (row.precision, row.state, row.size) for row in listing.entries(mine)}
        assert rows["yard"] == ("FP16", "bundled", 9)

    def test_a_remedy_in_a_deployed_folder_is_to_make_it_anew(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(invocation, "IS_INSTALLED", True)
        monkeypatch.setattr(invocation, "IS_DEPLOYED", True)
        assert invocation.pip_install("study").endswith("`python -m human_pose.deploy DIR --with study`")


@pytest.mark.parametrize("kind", ["gz", "xz"])
def test_the_archive_holds_the_folder_and_belongs_to_root(tmp_path: Path, kind: str) -> None:
    (tmp_path / "partial").mkdir()
    (tmp_path / "partial" / "start").write_text("echo")
    (tmp_path / "partial" / "start").chmod(0o755)
    archive = tmp_path / f"packed.tar.{kind}"
    pack(tmp_path / "partial", archive, "human-pose")
    with tarfile.open(archive) as tar:
        entries = {entry.name: (entry.mode & 0o777, entry.uid, entry.uname) for entry in tar.getmembers()}
        content = tar.extractfile("human-pose/start")
        assert content is not None
        assert content.read() == b"echo"
    assert entries["human-pose/start"] == (0o755, 0, "root")

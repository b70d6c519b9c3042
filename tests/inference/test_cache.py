"""Compiled networks on disk: what changed is never used, and what cannot be used ends no run."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest

from human_pose.demo import device_table
from human_pose.files import try_lock
from human_pose.folders import cache_folder
from human_pose.inference import cache as cache_module
from human_pose.inference.cache import CHECKSUMS, checked_folder, note_late_files
from human_pose.inference.model import PoseModel, load_model
from human_pose.inference.openvino_backend import OpenVinoCompiledModel, compile_model
from human_pose.inference.settings import Settings, configure
from human_pose.measurement.stand_ins import AUTO, HETERO, write_plugins
from human_pose.zoo.resolve import choose_model
from tests.conftest import ROOT, Program
from tests.helpers.painted import blank, paint_person


@pytest.fixture(scope="module")
def bundled(first_maps_xml: Path) -> PoseModel:
    """A network with weights that can be changed on disk."""
    network = load_model(ov.Core(), choose_model(str(first_maps_xml), None))
    network.reshape(88, 64)
    return network


def compiled(network: PoseModel, cache: Path, device: str = "CPU", **wanted: Any) -> OpenVinoCompiledModel:
    """As a program that has just been started compiles it."""
    core, settings = ov.Core(), Settings("FP32", cache=cache, **wanted)
    configure(core, settings)
    return compile_model(core, network.model, device, settings)


def outputs(network: OpenVinoCompiledModel) -> np.ndarray:
    request = network.network.create_infer_request()
    request.infer([np.random.default_rng(1).integers(0, 256, (1, 64, 88, 3)).astype(np.uint8)])
    return np.concatenate([request.get_tensor(name).data.ravel() for name in ("heatmaps", "pafs")])


def blobs(cache: Path) -> list[Path]:
    return sorted(cache.rglob("*.blob"))


def test_the_second_time_a_network_comes_from_the_cache(painted: PoseModel, tmp_path: Path) -> None:
    assert [compiled(painted, tmp_path).is_from_cache for _ in range(3)] == [False, True, True]


def test_a_blob_whose_weights_changed_is_compiled_anew(bundled: PoseModel, tmp_path: Path) -> None:
    """OpenVINO runs on such a blob, and finds nobody."""
    expected = outputs(compiled(bundled, tmp_path))
    [blob] = blobs(tmp_path)
    whole = blob.read_bytes()
    middle = len(whole) // 2
    blob.chmod(0o600)
    blob.write_bytes(
        whole[:middle] + bytes(byte ^ 0xFF for byte in whole[middle : middle + 2000]) + whole[middle + 2000 :]
    )
    again = compiled(bundled, tmp_path)
    assert not again.is_from_cache
    np.testing.assert_array_equal(outputs(again), expected)
    assert compiled(bundled, tmp_path).is_from_cache  # it was mended

    (blob.parent / CHECKSUMS).write_text("[" * 100_000)
    assert not compiled(bundled, tmp_path).is_from_cache
    assert compiled(bundled, tmp_path).is_from_cache


def test_two_configurations_never_share_a_blob(painted: PoseModel, tmp_path: Path) -> None:
    core = ov.Core(str(write_plugins(tmp_path)))
    found = []
    for wanted in ({"properties": {"INFERENCE_PRECISION_HINT": "bf16"}}, {"hint": "latency"}, {"streams": 1}, {}):
        settings = Settings("FP32", cache=tmp_path, **wanted)
        configure(core, settings)
        found.append(compile_model(core, painted.model, HETERO, settings).is_from_cache)
    assert found == [False] * 4
    assert len({blob.parent for blob in blobs(tmp_path)}) == 4


def test_the_cache_is_left_alone_while_another_program_uses_it(painted: PoseModel, tmp_path: Path) -> None:
    compiled(painted, tmp_path)
    [lock] = tmp_path.glob("*.lock")
    with try_lock(lock) as is_mine:
        assert is_mine
        assert not compiled(painted, tmp_path).is_from_cache
    assert compiled(painted, tmp_path).is_from_cache


def test_a_cache_that_cannot_be_used_is_gone_without(
    painted: PoseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lock is no file, a folder is a file, or a file in it cannot be deleted; --list-devices goes on, too."""
    compiled(painted, tmp_path)
    [lock], [blob] = tmp_path.glob("*.lock"), blobs(tmp_path)
    lock.unlink()
    lock.mkdir()
    assert not compiled(painted, tmp_path).is_from_cache
    lock.rmdir()
    (blob.parent / "folder").mkdir()
    assert not compiled(painted, tmp_path).is_from_cache

    monkeypatch.setattr(device_table, "choose_model", lambda *_: painted.file)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    device_table.list_devices(ov.Core())
    for lock in (tmp_path / "xdg").rglob("*.lock"):
        lock.unlink()
        lock.mkdir()
    (tmp_path / "xdg" / "human-pose-demo" / "lock").mkdir()  # that of earlier versions
    assert "CPU" in device_table.list_devices(ov.Core())


def test_what_openvino_cannot_do_with_the_cache_it_does_without(painted: PoseModel, tmp_path: Path) -> None:
    """AUTO over the stand-in refuses a network that it reads from the cache."""
    core, settings = ov.Core(str(write_plugins(tmp_path))), Settings("FP32", cache=tmp_path)
    configure(core, settings)
    for device in ("GPU", "CPU", AUTO, AUTO):
        request = compile_model(core, painted.model, device, settings).network.create_infer_request()
        request.infer([paint_person(blank())[None]])
        assert request.get_tensor("heatmaps").data.max() == pytest.approx(1, abs=0.01)


def put(cache: Path, name: str, size: int, days_ago: float) -> Path:
    """A configuration of some size, last used some days ago."""
    with checked_folder(cache, name) as folder:
        assert folder is not None
        (folder / "a.blob").write_bytes(b"\0" * size)
    then = time.time() - 86400 * days_ago
    os.utime(folder / CHECKSUMS, (then, then))
    return folder


def test_the_cache_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MAX_BYTES", 3000)
    (tmp_path / "1.blob").touch()  # of an earlier version
    unused, old, in_use = (put(tmp_path, *folder) for folder in (("a", 10, 31), ("b", 1500, 3), ("c", 900, 2)))
    with checked_folder(tmp_path, "c"), checked_folder(tmp_path, "d") as young:
        assert young is not None
        (young / "a.blob").write_bytes(b"\0" * 1000)
    assert [folder.exists() for folder in (unused, old, in_use, young)] == [False, False, True, True]
    assert not (tmp_path / "1.blob").exists()


def test_a_file_that_comes_late_is_kept_from_the_end_of_the_program(tmp_path: Path) -> None:
    with checked_folder(tmp_path, "AUTO", writes_later=True) as folder:
        assert folder is not None
    late, unknown = folder / "late.blob", folder / "unknown.blob"
    late.write_bytes(b"compiled in the background")
    late.chmod(0o440)  # as OpenVINO leaves it
    note_late_files()
    with checked_folder(tmp_path, "AUTO"):
        assert late.exists()
    unknown.touch()
    with checked_folder(tmp_path, "AUTO"):
        assert not unknown.exists()


def test_a_file_that_is_half_written_at_the_end_is_not_kept(tmp_path: Path) -> None:
    with checked_folder(tmp_path, "AUTO", writes_later=True) as folder:
        assert folder is not None
        (folder / "early.blob").write_bytes(b"the first half of an ear")
    (folder / "late.blob").write_bytes(b"the first half of what is compi")
    note_late_files()
    with checked_folder(tmp_path, "AUTO"):
        assert not list(folder.glob("*.blob"))


LATE_FILE = """
import sys
from pathlib import Path
import human_pose_est
from human_pose.inference.cache import checked_folder

with checked_folder(Path("cache"), "AUTO", writes_later=True) as folder:
    pass
(folder / "late.blob").write_bytes(b"compiled in the background")
(folder / "late.blob").chmod(0o440)
sys.argv = ["human_pose_est.py", "--list-devices"]
human_pose_est.program()
"""


def test_the_program_keeps_files_that_come_late_though_it_ends_at_once(tmp_path: Path) -> None:
    """It ends with os._exit, which runs none of the functions that Python has for the end."""
    (tmp_path / "cache").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", LATE_FILE], cwd=tmp_path, env=environment, check=True, timeout=120)
    with checked_folder(tmp_path / "cache", "AUTO") as folder:
        assert folder is not None
        assert (folder / "late.blob").exists()


@pytest.mark.skipif(os.name == "nt", reason="of POSIX")
def test_where_there_is_no_folder_for_a_cache_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that OpenVINO cannot take; a user without a home and an entry among the users."""
    monkeypatch.setenv("XDG_CACHE_HOME", os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    assert cache_folder() is None
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: {}[uid])
    assert cache_folder() is None


def test_the_second_start_of_the_program_finds_what_the_first_compiled(
    program: Program, painted_xml: Path, painted_clip: Path, tmp_path: Path
) -> None:
    """Whatever a run may write meanwhile: a map of HETERO was part of the configuration once, by its address."""
    reports = []
    for number in range(2):
        report = tmp_path / f"{number}.json"
        options = ["-m", painted_xml, "-i", painted_clip, "--frames", "6", "--report", report]
        done = program(*options, env={"XDG_CACHE_HOME": str(tmp_path / "cache")})
        assert done.returncode == 0
        reports.append(json.loads(report.read_text())["devices"][0]["is_from_cache"])
    assert reports == [False, True]

"""Every kind of device that the emulated GPU can be part of, through the program itself."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from human_pose.inference.hetero import TOLERANCE
from tests.conftest import ROOT
from tests.emulated_gpu.conftest import FRAMES, PATIENCE_S, Run, Runner, assert_same_people, share_found, small

pytestmark = [pytest.mark.emulated_gpu, pytest.mark.slow]

Alone = Callable[[str], Run]
MULTI, AUTO, HETERO = "MULTI:GPU,CPU", "AUTO:GPU,CPU", "HETERO:GPU,CPU"


def test_the_gpu_finds_what_the_cpu_finds_and_is_called_emulated(alone: Alone, on_cpu: Run) -> None:
    run = alone("GPU")
    assert_same_people(run, on_cpu)
    [gpu] = run.report["devices"]
    assert (gpu["device"], gpu["executed_on"], gpu["execution_precision"]) == ("GPU", ["GPU.0"], "f32")
    assert gpu["is_emulated"]
    assert not gpu["is_stand_in"]
    assert "emulated" in run.report["machine"]["devices"]["GPU"]
    assert "\nGPU (emulated) " in run.output


def test_multi_keeps_the_order_over_two_plugins_of_unequal_speed(run_with: Runner, on_cpu: Run) -> None:
    run = run_with("-d", MULTI, "--loop", "--frames", 5 * FRAMES, "--requests", 4)
    assert_same_people(run, on_cpu)
    assert len(run.keypoints) == 5 * FRAMES
    assert run.devices[MULTI]["executed_on"] == ["GPU.0", "CPU"]
    assert f"\n{MULTI} (emulated) " in run.output


def test_auto_starts_on_the_cpu_moves_to_the_gpu_and_keeps_what_it_compiled(
    run_with: Runner, on_cpu: Run, tmp_path: Path
) -> None:
    cache = {"XDG_CACHE_HOME": str(tmp_path)}
    first = run_with("--devices", AUTO, "--tour", 2, env=cache)  # counted are results of the GPU only
    second = run_with("-d", AUTO, env=cache)
    for run in (first, second):
        assert_same_people(run, on_cpu)
        assert run.devices[AUTO]["executed_on"] == ["GPU.0"]
    assert [run.devices[AUTO]["is_from_cache"] for run in (first, second)] == [False, True]
    assert first.devices[AUTO]["while_switching"] > FRAMES  # of the CPU, until the GPU was ready: in no figure
    assert second.devices[AUTO]["while_switching"] < FRAMES


def test_hetero_of_openvinos_own_split(alone: Alone, on_cpu: Run) -> None:
    run = alone(HETERO)
    assert_same_people(run, on_cpu)
    assert "GPU.0" in str(run.devices[HETERO]["executed_on"])


def test_hetero_by_convolutions_runs_on_both(run_with: Runner, first_maps_xml: Path) -> None:
    model = small(str(first_maps_xml), "f32")
    on_cpu = run_with("-d", "CPU", model=model)
    run = run_with("-d", HETERO, "--affinity", "conv", model=model)
    assert_same_people(run, on_cpu)
    hetero = run.devices[HETERO]
    assert hetero["subgraphs"] > 40
    assert set(hetero["operations"]) == {"CPU", "GPU"}
    assert min(hetero["operations"].values()) > 50
    assert hetero["difference"] < TOLERANCE


def test_hetero_by_a_file(run_with: Runner, on_cpu: Run, tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text('{"MaxPool": "GPU", ".*": "CPU"}')
    run = run_with("-d", HETERO, "--affinity", tmp_path / "map.json")
    assert_same_people(run, on_cpu)
    assert run.devices[HETERO]["operations"]["GPU"] < 20 < run.devices[HETERO]["operations"]["CPU"]


def test_a_network_of_16_bits_executes_in_them(run_with: Runner) -> None:
    on_cpu, on_gpu = (run_with("-d", device, model=small("mobilenet-thin", "f16")) for device in ("CPU", "GPU"))
    assert on_gpu.devices["GPU"]["execution_precision"] == "f16"
    assert share_found(on_gpu, on_cpu, pixels=8) > 0.95  # a third of a cell


def test_int8_layers_execute_on_the_gpu(run_with: Runner, tmp_path: Path) -> None:
    """Some layers of the zoo's network: all of them take the GPU plugin three minutes to compile here."""
    (tmp_path / "map.json").write_text('{"conv2_.*": "GPU", ".*": "CPU"}')
    model = small("human-pose-estimation-0001", "f32")
    on_cpu = run_with("-d", "CPU", model=model)
    on_both = run_with("-d", HETERO, "--affinity", tmp_path / "map.json", model=model)
    assert on_cpu.devices["CPU"]["execution_precision"] == "INT8 + f32"
    assert on_both.devices[HETERO]["operations"]["GPU"] > 10
    assert share_found(on_both, on_cpu, pixels=8) > 0.95


def test_each_precision_of_a_hetero_has_a_file_of_its_own_in_the_cache(run_with: Runner, tmp_path: Path) -> None:
    """OpenVINO's own names of these files are the same for both."""
    (tmp_path / "map.json").write_text('{"MaxPool": "GPU", ".*": "CPU"}')
    split = ("-d", "HETERO:GPU,CPU", "--affinity", tmp_path / "map.json", "--frames", 2)
    cache = {"XDG_CACHE_HOME": str(tmp_path)}
    seen = []
    for precision in ("f32", "f16", "f32", "f16"):
        run = run_with(*split, env=cache, model=small("mobilenet-thin", precision))
        assert run.code == 0, run.errors
        [device] = run.report["devices"]
        seen.append((device["execution_precision"], device["is_from_cache"]))
    assert [is_from_cache for _, is_from_cache in seen] == [False, False, True, True]
    assert seen[0][0] == seen[2][0] != seen[1][0] == seen[3][0]


def test_a_tour_over_all_of_them(run_with: Runner, alone: Alone, on_cpu: Run) -> None:
    """All come from the cache: Intel's OpenCL runtime for CPUs may hang when it builds kernels while others run."""
    cycle = ["CPU", "GPU", MULTI, HETERO, AUTO]
    for device in cycle:
        assert alone(device).code == 0
    run = run_with("--devices", *cycle, "--tour", 2)
    assert_same_people(run, on_cpu)
    assert list(run.devices) == cycle, run.errors
    assert all(device["frames"] > 0 for device in run.devices.values())
    assert [device for device in cycle if run.devices[device]["is_emulated"]] == cycle[1:]


def test_the_table_of_devices_names_both_and_what_is_emulated(gpu_environment: dict[str, str]) -> None:
    command = [sys.executable, str(ROOT / "human_pose_est.py"), "--list-devices"]
    done = subprocess.run(command, env=gpu_environment, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    [line] = [line for line in done.stdout.splitlines() if line.startswith("GPU ")]
    assert "emulated" in line
    assert "MULTI:GPU,CPU" in done.stdout


def test_two_gpus_are_two_and_each_runs(
    gpu_environment: dict[str, str], run_with: Runner, on_cpu: Run, tmp_path: Path
) -> None:
    """The second one is a copy of the first one's OpenCL driver, beside it."""
    [driver] = [Path(entry.read_text().strip()) for entry in Path(gpu_environment["OCL_ICD_VENDORS"]).glob("*.icd")]
    second = driver.with_name(f"second_{driver.name}")
    if not second.exists():
        shutil.copy(driver, second)
    for library in (driver, second):
        (tmp_path / f"{library.stem}.icd").write_text(f"{library}\n")
    env = {"OCL_ICD_VENDORS": str(tmp_path)}
    command = [sys.executable, str(ROOT / "human_pose_est.py"), "--list-devices"]
    done = subprocess.run(
        command, env={**gpu_environment, **env}, capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert [line.split()[0] for line in done.stdout.splitlines()[1:5]] == ["CPU", "GPU.0", "GPU.1", "NPU"]
    assert "  GPU.0  GPU.1  MULTI:GPU.0,GPU.1,CPU  HETERO:GPU.0,GPU.1,CPU" in done.stdout
    (tmp_path / "map.json").write_text('{"MaxPool": "GPU.1", ".*": "CPU"}')
    run = run_with("-d", "HETERO:GPU.1,CPU", "--affinity", tmp_path / "map.json", env=env)
    assert_same_people(run, on_cpu)
    assert set(run.devices["HETERO:GPU.1,CPU"]["operations"]) == {"GPU.1", "CPU"}


def test_the_doctor_finds_a_gpu(gpu_environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "human_pose.doctor", "--json"]
    done = subprocess.run(
        command, cwd=ROOT, env=gpu_environment, capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert "emulated" in json.dumps(json.loads(done.stdout))

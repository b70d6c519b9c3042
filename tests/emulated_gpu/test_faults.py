"""What can go wrong with a GPU, on the emulated one: it does not compile, does not answer, takes a minute to start."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops
from openvino import opset14

from human_pose.media.sources import open_source
from tests.conftest import ROOT
from tests.emulated_gpu.conftest import F32, PATIENCE_S, Run, Runner, assert_same_people
from tests.helpers.painted import painted_network
from tests.helpers.window import Demo, wait_for

pytestmark = [pytest.mark.emulated_gpu, pytest.mark.slow]

AT_ONCE_S = 10.0  # for an end that waits for nothing; the compilation under way takes the emulated GPU half a minute


@pytest.fixture
def refused_xml(tmp_path: Path) -> Path:
    """IR of the painted network with an operation that only the CPU has: the inverse of a matrix."""
    model = painted_network()
    pafs, heatmaps = (result.input_value(0) for result in model.get_results())
    inverse = opset14.inverse(
        ops.reduce_max(pafs, np.array([1, 2, 3]), keep_dims=True), False
    )  # never used as a number
    one = ops.select(ops.is_nan(inverse), ops.constant(np.float32(1)), ops.constant(np.float32(1)))
    model = ov.Model([ops.result(ops.multiply(pafs, one)), ops.result(heatmaps)], model.get_parameters(), "refused")
    ov.save_model(model, tmp_path / "refused.xml", compress_to_fp16=False)
    return tmp_path / "refused.xml"


def test_a_gpu_that_refuses_the_network_is_named_and_the_cpu_goes_on(run_with: Runner, refused_xml: Path) -> None:
    run = run_with("--devices", "CPU", "GPU", "--tour", 1, "--no-cache", model=("-m", refused_xml))
    assert run.code == 0, run.errors
    assert list(run.devices) == ["CPU"]
    assert run.errors.count("GPU cannot run this network") == 1


def test_a_first_gpu_that_refuses_the_network_ends_the_run_with_one_line(run_with: Runner, refused_xml: Path) -> None:
    run = run_with("-d", "GPU", "--no-cache", model=("-m", refused_xml))
    assert run.code == 1
    [line] = run.errors.splitlines()
    assert line.startswith("error: GPU cannot run this network: ")


def test_a_gpu_that_does_not_answer_is_given_up_and_no_frame_is_lost(
    run_with: Runner, on_cpu: Run, tmp_path: Path
) -> None:
    """The GPU works; what it says is not heard."""
    script = tmp_path / "deaf.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import human_pose_est\n"
        "from human_pose.inference import estimator, openvino_backend\n"
        "estimator.HANGS_AFTER_S = 6.0\n"
        "class Deaf(openvino_backend.OpenVinoRequest):\n"
        "    def is_done(self, wait_ms):\n"
        "        return self.compiled.device != 'GPU' and super().is_done(wait_ms)\n"
        "openvino_backend.OpenVinoRequest = Deaf\n"
        "human_pose_est.program()\n"
    )
    run = run_with("--devices", "CPU", "GPU", "--tour", 1, script=script)
    assert_same_people(run, on_cpu)
    assert list(run.devices) == ["CPU"]
    assert "GPU failed while inferring: no result within 6 s" in run.errors


def test_while_a_gpu_compiles_the_cpu_goes_on_and_escape_leaves_whole_files(
    demo: Callable[..., Demo], gpu_environment: dict[str, str], clip: Path, tmp_path: Path
) -> None:
    window = demo(
        "-i", clip, "--loop", "--realtime", *F32, "--devices", "CPU", "GPU", "--no-cache",
        "-o", tmp_path / "out.mp4", "--keypoints", tmp_path / "k.jsonl", env=gpu_environment,
    )  # fmt: skip
    wait_for(lambda: window.shows("CPU"), "the panel to name the CPU")
    window.press("Tab")
    time.sleep(3)
    assert window.shows("CPU")
    assert not window.stands_still()
    pressed_at = time.monotonic()
    window.quit()
    assert time.monotonic() - pressed_at < AT_ONCE_S
    report = json.loads((tmp_path / "r.json").read_text())
    [cpu] = report["devices"]
    assert cpu["while_switching"] > 0
    frames = cpu["frames"] + cpu["warmup_frames"] + cpu["while_switching"]
    assert len((tmp_path / "k.jsonl").read_text().splitlines()) == frames
    written = sum(1 for _ in open_source(str(tmp_path / "out.mp4")).images())
    assert written >= frames  # by the source's clock: a picture is repeated where none was ready


def test_ctrl_c_leaves_while_the_first_network_is_being_compiled(
    gpu_environment: dict[str, str], clip: Path, tmp_path: Path
) -> None:
    command = [sys.executable, ROOT / "human_pose_est.py", "--no-show", "-i", clip, *F32, "-d", "GPU", "--no-cache"]
    process = subprocess.Popen(
        [str(part) for part in command], env=gpu_environment, cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stderr.readline() == "Compiling the network for GPU ...\n"
    pressed_at = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert time.monotonic() - pressed_at < AT_ONCE_S
    assert "Traceback" not in errors


def test_the_study_has_rows_of_the_gpu_and_calls_them_emulated(
    gpu_environment: dict[str, str], clip: Path, tmp_path: Path
) -> None:
    command = [
        sys.executable, "-m", "human_pose.study", "--quick", "-m", "mobilenet-thin", "-p", "FP16", "-i", clip,
        "--size", 96, "--devices", "CPU", "GPU", "MULTI:GPU,CPU", "--hint", "latency", "--runs", 1, "--cache",
        "--no-charts", "--output", tmp_path / "study",
    ]  # fmt: skip
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, env=gpu_environment, capture_output=True, text=True,
        timeout=2 * PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    data = json.loads((tmp_path / "study" / "results.json").read_text())
    assert data["complete"]
    assert not [run for run in data["runs"] if "error" in run]
    report = (tmp_path / "study" / "report.md").read_text()
    rows = [line for line in report.splitlines() if line.startswith("|") and "GPU" in line]
    assert rows
    assert all("emulated" in row for row in rows)
    assert "sum" in report

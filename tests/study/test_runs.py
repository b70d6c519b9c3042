"""The study's processes: stopped and resumed, a cell that fails among cells that do not, and what a run holds."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openvino as ov
import pytest

from human_pose.errors import UsageError
from human_pose.evaluate import Evaluation
from human_pose.folders import MODELS_FOLDER
from human_pose.inference.float_twin import NOTE
from human_pose.inference.model import PoseModel
from human_pose.measurement import throughput, workload
from human_pose.measurement.cells import Cell, StudyOptions
from human_pose.study import runner
from human_pose.study.__main__ import main
from human_pose.study.cell import do
from human_pose.study.charts import charts
from human_pose.study.conclusions import conclusions
from human_pose.study.findings import Findings
from human_pose.study.plan import Job
from human_pose.study.report import facts
from human_pose.study.results import Study
from human_pose.study.runner import result_of
from human_pose.study.tables import tables
from human_pose.zoo.catalog import BUNDLED, DEFAULT_MODEL
from human_pose.zoo.resolve import ZOO_VARIABLE, choose_model
from tests.conftest import Program
from tests.helpers.one_stage import save_one_stage
from tests.helpers.onnx_models import write_onnx
from tests.helpers.painted import blank, paint_person


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A painted person: a video of one frame."""
    path = tmp_path_factory.mktemp("picture") / "person.png"
    cv2.imwrite(str(path), paint_person(blank()))
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten frames of a painted person, without loss."""
    path = tmp_path_factory.mktemp("film") / "person.avi"
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"FFV1"), 30, (320, 256))
    for number in range(10):
        writer.write(paint_person(blank(), shift=(number, 0)))
    writer.release()
    return path


@pytest.fixture(autouse=True)
def _no_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """None but the first result of each request: what is measured in this process is not looked at for its speed."""
    monkeypatch.setattr(throughput, "WARM_UP_S", 0.0)


def options(xml: Path, picture: Path, folder: Path, *more: object) -> list[str]:
    wanted = ["-m", xml, "-i", picture, "-p", "FP32", "--devices", "CPU", "--hint", "throughput", "--requests-grid"]
    return [str(word) for word in [*wanted, "--output", folder, "--no-charts", *more]]


def runs_in(results: Path) -> int:
    return len(json.loads(results.read_text())["runs"]) if results.is_file() else 0


def test_killed_stopped_and_resumed_study_has_each_run_once(
    painted_xml: Path, film: Path, tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "s"
    results = folder / "results.json"
    # Quick, so without benchmark_app, whose processes take longest.
    begun = options(painted_xml, film, folder, "--runs", 2, "--frames", 2, "--quick", "-p", "FP32", "FP16",
        "--agreement-frames", 4)  # fmt: skip

    def run_until(runs: int, ending: signal.Signals, arguments: list[str]) -> tuple[int, str, dict[str, Any]]:
        """Its exit code, what it said, and its results, once it was sent `ending` after so many runs."""
        command = [sys.executable, "-m", "human_pose.study", *arguments]
        study = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and runs_in(results) < runs:
            time.sleep(0.05)
        study.send_signal(ending)
        _, errors = study.communicate(timeout=60)
        return study.returncode, errors, json.loads(results.read_text())

    code, _, killed = run_until(1, signal.SIGKILL, begun)
    assert code == -signal.SIGKILL
    assert len(killed["runs"]) >= 1
    assert not killed["complete"]

    code, errors, stopped = run_until(2, signal.SIGINT, ["--resume", "--output", str(folder), "--no-charts"])
    assert code == 130, errors
    assert "--resume" in errors
    assert not stopped["complete"]
    assert stopped["runs"][: len(killed["runs"])] == killed["runs"]
    assert 2 <= len(stopped["runs"]) < 4
    assert "the study was stopped after" in (folder / "report.md").read_text()

    def do_here(job: Job, options: StudyOptions, stop: object, reference: str) -> dict[str, Any]:
        """In this process: that each job has a process of its own was seen above, and its start takes longest."""
        return do(job.task, job.cell, options, reference)

    monkeypatch.setattr(runner, "do", do_here)
    assert main(["--resume", "--output", str(folder), "--no-charts"]) == 0
    resumed = json.loads(results.read_text())
    assert resumed["complete"]
    assert resumed["runs"][: len(stopped["runs"])] == stopped["runs"]
    jobs = [entry["job"] for entry in (*resumed["runs"], *resumed["extras"])]
    assert len(jobs) == len(set(jobs))
    planned = [run for run in resumed["runs"] if run["round"] < 2]  # the others repeat what was disturbed
    assert sorted((run["cell"].split()[-2], run["round"]) for run in planned) == [
        (precision, number) for precision in ("FP16", "FP32") for number in range(2)
    ]
    assert not [entry for entry in (*resumed["runs"], *resumed["extras"]) if "error" in entry]
    [agreed] = [extra for extra in resumed["extras"] if extra["task"] == "agreement"]
    assert agreed["keypoints"] > 0
    assert agreed["within_pixels"] == 1.0  # of the same network
    assert "the study was stopped" not in (folder / "report.md").read_text()
    assert main(["--resume", "--output", str(folder), "--no-charts"]) == 0
    assert json.loads(results.read_text())["runs"] == resumed["runs"]  # nothing is left to do


class TestFailures:
    def test_a_cell_that_fails_is_a_row_and_the_rest_goes_on(
        self, painted_xml: Path, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        def fake(job: Job, options: StudyOptions, stop: object, reference: str) -> dict[str, Any]:
            if job.cell.kind == "benchmark_app":
                return {"error": "its process was ended by signal 11"}
            if job.task != "run":
                return {"error": "not now"}
            return {"inference_fps": 2.0, "application_fps": 1.0, "latency_ms": {"mean": 1.0, "min": 1.0, "max": 1.0}}

        monkeypatch.setattr(runner, "do", fake)
        wanted = options(painted_xml, picture, tmp_path / "s", "--runs", 3, "--frames", 2)
        assert main(wanted) == 0
        study = Study.load(tmp_path / "s")
        tool = next(cell for cell in study.cells if cell.kind == "benchmark_app")
        other = next(cell for cell in study.cells if cell.kind == "openvino")
        assert len([run for run in study.all_runs(other) if run["round"] < 3]) == 3
        assert len(study.errors(tool)) == runner.GIVEN_UP_AFTER
        row = next(r for r in (tmp_path / "s" / "report.md").read_text().splitlines() if r.startswith("| benchmark"))
        assert row.endswith(" | its process was ended by signal 11 |")
        assert "failed: its process was ended by signal 11" in capsys.readouterr().err

    def test_a_process_that_dies_is_an_error_that_says_so(self) -> None:
        assert result_of(-11, "", "") == {"error": "its process was ended by signal 11"}
        assert result_of(3, "", "x\nboom\n") == {"error": "its process ended with exit code 3: boom"}
        assert result_of(0, "noise", "") == {"error": "its process ended with exit code 0"}
        assert result_of(0, 'noise\n{"a": 1}\n', "") == {"a": 1}

    def test_a_device_that_refuses_is_told_by_its_process(self, painted_xml: Path, picture: Path, root: Path) -> None:
        cell = Cell("openvino", "painted", "FP32", str(painted_xml), "GPU.7")
        job = {
            "task": "run",
            "cell": vars(cell),
            "options": vars(StudyOptions(["GPU.7"], [], [], str(picture), frames=2)),
        }
        done = subprocess.run(
            [sys.executable, "-m", "human_pose.study.cell", json.dumps(job)],
            cwd=root, capture_output=True, text=True, check=False, env=dict(os.environ),
        )  # fmt: skip
        assert "GPU" in result_of(done.returncode, done.stdout, done.stderr)["error"]


def test_what_a_study_cannot_have_is_a_row_with_the_reason(painted_xml: Path, picture: Path) -> None:
    study = runner.begin(StudyOptions(["CPU"], [str(painted_xml)], ["FP32", "FP16-INT8"], str(picture)))
    found = Findings(study)
    missing = [one for one in found.every if one.cell.precision == "FP16-INT8"]
    assert missing
    assert all("no file of this precision" in str(one.why_not) for one in missing)
    originals = [one.why_not for one in found.originals]
    assert len(originals) == 2
    assert all("no original file of painted: give --original FILE" in str(why) for why in originals)


def test_float_precisions_of_the_bundled_network_are_its_float_twins_and_the_study_says_so(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, precision in BUNDLED.items():
        shutil.copytree(MODELS_FOLDER / name / precision, tmp_path / name / precision)
    monkeypatch.setenv(ZOO_VARIABLE, (tmp_path / "nowhere").as_uri())
    monkeypatch.setattr(workload, "choose_model", partial(choose_model, models_folder=tmp_path))
    options = StudyOptions(
        ["CPU"], [DEFAULT_MODEL], ["FP32", "FP16-INT8"], str(picture), size=64, frames=2, agreement_frames=2
    )
    study = runner.begin(options)
    twin, int8 = study.data["models"]
    assert (twin["precision"], twin["note"], twin["missing"]) == ("FP32", "float twin of FP16-INT8", None)
    assert (int8["precision"], int8["note"]) == ("FP16-INT8", "")
    assert twin["weights_sha256"] == int8["weights_sha256"]  # of the file that it is made of
    assert f"{DEFAULT_MODEL} FP32: float twin of FP16-INT8, weights' SHA-256 47ae" in dict(facts(study))["Models"]
    runner.check_same_machine(study)
    for precision, executed in (("FP32", "f32"), ("FP16-INT8", "INT8")):
        cell = next(cell for cell in study.cells if (cell.kind, cell.precision) == ("openvino", precision))
        assert do("run", cell, options, "")["execution_precision"].startswith(executed)


@pytest.mark.parametrize("precisions", [["FP32"], ["FP32", "FP16", "FP16-INT8"]])
def test_quantized_file_alone_stands_for_its_float_twins(precisions: list[str], picture: Path) -> None:
    int8 = choose_model(DEFAULT_MODEL, "FP16-INT8").path
    models = workload.models_of(StudyOptions(["CPU"], [str(int8)], precisions, str(picture)))
    assert [(model.precision, model.file) for model in models] == [(precision, str(int8)) for precision in precisions]
    assert [model.note for model in models] == [NOTE if one != "FP16-INT8" else "" for one in precisions]


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("versions", lambda data: data["machine"].update(versions={"openvino": "2025.0"})),
        ("video", lambda data: data["video"].update(sha256="00")),
        ("weights", lambda data: data["models"][0].update(weights_sha256="00")),
    ],
)
def test_runs_of_two_machines_or_networks_are_not_mixed(
    what: str, change: Callable[[dict[str, Any]], None], painted_xml: Path, picture: Path
) -> None:
    study = runner.begin(StudyOptions(["CPU"], [str(painted_xml)], ["FP32"], str(picture)))
    runner.check_same_machine(study)
    change(study.data)
    with pytest.raises(UsageError, match=f"others of these: {what}. Runs of both cannot be mixed"):
        runner.check_same_machine(study)


class TestRun:
    @pytest.fixture(scope="class")
    @classmethod
    def run(cls, painted_xml: Path, picture: Path) -> dict[str, Any]:
        """Of a cell with three requests, forty frames in each measurement."""
        cell = Cell("openvino", "painted", "FP32", str(painted_xml), requests=3)
        return do("run", cell, StudyOptions(["CPU"], [], [], str(picture), frames=40), "")

    def test_measures_as_many_frames_as_asked_for(self, run: dict[str, Any]) -> None:
        assert run["inferences"] == sum(run["latency_bins"].values()) == 40
        assert run["application_frames"] == 40

    def test_says_how_it_ran(self, run: dict[str, Any]) -> None:
        assert (run["requests"], run["executed_on"], run["execution_precision"]) == (3, ["CPU"], "f32")
        assert run["input_size"] == [320, 256]
        assert run["compile_s"] > 0
        assert {"own_cores", "other_cores", "mhz", "temperature_c", "disturbed"} == run["conditions"].keys()

    def test_figures_fit_together(self, run: dict[str, Any]) -> None:
        latency = run["latency_ms"]
        assert 0 < latency["min"] <= latency["p50"] <= latency["max"]
        assert run["application_fps"] < run["inference_fps"]
        # No more than three are in flight: each takes at most three intervals of the throughput, but for the ends.
        assert latency["mean"] <= 1.2 * 3 * 1000 / run["inference_fps"]


def test_a_network_agrees_with_itself(painted_xml: Path, film: Path) -> None:
    cell = Cell("openvino", "painted", "FP16", str(painted_xml))
    options = StudyOptions(["CPU"], [], [], str(film), agreement_frames=8)
    found = do("agreement", cell, options, str(painted_xml))
    assert (found["frames"], found["within_pixels"], found["people"]) == (8, 1.0, 8)
    assert found["keypoints"] == 8 * 14


def test_two_families_stand_side_by_side(painted_xml: Path, picture: Path, tmp_path: Path) -> None:
    whole = save_one_stage(tmp_path, height=-1, width=-1).parent  # a folder is a model, too
    wanted = StudyOptions(
        ["CPU"], [str(painted_xml), str(whole)], ["FP32", "FP16"], str(picture), hints=["throughput"], size=320,
        runs=1, frames=2, agreement_frames=4, quick=True,
    )  # fmt: skip
    study = runner.begin(wanted)
    floats = runner.references(study)
    jobs = [job for job in runner.jobs_of(study) if job.task != "agreement"]  # a picture is too few frames for that
    for job in jobs:
        study.add(job, do(job.task, job.cell, study.options, floats[job.cell.model]))
    found = Findings(study)
    assert [(one.cell.model, one.cell.precision) for one in found.accuracy] == [
        ("painted", "FP32"), ("painted", "FP16"), ("whole", "FP32"), ("whole", "FP16"),
    ]  # fmt: skip
    assert {one.cell.model: one.input_size for one in found.accuracy} == {"painted": "400x320", "whole": "320x256"}
    both = [f"{one.cell.model} {one.cell.precision}" for one in found.accuracy]
    for table in tables(found)[:3]:
        assert [row[0] for row in table.rows] == [f"CPU {one}, throughput hint" for one in both]
    said = conclusions(found)["Networks"]
    assert [sentence.split(":")[0] for sentence in said] == [
        f"{one} on CPU, throughput hint, at 320x256 against painted at 400x320" for one in both[2:]
    ]
    [chart] = charts(found, ["networks"])
    assert all(f">{model}<".encode() in chart.svg for model in ("painted", "whole"))


def test_ap_is_measured_at_the_size_of_the_runs(picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def evaluated(core: ov.Core, network: PoseModel, images: Path, labels: Path, device: str, size: int) -> Evaluation:
        sizes.append(size)
        return Evaluation({}, 0, [], 0.0, 0.0, [])

    monkeypatch.setattr("human_pose.study.cell.evaluate", evaluated)
    cell = Cell("openvino", "whole", "FP32", str(save_one_stage(tmp_path, height=-1, width=-1)))
    do("ap", cell, StudyOptions(["CPU"], [], [], str(picture), size=320, images=".", annotations="a.json"), "")
    assert sizes == [320]  # the longer side, which --size names; the other is 256


@pytest.mark.parametrize(("channels", "is_nhwc"), [((57,), True), ((19, 38), False)])
def test_original_is_measured_and_gives_the_same_maps(channels: tuple[int, ...], is_nhwc: bool, tmp_path: Path) -> None:
    graph, picture = write_onnx(tmp_path / "tiny.onnx", channels, is_nhwc), tmp_path / "small.png"
    cv2.imwrite(str(picture), np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8))
    ov.save_model(ov.Core().read_model(graph), tmp_path / "tiny.xml", compress_to_fp16=False)
    cell = Cell("opencv", "tiny", "FP32", str(graph), hint="latency")
    options = StudyOptions(["CPU"], [], [], str(picture), size=64, frames=6)
    assert do("check", cell, options, str(tmp_path / "tiny.xml"))["largest_difference"] < 1e-3
    run = do("run", cell, options, "")
    assert (run["inferences"], run["application_frames"], run["framework"]) == (6, 6, "OpenCV DNN")
    assert run["latency_ms"]["mean"] <= 1000 / run["inference_fps"]


def test_original_has_the_input_size_of_the_network_that_it_is_compared_with(
    painted_xml: Path, picture: Path, tmp_path: Path
) -> None:
    graph = write_onnx(tmp_path / "tiny.onnx", (57,), True)
    options = StudyOptions(["CPU"], [], [], str(picture), frames=1)
    own = do("run", Cell("openvino", "painted", "FP32", str(painted_xml)), options, "")
    original = do("run", Cell("opencv", "painted", "FP32", str(graph), hint="latency"), options, str(painted_xml))
    assert original["input_size"] == own["input_size"] == [320, 256]


def test_original_in_tensorflow_gives_the_same_maps(tmp_path: Path, picture: Path) -> None:
    tensorflow = pytest.importorskip("tensorflow", reason="TensorFlow is not installed: pip install tensorflow-cpu")
    v1 = tensorflow.compat.v1
    with tensorflow.Graph().as_default() as graph:
        image = v1.placeholder(tensorflow.float32, [1, None, None, 3], "image")
        weights = np.random.default_rng(2).normal(0, 0.01, (8, 8, 3, 57)).astype(np.float32)
        tensorflow.nn.conv2d(image, weights, 8, "SAME", name="maps")
    file = tmp_path / "tiny.pb"
    file.write_bytes(graph.as_graph_def().SerializeToString())
    ov.save_model(ov.convert_model(file), tmp_path / "tiny.xml", compress_to_fp16=False)
    options = StudyOptions(["CPU"], [], [], str(picture), size=64, frames=5)
    for kind in ("tensorflow", "opencv"):
        cell = Cell(kind, "tiny", "FP32", str(file), hint="latency")
        assert do("check", cell, options, str(tmp_path / "tiny.xml"))["largest_difference"] < 1e-3
        run = do("run", cell, options, "")
        assert (run["inferences"], run["application_frames"]) == (5, 5)


def test_original_that_is_none_is_told_in_one_line(tmp_path: Path, picture: Path) -> None:
    graph = tmp_path / "net.pb"
    graph.write_bytes(b"no graph")
    with pytest.raises(UsageError, match="cannot be read as a network"):
        do("run", Cell("opencv", "net", "FP32", str(graph)), StudyOptions(["CPU"], [], [], str(picture)), "")


def test_layers_of_a_network_are_timed(painted_xml: Path, picture: Path) -> None:
    cell = Cell("openvino", "painted", "FP32", str(painted_xml))
    found = do("layers", cell, StudyOptions(["CPU"], [], [], str(picture)), "")
    assert found["heaviest"]
    assert found["heaviest"][0]["ms"] == max(layer["ms"] for layer in found["heaviest"])
    assert len(found["heaviest"]) <= 10


def test_quick_study_is_whole_and_measures_what_the_demo_does(tmp_path: Path, call: Program) -> None:
    runs = 1  # of five, two frames each, without the float precisions and charts, to be done sooner
    sooner = ["--runs", str(runs), "--frames", "2", "-p", "FP16-INT8", "--no-charts"]
    assert main(["--quick", *sooner, "--output", str(tmp_path / "s")]) == 0
    done = call("--frames", 1, "--report", tmp_path / "demo.json")
    assert done.returncode == 0, done.stderr
    demo = json.loads((tmp_path / "demo.json").read_text())
    study = Study.load(tmp_path / "s")
    assert study.data["complete"]
    for cell in study.cells:
        assert len(study.all_runs(cell)) == (0 if cell.not_measured else runs), cell.id
        assert study.errors(cell) == []
    assert {path.name for path in (tmp_path / "s").iterdir()} == {"report.html", "report.md", "results.json"}
    sizes = {one.input_size for one in Findings(study).every if one.runs}
    assert sizes == {"x".join(map(str, demo["input"]["network_size"]))}
    assert demo["model"] in {cell.model for cell in study.cells}
    assert [extra["task"] for extra in study.data["extras"] if "error" not in extra] == ["layers"]
    first = (tmp_path / "s" / "report.html").read_text().split("</section>")[0]
    assert f"for the whole application at an input of {sizes.pop()}. Too few" in first or "Do not quote" in first

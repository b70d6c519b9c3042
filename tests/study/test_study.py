"""The study: what is planned, what its figures mean, and its commands."""

import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from human_pose.errors import DemoError
from human_pose.folders import BUNDLED_VIDEO, MODELS_FOLDER
from human_pose.measurement.intervals import BINS_PER_DECADE, MIN_RUNS, Ratio, bins, figures, ratio, student_t
from human_pose.measurement.machine import Watch, disturbs
from human_pose.measurement.stand_ins import write_plugins
from human_pose.measurement.throughput import alone_figures
from human_pose.study import runner
from human_pose.study.__main__ import main
from human_pose.study.findings import agrees
from human_pose.study.hetero import crossing_bytes
from human_pose.study.options import options_of, study_parser
from human_pose.study.original import split
from human_pose.study.plan import matrix, schedule
from human_pose.study.results import Study, kept
from human_pose.zoo.catalog import DEFAULT_MODEL
from tests.helpers.invented import MODELS, OPTIONS, ORIGINAL, invented

BUNDLED = MODELS_FOLDER / "mobilenet-thin" / "FP16" / "mobilenet-thin.xml"


class TestFigures:
    def test_of_known_values(self) -> None:
        shown = figures([1.0, 2.0, 3.0, 4.0, 10.0])
        assert (shown.runs, shown.mean, shown.median) == (5, 4.0, 3.0)
        assert shown.sd == pytest.approx(statistics.stdev([1, 2, 3, 4, 10]))
        assert shown.low is not None
        assert shown.high is not None
        assert shown.low < 4 < shown.high

    def test_few_runs_have_no_interval(self) -> None:
        assert figures([1.0, 2.0, 3.0, 4.0]).low is None
        one, ten = figures([1.0, 2.0]), figures([10.0, 20.0])
        assert "too few runs" in str(ratio(one, one))
        assert not ratio(one, ten).is_shown

    @pytest.mark.parametrize(("freedom", "t"), [(4, 2.7764), (9, 2.2622), (19, 2.0930)])
    def test_students_t_is_that_of_the_tables(self, freedom: int, t: float) -> None:
        assert student_t(freedom) == pytest.approx(t, abs=2e-3)

    @pytest.mark.parametrize(("runs", "lowest"), [(5, 0.89), (10, 0.92), (20, 0.92)])
    def test_intervals_hold_the_truth_as_often_as_they_say(self, runs: int, lowest: float) -> None:
        draw = np.random.default_rng(5)
        held = []
        for _ in range(300):
            shown = figures(draw.normal(30, 3, runs).tolist())
            assert shown.low is not None
            assert shown.high is not None
            held.append(shown.low <= 30 <= shown.high)
        assert lowest <= np.mean(held) <= 0.985

    def test_ratios_hold_the_truth_and_see_a_difference(self) -> None:
        draw = np.random.default_rng(6)
        held, seen, false_alarms = [], [], []
        for _ in range(100):
            one, other, same = (figures(draw.normal(mean, 3, 20).tolist()) for mean in (60, 50, 60))
            shown = ratio(one, other)
            assert shown.low is not None
            assert shown.high is not None
            held.append(shown.low <= 1.2 <= shown.high)
            seen.append(shown.is_shown)
            false_alarms.append(ratio(one, same).is_shown)
        assert 0.91 <= np.mean(held) <= 0.985
        assert np.mean(seen) == 1
        assert np.mean(false_alarms) <= 0.09

    def test_ratio_to_a_sum(self) -> None:
        against = ratio(*(figures([mean] * 5) for mean in (30.0, 10.0, 20.0)))
        assert against.value == pytest.approx(1)
        assert "no difference shown" in str(against)

    @pytest.mark.parametrize(
        ("one", "expected"),
        [
            (Ratio(0.99, 0.96, 1.02), True),
            (Ratio(1.0, 0.94, 1.04), False),  # too wide to show it
            (Ratio(1.04, 1.02, 1.06), False),
            (Ratio(1.0, None, None), False),
        ],
    )
    def test_figures_agree_only_where_the_whole_interval_is_near_1(self, one: Ratio, expected: bool) -> None:
        assert agrees(one) is expected

    def test_every_latency_is_in_its_bin(self) -> None:
        latencies = [0.02, 1.0, 1.04, 9.99, 10.0, 10.3, 1234.5]
        counted = {int(number): count for number, count in bins(latencies).items()}
        assert sum(counted.values()) == len(latencies)
        assert counted[0] == 2  # from 1 to 1.047 ms
        for number in counted:
            edges = [10 ** (edge / BINS_PER_DECADE) for edge in (number, number + 1)]
            assert sum(edges[0] <= latency < edges[1] for latency in latencies) == counted[number]

    def test_the_same_values_give_the_same_interval(self) -> None:
        values = np.random.default_rng(1).normal(10, 1, 20).tolist()
        assert figures(values) == figures(values)


class TestQuick:
    def test_measures_what_the_demo_does(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / DEFAULT_MODEL).mkdir()  # it is here
        monkeypatch.setattr("human_pose.study.options.MODELS_FOLDER", tmp_path, raising=False)
        options = options_of(study_parser("").parse_args(["--quick"]))
        assert options.models == [DEFAULT_MODEL]
        assert (options.input, options.size) == (str(BUNDLED_VIDEO), None)
        assert (options.hints, options.devices) == (["throughput"], ["CPU"])
        assert options.runs == MIN_RUNS
        assert "It leaves out, unless asked for: devices other than the CPU" in options.note

    def test_options_that_are_given_hold(self) -> None:
        options = options_of(
            study_parser("").parse_args(["--quick", "--size", "128", "--runs", "2", "--devices", "GPU"])
        )
        assert (options.size, options.runs, options.devices) == (128, 2, ["GPU"])
        assert options_of(study_parser("").parse_args(["--quick", "--height", "64"])).size == 64

    def test_files_have_whole_paths_so_that_a_study_goes_on_from_any_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        for name in ("v.mp4", "net.pb", "net.xml"):
            Path(name).touch()
        for name in ("exported", DEFAULT_MODEL):  # a name stays one, even where a folder has it
            Path(name).mkdir()
        words = ["--input", "v.mp4", "--original", "net.pb", "--model", "net.xml", DEFAULT_MODEL, "exported"]
        options = options_of(study_parser("").parse_args(words))
        assert (options.input, options.original) == (str(tmp_path / "v.mp4"), str(tmp_path / "net.pb"))
        assert options.models == [str(tmp_path / "net.xml"), DEFAULT_MODEL, str(tmp_path / "exported")]

    def test_has_no_second_runs(self) -> None:
        study = invented(replace(OPTIONS, quick=True))
        study.all_runs(study.cells[0])[0]["conditions"]["disturbed"] = True
        assert runner.repeats(study) == []


class TestPlan:
    def test_matrix_holds_every_combination_once(self) -> None:
        cells = matrix(OPTIONS, MODELS)
        assert len({cell.id for cell in cells}) == len(cells)
        # 3 precisions x 2 hints x (3 devices + HETERO's two splits); the grid adds 1 and 2 requests to those 5.
        assert len(cells) == 3 * 2 * 5 + 2 * 5
        assert {cell.not_measured for cell in cells if cell.precision == "FP16-INT8"} == {"none here"}
        assert {cell.precision for cell in cells if cell.requests} == {"FP32"}

    def test_each_round_has_each_cell_once_in_an_order_of_its_own(self) -> None:
        cells = [*matrix(OPTIONS, MODELS), ORIGINAL]
        jobs = schedule(cells, OPTIONS)
        rounds = [[job.cell.id for job in jobs if job.round == number] for number in range(6)]
        assert [job.round for job in jobs] == sorted(job.round for job in jobs)
        assert all(max(Counter(order).values()) == 1 for order in rounds)
        assert rounds[0] != rounds[1]
        runs = Counter(job.cell.id for job in jobs)
        assert runs[ORIGINAL.id] == 3
        assert {runs[cell.id] for cell in cells if cell.kind == "openvino" and not cell.not_measured} == {6}

    def test_the_original_has_its_fewer_runs_all_over_the_study(self) -> None:
        cells = [*matrix(OPTIONS, MODELS), ORIGINAL]
        assert [job.round for job in schedule(cells, OPTIONS) if job.cell == ORIGINAL] == [1, 3, 5]
        options = replace(OPTIONS, runs=20, original_runs=10)
        assert [job.round for job in schedule(cells, options) if job.cell == ORIGINAL] == list(range(1, 20, 2))
        options = replace(OPTIONS, runs=2, original_runs=5)
        assert [job.round for job in schedule(cells, options) if job.cell == ORIGINAL] == [0, 1]

    def test_seed_decides_the_order(self) -> None:
        cells = matrix(OPTIONS, MODELS)
        assert schedule(cells, OPTIONS) == schedule(cells, OPTIONS)
        assert schedule(cells, OPTIONS) != schedule(cells, replace(OPTIONS, seed=1))


def test_bytes_cross_once_for_each_device_that_reads_them() -> None:
    image = ops.parameter([1, 3, 8, 8], ov.Type.f32, name="image")
    a = ops.relu(image, name="a")  # 768 bytes, read by b and c on the other device, and by d on its own
    b, c, d = ops.relu(a, name="b"), ops.sigmoid(a, name="c"), ops.tanh(a, name="d")
    e = ops.concat([b, c, d], 1, name="e")  # d's 768 cross
    model = ov.Model([ops.result(e)], [image], "net")
    affinity = {"image": "X", "a": "X", "b": "Y", "c": "Y", "d": "X", "e": "Y"}
    assert crossing_bytes(model, affinity) == (2 * 768, 2)
    assert crossing_bytes(model, dict.fromkeys(affinity, "X")) == (0, 0)


@pytest.mark.parametrize("axis", [1, 3])
def test_outputs_of_an_original_are_told_apart(axis: int) -> None:
    both = np.moveaxis(np.arange(57 * 6, dtype=np.float32).reshape(1, 57, 2, 3), 1, axis)
    outputs = split([both])
    heatmaps, pafs = outputs["heatmaps"], outputs["pafs"]
    assert (heatmaps.shape, pafs.shape) == ((19, 2, 3), (38, 2, 3))
    assert heatmaps[0, 0, 0] == 0
    assert pafs[0, 0, 0] == 19 * 6


def test_a_measurement_without_a_result_says_what_to_do() -> None:
    with pytest.raises(DemoError, match="Give longer ones: --seconds"):
        alone_figures([], 0.1)


def test_work_of_others_is_told_apart_from_ones_own() -> None:
    watch, until = Watch(), time.process_time() + 0.2  # the system counts in hundredths of a second
    while time.process_time() < until:
        pass
    assert 0 < watch.conditions()["own_cores"] <= 1.1
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        watch = Watch()
        time.sleep(0.5)
        assert watch.conditions()["other_cores"] > 0.2
    finally:
        busy.kill()
        busy.wait()
    assert disturbs(1.0)
    assert not disturbs(0.01)


class TestCommand:
    @pytest.mark.parametrize(
        ("arguments", "shown"),
        [
            (["--runs", "0"], "not a count"),
            (["--requests-grid", "many"], "many"),
            (["--seconds", "2", "--frames", "3"], "not allowed with"),
            (["--images", "."], "--annotations"),
            (["--plugins", "none.xml"], "none.xml"),
            (["--devices", "XPU"], "XPU"),
            (["--devices", "CPU", "MULTI:GPU,XPU"], "XPU"),
            (["--devices", "CPU", "grpc://edge"], "is not the address of a model on a server"),
            (["--remote-timeout", "0"], "is not a number of seconds"),
            (["--remote-ca", "none.pem"], "there is no file 'none.pem'"),
            (["--devices", "NPU"], "There is no device 'NPU'"),
            (["--model", "none.xml"], "none.xml"),
            (["--input", "none.mp4"], "none.mp4"),
            (["--original", "none.pb"], "none.pb"),
            (["--original", __file__], "Give a TensorFlow graph (.pb) or an .onnx file"),
            (["-m", str(BUNDLED), "-p", "FP16-INT8"], "it has none of these precisions"),
            (["--resume"], "results.json"),
            (["report", "none.json"], "none.json"),
            (["report", "."], "results.json"),
            (["--frobnicate"], "frobnicate"),
        ],
    )
    def test_wrong_use_ends_with_2_and_one_line(
        self,
        arguments: list[str],
        shown: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.chdir(tmp_path)
        try:
            code = main(arguments)
        except SystemExit as stop:
            code = int(stop.code or 0)
        errors = capsys.readouterr().err
        assert code == 2, errors
        assert shown in errors
        assert len(errors.splitlines()) == 1

    def test_a_study_that_is_there_is_not_overwritten(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        invented().save(tmp_path)
        before = (tmp_path / "results.json").read_bytes()
        assert main(["--output", str(tmp_path)]) == 2
        assert "--resume" in capsys.readouterr().err
        assert (tmp_path / "results.json").read_bytes() == before

    @pytest.mark.parametrize("package", ["matplotlib", "psutil"])
    def test_missing_package_is_told_before_anything_is_measured(
        self, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setitem(sys.modules, package, None)
        assert main(["--quick", "--output", str(tmp_path / "s")]) == 2
        errors = capsys.readouterr().err
        assert package in errors
        assert "pip install '.[study]'" in errors
        assert len(errors.splitlines()) == 1
        assert not (tmp_path / "s").exists()

    def test_report_needs_no_psutil(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "psutil", None)
        invented().save(tmp_path)
        assert main(["report", str(tmp_path), "--no-charts"]) == 0

    def test_without_charts_matplotlib_is_not_needed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
        invented().save(tmp_path)
        assert main(["report", str(tmp_path), "--no-charts"]) == 0
        assert (tmp_path / "report.html").is_file()

    def test_a_study_of_another_version_is_refused(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        study = invented()
        study.data["version"] = 99
        study.save(tmp_path)
        assert main(["report", str(tmp_path)]) == 2
        assert "99" in capsys.readouterr().err


def test_a_device_that_is_not_here_is_a_row_and_the_rest_is_measured(tmp_path: Path) -> None:
    core = ov.Core(str(write_plugins(tmp_path, is_cpu_alone=True)))
    there, missing = runner.devices_of(core, replace(OPTIONS, devices=["CPU", "NPU", "HETERO:GPU.1,CPU"]))
    assert there == ["CPU"]
    assert list(missing) == ["NPU", "HETERO:GPU.1,CPU"]
    assert missing["NPU"].startswith("there is no NPU: ")
    assert missing["HETERO:GPU.1,CPU"].startswith("there is no GPU: ")


def test_left_to_itself_a_cpu_alone_says_what_it_lacks(tmp_path: Path) -> None:
    core = ov.Core(str(write_plugins(tmp_path, is_cpu_alone=True)))
    there, missing = runner.devices_of(core, replace(OPTIONS, devices=[]))
    assert there == ["CPU"]
    assert list(missing) == ["GPU", "NPU", "MULTI:GPU,CPU", "HETERO:GPU,CPU"]
    assert not any("site-packages" in reason or "[...]" in reason for reason in missing.values())


def test_left_to_itself_all_devices_but_auto_are_measured(stand_in_core: ov.Core) -> None:
    there, missing = runner.devices_of(stand_in_core, replace(OPTIONS, devices=[]))
    assert next(device for device in there if ":" not in device) == "CPU"
    assert {"CPU", "GPU"} < set(there)
    assert {device.split(":")[0] for device in there if ":" in device} == {"MULTI", "HETERO"}
    assert list(missing) == ["NPU"]


def test_a_finished_study_tells_no_folder_of_the_machine(tmp_path: Path) -> None:
    study = invented(replace(OPTIONS, images=str(tmp_path / "images"), models=[str(tmp_path / "net.xml"), "net"]))
    study.data["cells"][0]["file"] = str(tmp_path / "a.xml")
    study.data["options"]["annotations"] = str(Path("../beside/annotations.json").resolve())
    assert str(tmp_path) in json.dumps(study.data)
    study.finish()
    assert study.data["options"]["annotations"] == "annotations.json"
    assert str(tmp_path) not in json.dumps(study.data)
    assert study.data["options"]["images"] == "images"
    assert study.data["options"]["models"] == ["net.xml", "net"]
    assert study.data["complete"]


def test_wish_survives_the_file(tmp_path: Path) -> None:
    study = invented()
    study.save(tmp_path)
    loaded = Study.load(tmp_path)
    assert loaded.options == OPTIONS
    assert loaded.cells == study.cells


def test_paths_of_the_project_are_kept_without_its_place(root: Path) -> None:
    assert kept(str(root / "videos" / "park.mp4")) == "videos/park.mp4"
    assert kept("mobilenet-thin") == "mobilenet-thin"
    assert (kept(""), kept(None)) == ("", None)

"""The study: what is planned, what its figures mean, and its report."""

import json
import random
import statistics
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from human_pose.errors import UsageError
from human_pose.study import machine, runner
from human_pose.study.__main__ import main
from human_pose.study.conclusions import conclusions
from human_pose.study.figures import BINS_PER_DECADE, Ratio, bins, figures, ratio, student_t
from human_pose.study.findings import against_members, agrees
from human_pose.study.hetero import crossing_bytes
from human_pose.study.machine import Watch, is_disturbed
from human_pose.study.original import split
from human_pose.study.plan import Cell, Job, Model, Wish, matrix, schedule
from human_pose.study.report import write_report
from human_pose.study.results import Study, kept, there

MODELS = [Model("net", "FP32", "a.xml"), Model("net", "FP16", "b.xml"), Model("net", "FP16-INT8", missing="none here")]
WISH = Wish(["CPU", "GPU", "MULTI:GPU,CPU", "HETERO:GPU,CPU"], ["net"], ["FP32", "FP16", "FP16-INT8"], "v.mp4",
            runs=6, original_runs=3, requests=["1", "2", "optimal"])  # fmt: skip
ORIGINAL = Cell("opencv", "net", "FP32", "net.pb", hint="latency")
TOOL = Cell("benchmark_app", "net", "FP32", "a.xml")


class TestFigures:
    def test_of_known_values(self) -> None:
        told = figures([1.0, 2.0, 3.0, 4.0, 10.0])
        assert (told.runs, told.mean, told.min, told.max, told.median) == (5, 4.0, 1.0, 10.0, 3.0)
        assert told.sd == pytest.approx(statistics.stdev([1, 2, 3, 4, 10]))
        assert told.low is not None
        assert told.high is not None
        assert told.low < 4 < told.high

    def test_few_runs_have_no_interval(self) -> None:
        assert figures([1.0, 2.0, 3.0, 4.0]).low is None
        assert "too few runs" in str(ratio([1.0, 2.0], [1.0, 2.0]))
        assert not ratio([1.0, 2.0], [10.0, 20.0]).is_shown

    @pytest.mark.parametrize(("freedom", "t"), [(4, 2.7764), (9, 2.2622), (19, 2.0930)])
    def test_students_t_is_that_of_the_tables(self, freedom: int, t: float) -> None:
        assert student_t(freedom) == pytest.approx(t, abs=2e-3)

    @pytest.mark.parametrize(("runs", "least"), [(5, 0.89), (10, 0.92), (20, 0.92)])
    def test_intervals_hold_the_truth_as_often_as_they_say(self, runs: int, least: float) -> None:
        draw = np.random.default_rng(5)
        held = []
        for _ in range(600):
            told = figures(draw.normal(30, 3, runs).tolist())
            assert told.low is not None
            assert told.high is not None
            held.append(told.low <= 30 <= told.high)
        assert least <= np.mean(held) <= 0.985

    def test_ratios_hold_the_truth_and_see_a_difference(self) -> None:
        draw = np.random.default_rng(6)
        held, seen, false_alarms = [], [], []
        for _ in range(200):
            one, other, same = draw.normal(60, 3, 20), draw.normal(50, 3, 20), draw.normal(60, 3, 20)
            told = ratio(one.tolist(), other.tolist())
            assert told.low is not None
            assert told.high is not None
            held.append(told.low <= 1.2 <= told.high)
            seen.append(told.is_shown)
            false_alarms.append(ratio(one.tolist(), same.tolist()).is_shown)
        assert 0.91 <= np.mean(held) <= 0.985
        assert np.mean(seen) == 1
        assert np.mean(false_alarms) <= 0.09

    def test_ratio_to_a_sum(self) -> None:
        assert ratio([30.0] * 5, [10.0] * 5, [20.0] * 5).value == pytest.approx(1)
        assert "no difference shown" in str(ratio([30.0] * 5, [10.0] * 5, [20.0] * 5))

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


class TestPlan:
    def test_matrix_holds_every_combination_once(self) -> None:
        cells = matrix(WISH, MODELS)
        assert len({cell.id for cell in cells}) == len(cells)
        # 3 precisions x 2 hints x (3 devices + HETERO's two splits); the grid adds 1 and 2 requests to those 5.
        assert len(cells) == 3 * 2 * 5 + 2 * 5
        assert {cell.not_measured for cell in cells if cell.precision == "FP16-INT8"} == {"none here"}
        assert {cell.precision for cell in cells if cell.requests} == {"FP32"}

    def test_each_round_has_each_cell_once_in_an_order_of_its_own(self) -> None:
        cells = [*matrix(WISH, MODELS), ORIGINAL]
        jobs = schedule(cells, WISH)
        rounds = [[job.cell.id for job in jobs if job.round == number] for number in range(6)]
        assert [job.round for job in jobs] == sorted(job.round for job in jobs)
        assert all(max(Counter(order).values()) == 1 for order in rounds)
        assert rounds[0] != rounds[1]
        runs = Counter(job.cell.id for job in jobs)
        assert runs[ORIGINAL.id] == 3
        assert {runs[cell.id] for cell in cells if cell.kind == "openvino" and not cell.not_measured} == {6}

    def test_seed_decides_the_order(self) -> None:
        cells = matrix(WISH, MODELS)
        assert schedule(cells, WISH) == schedule(cells, WISH)
        assert schedule(cells, WISH) != schedule(cells, replace(WISH, seed=1))


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
    heatmaps, pafs = split([both])
    assert (heatmaps.shape, pafs.shape) == ((19, 2, 3), (38, 2, 3))
    assert heatmaps[0, 0, 0] == 0
    assert pafs[0, 0, 0] == 19 * 6


def test_work_of_others_is_told_apart_from_ones_own() -> None:
    watch = Watch()
    sum(number * number for number in range(200_000))
    told = watch.told()
    assert told["own_cores"] > 0
    assert told["disturbed"] in (True, False)
    assert is_disturbed(1.0)
    assert not is_disturbed(0.01)


SPEED = {"CPU": 20.0, "GPU": 30.0, "MULTI:GPU,CPU": 45.0, "HETERO:GPU,CPU": 15.0}


def invented(wish: Wish = WISH, factor: float = 1.0) -> Study:
    """A study whose runs are drawn around known speeds: FP16 twice FP32's, the original 5 FPS."""
    draw = random.Random(3)
    cells = [*matrix(wish, MODELS), ORIGINAL, TOOL]
    device = {"name": "CPU", "full_name": "A CPU", "driver": None, "is_stand_in": False}
    a_machine = {"cpu": "A CPU", "cores": 4, "memory_gb": 8, "os": "an OS", "architecture": "x", "versions": {"a": "1"},
                 "devices": [device]}  # fmt: skip
    models = [{"name": m.name, "precision": m.precision, "file": m.file, "missing": m.missing,
               "weights_sha256": "ab" * 32} for m in MODELS]  # fmt: skip
    video = {"name": "v.mp4", "frame_size": [64, 48], "sha256": "cd" * 32}
    lacking = {"NPU": "there is no NPU: no such device"}
    found = {"machine": a_machine, "missing_devices": lacking, "models": models, "video": video}
    study = Study.new(wish, cells, found)
    for job in schedule(cells, wish):
        cell = job.cell
        fps = 5.0 if cell == ORIGINAL else SPEED[cell.device] * (2 if cell.precision == "FP16" else 1) * factor
        fps *= draw.gauss(1, 0.01)
        conditions = {"own_cores": 1.0, "other_cores": 0.0, "disturbed": False, "mhz": 2000, "temperature_c": None}
        result: dict[str, Any] = {"input_size": [64, 48], "inference_fps": fps, "conditions": conditions}
        if cell != TOOL:
            ms = 1000 / fps
            result |= {
                "application_fps": fps * 0.9, "latency_ms": {"mean": ms, "min": 0.9 * ms, "max": 1.2 * ms, "p95": ms},
                "latency_bins": {"50": 3, "51": 5}, "executed_on": [cell.device], "execution_precision": "f32",
                "requests": 1, "streams": 1, "subgraphs": None, "compile_s": 0.5, "is_from_cache": False,
                "is_stand_in": False,
            }  # fmt: skip
        study.add(job, result)
    agreed = {"frames": 9, "keypoints": 200, "within_pixels": 0.97, "within_torso": 0.99, "mean_pixels": 0.5,
              "people_float": 20, "people": 20}  # fmt: skip
    fp16 = next(cell for cell in cells if cell.precision == "FP16" and cell.device == "CPU")
    study.add(Job("agreement", fp16), agreed)
    study.add(Job("check", ORIGINAL), {"largest_difference": 4e-6})
    study.data["complete"] = True
    return study


def rows_of(report: str, title: str) -> dict[str, list[str]]:
    """A table of report.md: {first column: the others}."""
    table = report.split(f"## {title}\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines() if row.startswith("| ")]
    return {row[0]: row[1:] for row in rows[1:]}


def words_of(cell: dict[str, Any]) -> str:
    """What the report calls a cell."""
    if cell["kind"] in ("opencv", "tensorflow"):
        return {"opencv": "OpenCV DNN", "tensorflow": "TensorFlow"}[cell["kind"]] + f" ({cell['model']})"
    marks = [cell["affinity"]] if cell["device"].startswith("HETERO") else []
    marks += ["stand-in"] if cell["is_stand_in"] else []
    affinity = f" ({', '.join(marks)})" if marks else ""
    tool = "benchmark_app, " if cell["kind"] == "benchmark_app" else ""
    return f"{tool}{cell['device']}{affinity} {cell['model']} {cell['precision']}, {cell['hint']} hint"


def assert_report_is_of_its_runs(folder: Path) -> None:
    """Every figure of report.md again from results.json, without the study's own arithmetic."""
    data = json.loads((folder / "results.json").read_text())
    report = (folder / "report.md").read_text()
    page = (folder / "report.html").read_text()
    runs = {}
    for cell in data["cells"]:
        every = [run for run in data["runs"] if run["cell"] == cell["id"] and "error" not in run]
        quiet = [run for run in every if not run["conditions"]["disturbed"]]
        runs[cell["id"]] = quiet if len(quiet) >= 5 else every
    tables = {
        "Throughput of inference alone, FPS": lambda run: run["inference_fps"],
        "Throughput of the whole application, FPS": lambda run: run.get("application_fps"),
        "Latency of a request, ms": lambda run: run.get("latency_ms", {}).get("mean"),
    }
    for title, figure in tables.items():
        rows = rows_of(report, title)
        compared = 0
        for cell in data["cells"]:
            values = [figure(run) for run in runs[cell["id"]]]
            if cell["requests"] is not None or not values or None in values:
                continue
            row = rows[words_of(cell)]
            told = [float(row[place]) for place in (1, 3, 4, 5, 6)]
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            known = [statistics.fmean(values), statistics.median(values), min(values), max(values), spread]
            assert int(row[0]) == len(values)
            assert told == pytest.approx(known, rel=0.006, abs=0.006), (title, row)
            if len(values) >= 5:
                low, high = map(float, row[2].split(" to "))
                assert low <= told[0] <= high
                assert min(values) - 3 * spread - 0.01 <= low
                assert high <= max(values) + 3 * spread + 0.01
            if title.startswith("Latency"):
                ends = [min(run["latency_ms"]["min"] for run in runs[cell["id"]]),
                        max(run["latency_ms"]["max"] for run in runs[cell["id"]])]  # fmt: skip
                assert [float(end) for end in row[7:9]] == pytest.approx(ends, rel=0.006, abs=0.006)
            assert all(f"<td>{one}</td>" in page for one in row if one)
            compared += 1
        assert compared == len([row for row in rows.values() if row[0]])
        assert compared > 0
    if "## Requests in flight" in report:
        header = report.split("## Requests in flight, inference FPS")[1].split("\n|")[1].strip("| ").split(" | ")
        for device, row in rows_of(report, "Requests in flight, inference FPS").items():
            for requests, told in zip(header, row, strict=True):
                number = None if requests == "optimal" else int(requests)
                found = [
                    cell
                    for cell in data["cells"]
                    if (cell["kind"], cell["requests"], cell["hint"]) == ("openvino", number, "throughput")
                    and words_of(cell).startswith(f"{device} {data['cells'][0]['model']}")
                    and runs[cell["id"]]
                ]
                values = [run["inference_fps"] for run in runs[found[0]["id"]]]
                assert float(told) == pytest.approx(statistics.fmean(values), rel=0.006, abs=0.006)
    for name, row in rows_of(report, "OpenVINO / original").items():
        if row[1].startswith("not measured"):
            continue
        [cell] = [c for c in data["cells"] if words_of(c) == name and c["requests"] is None]
        kind = {"OpenCV DNN": "opencv", "TensorFlow": "tensorflow"}[row[0]]
        [original] = [c for c in data["cells"] if c["kind"] == kind]
        for place, key in ((1, "inference_fps"), (2, "application_fps")):
            means = [statistics.fmean(run[key] for run in runs[c["id"]]) for c in (cell, original)]
            assert float(row[place].split("x")[0]) == pytest.approx(means[0] / means[1], abs=0.0051)


class TestReport:
    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A report with its charts."""
        folder = tmp_path_factory.mktemp("study")
        study = invented()
        study.save(folder)
        write_report(study, folder)
        return folder

    def test_figures_are_those_of_results_json(self, folder: Path) -> None:
        assert_report_is_of_its_runs(folder)

    def test_what_is_missing_is_a_row_that_says_why(self, folder: Path) -> None:
        rows = rows_of((folder / "report.md").read_text(), "Throughput of the whole application, FPS")
        assert rows["net FP16-INT8"][1] == "not measured: none here"
        assert rows["NPU"][1] == "not measured: there is no NPU: no such device"

    def test_page_needs_no_network_and_suits_light_and_dark(self, folder: Path) -> None:
        page = (folder / "report.html").read_text()
        for outside in ("<script", "<link", "@import", 'src="http', "url(http"):
            assert outside not in page
        assert "prefers-color-scheme: dark" in page
        assert 'name="viewport"' in page
        assert page.count("<svg") >= 5
        assert "currentColor" in page

    def test_charts_are_files_too(self, folder: Path) -> None:
        for kind in ("fps", "latency", "multi", "accuracy", "requests", "histogram", "drift"):
            assert (folder / f"{kind}-net.svg").read_bytes().startswith(b"<?xml")
            assert (folder / f"{kind}-net.png").read_bytes().startswith(b"\x89PNG")

    def test_table_for_programs_has_a_row_a_run(self, folder: Path) -> None:
        runs = json.loads((folder / "results.json").read_text())["runs"]
        assert len((folder / "results.csv").read_text().splitlines()) == len(runs) + 1


def said_of(study: Study, title: str = "") -> str:
    """The sentences of the conclusion with this title, or all of them."""
    return "\n".join(one for about, told in conclusions(study) if title in ("", about) for one in told)


class TestConclusions:
    def test_say_what_the_invented_speeds_are(self) -> None:
        study = invented()
        assert "net: most with MULTI:GPU,CPU FP16, latency hint: 80.9 FPS" in said_of(study, "Throughput")
        assert "net: least with MULTI:GPU,CPU FP16" in said_of(study, "Latency")
        assert "net FP16 on CPU (executed in f32) against FP32 (f32): inference alone 2.0" in said_of(
            study, "Precision"
        )
        assert "97.0% lie within 5 pixels, 99.0% within 0.2 of the torso" in said_of(study, "Precision")
        assert (
            "MULTI:GPU,CPU net FP16, throughput hint pays: inference alone against the best of its devices 1.5"
            in said_of(study, "MULTI")
        )
        assert "; against their sum 0.9" in said_of(study, "MULTI")
        assert "HETERO:GPU,CPU (conv) net FP32, throughput hint does not pay" in said_of(study, "HETERO")
        assert "OpenVINO over OpenCV DNN, CPU net FP32, throughput hint: inference alone 3.98x" in said_of(study)
        trust = said_of(study, "How far to trust this")
        assert "None of" in trust
        assert "over benchmark_app's figure of the same session: 0.98x" in trust
        assert "they agree within 5%" in trust
        assert "stand-in" not in trust

    def test_ap_stands_before_agreement(self) -> None:
        study = invented()
        for cell, ap in ((cell, {"FP32": 42.6, "FP16": 42.2}.get(cell.precision)) for cell in study.cells):
            if cell.device == "CPU" and ap is not None:
                study.add(Job("ap", cell), {"metrics": {"AP": ap, "AP50": 70.0}, "images": 200, "left_out": []})
        assert "AP 42.2 against 42.6 (-0.4 points); of FP32's 200 keypoints" in said_of(study, "Precision")

    def test_hetero_says_what_its_cuts_cost(self) -> None:
        study = invented()
        conv = next(c for c in study.cells if c.affinity == "conv" and c.precision == "FP32" and c.requests is None)
        cpu = next(c for c in study.cells if c.device == "CPU" and c.precision == "FP32" and c.requests is None)
        whole, cut = (
            [{"type": "Convolution", "ms": a}, {"type": "Reorder", "ms": b}] for a, b in ((50, 0.4), (51, 21.8))
        )
        split = {"subgraphs": 116, "operations": {}, "crossing_bytes": 86e6, "crossing_tensors": 114}
        study.add(Job("layers", cpu), {"layer_types": whole, "heaviest": [], "subgraphs": None})
        study.add(Job("layers", conv), {"layer_types": cut, "heaviest": [], **split})
        said = said_of(study, "HETERO")
        assert "cut into 116 subgraphs; 86.00 MB a frame cross between the devices." in said
        assert "Profiled against CPU alone, Reorder takes 21.8 ms a frame instead of 0.4." in said
        assert "Convolution takes" not in said

    def test_what_the_machine_lacks_is_said_where_it_is_looked_for(self) -> None:
        study = invented()
        study.data["missing_devices"]["MULTI:GPU,CPU"] = "there is no GPU: no driver"
        assert "MULTI:GPU,CPU was not measured: there is no GPU: no driver." in said_of(study, "MULTI")

    def test_disturbed_and_failed_runs_are_counted(self) -> None:
        study = invented()
        study.data["runs"][3]["conditions"]["disturbed"] = True
        study.add(Job("run", study.cells[0], 99), {"error": "boom"})
        trust = said_of(study, "How far to trust this")
        assert (
            f"1 of {len(study.data['runs'])} runs were disturbed by other programs. They are marked, and in no" in trust
        )
        assert "1 runs failed" in trust
        for run in study.data["runs"]:
            run.get("conditions", {})["disturbed"] = True
        assert "in no figure, but those of" in said_of(study, "How far to trust this")

    def test_a_disturbed_run_is_in_no_figure_where_five_others_are_left(self) -> None:
        study = invented()
        cell = study.cells[0]
        runs = study.all_runs(cell)
        runs[2]["inference_fps"] = 1.0
        runs[2]["conditions"]["disturbed"] = True
        assert len(study.runs(cell)) == 5
        assert min(study.values(cell, "inference_fps")) > 1.0
        runs[3]["conditions"]["disturbed"] = True  # now only four are left
        assert len(study.runs(cell)) == 6
        assert min(study.values(cell, "inference_fps")) == 1.0

    def test_a_disturbed_run_is_run_once_more(self) -> None:
        study = invented()
        cell = study.cells[0]
        for run in study.all_runs(cell)[:2]:
            run["conditions"]["disturbed"] = True
        again = [job for job, _ in runner.repeats(study)]
        assert sorted((job.cell.id, job.round) for job in again) == [(cell.id, 6), (cell.id, 7)]
        for job in again:
            study.add(job, {"inference_fps": 1.0, "conditions": {"disturbed": True}})
        assert {job.id for job, _ in runner.repeats(study)} <= study.done  # not a third time

    def test_multi_against_the_sum_of_its_devices(self) -> None:
        study = invented()
        cell = next(c for c in study.cells if c.device == "MULTI:GPU,CPU" and c.requests is None)
        total, best = against_members(study, cell)
        assert total is not None
        assert best is not None
        assert total.value == pytest.approx(45 / 50, rel=0.02)
        assert best.value == pytest.approx(45 / 30, rel=0.02)
        assert total.is_shown

    def test_a_sum_that_lacks_a_device_is_none(self) -> None:
        study = invented()
        study.data["runs"] = [run for run in study.data["runs"] if not run["cell"].startswith("GPU ")]
        cell = next(c for c in study.cells if c.device == "MULTI:GPU,CPU" and c.requests is None)
        total, best = against_members(study, cell)
        assert total is None
        assert best is not None
        assert best.value == pytest.approx(45 / 20, rel=0.02)
        assert "against the best of its devices that were measured alone 2.2" in said_of(study, "MULTI")
        assert "their sum" not in said_of(study, "MULTI")

    def test_equal_hints_are_not_told_apart(self) -> None:
        assert "No difference from it was shown for MULTI:GPU,CPU FP16" in said_of(invented())

    def test_a_stopped_study_says_so(self) -> None:
        study = invented()
        study.data["complete"] = False
        assert said_of(study, "How far to trust this").startswith("This study was stopped after")


class TestCommand:
    def test_compare_gives_ratios(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for name, factor in (("a", 1.0), ("b", 1.5)):
            (tmp_path / name).mkdir()
            invented(replace(WISH, seed=int(factor)), factor).save(tmp_path / name)
        assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b" / "results.json")]) == 0
        rows = [row.split("|") for row in capsys.readouterr().out.splitlines()]
        row = next(row for row in rows if row[1:3] == [" GPU net FP32, throughput hint ", " inference FPS "])
        assert float(row[3]) == pytest.approx(30, rel=0.02)
        assert float(row[4]) == pytest.approx(45, rel=0.02)
        assert row[5].startswith(" 1.5")
        assert "no difference" not in row[5]

    def test_studies_with_nothing_in_common_cannot_be_compared(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        invented().save(tmp_path)
        other = invented()
        other.data["runs"].clear()
        (tmp_path / "b").mkdir()
        other.save(tmp_path / "b")
        assert main(["compare", str(tmp_path), str(tmp_path / "b")]) == 2
        assert "no measured cell in common" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["--runs", "0"], "no count"),
            (["--requests-grid", "many"], "many"),
            (["--seconds", "2", "--frames", "3"], "not allowed with"),
            (["--images", "."], "--annotations"),
            (["--plugins", "none.xml"], "none.xml"),
            (["--devices", "XPU"], "XPU"),
            (["--devices", "CPU", "MULTI:GPU,XPU"], "XPU"),
            (["--devices", "NPU"], "There is no device 'NPU'"),
            (["--model", "none.xml"], "none.xml"),
            (["--input", "none.mp4"], "none.mp4"),
            (["--original", "none.pb"], "none.pb"),
            (["--resume"], "results.json"),
            (["compare", "none.json", "none.json"], "none.json"),
            (["report", "."], "results.json"),
            (["--frobnicate"], "frobnicate"),
        ],
    )
    def test_wrong_use_ends_with_2_and_one_line(
        self,
        arguments: list[str],
        told: str,
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
        assert told in errors
        assert len(errors.splitlines()) == 1

    def test_a_study_that_is_there_is_not_overwritten(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        invented().save(tmp_path)
        before = (tmp_path / "results.json").read_bytes()
        assert main(["--output", str(tmp_path)]) == 2
        assert "--resume" in capsys.readouterr().err
        assert (tmp_path / "results.json").read_bytes() == before

    def test_missing_matplotlib_is_told_before_anything_is_measured(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
        assert main(["--quick", "--output", str(tmp_path / "s")]) == 2
        assert "pip install -r requirements-study.txt" in capsys.readouterr().err
        assert not (tmp_path / "s").exists()

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


def test_a_device_that_is_not_here_is_a_row_and_the_rest_is_measured() -> None:
    core = ov.Core()
    assert core.available_devices == ["CPU"], "written for a machine with a CPU alone"
    there, missing = runner.devices_of(core, replace(WISH, devices=["CPU", "NPU", "HETERO:GPU.1,CPU"]))
    assert there == ["CPU"]
    assert list(missing) == ["NPU", "HETERO:GPU.1,CPU"]
    assert missing["NPU"].startswith("there is no NPU: ")
    assert missing["HETERO:GPU.1,CPU"].startswith("there is no GPU: ")


def test_left_to_itself_a_cpu_alone_says_what_it_lacks() -> None:
    there, missing = runner.devices_of(ov.Core(), replace(WISH, devices=[]))
    assert there == ["CPU"]
    assert list(missing) == ["GPU", "NPU", "MULTI:GPU,CPU", "HETERO:GPU,CPU"]
    assert not any("/" in reason and "site-packages" in reason for reason in missing.values())


def test_runs_of_two_machines_are_not_mixed() -> None:
    study = invented()
    study.data["machine"] = machine.identity(ov.Core())
    runner.check_same_machine(study)
    study.data["machine"]["versions"] = {"openvino": "2025.0"}
    with pytest.raises(UsageError, match=r"other versions \(versions\): .* 'compare'"):
        runner.check_same_machine(study)


def test_a_finished_study_tells_no_folder_of_the_machine(tmp_path: Path) -> None:
    study = invented(replace(WISH, images=str(tmp_path / "images"), models=[str(tmp_path / "net.xml"), "net"]))
    study.data["cells"][0]["file"] = str(tmp_path / "a.xml")
    assert str(tmp_path) in json.dumps(study.data)
    study.finish()
    assert str(tmp_path) not in json.dumps(study.data)
    assert study.data["wish"]["images"] == "images"
    assert study.data["complete"]


def test_wish_survives_the_file(tmp_path: Path) -> None:
    study = invented()
    study.save(tmp_path)
    loaded = Study.load(tmp_path)
    assert replace(loaded.wish, input="") == replace(WISH, input="")
    assert Path(loaded.wish.input).name == WISH.input
    assert loaded.cells == study.cells


def test_paths_of_the_project_are_kept_without_its_place(root: Path) -> None:
    assert kept(str(root / "videos" / "park.mp4")) == "videos/park.mp4"
    assert there("videos/park.mp4") == str(root / "videos" / "park.mp4")
    assert (kept(""), kept(None), there(None)) == ("", None, None)

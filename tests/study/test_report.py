"""The report of a study: every figure again from its runs, and what it says in words."""

import json
import re
import statistics
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from human_pose.measurement.cells import Cell
from human_pose.study import report, runner
from human_pose.study.charts import Chart, charts
from human_pose.study.conclusions import conclusions, first_page
from human_pose.study.findings import AGREES, Findings, Summary
from human_pose.study.plan import Job
from human_pose.study.report import write_report
from human_pose.study.results import Study, error_of
from tests.helpers.invented import OPTIONS, invented

pytestmark = pytest.mark.xdist_group("report")  # they share reports that take seconds to write


@pytest.fixture(scope="session")
def invented_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the invented study, with its charts."""
    folder = tmp_path_factory.mktemp("study")
    study = invented()
    study.save(folder)
    write_report(study, folder)
    return folder


@pytest.fixture(scope="module", params=["invented", "docs/study", "docs/study/emulated"])
def folder(request: pytest.FixtureRequest, invented_folder: Path, written: Callable[[str], Path]) -> Path:
    """A report: of the invented study, or of an example."""
    return invented_folder if request.param == "invented" else written(request.param)


def rows_of(folder: Path, title: str) -> list[list[str]]:
    """A table of report.md, without its header; none where there is no such table."""
    report = (folder / "report.md").read_text()
    if f"## {title}\n" not in report:
        return []
    table = report.split(f"## {title}\n")[1].split("\n## ")[0]
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines() if row.startswith("| ")]


class Runs:
    """The runs in a results.json, by what the report calls their cells; their arithmetic is the test's own."""

    def __init__(self, folder: Path) -> None:
        self.data = json.loads((folder / "results.json").read_text())
        self.cells = [cell for cell in self.data["cells"] if cell["not_measured"] is None]

    def of(self, cell: dict[str, Any]) -> list[dict[str, Any]]:
        every = [run for run in self.data["runs"] if run["cell"] == cell["id"] and "error" not in run]
        quiet = [run for run in every if not run["conditions"]["disturbed"]]
        return quiet if len(quiet) >= 5 else every

    def mean(self, cell: dict[str, Any], key: str) -> float:
        return statistics.fmean(run[key] for run in self.of(cell))

    def named(self, label: str) -> dict[str, Any]:
        [cell] = [cell for cell in self.cells if cell["requests"] is None and words_of(cell) == label]
        return cell

    def found(self, task: str, cell: dict[str, Any]) -> dict[str, Any]:
        """What a task found out of a cell."""
        [extra] = [one for one in self.data["extras"] if (one["task"], one["cell"]) == (task, cell["id"])]
        return extra


def words_of(cell: dict[str, Any]) -> str:
    """What the report calls a cell."""
    if cell["kind"] in ("opencv", "tensorflow"):
        return {"opencv": "OpenCV DNN", "tensorflow": "TensorFlow"}[cell["kind"]] + f" ({cell['model']})"
    tool = "benchmark_app, " if cell["kind"] == "benchmark_app" else ""
    return f"{tool}{where(cell)} {cell['model']} {cell['precision']}, {cell['hint']} hint"


def where(cell: dict[str, Any]) -> str:
    """The device, as the report calls it."""
    marks = [cell["affinity"]] if cell["device"].startswith("HETERO") else []
    marks += ["stand-in"] if cell["is_stand_in"] else []
    marks += ["emulated"] if cell.get("is_emulated") else []
    return cell["device"] + (f" ({', '.join(marks)})" if marks else "")


def about(value: float) -> Any:
    """What is written with three figures that count."""
    return pytest.approx(value, rel=0.006, abs=0.006)


class TestFiguresAreThoseOfTheRuns:
    """Every figure of a report again from its results.json, without the study's own arithmetic."""

    @pytest.mark.parametrize(
        ("title", "figure"),
        [
            ("Throughput of inference alone, FPS", lambda run: run["inference_fps"]),
            ("Throughput of the whole application, FPS", lambda run: run["application_fps"]),
            ("Latency of a request, ms", lambda run: run["latency_ms"]["mean"]),
        ],
    )
    def test_over_runs(self, folder: Path, title: str, figure: Callable[[dict[str, Any]], float]) -> None:
        runs = Runs(folder)
        on_page = set(re.findall("<td>(.*?)</td>", (folder / "report.html").read_text()))
        rows = rows_of(folder, title)[1:]
        wanted = [c for c in runs.cells if c["requests"] is None and runs.of(c)]
        if title != "Throughput of inference alone, FPS":
            wanted = [cell for cell in wanted if cell["kind"] != "benchmark_app"]
        assert sorted(row[0] for row in rows) == sorted(map(words_of, wanted))
        for row in rows:
            its_runs = runs.of(runs.named(row[0]))
            values = [figure(run) for run in its_runs]
            assert int(row[1]) == len(values)
            assert float(row[2]) == about(statistics.fmean(values))
            assert float(row[4]) == about(statistics.median(values))
            assert (float(row[5]), float(row[6])) == (about(min(values)), about(max(values)))
            assert float(row[7]) == about(statistics.stdev(values))
            if len(values) >= 5:
                low, high = map(float, row[3].split(" to "))
                assert low <= float(row[2]) <= high
                assert high - low <= 4 * statistics.stdev(values) + 0.02
            if title.startswith("Latency"):
                ends = [
                    choose(run["latency_ms"][end] for run in its_runs) for choose, end in ((min, "min"), (max, "max"))
                ]
                assert [float(end) for end in row[8:10]] == [about(end) for end in ends]
            assert on_page.issuperset(row)

    def test_requests_in_flight(self, folder: Path) -> None:
        runs = Runs(folder)
        found = rows_of(folder, "Requests in flight, inference FPS")
        assert found or folder.name == "emulated"  # it has no grid of requests
        header, rows = found[:1], found[1:]
        for row in rows:
            for requests, shown in zip(header[0][1:], row[1:], strict=True):
                number = int(requests) if requests.isdecimal() else None
                model = runs.cells[0]["model"], runs.cells[0]["precision"], "throughput", number
                [cell] = [c for c in runs.cells if c["kind"] == "openvino" and where(c) == row[0]
                          and (c["model"], c["precision"], c["hint"], c["requests"]) == model]  # fmt: skip
                assert float(shown) == about(runs.mean(cell, "inference_fps"))

    def test_against_the_original(self, folder: Path) -> None:
        runs = Runs(folder)
        kinds = {"OpenCV DNN": "opencv", "TensorFlow": "tensorflow"}
        compared = 0
        for label, framework, *shown in rows_of(folder, "OpenVINO / original")[1:]:
            [original] = [cell for cell in runs.cells if cell["kind"] == kinds[framework]]
            cell = runs.named(label)
            for ratio, key in zip(shown, ("inference_fps", "application_fps"), strict=False):
                known = runs.mean(cell, key) / runs.mean(original, key)
                assert float(ratio.split("x")[0]) == pytest.approx(known, abs=0.0051)
            assert float(shown[2]) == pytest.approx(runs.found("check", original)["largest_difference"], rel=0.06)
            compared += 1
        assert compared or folder.name == "emulated"  # it has no original

    def test_against_the_best_of_the_devices(self, folder: Path) -> None:
        runs = Runs(folder)
        rows = rows_of(folder, "MULTI and HETERO against their devices, inference alone")[1:]
        assert rows or folder.name == "study"  # the example of one CPU has no second device
        for label, total, best in rows:
            cell = runs.named(label)
            devices = cell["device"].split(":")[1].split(",")
            parts = {
                one["device"]: runs.mean(one, "inference_fps") for one in runs.cells if one["kind"] == "openvino"
                and one["device"] in devices
                and all(one[key] == cell[key] for key in ("model", "precision", "hint", "requests"))
            }  # fmt: skip
            own = runs.mean(cell, "inference_fps")
            assert float(best.split("x")[0]) == pytest.approx(own / max(parts.values()), abs=0.0051)
            if "x (" in total:
                assert len(parts) == len(devices)
                assert float(total.split("x")[0]) == pytest.approx(own / sum(parts.values()), abs=0.0051)

    def test_accuracy(self, folder: Path) -> None:
        runs = Runs(folder)
        first = runs.data["options"]["devices"][0], runs.data["options"]["hints"][0]
        compared = 0
        for label, *shown in rows_of(folder, "Accuracy")[1:]:
            shown = shown if len(shown) == 7 else ["-"] * 3 + shown  # without AP its columns are left out
            [cell] = [c for c in runs.cells if c["kind"] == "openvino" and c["requests"] is None
                      and f"{c['model']} {c['precision']}" == label and (c["device"], c["hint"]) == first]  # fmt: skip
            if shown[0] != "-":
                assert float(shown[0]) == pytest.approx(runs.found("ap", cell)["metrics"]["AP"], abs=0.051)
            if shown[3] == "the reference":
                assert cell["precision"] == "FP32"
            elif shown[3].isdecimal():
                agreed = runs.found("agreement", cell)
                assert int(shown[3]) == agreed["keypoints"]
                assert float(shown[4].rstrip("%")) == pytest.approx(100 * agreed["within_pixels"], abs=0.051)
                compared += 1
        assert compared


@pytest.mark.parametrize("example", ["docs/study", "docs/study/emulated"])
def test_example_is_what_the_study_writes_today(example: str, root: Path, written: Callable[[str], Path]) -> None:
    folder = written(example)
    assert (root / example / "report.md").read_text() == (folder / "report.md").read_text()
    here, there = ({path.name for path in one.glob("*.svg")} for one in (root / example, folder))
    assert here == there


class TestFirstPage:
    def test_says_in_five_sentences_what_the_invented_speeds_are(self) -> None:
        fastest, cost, precisions, devices, trust = first_page(Findings(invented()))
        assert fastest.startswith("net FP16 on MULTI:GPU,CPU with the throughput hint is the fastest: 81.1 FPS (")
        assert fastest.endswith(
            ") for the whole application at an input of 64x48. No difference from it was shown for "
            "MULTI:GPU,CPU net FP16, latency hint."
        )
        assert cost == "Inference of a frame then takes 11.1 ms. It finds 97.0% of FP32's keypoints on the video again."
        assert precisions.startswith("Over FP32 on CPU, FP16 (executed in f32) gives 1.99x (")
        assert precisions.endswith("the FPS of the whole application.")
        assert devices.startswith("Against the FPS of its best device alone, MULTI:GPU,CPU gives 1.5")
        assert " and HETERO:GPU,CPU (auto) gives 0.5" in devices
        assert trust == (
            "How far to trust this: 6 runs of 4 s each; other programs disturbed none of 189 runs; OpenVINO's "
            "benchmark_app finds the same FPS of inference alone within 5%."
        )

    def test_says_what_accuracy_and_latency_the_fastest_has(self) -> None:
        study = invented(replace(OPTIONS, devices=["CPU"], requests=[]))
        for run in study.data["runs"]:
            if run["cell"] == "CPU net FP16 latency":
                run["latency_ms"]["mean"] /= 2
                run["application_fps"] *= 0.9
        for cell, ap in ((cell, {"FP32": 42.6, "FP16": 42.2}.get(cell.precision)) for cell in study.cells):
            if ap is not None and cell.kind == "openvino":
                study.add(Job("ap", cell), {"metrics": {"AP": ap, "AP50": 70.0}, "images": 200, "left_out": []})
        _, cost, _, devices, _ = first_page(Findings(study))
        assert re.fullmatch(
            r"Inference of a frame then takes 2\d\.\d ms; on CPU with the latency hint it takes 12\.\d ms, at 32\.\d "
            r"FPS\. Its AP is 42\.2, FP32's 42\.6\.", cost
        ), cost  # fmt: skip
        assert devices == "MULTI and HETERO were not measured."

    def test_says_why_devices_were_not_measured_without_the_librarys_words(self) -> None:
        study = invented(replace(OPTIONS, devices=["CPU"]))
        study.data["missing_devices"] = dict.fromkeys(
            ("GPU", "MULTI:GPU,CPU"), "there is no GPU: Cannot load library x.so"
        )
        assert first_page(Findings(study))[3] == "MULTI and HETERO were not measured: there is no GPU."

    def test_disturbed_runs_leave_no_figure_to_quote(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(report, "charts", lambda _: [Chart("summary", "summary", "FPS", b"<svg/>")])
        study = invented()
        for run in study.data["runs"]:
            run["conditions"]["disturbed"] = True
        said = first_page(Findings(study))
        assert [sentence[:20] for sentence in said] == ["How far to trust thi"]
        assert write_report(study, tmp_path).note.startswith(
            "Do not quote these figures: other programs disturbed 180 of the 180 runs"
        )
        first = (tmp_path / "report.html").read_text().split("</section>")[0]
        assert "<p class=warning>Do not quote these figures" in first
        assert first.count("Do not quote") == 1
        assert "<img" not in first

    def test_title_has_the_machine_and_the_day(self, invented_folder: Path) -> None:
        day = json.loads((invented_folder / "results.json").read_text())["begun_on"]
        shown = f"What pays on this machine: A CPU, 4 logical cores, {day}"
        page = (invented_folder / "report.html").read_text()
        assert f"<title>{shown}</title>" in page
        assert f"<h1>{shown}</h1>" in page
        assert (invented_folder / "report.md").read_text().startswith(f"# {shown}\n")

    def test_has_two_charts(self, invented_folder: Path) -> None:
        first = (invented_folder / "report.html").read_text().split("</section>")[0]
        assert first.count("<img") == 2


def drawn(study: Study, *kinds: str) -> dict[str, str]:
    """The SVG of each chart of these kinds, by its name."""
    return {chart.name: chart.svg.decode() for chart in charts(Findings(study), kinds)}


def summary_of(study: Study, cell: Cell) -> Summary:
    return next(one for one in Findings(study).every if one.cell == cell)


class TestCharts:
    def test_without_intervals_have_no_error_bars_and_say_nothing_of_them(self) -> None:
        kinds = ("summary", "latency", "requests")
        many = replace(OPTIONS, devices=["CPU"], hints=["throughput"])
        few = drawn(invented(replace(many, runs=2, original_runs=2)), *kinds)
        assert few.keys() == {"summary", "latency-net", "requests-net"}
        for name, svg in drawn(invented(many), *kinds).items():
            assert "95 % intervals" in svg
            assert "LineCollection" in svg
            assert "95 % intervals" not in few[name]
            assert "LineCollection" not in few[name]

    def test_of_one_point_is_none(self) -> None:
        assert drawn(invented(replace(OPTIONS, requests=["1", "default"])), "requests") == {}
        study = invented()
        assert drawn(study, "accuracy").keys() == {"accuracy"}
        study.data["extras"].clear()
        assert drawn(study, "accuracy") == {}

    def test_points_have_a_legend(self, invented_folder: Path) -> None:
        accuracy, drift = ((invented_folder / f"{name}.svg").read_text() for name in ("accuracy", "drift"))
        assert ">net FP32<" in accuracy
        assert ">net FP16<" in accuracy
        assert ">net<" in drift
        assert ">OpenCV DNN<" in drift


def test_a_run_without_a_mean_is_none_and_the_report_says_so(tmp_path: Path) -> None:
    study = invented()
    cell = next(cell for cell in study.cells if cell.device == "GPU")
    for run in study.data["runs"]:
        if run["cell"] == cell.id:
            run["latency_ms"] = {"mean": None, "min": None, "max": None, "p95": None}
        elif run["cell"].startswith("HETERO"):
            run["application_fps"] = None
    assert {error_of(run) for run in study.data["runs"] if run["cell"] == cell.id} == {summary_of(study, cell).why_not}
    write_report(study, tmp_path, with_charts=False)
    rows = {row[0]: row[1] for row in rows_of(tmp_path, "Not measured")}
    [shown] = [what for what, why in rows.items() if why.startswith("it gave too few results for a mean")]
    assert cell.label() in shown
    assert "HETERO:GPU,CPU (conv) net FP16, latency hint" in shown
    assert first_page(Findings(study))[0].startswith("net FP16 on MULTI:GPU,CPU")


def test_in_the_example_inference_alone_agrees_with_benchmark_app(root: Path) -> None:
    """Within 5 % by the means; the machine was too restless for intervals that narrow, and the summary says so."""
    study = Study.load(root / "docs" / "study")
    ratios = [pair.inference for pair in Findings(study).against_tool()]
    assert len(ratios) == 3  # precisions
    assert all(abs(ratio.value - 1) <= AGREES and not ratio.is_shown for ratio in ratios), ratios
    assert "finds the same FPS of inference alone within 5% was not shown" in first_page(Findings(study))[-1]


def test_page_of_the_diploma_quotes_the_example(root: Path) -> None:
    """Every figure in its column 'here' that has an interval stands in a report of the example."""
    folder = root / "docs" / "study"
    reports = (folder / "report.md").read_text() + (folder / "emulated" / "report.md").read_text()
    here = [row.split("|")[3] for row in (folder / "diploma.md").read_text().splitlines() if row.startswith("| ")]
    quoted = re.findall(r"([\d.]+x?) \(([\d.]+) to ([\d.]+)\)", " ".join(here))
    assert len(quoted) >= 14
    for value, low, high in quoted:
        in_table = f"| {value} | {low} to {high} |"
        assert f"{value} ({low} to {high})" in reports or in_table in reports, (value, low, high)


class TestReport:
    @pytest.fixture
    def folder(self, invented_folder: Path) -> Path:
        return invented_folder

    def test_what_is_missing_is_a_row_that_says_why(self, folder: Path) -> None:
        rows = {row[0]: row[1] for row in rows_of(folder, "Not measured")}
        assert rows["net FP16-INT8"] == "none here"
        assert rows["NPU"] == "there is no NPU: no such device"

    @pytest.mark.parametrize("example", ["docs/study", "docs/study/emulated"])
    def test_a_librarys_error_stands_once(self, example: str, written: Callable[[str], Path]) -> None:
        folder = written(example)
        reasons = [row[1] for row in rows_of(folder, "Not measured")[1:]]
        assert reasons
        for name in ("report.md", "report.html"):
            text = (folder / name).read_text()
            assert [text.count(reason[20:80]) for reason in reasons] == [1] * len(reasons)

    def test_tables_are_made_for_paper_and_for_a_telephone(self, folder: Path) -> None:
        page = (folder / "report.html").read_text()
        assert "@media print" in page
        assert page.count("<thead>") == page.count("<table") == page.count("<div class=wide>")

    def test_page_needs_no_network_and_suits_light_and_dark(self, folder: Path) -> None:
        page = (folder / "report.html").read_text()
        for outside in ("<script", "<link", "@import", 'src="http', "url(http"):
            assert outside not in page
        assert "prefers-color-scheme: dark" in page
        assert 'name="viewport"' in page
        assert page.count("<img") >= 5
        assert page.count("src=") == page.count('src="data:image/svg+xml;base64,')
        for chart in folder.glob("*.svg"):
            assert "currentColor" in chart.read_text()
            assert "prefers-color-scheme: dark" in chart.read_text()

    def test_charts_are_files_too(self, folder: Path) -> None:
        kinds = [f"{kind}-net" for kind in ("fps", "latency", "requests", "histogram")]
        assert {path.stem for path in folder.glob("*.svg")} == {"summary", "accuracy", "drift", *kinds}
        for path in folder.glob("*.svg"):
            assert path.read_bytes().startswith(b"<?xml")
            assert f"]({path.name})" in (folder / "report.md").read_text()


def said_of(study: Study, title: str = "") -> str:
    """The sentences of the conclusion with this title, or all of them."""
    return "\n".join("\n".join(said) for about, said in conclusions(Findings(study)).items() if title in ("", about))


class TestConclusions:
    def test_say_what_the_invented_speeds_are(self) -> None:
        study = invented()
        assert (
            "net FP16 on CPU, throughput hint (executed in f32) against FP32 (f32): inference alone 1.99x"
            in said_of(study, "Precision")
        )
        assert "97.0% lie within 5 pixels, 99.0% within 0.2 of the torso" in said_of(study, "Precision")
        assert (
            "MULTI:GPU,CPU net FP16, throughput hint pays: inference alone against the best of its devices 1.5"
            in said_of(study, "MULTI")
        )
        assert "; against their sum 0.9" in said_of(study, "MULTI")
        assert "HETERO:GPU,CPU (conv) net FP32, throughput hint does not pay" in said_of(study, "HETERO")
        shown = r"OpenVINO over OpenCV DNN, CPU net FP32, throughput hint: inference alone (3\.9|4\.0)\dx \(too few"
        assert re.search(shown, said_of(study, "The original"))

    def test_ap_stands_before_agreement(self) -> None:
        study = invented()
        for cell, ap in ((cell, {"FP32": 42.6, "FP16": 42.2}.get(cell.precision)) for cell in study.cells):
            if cell.device == "CPU" and ap is not None:
                study.add(Job("ap", cell), {"metrics": {"AP": ap, "AP50": 70.0}, "images": 200, "left_out": []})
        assert "AP 42.2 against 42.6 over 200 images (-0.4 points); of FP32's 200 keypoints" in said_of(
            study, "Precision"
        )

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

    def test_hetero_that_is_not_cut_says_so_and_is_judged_at_one_request_too(self) -> None:
        study = invented(replace(OPTIONS, hints=["latency"], requests=[]))
        auto = next(c for c in study.cells if c.device.startswith("HETERO") and c.affinity == "auto")
        study.add(Job("layers", auto), {"layer_types": [], "heaviest": [], "subgraphs": None, "operations": {"GPU": 9},
                                        "crossing_bytes": 0, "crossing_tensors": 0})  # fmt: skip
        said = said_of(study, "HETERO")
        assert "HETERO:GPU,CPU (auto) net FP32, latency hint does not pay" in said
        assert "All of the network runs on GPU: nothing crosses between devices." in said
        assert said_of(study, "MULTI") == ""  # one request runs on one device

    def test_one_cell_that_often_failed_takes_nothing_from_the_others(self) -> None:
        study = invented()
        weak = next(c for c in study.cells if c.device == "CPU" and c.precision == "FP32")
        study.data["runs"] = [run for run in study.data["runs"] if run["cell"] != weak.id or run["round"] < 2]
        assert "Too few runs" not in first_page(Findings(study))[0]
        for run in study.data["runs"]:
            run["round"] = 0
        study.data["runs"] = [run for run in study.data["runs"] if run["order"] < 30]
        assert first_page(Findings(study))[0].endswith("Too few runs to be sure.")

    def test_nobody_on_the_video_is_no_agreement(self, tmp_path: Path) -> None:
        study = invented()
        study.data["extras"][0] |= {"keypoints": 0, "within_pixels": 1.0, "within_torso": None}
        write_report(study, tmp_path, with_charts=False)
        rows = {row[0]: row for row in rows_of(tmp_path, "Accuracy")}
        assert rows["net FP16"][1] == "nobody was found"

    def test_what_was_found_out_in_vain_is_tried_again(self) -> None:
        study = invented()
        cell = study.cells[0]
        study.add(Job("ap", cell), {"error": "Evaluation needs pycocotools"})
        assert Job("ap", cell).id not in study.done
        study.add(Job("ap", cell), {"metrics": {"AP": 40.0, "AP50": 70.0}, "images": 9, "left_out": []})
        assert Job("ap", cell).id in study.done
        assert len([extra for extra in study.data["extras"] if extra["task"] == "ap"]) == 1

    def test_what_the_machine_lacks_is_said_where_it_is_looked_for(self) -> None:
        study = invented()
        study.data["missing_devices"]["MULTI:GPU,CPU"] = "there is no GPU: no driver"
        assert "MULTI:GPU,CPU was not measured: there is no GPU." in said_of(study, "MULTI")

    def test_disturbed_and_failed_runs_are_counted(self) -> None:
        study = invented()
        study.data["runs"][3]["conditions"]["disturbed"] = True
        study.add(Job("run", study.cells[0], 99), {"error": "boom"})
        trust = first_page(Findings(study))[-1]
        assert f"other programs disturbed 1 of {len(study.data['runs'])} runs, which are left out; " in trust
        assert "; 1 run failed (results.json has the errors)" in trust
        for run in study.data["runs"]:
            run.get("conditions", {})["disturbed"] = True
        assert "runs, which count in 32 cells that have too few others; " in first_page(Findings(study))[-1]

    def test_benchmark_app_that_finds_something_else_is_named(self) -> None:
        study = invented()
        for run in study.data["runs"]:
            run["inference_fps"] *= 1.3 if run["cell"].startswith("benchmark_app") else 1
        shown = "that OpenVINO's benchmark_app finds the same FPS of inference alone within 5% was not shown for "
        assert f"{shown}CPU net FP32, throughput hint: 0.77x (0.7" in first_page(Findings(study))[-1]

    def test_a_disturbed_run_is_in_no_figure_where_five_others_are_left(self) -> None:
        study = invented()
        cell = study.cells[0]
        runs = study.all_runs(cell)
        runs[2]["inference_fps"] = 1.0
        runs[2]["conditions"]["disturbed"] = True
        assert summary_of(study, cell).inference_fps.runs == 5
        assert min(summary_of(study, cell).inference_fps.values) > 1.0
        runs[3]["conditions"]["disturbed"] = True  # now only four are left
        assert summary_of(study, cell).inference_fps.runs == 6
        assert min(summary_of(study, cell).inference_fps.values) == 1.0

    def test_a_disturbed_run_is_run_once_more(self) -> None:
        study = invented()
        cell = study.cells[0]
        for run in study.all_runs(cell)[:2]:
            run["conditions"]["disturbed"] = True
        again = runner.repeats(study)
        assert sorted((job.cell.id, job.round) for job in again) == [(cell.id, 6), (cell.id, 7)]
        for job in again:
            study.add(job, {"inference_fps": 1.0, "conditions": {"disturbed": True}})
        assert {job.id for job in runner.repeats(study)} <= study.done  # not a third time

    def test_multi_against_the_sum_of_its_devices(self) -> None:
        study = invented()
        cell = next(c for c in study.cells if c.device == "MULTI:GPU,CPU" and c.requests is None)
        total, best = Findings(study).against_members(summary_of(study, cell))
        assert total is not None
        assert best is not None
        assert total.value == pytest.approx(45 / 50, rel=0.02)
        assert best.value == pytest.approx(45 / 30, rel=0.02)
        assert total.is_shown

    def test_a_sum_that_lacks_a_device_is_none(self) -> None:
        study = invented()
        study.data["runs"] = [run for run in study.data["runs"] if not run["cell"].startswith("GPU ")]
        cell = next(c for c in study.cells if c.device == "MULTI:GPU,CPU" and c.requests is None)
        total, best = Findings(study).against_members(summary_of(study, cell))
        assert total is None
        assert best is not None
        assert best.value == pytest.approx(45 / 20, rel=0.02)
        assert "against the best of its devices that were measured alone 2.2" in said_of(study, "MULTI")
        assert "their sum" not in said_of(study, "MULTI")

    def test_a_stopped_study_says_so(self) -> None:
        study = invented()
        study.data["complete"] = False
        study.add(Job("run", study.cells[0], 6), {"inference_fps": 1.0, "conditions": {}})  # a repeat
        assert "; the study was stopped after 189 of 189 runs; " in first_page(Findings(study))[-1]

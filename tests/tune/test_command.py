"""The command python -m human_pose.tune: what it says, keeps and refuses."""

import functools
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openvino as ov
import pytest

from human_pose.demo.best import BEST, load_best
from human_pose.measurement.cells import Cell, StudyOptions
from human_pose.study.cell import do
from human_pose.study.plan import Job
from human_pose.tune import __main__ as command
from human_pose.tune import measure, tuner
from human_pose.tune.__main__ import main
from human_pose.tune.accuracy import KNOWN_AP
from human_pose.tune.space import Way, ways
from human_pose.tune.tuner import tune
from human_pose.zoo.catalog import DEFAULT_MODEL
from tests.conftest import Program


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept here is not the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


Speed = Callable[[Cell], float]  # FPS


class PlayedRuns:
    """Stands in for the study's processes: each takes a second of a clock that only it moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.cells: list[Cell] = []
        self.speed: Speed = lambda cell: 60.0
        self.stops_after: int | None = None
        self.other_cores: float | None = 0.0

    def do(self, job: Job, options: StudyOptions, stop: object, reference: str = "") -> dict[str, Any] | None:
        if job.task == "agreement":
            return {"within_pixels": 0.9, "within_torso": 0.875, "keypoints": 200}
        if len(self.cells) == self.stops_after:
            os.kill(os.getpid(), signal.SIGINT)
            return None
        self.now += 1
        self.cells.append(job.cell)
        fps = self.speed(job.cell)
        if fps == 0:
            return {"error": "the device is gone"}
        requests = job.cell.requests or (1 if job.cell.hint == "latency" else 3)
        return {
            "application_fps": fps,
            "application_latency_ms": {"p50": 1000 * requests / fps},
            "execution_precision": "INT8 + f32" if job.cell.precision == "FP16-INT8" else "f32",
            "requests": requests,
            "streams": job.cell.streams or 2,
            "input_size": [456, job.cell.size or 256],
            "conditions": {"other_cores": self.other_cores, "disturbed": (self.other_cores or 0) > 0.1},
        }


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> PlayedRuns:
    runs = PlayedRuns()
    monkeypatch.setattr(measure, "do", runs.do)
    monkeypatch.setattr(command, "tune", functools.partial(tune, clock=lambda: runs.now))
    monkeypatch.setattr(tuner, "cores", lambda: 2)
    return runs


def by_precision(int8: float, floats: float) -> Speed:
    return lambda cell: int8 if cell.precision == "FP16-INT8" else floats


def test_the_best_its_gain_and_its_accuracy(played: PlayedRuns, capsys: pytest.CaptureFixture[str]) -> None:
    played.speed = lambda cell: 72.0 if (cell.requests, cell.streams) == (2, 2) else by_precision(60, 20)(cell)
    assert main(["--seconds", "60"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "The best for the most frames a second: CPU FP16-INT8, throughput hint, 2 requests, 2 streams, size 256"
    )
    assert lines[1].lstrip().startswith("FPS 72.0 (72.0 to 72.0), latency in ms 27.8 (27.8 to 27.8): median and range")
    assert lines[1].endswith("it executes in INT8 + f32 with 2 requests in flight")
    assert lines[2].lstrip().startswith("1.20 (1.20 to 1.20) times as many FPS as the default (CPU FP16-INT8,")
    assert "no difference" not in lines[2]
    assert lines[3].lstrip() == "Accuracy: that of the default, AP 0.437; precision and size are the same"
    assert lines[4].startswith("Tried ")
    assert len(lines) == 5


def test_precisions_of_the_same_types_are_measured_once(played: PlayedRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("human_pose.tune.space.execution_type", lambda core, device, precision: "f32")
    played.speed = by_precision(20, 60)
    assert main(["--seconds", "20"]) == 0
    assert {cell.precision for cell in played.cells} == {"FP16-INT8", "FP16"}


def test_where_the_default_is_best_it_says_so(played: PlayedRuns, capsys: pytest.CaptureFixture[str]) -> None:
    played.speed = lambda cell: 60.0 if cell.precision == "FP16-INT8" and cell.hint == "throughput" and (
        cell.requests is None and cell.threads is None) else 30.0  # fmt: skip
    assert main(["--seconds", "40"]) == 0
    assert "It is the default: nothing that was tried is better." in capsys.readouterr().out


def test_latency_is_tuned_for_by_latency(played: PlayedRuns, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seconds", "40", "--for", "latency"]) == 0
    out = capsys.readouterr().out
    assert "The best for the lowest latency: CPU" in out
    assert "3.00 (3.00 to 3.00) times as fast a result as the default" in out  # one request instead of three


def test_min_ap_takes_the_smallest_input_that_has_it(played: PlayedRuns, capsys: pytest.CaptureFixture[str]) -> None:
    played.speed = lambda cell: by_precision(60, 30)(cell) * (256 / (cell.size or 256)) ** 2
    assert main(["--seconds", "40", "--min-ap", "0.5"]) == 0
    out = capsys.readouterr().out
    assert "size 368\n" in out
    assert "Accuracy: AP 0.538; the default has 0.437" in out
    assert {cell.size for cell in played.cells} == {368, None}  # None: the default, to compare with


def test_live_names_the_largest_size_and_what_is_known_of_its_accuracy(
    played: PlayedRuns, capsys: pytest.CaptureFixture[str]
) -> None:
    def speed(cell: Cell) -> float:  # 30 FPS, and 50 ms with one request, up to 320
        return 47 * (256 / (cell.size or 256)) ** 2 * (1.0 if cell.precision == "FP16-INT8" else 0.3)

    played.speed = speed
    assert main(["--seconds", "60", "--for", "live"]) == 0
    out = capsys.readouterr().out
    assert "for the largest input with 30 FPS at 50 ms of latency: CPU FP16-INT8, latency hint, size 320" in out
    assert "AP was not measured at this size, but it is 0.437 at 256, 0.538 at 368, 0.548 at 512; PCK 0.875" in out
    assert "Beside it the default (CPU FP16-INT8, throughput hint, size 256): FPS 47.0" in out


def test_live_where_nothing_keeps_up_fails_and_keeps_nothing(
    played: PlayedRuns, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    played.speed = lambda cell: 0.5
    assert main(["--seconds", "20", "--for", "live", "--apply"]) == 1
    output, errors = capsys.readouterr()
    assert output.startswith("Nothing measured keeps up with 30 FPS at 50 ms of latency. The nearest: CPU")
    assert "Not kept, because it does not keep up." in errors
    assert not list(tmp_path.rglob("tuned.json"))


def test_ctrl_c_gives_the_best_so_far_and_keeps_nothing(
    played: PlayedRuns, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    played.speed, played.stops_after = by_precision(60, 20), 4
    assert main(["--seconds", "60", "--apply"]) == 130
    output, errors = capsys.readouterr()
    assert output.startswith("Interrupted. The best so far for the most frames a second: CPU FP16-INT8")
    assert "Not kept, because the measurement was interrupted." in errors
    assert not list(tmp_path.rglob("tuned.json"))


def test_ctrl_c_before_the_first_result(played: PlayedRuns, capsys: pytest.CaptureFixture[str]) -> None:
    played.stops_after = 0
    assert main(["--seconds", "60"]) == 130
    assert capsys.readouterr().out == "Interrupted before anything was measured.\n"


def test_disturbed_runs_are_counted(played: PlayedRuns, capsys: pytest.CaptureFixture[str]) -> None:
    played.other_cores = 1.5
    assert main(["--seconds", "10"]) == 0
    count = len(played.cells)
    assert f"Other programs disturbed {count} of {count} runs." in capsys.readouterr().out


def test_a_system_that_does_not_tell_of_other_programs(played: PlayedRuns, capsys: pytest.CaptureFixture[str]) -> None:
    played.other_cores = None
    assert main(["--seconds", "10"]) == 0
    assert "Whether other programs disturbed it is not known here: pip install '.[study]'." in capsys.readouterr().out


def test_where_every_candidate_fails_the_reason_is_given(
    played: PlayedRuns, capsys: pytest.CaptureFixture[str]
) -> None:
    played.speed = lambda cell: 0.0
    assert main(["--seconds", "10"]) == 1
    assert "error: No candidate can be measured: the device is gone" in capsys.readouterr().err


def test_what_is_kept_is_loaded_again(played: PlayedRuns, capsys: pytest.CaptureFixture[str]) -> None:
    played.speed = lambda cell: 72.0 if (cell.requests, cell.streams) == (2, 2) else by_precision(60, 20)(cell)
    assert main(["--seconds", "60", "--apply"]) == 0
    assert "python human_pose_est.py -d best" in capsys.readouterr().err
    best = load_best(ov.Core(), DEFAULT_MODEL)
    assert (best.goal, best.requests, best.streams, best.threads) == ("throughput", 2, 2, None)
    configuration = best.configuration
    assert (configuration.device, configuration.precision, configuration.size) == ("CPU", "FP16-INT8", 0)
    assert configuration.preset == BEST


# ---- wrong use ----

WRONG: list[tuple[list[str], str]] = [
    (["-m", "none"], "Unknown model 'none'"),
    (["--devices", "TPU"], "There is no device 'TPU'"),
    (["--devices", "cpu"], "Write it in capitals: CPU"),
    (["--devices", "grpc://host:9000/model"], "is tuned where it runs"),
    (["-i", "no.mp4"], "no.mp4"),
    (["--min-ap", "0.6"], "No candidate has an AP of 0.6: the best known is 0.548"),
]


@pytest.mark.parametrize(
    ("arguments", "message"), WRONG, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_wrong_use_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert message in errors[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--min-ap", "1.5"], "'1.5' is not a score; give a number from 0 to 1"),
        (["--seconds", "2"], "2 s are too few to compare anything; give 5 or more"),
        (["--seconds", "soon"], "'soon' is not a number of seconds"),
        (["--for", "fun"], "invalid choice: 'fun'"),
    ],
)
def test_wrong_values_are_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.count("\n") == 1


def test_min_ap_of_a_network_whose_ap_is_not_known(painted_xml: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-m", str(painted_xml), "--min-ap", "0.3"]) == 2
    assert "is not known here, so nothing can have --min-ap 0.3" in capsys.readouterr().err


def test_a_machine_without_any_device(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plugins = tmp_path / "plugins.xml"
    plugins.write_text('<ie><plugins><plugin name="CPU" location="libabsent.so"/></plugins></ie>')
    assert main(["--plugins", str(plugins)]) == 2
    assert "error: OpenVINO offers no device on this machine" in capsys.readouterr().err


# ---- what is tried ----


def test_a_cpu_tries_few_streams_and_as_many_as_its_cores() -> None:
    assert {way.streams for way in ways("CPU", "throughput", 8)} == {None, 2, 4, 8}
    assert {Way("throughput", 4, 4), Way("throughput", 5, 4)} <= set(ways("CPU", "throughput", 8))
    assert all(way.requests is None or way.requests <= 2 for way in ways("CPU", "latency", 8))


@pytest.mark.parametrize("device", ["CPU", "GPU", "GPU.1", "NPU", "MULTI:GPU,CPU"])
@pytest.mark.parametrize("goal", ["throughput", "latency", "live"])
@pytest.mark.parametrize("cores", [1, 2, 64])
def test_no_way_is_there_twice_and_the_default_is_the_first(device: str, goal: str, cores: int) -> None:
    found = ways(device, goal, cores)
    assert len(found) == len(set(found))
    assert found[0] == Way("latency" if goal == "latency" else "throughput")
    assert not [way for way in found if way.threads == 0 or way.streams == 0]


def test_the_known_ap_is_that_of_the_documentation(root: Path) -> None:
    def rows_below(header: str) -> list[list[str]]:
        text = (root / "docs" / "accuracy.md").read_text()
        table = text[text.index(header) :].split("\n\n")[0].splitlines()[2:]
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]

    executed = {
        (row[0].split()[0], row[1].split()[0], row[2]): row[3]
        for row in rows_below("| model | executed in | size | AP |")
    }
    in_bf16 = {
        (row[0].split()[0], "bf16", row[1]): row[3] for row in rows_below("| model | size | AP in f32 | in bf16 |")
    }
    for (model, kind, size), ap in KNOWN_AP.items():
        assert (executed | in_bf16)[model, kind, str(size)] == f"{ap}"


# ---- a real run ----


def test_a_run_of_the_application_has_the_numbers_of_its_cell(painted_xml: Path, painted_clip: Path) -> None:
    cell = Cell("openvino", "painted", "FP32", str(painted_xml), requests=3, streams=1, threads=1, size=128)
    assert cell.id == "CPU painted FP32 throughput 3 requests 1 streams 1 threads 128 size"
    run = do("application", cell, StudyOptions(["CPU"], [], [], str(painted_clip), frames=5), "")
    assert (run["requests"], run["streams"], run["input_size"]) == (3, 1, [160, 128])
    assert run["application_frames"] == 5
    assert "inference_fps" not in run
    latency = run["application_latency_ms"]
    assert latency["min"] <= latency["p50"] <= latency["max"]


@pytest.mark.slow
def test_a_short_run_in_processes_is_kept_and_used_by_the_demo(
    painted_xml: Path, painted_clip: Path, call: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, clip = ["-m", str(painted_xml)], ["-i", str(painted_clip)]
    assert main([*network, *clip, "--seconds", "5", "--apply", "--devices", "CPU"]) == 0
    output, errors = capsys.readouterr()
    assert output.startswith("The best for the most frames a second: CPU FP")
    assert "-d best -m" in errors
    done = call(*network, *clip, "-d", "best", "--report", tmp_path / "r.json")
    assert done.returncode == 0, done.stderr
    used = json.loads((tmp_path / "r.json").read_text())["devices"][0]
    best = load_best(ov.Core(), str(painted_xml))
    assert used["preset"] == "best"
    assert (used["device"], used["hint"]) == ("CPU", best.hint)
    assert best.requests in (None, used["requests"])
    assert best.streams in (None, used["streams"])

"""What the panel says, the tour that goes by itself, the keys, and the switches that are counted."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openvino as ov
import pytest

from human_pose.demo.device_cycle import DeviceCycle
from human_pose.demo.options import parse_options, settings_of
from human_pose.demo.panel import (
    Style,
    Text,
    comparison,
    details,
    device_figures,
    device_list,
    picture_figures,
    switch_note,
)
from human_pose.demo.statistics import DeviceStatistics, RunStatistics
from human_pose.demo.tour import Tour
from human_pose.demo.window import Key, key_of
from human_pose.inference.model import ModelFile


def compiled(device: str, **more: Any) -> Any:
    known = {
        "device": device, "request_count": 1, "requests_in_use": more.get("request_count", 1), "facts": [],
        "server": None,
        "compile_s": 0.25, "is_from_cache": False, "runs_on": "", "streams": 1,
        "execution_precision": "f32", "operations": {}, "subgraphs": None,
    }  # fmt: skip
    return SimpleNamespace(**known | more)


def statistics_of(device: str, fps: float, latency_ms: float, seconds: float = 4) -> DeviceStatistics:
    statistics = DeviceStatistics(compiled(device))
    for result in range(round(fps * seconds) + 1):
        statistics.add(latency_ms, result / fps)
    return statistics


# ---- the headline and the details ----


def texts(blocks: Sequence[Any]) -> list[str]:
    return [block.text for block in blocks]


def test_the_panel_says_device_fps_latency_people_and_precision() -> None:
    blocks = device_figures(compiled("AUTO", runs_on="runs on CPU"), statistics_of("AUTO", 10, 80))
    assert texts(blocks) == ["AUTO", "runs on CPU", "10.0 FPS", "80.0 ms latency"]
    assert blocks[0] == Text("AUTO", Style.TITLE)
    assert texts(device_figures(compiled("CPU"), DeviceStatistics(compiled("CPU")))) == ["CPU", "- FPS", "- ms latency"]
    assert texts(device_figures(compiled("CPU"), None)) == ["CPU"]
    own, twin = (
        ModelFile("net", "FP16", Path("net.xml")),
        ModelFile("net", "FP32", Path("net.xml"), "float twin of INT8"),
    )
    assert texts(picture_figures(1, (), own, 0)) == ["1 person", "FP16"]
    assert texts(picture_figures(2, ["5 since the start"], twin, 1)) == [
        "2 people", "5 since the start", "FP32", "float twin of INT8", "1 frame dropped",
    ]  # fmt: skip


def test_the_details_count_in_words() -> None:
    network: Any = SimpleNamespace(file=SimpleNamespace(name="net", precision="FP16"))
    for one, more, expected in (
        (compiled("CPU"), None, {"in flight": "1 request, 1 stream", "compiled in": "0.2 s"}),
        (
            compiled("HETERO:GPU,CPU", request_count=4, streams=2, is_from_cache=True, subgraphs=1,
                     operations={"GPU": 34, "CPU": 5}),
            49.96,
            {"in flight": "4 requests, 2 streams", "compiled in": "0.2 s (cached)", "split into": "1 subgraph",
             "operations": "34 on GPU, 5 on CPU", "painted": "50.0 FPS"},
        ),
    ):  # fmt: skip
        inference: Any = SimpleNamespace(compiled=one, input_size=(456, 256))
        rows = {row[0]: row[1] for row in details(network, inference, statistics_of("CPU", 10, 80), more).rows}
        assert rows["input"] == "456x256"
        assert rows["mean FPS"] == "10.0"
        assert rows["mean latency"] == "80.0 ms (80.0 to 80.0)"
        assert {label: rows[label] for label in expected} == expected
        assert ("painted" in rows) == (more is not None)


# ---- the comparison ----


def test_the_comparison_marks_the_best_and_gives_ratios_to_the_first() -> None:
    devices = [statistics_of("CPU", 10, 80), statistics_of("GPU", 25, 90), statistics_of("MULTI:GPU,CPU", 5, 200)]
    assert comparison(devices).rows == (
        ("device", "FPS", "ratio", "ms", "p95"),
        ("CPU", "10.0", "1.00", "80.0*", "80.0"),
        ("GPU", "25.0*", "2.50", "90.0", "90.0"),
        ("MULTI:GPU,CPU", "5.0", "0.50", "200.0", "200.0"),
    )


def test_a_device_without_figures_is_compared_with_dashes() -> None:
    assert comparison([DeviceStatistics(compiled("CPU"))]).rows[1] == ("CPU", "-", "-", "-", "-")


# ---- devices and switches ----


def test_the_list_of_devices_marks_the_one_that_is_shown_and_names_what_failed() -> None:
    table = device_list(["CPU", "GPU", "AUTO"], "AUTO", {"GPU"})
    assert table.rows == (("1", "CPU"), ("2", "GPU (failed)"), ("3", "AUTO"))
    assert table.marked == 2


def test_while_a_switch_is_under_way_the_panel_says_whose_figures_it_shows() -> None:
    assert texts(switch_note("CPU", "GPU", ("GPU", 12.3))) == ["compiling GPU ... 12 s", "until then: figures of CPU"]
    assert texts(switch_note("AUTO", "CPU", None)) == ["CPU from the next result on", "until then: figures of AUTO"]
    assert texts(switch_note(None, "CPU", ("CPU", 3.0))) == ["compiling CPU ... 3 s"]
    assert texts(switch_note(None, "grpc://a:1/m", ("grpc://a:1/m", 3.0))) == ["connecting to grpc://a:1/m ... 3 s"]
    assert switch_note("CPU", "CPU", None) == []


# ---- keys ----


@pytest.mark.parametrize(
    ("code", "key"),
    [
        (9, Key.NEXT_DEVICE), (0x0B, Key.PREVIOUS_DEVICE), (0xFE20, Key.PREVIOUS_DEVICE),
        (27, Key.QUIT), (ord("q"), Key.QUIT), (ord("Q"), Key.QUIT), (32, Key.PAUSE), (ord("c"), Key.COMPARE),
        (ord("1"), 1), (ord("9"), 9), (ord("0"), None), (ord("x"), None), (ord("i"), Key.DETAILS),
        (0x100000 | ord("h"), Key.PANEL),  # Num Lock, in some toolkits' windows
        (0xFFE1, None), (0xFF1B, None),  # Shift by itself; a code whose last byte is that of ESC
    ],
)  # fmt: skip
def test_a_key_code_means_one_thing(code: int, key: Key | int | None) -> None:
    assert key_of(code) == key


# ---- the tour ----


def walk(devices: DeviceCycle, failing: dict[str, str] | None = None) -> list[tuple[str, float]]:
    """Follow a tour of 2 s on each device, a tick being 0.5 s; returns which device was in use, and since when."""
    tour, now, device = Tour(devices, 2.0), 0.0, devices.target
    stays = [(device, now)]
    while now < 100:
        key = tour.key(device, now)
        if key is Key.QUIT:
            return [*stays, ("quit", now)]
        if key is Key.NEXT_DEVICE:
            wanted = devices.next()
            if failing and wanted in failing:
                devices.mark_failed(wanted, back_to=device)
            else:
                now += 1.0  # it compiles
                device = wanted
                stays.append((device, now))
        now += 0.5
    raise AssertionError("the tour never ended")


def cycle(names: list[str], start: str, monkeypatch: pytest.MonkeyPatch) -> DeviceCycle:
    monkeypatch.setattr("human_pose.demo.device_cycle.check_device", lambda *_: None)
    return DeviceCycle(ov.Core(), start, names)


def test_a_tour_stays_on_every_device_and_quits(monkeypatch: pytest.MonkeyPatch) -> None:
    stays = walk(cycle(["A", "B", "C"], "B", monkeypatch))
    assert [name for name, _ in stays] == ["B", "C", "A", "quit"]
    assert all(later - earlier >= 2.0 for (_, earlier), (_, later) in pairwise(stays))


def test_a_tour_does_not_stay_again_where_the_next_device_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    stays = walk(cycle(["A", "B", "C"], "A", monkeypatch), failing={"B": "no memory"})
    assert [name for name, _ in stays] == ["A", "C", "quit"]
    assert stays[1][1] <= 2.0 + 0.5 + 0.5 + 1.0


def test_a_tour_of_one_device_ends_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert walk(cycle(["A"], "A", monkeypatch)) == [("A", 0.0), ("quit", 2.0)]


def test_without_a_tour_no_key_is_pressed() -> None:
    assert Tour(DeviceCycle(ov.Core(), "CPU"), None).key("CPU", 1e9) is None


# ---- switches ----


def test_a_switch_is_timed_until_its_first_result_and_knows_the_longest_gap() -> None:
    statistics = RunStatistics()
    for at in (0.0, 0.1, 0.2):
        statistics.add(compiled("CPU"), 50, at)
    statistics.ask_for_switch("GPU", 0.25)
    for at in (0.3, 0.7, 0.8):
        statistics.add(compiled("CPU"), 50, at)
    for at in (0.9, 3.0):
        statistics.add(compiled("GPU"), 50, at)
    [switch] = statistics.switches
    assert switch.ready_s == pytest.approx(0.65)
    assert switch.longest_gap_ms == pytest.approx(400)


def test_a_switch_that_was_overtaken_is_never_ready() -> None:
    statistics = RunStatistics()
    statistics.ask_for_switch("GPU", 0.0)
    statistics.ask_for_switch("NPU", 1.0)
    statistics.add(compiled("NPU"), 50, 2.0)
    assert [switch.ready_s for switch in statistics.switches] == [None, 1.0]


def test_a_pause_is_no_gap() -> None:
    statistics = RunStatistics()
    statistics.add(compiled("CPU"), 50, 0.0)
    statistics.ask_for_switch("GPU", 0.1)
    statistics.pause(True)
    statistics.pause(False)
    statistics.add(compiled("GPU"), 50, 60.0)
    assert statistics.switches[0].longest_gap_ms == 0


# ---- options ----


def test_the_start_is_the_first_of_the_list_or_the_cpu() -> None:
    assert parse_options([], None).device == "CPU"
    assert parse_options(["--devices", "AUTO", "CPU"], None).device == "AUTO"
    assert parse_options(["--devices", "AUTO", "CPU", "-d", "CPU"], None).device == "CPU"


def test_options_become_settings(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    arguments = ["--hint", "latency", "--requests", "3", "--streams", "2", "--threads", "4", "-c", "A=1", "-c", "B=x=y"]
    settings = settings_of(parse_options(arguments, None), "FP16")
    assert (settings.precision, settings.hint) == ("FP16", "latency")
    assert (settings.requests, settings.streams, settings.threads) == (3, 2, 4)
    assert settings.properties == {"A": "1", "B": "x=y"}
    assert settings.cache is not None
    assert settings.cache.is_dir()
    assert settings_of(parse_options(["--no-cache"], None), "FP16").cache is None

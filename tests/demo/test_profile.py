"""Where the time goes: stages whose times are made up, and the program's own."""

import json
import time
from pathlib import Path

import pytest

from human_pose.demo.panel import profile_table as panel_table
from human_pose.demo.report import profile_table
from human_pose.inference.profile import LOOP, STAGES, Profile
from tests.conftest import Program


def test_means_are_totals_over_frames() -> None:
    profile = Profile()
    for decode_ms in (1.0, 2.0, 6.0):
        profile.add("decode", decode_ms)
        profile.add("infer", 10.0)
        profile.end_frame(0.0)
    assert profile.mean_ms() == dict.fromkeys(STAGES, 0.0) | {"decode": 3.0, "infer": 10.0}


def test_a_stage_may_be_entered_several_times_a_frame() -> None:
    profile = Profile()
    for _ in range(2):
        profile.add("show", 1.0)
        profile.add("show", 2.0)
        profile.end_frame(0.0)
    assert profile.mean_ms()["show"] == 3.0
    assert profile.recent_ms()["show"] == pytest.approx(3.0)


def test_a_frame_takes_the_time_between_two_ends() -> None:
    profile = Profile()
    assert profile.frame_ms() is None
    for at in (5.0, 5.1, 5.4):
        profile.end_frame(at)
    assert profile.frame_ms() == pytest.approx(200)


def test_a_pause_is_in_no_figure() -> None:
    profile = Profile()
    for at in (1.0, 1.1):
        profile.end_frame(at)
    profile.interrupt()
    for at in (60.0, 60.3):
        profile.end_frame(at)
    assert profile.frame_ms() == pytest.approx(200)


def test_what_runs_inside_a_stage_is_timed_also_when_it_fails() -> None:
    profile = Profile()

    def fail(seconds: float) -> None:
        time.sleep(seconds)
        raise ValueError

    with pytest.raises(ValueError):
        profile.timed("draw", fail)(0.02)
    profile.end_frame(0.0)
    assert 20 <= profile.mean_ms()["draw"] < 2000


def test_recent_figures_follow_what_changes() -> None:
    profile = Profile()
    for decode_ms in [1.0] * 50 + [9.0] * 200:
        profile.add("decode", decode_ms)
        profile.end_frame(0.0)
    assert profile.recent_ms()["decode"] == pytest.approx(9.0, abs=0.01)
    assert profile.mean_ms()["decode"] == pytest.approx(7.4)


def test_the_table_has_every_stage_and_what_is_left_over() -> None:
    profile = Profile()
    for at in (1.0, 1.1):
        profile.add("wait", 60.0)
        profile.add("decode", 20.0)
        profile.end_frame(at)
    lines = {line.split()[0]: line.split() for line in profile_table(profile).splitlines()}
    assert set(lines) == {"start:", "stage", *STAGES, "rest", "loop"}
    assert lines["wait"][1:3] == ["60.00", "60.0%"]
    assert lines["rest"][1:3] == ["20.00", "20.0%"]
    assert lines["loop"][1] == "100.00"


def test_the_panel_has_every_stage_in_the_order_of_a_frames_way() -> None:
    header, *rows = panel_table({"decode": 0.25}).rows
    assert header == ("stage", "ms") * 2
    cells = [(row[i], row[i + 1]) for i in (0, 2) for row in rows]
    assert {len(row) for row in rows} == {4}
    assert [stage for stage, _ in cells if stage] == list(STAGES)
    assert dict(cells)["decode"] in ("0.2", "0.3")


def test_the_program_prints_and_reports_its_profile(call: Program, tmp_path: Path) -> None:
    done = call("-m", "mobilenet-thin", "--size", 64, "--frames", 30, "--profile", "--report", "r.json")
    assert done.returncode == 0, done.stderr
    for stage in STAGES:
        assert f"\n{stage}" in done.stdout
    report = json.loads((tmp_path / "r.json").read_text())
    stages = report["profile"]["stages_ms"]
    assert all(stages[stage] > 0 for stage in ("capture", "preprocess", "wait", "infer", "decode", "draw"))
    assert sum(stages[stage] for stage in LOOP) <= 1.1 * report["profile"]["frame_ms"] * 30 / 29
    assert list(report["start_s"]) == ["imports", "source and model", "compilation", "first picture"]
    assert all(seconds > 0 for seconds in report["start_s"].values())
    delay = report["devices"][0]["delay_ms"]
    assert delay["min"] - 0.01 <= delay["p50"] <= delay["p99"] <= delay["max"] + 0.01  # percentiles are rounded
    assert delay["min"] > report["devices"][0]["latency_ms"]["min"] / 2

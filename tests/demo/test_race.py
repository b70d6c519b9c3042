"""Two configurations race: each figure is of one alone, or of both together, and the panel says which."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import human_pose_est
from human_pose.demo import race as race_module
from human_pose.demo.race import Race, pair_of
from human_pose.demo.race_picture import draw_race
from human_pose.demo.race_show import size_of_output
from human_pose.errors import UsageError
from human_pose.inference.backend import DeviceError, Inference
from human_pose.inference.configuration import Configuration
from human_pose.inference.played_backend import PlayedBackend, PlayedRequest, queues
from human_pose.media.capture import Frame
from human_pose.poses.pose import Pose
from human_pose.zoo.catalog import DEFAULT_MODEL, ORIGINAL_MODEL
from tests.helpers.painted import blank
from tests.helpers.window import Demo, wait_for

SLOW, FAST = Configuration("CPU", precision="FP32"), Configuration("CPU", precision="FP16-INT8")


class PlayedNetworks:
    """Networks that are played: on each device FP32 takes 0.03 s a frame, FP16-INT8 0.01 s, one after the other."""

    def compile(self, configuration: Configuration, sample: np.ndarray) -> Sequence[PlayedRequest]:
        if configuration.device == "NONE":
            raise DeviceError("NONE", "NONE is not here.")
        time_s = 0.03 if configuration.precision == "FP32" else 0.01
        return PlayedBackend({configuration.device: (2, queues(time_s))}).compile(configuration, sample)

    def shown(self, configuration: Configuration) -> Configuration:
        return configuration

    def decode(self, inference: Inference) -> list[Pose]:
        return []


def race_between(*pair: Configuration) -> Race:
    networks: Any = PlayedNetworks()
    return Race(pair, networks, blank())


def run(race: Race, seconds: float) -> list[tuple[int, bool, bool]]:
    """Let it run. Returns at each step the number of those running, and which have frames in flight."""
    ends_at, index, seen = time.perf_counter() + seconds, 0, []

    def read(wait_s: float) -> Frame:
        nonlocal index
        index += 1
        return Frame(index, blank(), time.perf_counter(), time_s=index / 30)

    while time.perf_counter() < ends_at or not race.is_idle:
        race.step(read if time.perf_counter() < ends_at else None)
        first, second = (not racer.estimator.is_idle for racer in race.racers)
        seen.append((len(race.running), first, second))
    return seen


def test_on_one_device_they_take_turns_and_never_work_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race_module, "TURN_S", 0.5)
    race = race_between(FAST, SLOW)
    seen = run(race, 4.2)
    assert race.takes_turns
    assert not any(first and second for _, first, second in seen)
    assert {first for _, first, _ in seen} == {second for _, _, second in seen} == {True, False}
    assert race.ratio == pytest.approx(3, rel=0.25)
    assert [racer.slowed_by for racer in race.racers] == [None, None]
    assert "CPU FP16-INT8 is " in race.verdict()
    assert "turns of 0 s, because they share a device" in race.verdict()


def test_on_two_devices_each_runs_alone_first_and_then_both_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race_module, "ALONE_S", 0.6)
    race = race_between(SLOW, Configuration("GPU", precision="FP16-INT8"))
    seen = run(race, 2.5)
    assert not race.takes_turns
    running = [count for count, _, _ in seen]
    both = running.index(2)
    assert not any(first and second for _, first, second in seen[:both])
    assert any(first and second for _, first, second in seen[both:])
    assert race.ratio == pytest.approx(1 / 3, rel=0.25)
    for racer in race.racers:
        assert racer.slowed_by is not None
        assert abs(racer.slowed_by) < 0.3  # they are played: neither slows the other
    assert "Both ran at once; that slowed CPU" in race.verdict()


@pytest.mark.parametrize("other", ["MULTI:GPU,CPU", "HETERO:GPU,CPU"])
def test_who_shares_a_device_with_the_other_takes_turns(other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race_module, "TURN_S", 0.1)
    race = race_between(Configuration("GPU.0"), Configuration(other))
    run(race, 0.5)
    assert race.takes_turns


def test_a_pause_is_in_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race_module, "ALONE_S", 0.2)
    race = race_between(FAST, Configuration("GPU", precision="FP16-INT8"))
    run(race, 1.5)
    before = race.racers[0].fps
    race.interrupt()
    time.sleep(1.5)
    run(race, 0.5)
    assert before is not None
    assert race.racers[0].fps is not None
    assert race.racers[0].fps > 0.8 * before


def test_a_side_that_cannot_run_ends_the_race() -> None:
    race = race_between(FAST, Configuration("NONE"))
    with pytest.raises(DeviceError, match="NONE is not here"):
        run(race, 2)


START = Configuration("CPU", DEFAULT_MODEL, "FP16-INT8", "throughput")


def test_a_side_says_what_differs_from_the_other_options() -> None:
    assert pair_of(["GPU", "fp16 latency 128"], START) == [
        Configuration("GPU", DEFAULT_MODEL, "FP16-INT8", "throughput"),
        Configuration("CPU", DEFAULT_MODEL, "FP16", "latency", 128),
    ]
    own = pair_of(["CPU", ORIGINAL_MODEL], START)[1]
    assert own == Configuration("CPU", ORIGINAL_MODEL, "FP16", "throughput")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["CPU", "CPU"], "Both sides of the race are 'CPU"),
        (["CPU"], "A race is between two"),
        (["CPU", "GPU", "AUTO"], "A race is between two"),
        (["CPU", "CPU GPU"], "names two of a kind: devices 'CPU' and 'GPU'"),
    ],
)
def test_a_wrong_pair_is_named(words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        pair_of(words, START)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--race", "CPU", "GPU9"], "error: There is no device 'GPU9'."),
        (["--race", "CPU", "CPU FP16", "--keypoints", "k.csv"], "error: A race writes only -o and --report."),
        (["--race", "CPU", "CPU FP16", "-o", "race.png"], "error: A race is written as a video, not to 'race.png'."),
    ],
)
def test_what_a_race_cannot_do_is_named(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert human_pose_est.main([*arguments, "--no-show"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(said)
    assert error.count("\n") == 1


def test_the_picture_has_both_sides_and_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race_module, "TURN_S", 0.3)
    race = race_between(FAST, SLOW)
    size = size_of_output((640, 480))
    assert size == (1280, 632)
    before = draw_race(race, blank(), size)
    run(race, 1.5)
    after = draw_race(race, blank(), size)
    assert before.shape == after.shape == (632, 1280, 3)
    foot = after[480:]
    assert (foot[:, :640] != before[480:, :640]).any()
    assert (foot[:, 640:] != before[480:, 640:]).any()
    grey = [(side == blank()[0, 0]).all(axis=2).any() for side in (after[:480, :639], after[:480, 640:])]
    assert any(grey)  # who runs is bright, who waits is dim


@pytest.mark.slow
def test_a_race_as_a_video_with_its_table_and_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video, report = tmp_path / "race.avi", tmp_path / "r.json"
    arguments = ["--size", "64", "--race", "CPU", "CPU latency 96", "--frames", "150", "--no-show"]
    assert human_pose_est.main([*arguments, "-o", str(video), "--report", str(report)]) == 0
    output = capsys.readouterr().out
    sides = json.loads(report.read_text())["race"]
    assert [(side["size"], side["hint"], side["takes_turns"]) for side in sides] == [
        (64, "throughput", True), (96, "latency", True),
    ]  # fmt: skip
    written = cv2.VideoCapture(str(video))
    assert (written.get(cv2.CAP_PROP_FRAME_WIDTH), written.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (1280, 632)
    assert output.splitlines()[0].split()[:3] == ["race", "frames", "FPS"]
    assert output.splitlines()[1].startswith("CPU throughput 64")


@pytest.mark.slow
def test_r_races_the_present_against_the_one_before(demo: Callable[..., Demo], tmp_path: Path) -> None:
    window = demo("-m", DEFAULT_MODEL, "--size", 64, "--loop", "--no-cache")
    wait_for(lambda: window.shows("CPU"), "the panel to name the CPU")
    window.press("r")
    time.sleep(0.5)
    window.press("t")
    time.sleep(1.5)
    window.press("r")
    wait_for(lambda: not window.shows("CPU"), "the race")
    time.sleep(6)
    window.press("r")
    wait_for(lambda: window.shows("CPU"), "the panel to come back")
    window.press("q")
    _, errors = window.process.communicate(timeout=60)
    assert window.process.returncode == 0
    assert errors.count("A race needs two configurations") == 1
    assert errors.count("They took turns of 2 s, because they share a device.") == 1

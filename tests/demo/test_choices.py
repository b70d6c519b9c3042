"""The keys lead from one configuration to the next, and the networks follow."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import openvino as ov
import pytest

from human_pose.demo.choices import Choices
from human_pose.demo.networks import Networks
from human_pose.demo.panel import Style
from human_pose.demo.panel_picture import LOOKS
from human_pose.demo.window import Key
from human_pose.errors import UsageError
from human_pose.inference import estimator as estimator_module
from human_pose.inference.configuration import Configuration, labels
from human_pose.inference.estimator import Estimator
from human_pose.inference.played_backend import PlayedBackend, queues
from human_pose.inference.settings import Settings
from human_pose.zoo.catalog import DEFAULT_MODEL, ORIGINAL_MODEL
from human_pose.zoo.resolve import executable_precisions
from tests.helpers.painted import blank, paint_person
from tests.helpers.window import Demo, wait_for

START = Configuration("CPU", "a", "FP16-INT8", "throughput")
BEST_OF_A = Configuration("CPU", "a", "FP16", "latency", 128, "best")


class TwoNetworks:
    """Network a has three precisions and three sizes, b one of each."""

    models: Sequence[str] = ("a", "b")

    def precisions(self, model: str) -> Sequence[str]:
        return ("FP16-INT8", "FP16", "FP32") if model == "a" else ("FP16", "FP32")

    def default_precision(self, model: str) -> str:
        return "FP16"

    def sizes(self, configuration: Configuration) -> Sequence[int]:
        return (128, 0, 512) if configuration.model == "a" else (0,)

    def best(self, model: str) -> Configuration:
        if model == "b":
            raise UsageError("nothing was tuned for b")
        return BEST_OF_A


@pytest.fixture
def choices() -> Choices:
    return Choices(ov.Core(), START, ["CPU", "AUTO"], TwoNetworks())


def test_a_key_for_each_part_of_a_configuration(choices: Choices) -> None:
    assert choices.press(Key.NEXT_PRECISION) == replace(START, precision="FP16")
    assert choices.press(Key.NEXT_HINT) == replace(START, precision="FP16", hint="latency")
    assert choices.press(Key.NEXT_HINT) == replace(START, precision="FP16")
    assert choices.press(Key.NEXT_DEVICE) == replace(START, precision="FP16", device="AUTO")
    assert choices.press(Key.PAUSE) is None
    assert choices.target == replace(START, precision="FP16", device="AUTO")


def test_sizes_end_at_the_smallest_and_the_largest(choices: Choices) -> None:
    pressed = [choices.press(key) for key in (Key.LARGER, Key.LARGER, Key.SMALLER, Key.SMALLER, Key.SMALLER)]
    assert [found.size for found in pressed if found] == [512, 512, 0, 128, 128]


def test_another_network_has_its_own_size_and_a_precision_that_it_has(choices: Choices) -> None:
    choices.press(Key.LARGER)
    assert choices.press(Key.NEXT_NETWORK) == Configuration("CPU", "b", "FP16", "throughput")
    assert choices.press(Key.NEXT_NETWORK) == Configuration("CPU", "a", "FP16", "throughput")


def test_what_failed_is_passed_over_with_the_rest_of_its_configuration_only(choices: Choices) -> None:
    on_auto = choices.press(Key.NEXT_DEVICE)
    assert on_auto is not None
    choices.mark_failed(on_auto, back_to=START)
    assert choices.failed_devices == {"AUTO"}
    assert choices.press(Key.NEXT_DEVICE) == START
    choices.press(Key.NEXT_HINT)
    assert choices.failed_devices == set()
    assert choices.press(Key.NEXT_DEVICE) == replace(on_auto, hint="latency")


def test_the_best_of_this_machine_and_from_there_on_its_settings_are_left_behind(choices: Choices) -> None:
    ways: dict[Key | int, Configuration] = {
        Key.NEXT_DEVICE: replace(BEST_OF_A, device="AUTO", preset=""),
        Key.NEXT_PRECISION: replace(BEST_OF_A, precision="FP32", preset=""),
        Key.NEXT_HINT: replace(BEST_OF_A, hint="throughput", preset=""),
        Key.LARGER: replace(BEST_OF_A, size=0, preset=""),
        Key.NEXT_NETWORK: Configuration("CPU", "b", "FP16", "latency"),
        1: replace(BEST_OF_A, preset=""),
    }
    for key, expected in ways.items():
        assert choices.press(Key.BEST) == BEST_OF_A
        assert choices.press(key) == expected
        if expected.model == "b":  # for which nothing was tuned
            choices.press(Key.NEXT_NETWORK)
    assert choices.before == BEST_OF_A


def test_where_nothing_was_tuned_the_target_stays(choices: Choices) -> None:
    on_b = choices.press(Key.NEXT_NETWORK)
    with pytest.raises(UsageError, match="nothing was tuned for b"):
        choices.press(Key.BEST)
    assert choices.target == on_b


def test_names_hold_what_differs() -> None:
    cpu, gpu = START, replace(START, device="GPU")
    assert labels([cpu, gpu]) == ["CPU", "GPU"]
    assert labels([cpu, replace(gpu, precision="FP32"), replace(cpu, size=128)]) == [
        "CPU FP16-INT8", "GPU FP32", "CPU FP16-INT8 128",
    ]  # fmt: skip
    assert labels([]) == []


# ---- networks ----


def networks(frame_size: tuple[int, int] | None = (320, 240)) -> Networks:
    first = Configuration("CPU", DEFAULT_MODEL, "FP16-INT8", "latency", 64)
    return Networks(ov.Core(), first, lambda c: Settings(c.precision, c.hint), frame_size)


def test_sizes_are_steps_of_the_networks_own_and_what_it_has_now() -> None:
    offer = networks()
    small = Configuration("CPU", DEFAULT_MODEL, "FP16-INT8", "latency", 64)
    assert offer.sizes(small) == (64,)  # nothing is loaded for the list's sake
    assert offer.network(small).input_size == (88, 64)
    assert offer.sizes(small) == [64, 128, 160, 192, 224, 0, 320, 384, 512]
    assert offer.shown(replace(small, device="AUTO")) == replace(small, device="AUTO")
    own = replace(small, size=0)
    offer.network(own)
    assert offer.shown(own).size == 256


def test_two_precisions_run_beside_each_other_each_in_its_own_types() -> None:
    offer = networks()
    int8 = Configuration("CPU", DEFAULT_MODEL, "FP16-INT8", "latency", 64)
    image = paint_person(blank())
    compiled = [offer.compile(replace(int8, precision=p), image)[0].compiled for p in ("FP16-INT8", "FP32")]
    assert [one.execution_precision.startswith("INT8") for one in compiled] == [True, False]
    assert compiled[1].configuration.precision == "FP32"
    assert offer.network(replace(int8, precision="FP32")).file.note == "float twin of FP16-INT8"


def test_a_network_that_is_not_here_is_named() -> None:
    with pytest.raises(UsageError, match="Unknown model 'none'"):
        networks().compile(Configuration("CPU", "none", "FP16", "latency"), blank())


def test_precisions_that_a_network_can_be_executed_in(painted_xml: Path) -> None:
    assert executable_precisions(DEFAULT_MODEL) == ["FP16-INT8", "FP16", "FP32"]
    assert executable_precisions(str(painted_xml)) == ["FP16", "FP32"]
    assert executable_precisions(ORIGINAL_MODEL)[-2:] == ["FP16", "FP32"]


def test_compiled_networks_are_kept_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimator_module, "MOST_READY", 2)
    backend = PlayedBackend({"CPU": (1, queues(0.001))})
    estimator = Estimator(backend, Configuration("CPU"))
    for size in (8, 16, 24):
        estimator.switch(Configuration("CPU", size=size))
        while estimator.compiling is not None:
            estimator.collect(wait=False)
    assert [configuration.size for configuration in estimator._ready] == [16, 24]


# ---- in the window ----


@pytest.mark.slow
def test_every_setting_has_its_key_in_the_window(demo: Callable[..., Demo], tmp_path: Path) -> None:
    """Precision, hint, size and network, one after the other; each makes results of its own, and no frame is lost."""
    window = demo("-m", DEFAULT_MODEL, "--size", 64, "--loop", "--no-cache", "--keypoints", tmp_path / "k.jsonl")
    wait_for(lambda: window.shows("CPU"), "the panel to name the CPU")
    for key in ("f", "t", "plus"):
        time.sleep(0.5)
        window.press(key)
        time.sleep(0.3)
        wait_for(lambda: window.pixels_of(LOOKS[Style.NOTE].colour) < 20, "the new configuration's results")
    window.press("n")
    wait_for(lambda: window.shows_small(f"{ORIGINAL_MODEL}, latency hint, 496x368"), "the other network")
    window.press("c")
    time.sleep(0.5)
    output = window.quit("q")
    report = json.loads((tmp_path / "r.json").read_text())
    used = [(one["model"], one["precision"], one["hint"], one["size"]) for one in report["devices"]]
    assert used == [
        (DEFAULT_MODEL, "FP16-INT8", "throughput", 64),
        (DEFAULT_MODEL, "FP16", "throughput", 64),
        (DEFAULT_MODEL, "FP16", "latency", 64),
        (DEFAULT_MODEL, "FP16", "latency", 128),
        (ORIGINAL_MODEL, "FP16", "latency", 368),
    ]
    assert [switch["ready_s"] is not None for switch in report["switches"]] == [True] * 4
    frames = [json.loads(line)["frame"] for line in (tmp_path / "k.jsonl").read_text().splitlines()]
    assert frames == list(range(len(frames)))
    total = sum(one[kind] for one in report["devices"] for kind in ("frames", "warmup_frames", "while_switching"))
    assert total == len(frames)
    assert f"CPU {ORIGINAL_MODEL} FP16 latency 368" in output

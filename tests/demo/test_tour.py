"""A tour counts its seconds from a device's first counted result."""

import openvino as ov
import pytest

from human_pose.demo.choices import Choices
from human_pose.demo.tour import Tour
from human_pose.demo.window import Key
from human_pose.inference.configuration import Configuration


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> Choices:
    monkeypatch.setattr("human_pose.demo.choices.check_device", lambda *_: None)
    return Choices(ov.Core(), Configuration("A"), ["A", "B"])


def test_what_is_not_counted_is_no_stay(devices: Choices) -> None:
    """Two seconds on each: A compiles until 5, B (asked for at 7) until 30; only then it stays."""
    tour = Tour(devices, 2.0)
    pressed = []
    for tick in range(80):
        now = tick / 2
        counting = {"A": "A" if now >= 5 else None, "B": "B" if now >= 30 else None}[devices.target.device]
        key = tour.key(Configuration(counting) if counting else None, now)
        if key is not None:
            pressed.append((now, key))
            devices.press(Key.NEXT_DEVICE)
        if key is Key.QUIT:
            break
    assert pressed == [(7.0, Key.NEXT_DEVICE), (32.0, Key.QUIT)]


def test_results_of_the_device_before_start_no_stay(devices: Choices) -> None:
    tour = Tour(devices, 2.0)
    devices.press(Key.NEXT_DEVICE)  # the viewer pressed TAB at once; A still gives results
    assert [tour.key(Configuration("A"), float(now)) for now in range(100)] == [None] * 100

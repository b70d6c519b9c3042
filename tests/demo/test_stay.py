"""A stay counts its seconds from the first counted result, and ends early where the configuration failed."""

import openvino as ov
import pytest

from human_pose.demo.choices import Choices
from human_pose.demo.stay import GIVE_UP_S, Stay
from human_pose.demo.window import Key
from human_pose.inference.configuration import Configuration

A, B = Configuration("A"), Configuration("B")


@pytest.fixture
def choices(monkeypatch: pytest.MonkeyPatch) -> Choices:
    monkeypatch.setattr("human_pose.demo.choices.check_device", lambda *_: None)
    return Choices(ov.Core(), B, ["B"])


@pytest.fixture
def arrivals() -> list[str]:
    return []


@pytest.fixture
def stay(choices: Choices, arrivals: list[str]) -> Stay:
    return Stay(choices, 2.0, lambda: arrivals.append("here"))


def test_it_ends_some_seconds_after_the_first_counted_result(stay: Stay, arrivals: list[str]) -> None:
    """A goes on until 30, B counts from then on."""
    assert [stay.key(A if now < 30 else B, now) for now in range(32)] == [None] * 32
    assert arrivals == ["here"]
    assert stay.key(B, 32.0) is Key.QUIT
    assert stay.failure == ""


def test_it_ends_at_once_where_the_one_before_took_over(stay: Stay, choices: Choices, arrivals: list[str]) -> None:
    assert stay.key(A, 0.0) is None
    choices.mark_failed(B, back_to=A)
    assert stay.key(A, 0.1) is Key.QUIT
    assert stay.failure == "B failed."
    assert arrivals == []


def test_it_gives_up_where_nothing_is_counted(stay: Stay) -> None:
    assert stay.key(None, 5.0) is None
    assert stay.key(A, 4.0 + GIVE_UP_S) is None
    assert stay.key(A, 5.0 + GIVE_UP_S) is Key.QUIT
    assert stay.failure == "B gave no result in 120 s."

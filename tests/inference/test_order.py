"""Results in order from devices of unequal speed: how many frames are on their way, and what is too late to show.

The devices are played: a request is done when the test says so.
"""

import time
from typing import Any

import numpy as np
import pytest

from human_pose.inference import estimator as estimator_module
from human_pose.inference.backend import Inference
from human_pose.inference.configuration import Configuration
from human_pose.inference.estimator import Estimator
from human_pose.inference.played_backend import DoneAt, PlayedBackend, queues
from human_pose.media.capture import Frame

SLOW, FAST = 0.2, 0.02  # s a frame


def two_devices() -> DoneAt:
    """A slow and a fast device, each with its queue."""
    return queues(SLOW, FAST)


def play(devices: dict[str, tuple[int, DoneAt]], first: str, **options: Any) -> Estimator:
    """An estimator whose devices are played."""
    return Estimator(PlayedBackend(devices), Configuration(first), **options)


def run(estimator: Estimator, frames: int, frame_interval_s: float = 0.0) -> list[Inference]:
    """So many frames through the loop, as fast as the estimator takes them or one every so often (the newest)."""
    image, results, index = np.zeros((8, 8, 3), np.uint8), [], 0
    due_at = time.perf_counter()
    while index < frames or not estimator.is_idle:
        now = time.perf_counter()
        frame = None
        if index < frames and now >= due_at and (estimator.has_idle_request or frame_interval_s):
            if estimator.has_idle_request:
                frame = Frame(index, image, now)
                estimator.submit(frame)
            due_at = now + frame_interval_s
            index += 1
        result = estimator.collect(wait=frame is None)
        if result is not None:
            results.append(result)
    return results


def test_the_fast_device_does_not_wait_for_the_slow_one() -> None:
    """10 : 1. In the time of two slow frames the fast device makes nineteen and more, all in order."""
    estimator = play({"MULTI": (3, two_devices())}, "MULTI")
    most_on_their_way = 0
    image = np.zeros((8, 8, 3), np.uint8)
    started_at, submitted, results = time.perf_counter(), 0, []
    while time.perf_counter() - started_at < 2 * SLOW + 0.02:
        has_room = estimator.has_idle_request
        if has_room:
            estimator.submit(Frame(submitted, image, 0.0))
            submitted += 1
        result = estimator.collect(wait=not has_room)
        if result is not None:
            results.append(result.frame.index)
        most_on_their_way = max(most_on_their_way, submitted - len(results))
    assert results == list(range(len(results)))
    assert most_on_their_way > 2 * 3  # two rounds of requests were the limit once
    assert len(results) >= 15


def test_frames_on_their_way_are_bounded_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(estimator_module, "ON_THEIR_WAY_BYTES", 40 * 8 * 8 * 3)
    never = {"at": 1e12}
    calls = iter([lambda: never["at"], *[time.perf_counter] * 1000])
    estimator = play({"MULTI": (3, lambda: next(calls)())}, "MULTI")  # the first frame hangs
    image = np.zeros((8, 8, 3), np.uint8)
    submitted = 0
    for _ in range(500):
        if estimator.has_idle_request:
            estimator.submit(Frame(submitted, image, 0.0))
            submitted += 1
        assert estimator.collect(wait=False) is None
    assert 35 <= submitted <= 41


def test_of_a_live_source_a_result_that_holds_up_newer_ones_is_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(estimator_module, "LATE_AFTER_S", 0.05)
    estimator = play({"MULTI": (3, two_devices())}, "MULTI", is_live=True)
    results = run(estimator, 30, frame_interval_s=0.01)
    indices = [result.frame.index for result in results]
    assert indices == sorted(indices)
    assert estimator.late >= 1
    delays = [time.perf_counter() - result.frame.captured_at for result in results[-1:]]
    assert delays[0] < SLOW
    assert len(set(indices)) == len(indices)


def test_a_late_frame_is_still_at_work_on_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimator_module, "LATE_AFTER_S", 0.02)
    calls = iter([lambda: 1e12, *[time.perf_counter] * 1000])
    estimator = play({"MULTI": (3, lambda: next(calls)())}, "MULTI", is_live=True)  # the first frame hangs
    image = np.zeros((8, 8, 3), np.uint8)
    results: list[int] = []
    for index in range(200):
        if estimator.has_idle_request:
            estimator.submit(Frame(index, image, 0.0))
        result = estimator.collect(wait=True)
        results += [] if result is None else [result.frame.index]
        if estimator.late and estimator.is_idle:
            break
    assert estimator.late == 1
    assert 0 not in results
    assert [request for _, request, _ in estimator.running] == [0]


def test_of_a_file_nothing_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimator_module, "LATE_AFTER_S", 0.0)
    estimator = play({"MULTI": (3, two_devices())}, "MULTI")
    results = run(estimator, 15)
    assert [result.frame.index for result in results] == list(range(15))
    assert estimator.late == 0


# ---- what a switch disturbs ----


def soon() -> float:
    return time.perf_counter() + 0.005


def test_results_made_while_another_network_compiles_are_marked() -> None:
    backend = PlayedBackend({"A": (2, soon), "B": (2, soon)}, compile_s={"B": 0.15})
    estimator = Estimator(backend, Configuration("A"))
    assert not any(result.while_switching for result in run(estimator, 10))
    estimator.switch(Configuration("B"))
    results = run(estimator, 120)
    of_a = [result for result in results if result.compiled.device == "A"]
    of_b = [result for result in results if result.compiled.device == "B"]
    assert len(of_a) >= 10
    assert all(result.while_switching for result in of_a)
    assert not any(result.while_switching for result in of_b[5:])
    assert of_b[-1].settled_at < time.perf_counter() - 0.01


def test_between_two_ready_devices_only_what_is_mixed_is_marked() -> None:
    estimator = play({"A": (2, soon), "B": (2, soon)}, "A")
    estimator.switch(Configuration("B"))
    while estimator.compiling is not None:
        estimator.collect(wait=False)
    run(estimator, 10)
    estimator.switch(Configuration("A"))
    results = run(estimator, 20)
    assert {result.compiled.device for result in results} == {"A"}
    assert not any(result.while_switching for result in results)  # nothing of B was in flight
    image = np.zeros((8, 8, 3), np.uint8)
    for index in range(2):
        estimator.submit(Frame(index, image, 0.0))
    estimator.switch(Configuration("B"))
    for index in range(2, 4):
        estimator.submit(Frame(index, image, 0.0))
    results = run(estimator, 0)
    assert [(result.compiled.device, result.while_switching) for result in results] == [
        ("A", True), ("A", True), ("B", True), ("B", True),
    ]  # fmt: skip


# ---- the first compilation ----


def test_frames_wait_until_the_first_network_is_compiled() -> None:
    backend = PlayedBackend({"A": (2, soon), "B": (2, soon)}, compile_s={"A": 0.1, "B": 0.2})
    estimator = Estimator(backend, Configuration("A"), waits=False)
    assert (estimator.configuration, estimator.has_idle_request, estimator.is_idle) == (None, False, True)
    assert estimator.compiling is not None
    assert estimator.collect(wait=True) is None
    estimator.switch(Configuration("B"))  # the viewer presses TAB meanwhile: both are compiled, A goes first
    results = run(estimator, 100)
    assert {result.compiled.device for result in results} == {"A", "B"}
    assert estimator.configuration == Configuration("B")

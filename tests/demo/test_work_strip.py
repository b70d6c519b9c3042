"""The picture of the work: bars where requests were busy, and only there."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from human_pose.demo.work_strip import COLOURS, DARK, SHOWN_S, WorkStrip
from human_pose.inference.backend import CompiledModel, Inference
from human_pose.inference.configuration import Configuration
from human_pose.inference.estimator import Estimator, infer_all
from human_pose.inference.input_size import Box
from human_pose.inference.played_backend import PlayedBackend, queues
from human_pose.media.capture import Frame, open_capture
from tests.helpers.painted import save_clip

WIDTH, HEIGHT = 1000, 600
NOW = 100.0
FRAME = Frame(0, np.zeros((8, 8, 3), np.uint8), 0.0)


def result(device: str, request: int, began_at: float, ended_at: float, requests: int = 2) -> Inference:
    compiled = CompiledModel(Configuration(device), "f32", requests)
    latency_ms = 1000 * (ended_at - began_at)
    return Inference(FRAME, compiled, {}, (8, 8), Box(0, 0, 8, 8), latency_ms, request, began_at)


def picture_of(strip: WorkStrip, *running: tuple[CompiledModel, int, float]) -> np.ndarray:
    """The strip alone: (h, w, 3)."""
    picture = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    height = strip.put(picture, NOW, running)
    assert (picture[: HEIGHT - height] == 255).all()
    return picture[HEIGHT - height :]


def share_of(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """For each row that has lanes, which share of the strip's length has this colour."""
    lanes = picture[:, WIDTH // 4 :]
    mask = (lanes == colour).all(axis=2)
    rows = mask | (lanes == DARK).all(axis=2)
    return np.asarray(mask[rows.any(axis=1)].mean(axis=1))


def test_nothing_is_drawn_before_there_is_work() -> None:
    assert picture_of(WorkStrip()).size == 0


def test_a_lane_for_each_request_with_bars_where_it_was_busy() -> None:
    strip = WorkStrip()
    strip.add(result("CPU", 0, NOW - 3 * SHOWN_S, NOW))  # always busy
    picture = picture_of(strip)
    shares = share_of(picture, COLOURS["CPU"])
    half = len(shares) // 2
    assert (shares[:half] > 0.99).all()  # but for the pixel between bars
    assert (shares[half:] == 0).all()


def test_a_bar_lies_where_its_time_lies() -> None:
    strip = WorkStrip()
    strip.add(result("GPU", 0, NOW - 1.0, NOW - 0.5, requests=1))
    row = (picture_of(strip) == COLOURS["GPU"]).all(axis=2)[:, WIDTH // 4 :].any(axis=0).nonzero()[0] + WIDTH // 4
    lane = 0.84 * WIDTH  # without the names
    assert abs(row.min() - (WIDTH - lane / 2)) <= 2
    assert abs(row.max() - (WIDTH - lane / 4)) <= 2


def test_what_is_not_over_yet_reaches_to_now() -> None:
    compiled = CompiledModel(Configuration("CPU"), "f32", 1)
    picture = picture_of(WorkStrip(), (compiled, 0, NOW - 0.5))
    assert abs(share_of(picture, COLOURS["CPU"]).max() * 0.75 - 0.84 * 0.25) < 0.01


def test_two_devices_have_colours_of_their_own_and_the_one_left_goes() -> None:
    strip = WorkStrip()
    strip.add(result("CPU", 0, NOW - 1.5, NOW - 1.4))
    strip.add(result("MULTI:GPU,CPU", 1, NOW - 1.3, NOW - 1.0))
    picture = picture_of(strip)
    assert (share_of(picture, COLOURS["CPU"]) > 0).any()
    assert (share_of(picture, COLOURS["MULTI"]) > 0).any()
    picture = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    height = strip.put(picture, NOW + SHOWN_S - 1.2)
    assert not (picture[HEIGHT - height :] == COLOURS["CPU"]).all(axis=2).any()


@pytest.mark.parametrize("size", [(8, 8), (40, 30), (4000, 100), (100, 4000)])
def test_whatever_the_picture_the_strip_stays_in_its_lower_quarter(size: tuple[int, int]) -> None:
    strip = WorkStrip()
    for request in range(16):
        strip.add(result("CPU", request, NOW - 1, NOW, requests=16))
    picture = np.full((size[1], size[0], 3), 255, np.uint8)
    height = strip.put(picture, NOW)
    assert height <= size[1] / 4
    assert (picture[: size[1] - height] == 255).all()


def test_the_estimator_tells_which_request_worked_when(tmp_path: Path) -> None:
    """Two requests of a device that takes them one after the other: their bars do not start before the last is over."""
    clip = save_clip(tmp_path)
    estimator = Estimator(PlayedBackend({"CPU": (2, queues(0.02))}), Configuration("CPU"))
    with open_capture(str(clip)) as capture:
        found = list(infer_all(capture, estimator))
    assert {inference.request for inference in found} == {0, 1}
    for request in (0, 1):
        bars = [(i.began_at, i.began_at + i.latency_ms / 1000) for i in found if i.request == request]
        assert all(ended <= began + 1e-3 for (_, ended), (began, _) in pairwise(bars))
    assert not list(estimator.running)

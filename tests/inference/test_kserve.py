"""The demo with a server that others wrote: KServe, of models in the folder that `serve-layout` writes."""

import importlib.util
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import human_pose_est
from human_pose import models
from human_pose.demo.viewer import Viewer
from human_pose.inference.backend import Inference
from tests.conftest import Program
from tests.helpers.kserve_server import ServerProcess
from tests.helpers.painted import HEIGHT, PERSON, WIDTH, blank, paint_person, pixels

FRAMES = 300
PAUSE_S = 0.05  # a frame of the CPU takes so long, so that the video outlasts both switches on a busy machine
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kserve")]


def need_kserve() -> None:
    """Skip without KServe; on the machine that judges a change, fail where KServe could be installed."""
    if importlib.util.find_spec("kserve") is None:
        reason = "KServe is not installed: pip install kserve (Python 3.10 to 3.13)"
        if os.environ.get("CI") == "true" and sys.version_info < (3, 14):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, painted_xml: Path) -> Path:
    """What is served: the network that finds what was painted, of its fixed size, and both bundled ones."""
    need_kserve()
    folder = tmp_path_factory.mktemp("served")
    painted = ["-m", str(painted_xml), "-p", "FP32", "--frame-size", f"{WIDTH}x{HEIGHT}"]
    for options in (painted, ["-m", "human-pose-estimation-0001"], ["-m", "mobilenet-thin"]):
        assert models.main(["serve-layout", str(folder), *options]) == 0
    return folder


@pytest.fixture(scope="module")
def servers(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ServerProcess]]:
    """The servers so far; the last one runs."""
    started = [ServerProcess(folder, tmp_path_factory.mktemp("log") / "server.log")]
    try:
        started[0].wait_until_ready()
        yield started
    finally:
        for server in started:
            server.kill()


def shift(index: int) -> tuple[int, int]:
    """Where the person is in a frame, in cells: another place in each of 95 frames."""
    return index % 19, index % 5


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video, without loss, whose frames show their number."""
    path = tmp_path_factory.mktemp("numbered") / "numbered.avi"
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"FFV1"), 30, (WIDTH, HEIGHT))
    pictures = [paint_person(blank(), shift=shift(index)) for index in range(95)]
    for index in range(FRAMES):
        writer.write(pictures[index % 95])
    writer.release()
    return path


def found_in(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def points(person: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """The keypoints of a person that were found, in frame pixels."""
    return {name: (point[0], point[1]) for name, point in person["keypoints"].items() if point is not None}


@pytest.mark.parametrize("model", ["human-pose-estimation-0001", "mobilenet-thin"])
def test_a_served_model_finds_what_is_found_here(
    model: str, servers: list[ServerProcess], call: Program, tmp_path: Path
) -> None:
    there, here = tmp_path / "there.jsonl", tmp_path / "here.jsonl"
    options = ["-m", model, "--frames", 2, "--size", 184, "--no-cache"]
    done = call(*options, "-d", servers[-1].device(model), "--keypoints", there, "--report", "report.json")
    assert done.returncode == 0, done.stderr
    assert call(*options, "-d", "CPU", "--keypoints", here).returncode == 0
    [device] = json.loads((tmp_path / "report.json").read_text())["devices"]
    assert device["difference"] < 0.05  # the CPU here may execute in another type
    for found, expected in zip(found_in(there), found_in(here), strict=True):
        [one], [other] = found["people"], expected["people"]
        ours, theirs = points(one), points(other)
        both = ours.keys() & theirs.keys()
        apart = [np.hypot(*np.subtract(ours[name], theirs[name])) for name in both]
        assert len(apart) >= 16
        assert np.median(apart) < 0.01 * found["width"]


class Hand:
    """Takes the tour's place: presses number keys, and kills and starts the server, as the results come."""

    def __init__(self, servers: list[ServerProcess], folder: Path, log: Path) -> None:
        self.seen: list[str] = []  # the device of each result
        self.presses = self._presses(servers, folder, log)
        self.is_done = False

    def key(self, *_: object) -> int | None:
        if self.seen and self.seen[-1] == "CPU":
            time.sleep(PAUSE_S)
        return next(self.presses)

    def _presses(self, servers: list[ServerProcess], folder: Path, log: Path) -> Iterator[int | None]:
        remote = servers[-1].device("painted")
        while len(self.seen) < 5:
            yield None
        yield 2
        while self.seen.count(remote) < 40:
            yield None
        servers[-1].kill()
        while self.seen[-1] != "CPU":
            yield None
        servers.append(ServerProcess(folder, log, servers[-1].port))
        servers[-1].wait_until_ready()
        before = self.seen.count(remote)
        yield 2
        while self.seen.count(remote) < before + 40:
            yield None
        self.is_done = True
        while True:
            yield None


def test_a_server_that_is_killed_and_started_again_costs_no_frame(
    servers: list[ServerProcess],
    folder: Path,
    numbered: Path,
    painted_xml: Path,
    call: Program,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    hand = Hand(servers, folder, tmp_path / "server.log")
    remote = servers[-1].device("painted")

    def record(self: Viewer, inference: Inference, people: Any, show: Any = Viewer.show) -> None:
        hand.seen.append(inference.compiled.device)
        show(self, inference, people)

    monkeypatch.setattr(Viewer, "show", record)
    monkeypatch.setattr(human_pose_est, "Tour", lambda *_: hand)
    keypoints = tmp_path / "keypoints.jsonl"
    options = ["-i", numbered, "-m", painted_xml, "-p", "FP32", "--no-cache", "--keypoints", keypoints]
    done = call(*options, "--devices", "CPU", remote)
    assert hand.is_done, f"the video was over before: {done.stderr}"
    assert done.returncode == 0
    assert f"{remote} failed while inferring: " in done.stderr
    found = found_in(keypoints)
    assert [line["frame"] for line in found] == list(range(FRAMES))
    assert [line["device"] for line in found] == hand.seen
    changes = [one for one, before in zip(hand.seen, ["", *hand.seen], strict=False) if one != before]
    assert changes == ["CPU", remote, "CPU", remote]
    for index, line in enumerate(found):
        [person] = line["people"]
        where, expected = points(person), pixels(PERSON, shift(index))
        assert where.keys() == expected.keys(), index
        np.testing.assert_allclose([where[name] for name in expected], list(expected.values()), atol=0.01)

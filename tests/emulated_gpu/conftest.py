"""The emulated GPU: OpenVINO's own GPU plugin, whose OpenCL kernels run on the CPU.

HUMAN_POSE_EMULATED_GPU names a folder with an `env.sh` that sets it up for a process; without it, these tests skip.
What they show are right code paths and right results, never a GPU's speed.

The network is mobilenet-thin in f32 on a part of the bundled clip, 96x96: the emulation gives wrong values where an
inference takes only milliseconds, so the tests' painted network is too light for it. All of the tests share a cache of
compiled networks, which stays in that folder, because a network takes the GPU plugin half a minute to compile here.
"""

import functools
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.conftest import ROOT
from tests.emulated_gpu import demo_that_hangs
from tests.helpers.pictures import frames_of

VARIABLE = "HUMAN_POSE_EMULATED_GPU"
FRAMES = 12
SIZE = 96
WHERE = (slice(20, 340), slice(110, 430))  # of the bundled clip's frames: one man, from head to feet
PATIENCE_S = 300
ATTEMPTS = 3  # where the emulation hangs, which no program can mend


def small(model: str, executed_in: str) -> tuple[object, ...]:
    """The options of a network at the tests' size, with floats executed in a type."""
    return ("-m", model, "--size", SIZE, "--hint", "latency", "-c", f"INFERENCE_PRECISION_HINT={executed_in}")


F32 = small("mobilenet-thin", "f32")


@dataclass
class Run:
    """A run that has ended.

    keypoints: of each frame, as --keypoints wrote them. report: as --report wrote it.
    """

    code: int
    output: str
    errors: str
    keypoints: list[dict[str, Any]]
    report: dict[str, Any]

    @property
    def devices(self) -> dict[str, dict[str, Any]]:
        """The report's devices by their strings."""
        return {device["device"]: device for device in self.report["devices"]}


Runner = Callable[..., Run]


def pytest_runtest_setup() -> None:
    """Skip the tests of this folder where no emulated GPU is set up."""
    if not os.environ.get(VARIABLE):
        pytest.skip(f"{VARIABLE} names no folder with the emulated GPU; .ci/run tests it in a step of its own")


@pytest.fixture(scope="session")
def gpu_environment() -> dict[str, str]:
    """The environment in which OpenVINO finds the emulated GPU."""
    folder = os.environ[VARIABLE]
    script = Path(folder, "env.sh")
    assert script.is_file(), f"{VARIABLE}: there is no {script}"
    listed = subprocess.run(["bash", "-c", f'source "{script}" && env -0'], capture_output=True, check=True).stdout
    environment = dict(entry.split("=", 1) for entry in os.fsdecode(listed).split("\0") if "=" in entry)
    environment["XDG_CACHE_HOME"] = str(Path(folder, "cache"))
    Path(folder, "cache").mkdir(exist_ok=True)
    kernel = subprocess.run(
        [sys.executable, Path(__file__).with_name("smallest_kernel.py")],
        env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    if kernel.returncode != 0:
        pytest.skip(f"Intel's OpenCL runtime does not run on this CPU: the smallest kernel failed. {kernel.stderr}")
    assert "emulated" in kernel.stdout
    return environment


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of FRAMES frames: one man, 320x320."""
    path = tmp_path_factory.mktemp("clip") / "man.avi"
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 30, (320, 320))
    for frame in frames_of(ROOT / "videos" / "park.mp4", list(range(FRAMES))):
        writer.write(np.ascontiguousarray(frame[WHERE]))
    writer.release()
    return path


@pytest.fixture(scope="session")
def run_with(gpu_environment: dict[str, str], clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Run the demo on the clip without a window, on a machine with a CPU and the emulated GPU.

    script: a program that runs the demo, instead of the demo itself. env: changes the environment. model: the options
    of the network. Where the emulation hangs, the demo runs once more.
    """

    def run(
        *arguments: object,
        script: Path | None = None,
        env: dict[str, str] | None = None,
        model: tuple[object, ...] = F32,
    ) -> Run:
        for _ in range(ATTEMPTS):
            folder = tmp_path_factory.mktemp("run")
            command = [sys.executable, script or demo_that_hangs.__file__, "--no-show", "-i", clip, *model]
            command += ["--keypoints", folder / "k.jsonl", "--report", folder / "r.json", *arguments]
            done = subprocess.run(
                [str(part) for part in command], cwd=folder, env={**gpu_environment, **(env or {})},
                capture_output=True, text=True, timeout=PATIENCE_S, check=False,
            )  # fmt: skip
            if done.returncode != demo_that_hangs.HANGS:
                break
        lines = (folder / "k.jsonl").read_text().splitlines() if (folder / "k.jsonl").exists() else []
        report = json.loads((folder / "r.json").read_text()) if (folder / "r.json").exists() else {}
        return Run(done.returncode, done.stdout, done.stderr, [json.loads(line) for line in lines], report)

    return run


@pytest.fixture(scope="session")
def alone(run_with: Runner) -> Callable[[str], Run]:
    """The run of a device alone, which all tests share; afterwards what it compiled is in the cache."""
    return functools.cache(lambda device: run_with("-d", device))


@pytest.fixture(scope="session")
def on_cpu(alone: Callable[[str], Run]) -> Run:
    """What the CPU finds in the clip: one man in every frame."""
    run = alone("CPU")
    assert run.code == 0, run.errors
    assert [frame["frame"] for frame in run.keypoints] == list(range(FRAMES))
    assert all(len(frame["people"]) == 1 for frame in run.keypoints)
    return run


def assert_same_people(found: Run, expected: Run, pixels: float = 0.01) -> None:
    """Every frame of the clip, in order, with the same people and keypoints, not further apart than `pixels`."""
    assert found.code == 0, found.errors
    assert len(found.keypoints) >= FRAMES
    for position, frame in enumerate(found.keypoints):
        assert frame["frame"] == position
        people = expected.keypoints[position % FRAMES]["people"]
        assert len(frame["people"]) == len(people)
        for person, other in zip(frame["people"], people, strict=True):
            assert places(person).keys() == places(other).keys()
            for name, place in places(other).items():
                assert places(person)[name] == pytest.approx(place, abs=pixels), (position, name)


def share_found(found: Run, expected: Run, pixels: float) -> float:
    """Share of the expected keypoints that someone in the same frame has within `pixels`; the types may differ."""
    assert found.code == 0, found.errors
    near = []
    for frame, other in zip(found.keypoints, expected.keypoints, strict=True):
        for name, place in ((n, p) for person in other["people"] for n, p in places(person).items()):
            distances = [math.dist(there, place) for p in frame["people"] if (there := places(p).get(name))]
            near.append(min(distances, default=math.inf) <= pixels)
    return sum(near) / len(near)


def places(person: dict[str, Any]) -> dict[str, list[float]]:
    """x and y of each keypoint that was found."""
    return {name: keypoint[:2] for name, keypoint in person["keypoints"].items() if keypoint is not None}

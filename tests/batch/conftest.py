"""What the tests of the batch command share: clips with a known answer, and the command in this process."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from human_pose.batch.__main__ import main
from tests.helpers.painted import HEIGHT, WIDTH, blank, paint_person

Batch = Callable[..., "subprocess.CompletedProcess[str]"]
COUNT = 30  # frames of a clip


def write_clip(path: Path, step: int = 1, count: int = COUNT, codec: str = "FFV1") -> Path:
    """A video in which a person walks by `step` cells a frame. Every twelfth is a key frame."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), 30, (WIDTH, HEIGHT))
    for index in range(count):
        writer.write(paint_person(blank(), shift=(index * step % 19, 0)))
    writer.release()
    return path


def write_noise(path: Path, count: int) -> list[np.ndarray]:
    """A video of unlike pictures, with a key frame every 12; returns them as they are decoded from its start."""
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 30, (64, 48))
    draw = np.random.default_rng(5)
    for _ in range(count):
        writer.write(cv2.resize(draw.integers(0, 255, (6, 8, 3), np.uint8), (64, 48)))
    writer.release()
    return frames_of(path)


def frames_of(path: Path) -> list[np.ndarray]:
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    frames = []
    while (read := video.read())[0]:
        frames.append(read[1])
    return frames


@pytest.fixture
def batch(painted_xml: Path, capsys: pytest.CaptureFixture[str]) -> Batch:
    """Run the command in this process, with the painted network, as JSON lines."""

    def run(
        *arguments: object, model: Path = painted_xml, kind: str | None = "jsonl"
    ) -> "subprocess.CompletedProcess[str]":
        words = [*map(str, arguments), "-m", str(model), *(["--format", kind] if kind else [])]
        try:
            code = main(words)
        except SystemExit as stop:  # by argparse
            assert isinstance(stop.code, int)
            code = stop.code
        output, errors = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, output, errors)

    return run


@pytest.fixture(scope="session")
def two_clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two videos, one of them in a subfolder."""
    folder = tmp_path_factory.mktemp("two")
    write_clip(folder / "a.avi")
    write_clip(folder / "deep" / "b.avi", step=2)
    return folder


@pytest.fixture
def clips(two_clips: Path, tmp_path: Path) -> Path:
    """The same, for this test alone."""
    return Path(shutil.copytree(two_clips, tmp_path / "in"))

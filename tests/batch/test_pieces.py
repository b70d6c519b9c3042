"""Pieces together are the video, frame for frame, whatever its key frames, order and timestamps are."""

import itertools
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from human_pose.batch.pieces import WHOLE, InexactCutError, Piece, cut, piece_source
from tests.batch.conftest import frames_of, write_noise
from tests.conftest import missing_program

# What ffmpeg makes of a video: B-frames, open GOPs, a clock that starts late, a varying frame rate.
WAYS = {
    "b.mp4": "-c:v libx264 -g 10 -bf 3 -threads 1",
    "open.mp4": "-c:v libx264 -g 10 -bf 3 -x264-params open-gop=1 -threads 1",
    "stream.ts": "-c:v libx264 -g 10 -bf 2 -threads 1",
    "varying.mp4": "-vf select=not(mod(n\\,3))+gt(n\\,40) -fps_mode vfr -c:v libx264 -g 10 -bf 2 -threads 1",
    "late.mp4": "-ss 0.2 -c:v libx264 -g 10 -bf 2 -threads 1",
    "plain.webm": "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 10 -threads 1",
}


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("noise") / "noise.mp4"
    write_noise(path, 72)
    return path


def pictures(path: Path, pieces: list[Piece]) -> list[np.ndarray]:
    return [image for piece in pieces for image, _ in piece_source(str(path), piece, 30).images()]


def equal(ones: list[np.ndarray], others: list[np.ndarray]) -> bool:
    return len(ones) == len(others) and all(map(np.array_equal, ones, others))


def test_pieces_are_the_video(noise: Path) -> None:
    pieces, count = cut(str(noise), 72, 30, piece_s=0.3)
    assert count == 72
    assert [piece.first for piece in pieces] == [0, 12, 24, 36, 48, 60]
    assert equal(pictures(noise, pieces), frames_of(noise))


@pytest.mark.parametrize("name", WAYS)
def test_pieces_are_the_video_in_every_format(name: str, noise: Path, tmp_path: Path) -> None:
    program = shutil.which("ffmpeg")
    if program is None:
        missing_program("ffmpeg")
    path = tmp_path / name
    command = [str(program), "-v", "error", "-i", str(noise), *WAYS[name].split(), str(path)]
    subprocess.run(command, check=True, capture_output=True)
    frames = frames_of(path)
    pieces, count = cut(str(path), len(frames), 30, piece_s=0.3)
    assert count == len(frames)
    assert len(pieces) >= 3
    assert all(one.first + (one.count or 0) == other.first for one, other in itertools.pairwise(pieces))
    assert equal(pictures(path, pieces), frames)


def test_a_short_video_is_one_piece_and_its_packets_are_not_read() -> None:
    assert cut("not there", 100, 30, piece_s=2) == ([WHOLE], None)


def test_frames_that_are_not_those_that_were_cut_are_refused(noise: Path) -> None:
    pieces, _ = cut(str(noise), 72, 30, piece_s=0.3)
    one, last = pieces[1], pieces[-1]
    wrong = [
        Piece(12, 12, one.first_ms + 0.5, one.last_ms),
        Piece(12, 11, one.first_ms, one.last_ms),
        Piece(12, 13, one.first_ms, one.last_ms),
        Piece(60, 20, last.first_ms, last.last_ms),
    ]
    for piece in wrong:
        with pytest.raises(InexactCutError):
            pictures(noise, [piece])

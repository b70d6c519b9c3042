"""The poses of a piece in a file: numpy arrays, written whole or not at all."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DemoError
from ..files import write_whole
from ..poses.pose import Pose
from ..poses.skeleton import Skeleton


class OutputError(DemoError):
    """The output folder cannot be written: no other piece could be written either."""


@dataclass(frozen=True)
class PiecePoses:
    """The poses of F frames. size: (width, height) of the frames; problem: why the video ended early, '' if not."""

    frames: Sequence[Sequence[Pose]]
    size: tuple[int, int]
    device: str
    problem: str = ""


def put(path: Path, data: bytes) -> None:
    """Write a file of the output folder, completely or not at all. Raises OutputError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
    except OSError as error:
        raise OutputError(f"Cannot write '{path}': {error.strerror}. Make room, or give another place.") from error
    except DemoError as error:
        raise OutputError(str(error)) from error


def write_piece(path: Path, piece: PiecePoses) -> None:
    """Raises OutputError."""
    poses = [pose for frame in piece.frames for pose in frame]
    file = io.BytesIO()
    np.savez(
        file,
        people=np.array([len(frame) for frame in piece.frames], np.int32),
        keypoints=np.array([pose.keypoints for pose in poses], np.float32),
        scores=np.array([pose.score for pose in poses], np.float64),
        size=np.array(piece.size),
        device=np.array(piece.device),
        problem=np.array(piece.problem),
    )
    put(path, file.getvalue())


def read_piece(path: Path, skeleton: Skeleton) -> PiecePoses:
    """Raises DemoError where the file is damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            poses = [
                Pose(skeleton, keypoints, score)
                for keypoints, score in zip(file["keypoints"], file["scores"].tolist(), strict=True)
            ]
            ends = np.cumsum(file["people"]).tolist()
            frames = [poses[start:end] for start, end in zip([0, *ends], ends, strict=False)]
            width, height = file["size"].tolist()
            return PiecePoses(frames, (width, height), str(file["device"]), str(file["problem"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DemoError(f"'{path}' is damaged. Remove it, and start the command again.") from error

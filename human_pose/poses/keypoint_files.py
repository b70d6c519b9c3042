"""Write keypoints to files: COCO results, JSON lines or CSV. The file is complete after every frame."""

import abc
import contextlib
import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ..errors import UsageError
from ..files import GrowingFile, check_writable
from ..media.capture import Frame
from ..media.sources import Source
from ..output_log import OutputLog
from .pose import Pose
from .skeleton import COCO_KEYPOINTS

PERSON_CATEGORY = 1  # of COCO
CSV_COLUMNS = (
    "frame", "name", "time_s", "width", "height", "device", "person", "person_score", "keypoint", "x", "y", "score",
)  # fmt: skip


class KeypointWriter(contextlib.AbstractContextManager["KeypointWriter"], abc.ABC):
    """Writes the poses of each frame. Use it as a context manager."""

    @abc.abstractmethod
    def write(self, frame: Frame, device: str, poses: Sequence[Pose]) -> None:
        """Write the poses of a frame; device: where its inference ran."""


class NullKeypointWriter(KeypointWriter):
    """The stand-in for a run that writes no keypoints."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def write(self, frame: Frame, device: str, poses: Sequence[Pose]) -> None:
        pass


class KeypointFile(KeypointWriter):
    """Writes the poses of each frame immediately. If the disk is full, the file ends with the last complete frame."""

    head = ""
    tail = ""

    def __init__(self, path: Path, source: Source, written: OutputLog | None = None) -> None:
        self._source = source
        self._file = GrowingFile(path, "frame", written, self.head, self.tail)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._file.open()  # a run without frames also leaves a complete file
        self._file.close()

    def write(self, frame: Frame, device: str, poses: Sequence[Pose]) -> None:
        if not self._file.has_failed:
            self._file.append(self.text(frame, device, poses))

    @abc.abstractmethod
    def text(self, frame: Frame, device: str, poses: Sequence[Pose]) -> str:
        """The text that a frame adds to the file."""

    def time_s(self, frame: Frame) -> float:
        """The time of the frame in s: the source's own time if it has one, else time.perf_counter."""
        return frame.index / self._source.fps if self._source.fps and not self._source.is_live else frame.captured_at


class JsonLinesWriter(KeypointFile):
    """One JSON object per frame: its index, name, time, size and device, and the keypoints of all people."""

    def text(self, frame: Frame, device: str, poses: Sequence[Pose]) -> str:
        height, width = frame.image.shape[:2]
        line = {
            "frame": frame.index,
            "name": frame.name,
            "time_s": round(self.time_s(frame), 6),
            "width": width,
            "height": height,
            "device": device,
            "people": [
                {
                    "score": _rounded(pose.score),
                    "keypoints": {
                        name: [_rounded(value) for value in keypoint] if np.isfinite(keypoint).all() else None
                        for name, keypoint in zip(pose.skeleton.keypoints, pose.keypoints.tolist(), strict=True)
                    },
                }
                for pose in poses
            ],
        }
        return json.dumps(line, allow_nan=False) + "\n"


class CsvWriter(KeypointFile):
    """One row per keypoint that was found."""

    head = ",".join(CSV_COLUMNS) + "\n"

    def text(self, frame: Frame, device: str, poses: Sequence[Pose]) -> str:
        height, width = frame.image.shape[:2]
        of_frame = [frame.index, frame.name, round(self.time_s(frame), 6), width, height, device]
        rows = io.StringIO()
        writer = csv.writer(rows, lineterminator="\n")
        for person, pose in enumerate(poses):
            for name, keypoint in zip(pose.skeleton.keypoints, pose.keypoints.tolist(), strict=True):
                if np.isfinite(keypoint).all():
                    writer.writerow([*of_frame, person, _rounded(pose.score), name, *map(_rounded, keypoint)])
        return rows.getvalue()


class CocoWriter(KeypointFile):
    """COCO's results format: image_id is the number in the image's file name, or the index of the frame.

    Results of an image also have its file_name, which COCO's tools ignore.
    """

    head = "["
    tail = "\n]\n"

    def __init__(self, path: Path, source: Source, written: OutputLog | None = None) -> None:
        super().__init__(path, source, written)
        self._ids = image_ids(source.images_from)
        self._separator = "\n"

    def text(self, frame: Frame, device: str, poses: Sequence[Pose]) -> str:
        image_id = self._ids.get(frame.name or "", frame.index)
        text = ""
        for result in coco_results(image_id, poses, frame.name):
            text += self._separator + json.dumps(result, allow_nan=False)
            self._separator = ",\n"
        return text


def coco_results(image_id: int, poses: Sequence[Pose], file_name: str | None = None) -> list[dict[str, Any]]:
    """Poses in COCO's results format: 17 keypoints of x, y, score; 0, 0, 0 for a keypoint that was not found."""
    image = {"image_id": image_id} | ({"file_name": file_name} if file_name else {})
    results = []
    for pose in poses:
        keypoints = np.zeros((len(COCO_KEYPOINTS), 3), np.float32)
        for row, name in enumerate(COCO_KEYPOINTS):
            if name in pose.skeleton.keypoints:
                keypoints[row] = np.nan_to_num(pose.keypoints[pose.skeleton.index(name)])
        results.append(
            image
            | {
                "category_id": PERSON_CATEGORY,
                "keypoints": [_rounded(value) for value in keypoints.ravel().tolist()],
                "score": round(pose.score, 6),
            }
        )
    return results


def image_ids(paths: Sequence[Path]) -> dict[str, int]:
    """File name -> the last number in it, 885 for 000000000885.jpg; empty if a name has no number or two share one."""
    ids = {path.name: int(numbers[-1]) for path in paths if (numbers := re.findall(r"\d+", path.stem))}
    return ids if len(set(ids.values())) == len(paths) else {}


def _rounded(value: float) -> float:
    return round(value, 4)


def open_keypoint_writer(path: Path | None, source: Source, written: OutputLog | None = None) -> KeypointWriter:
    """The writer for a path. Raises UsageError where its suffix is unknown or it cannot be written."""
    if path is None:
        return NullKeypointWriter()
    kinds: dict[str, Callable[[Path, Source, OutputLog | None], KeypointFile]]
    kinds = {".json": CocoWriter, ".jsonl": JsonLinesWriter, ".csv": CsvWriter}
    kind = kinds.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"Cannot write keypoints to '{path}': give a name that ends in {', '.join(kinds)}.")
    check_writable(path)
    return kind(path, source, written)

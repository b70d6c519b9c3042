"""Write the poses of a video as a Parquet table: a row for each person in each frame."""

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UsageError
from ..invocation import pip_install
from ..poses.pose import Pose
from ..poses.skeleton import Skeleton


def has_parquet() -> bool:
    """Whether pyarrow is installed."""
    try:
        importlib.import_module("pyarrow.parquet")
    except ImportError:
        return False
    return True


def check_parquet() -> None:
    """Raise UsageError where pyarrow is not installed."""
    if not has_parquet():
        raise UsageError(f"Parquet needs pyarrow: {pip_install('batch')}, or give --format jsonl.")


def write_parquet(
    path: Path,
    skeleton: Skeleton,
    frames: Sequence[Sequence[Pose]],
    fps: float | None,
    facts: dict[str, Any],
) -> None:
    """A row has frame, time_s, person, id and score, and x, y, score of each keypoint in pixels; null: not found.

    Numbers are not rounded. facts: what the file notes about itself, as JSON under the key 'human_pose'. Raises
    OSError where it cannot be written.
    """
    pyarrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    rows = [(index, person, pose) for index, poses in enumerate(frames) for person, pose in enumerate(poses)]
    keypoints = np.array([pose.keypoints for _, _, pose in rows], np.float32).reshape(-1, len(skeleton.keypoints), 3)
    times = [None if fps is None else round(index / fps, 6) for index, _, _ in rows]
    columns = {
        "frame": pyarrow.array([index for index, _, _ in rows], pyarrow.int32()),
        "time_s": pyarrow.array(times, pyarrow.float64()),
        "person": pyarrow.array([person for _, person, _ in rows], pyarrow.int16()),
        "id": pyarrow.array([pose.id for _, _, pose in rows], pyarrow.int32()),
        "score": pyarrow.array([pose.score for _, _, pose in rows], pyarrow.float64()),
    }
    for number, name in enumerate(skeleton.keypoints):
        for axis, what in enumerate(("x", "y", "score")):
            columns[f"{name}_{what}"] = pyarrow.array(
                np.ascontiguousarray(keypoints[:, number, axis]), from_pandas=True
            )
    table = pyarrow.table(columns)
    parquet.write_table(table.replace_schema_metadata({"human_pose": json.dumps(facts)}), path)

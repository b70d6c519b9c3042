"""What the benchmarks share: run the demo as a process, format medians, name the machine."""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from human_pose.decoders.openpose_fields import CELL_PIXELS
from human_pose.inference.backend import Inference
from human_pose.inference.configuration import Configuration
from human_pose.inference.estimator import Estimator
from human_pose.inference.model import PoseModel
from human_pose.inference.openvino_backend import OpenVinoBackend
from human_pose.inference.settings import Settings
from human_pose.zoo.catalog import DEFAULT_MODEL, PRECISIONS

ROOT = Path(__file__).resolve().parent.parent
CLIP = ROOT / "videos" / "park.mp4"
BUNDLED = DEFAULT_MODEL  # comes with the project; the demo's default


def run_demo(*options: object, show: bool = False, env: dict[str, str] | None = None) -> dict[str, Any]:
    """Run the demo once, with a window only if `show`, and return its report."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, ROOT / "human_pose_est.py", *([] if show else ["--no-show"]), *options]
        done = subprocess.run(
            [str(part) for part in [*command, "--report", report]],
            capture_output=True, text=True, env={**os.environ, **(env or {})}, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            sys.exit(f"error: {' '.join(map(str, command))} failed:\n{done.stderr}")
        content: dict[str, Any] = json.loads(report.read_text())
        return content


def name_and_precision(model: str) -> tuple[str, str | None]:
    """'mobilenet-thin:FP32' -> the model and its precision.

    Without a precision: for a path, the name of the IR's folder if that is a precision; else None, the default.
    """
    name, _, precision = model.rpartition(":")
    if name and precision in PRECISIONS:
        return name, precision
    folder = Path(model).parent.name
    return model, folder if folder in PRECISIONS else None


def model_options(model: str) -> list[str]:
    """The demo's options for a model."""
    name, precision = name_and_precision(model)
    return ["-m", name, *(["-p", precision] if precision else [])]


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Median (min to max)."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def cores() -> int:
    """The number of cores that the process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> str:
    """CPU, cores and versions in one line."""
    name = ov.Core().get_property("CPU", "FULL_DEVICE_NAME")
    return f"{name}, {cores()} cores, {platform.system()}, OpenVINO {ov.get_version().split('-')[0]}"


Maps = tuple[np.ndarray, np.ndarray, tuple[float, float]]


def maps_of(inference: Inference) -> Maps:
    """The arguments of `openpose.decode`: heatmaps, fields, and the frame pixels of a cell in x and in y."""
    x, y = inference.frame_pixels
    return inference.outputs["heatmaps"], inference.outputs["pafs"], (CELL_PIXELS * x, CELL_PIXELS * y)


def latency_estimator(core: ov.Core, network: PoseModel, precision: str) -> Estimator:
    """An estimator on the CPU with one request."""
    return Estimator(OpenVinoBackend(core, network, Settings(precision, hint="latency")), Configuration("CPU"))

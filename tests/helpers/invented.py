"""A study that was never run: its runs are drawn around known speeds, so that its report has a right answer."""

import random
from typing import Any

from human_pose.measurement.cells import Cell, Model, StudyOptions
from human_pose.study.plan import Job, matrix, schedule
from human_pose.study.results import Study

MODELS = [Model("net", "FP32", "a.xml"), Model("net", "FP16", "b.xml"), Model("net", "FP16-INT8", missing="none here")]
OPTIONS = StudyOptions(
    ["CPU", "GPU", "MULTI:GPU,CPU", "HETERO:GPU,CPU"], ["net"], ["FP32", "FP16", "FP16-INT8"], "v.mp4",
    runs=6, original_runs=3, requests=["1", "2", "default"],
)  # fmt: skip
ORIGINAL = Cell("opencv", "net", "FP32", "net.pb", hint="latency")
TOOL = Cell("benchmark_app", "net", "FP32", "a.xml")

SPEED = {"CPU": 20.0, "GPU": 30.0, "MULTI:GPU,CPU": 45.0, "HETERO:GPU,CPU": 15.0}


def invented(options: StudyOptions = OPTIONS) -> Study:
    """A study whose runs are drawn around known speeds: FP16 twice FP32's, the original 5 FPS."""
    draw = random.Random(3)
    cells = [*matrix(options, MODELS), ORIGINAL, TOOL]
    device = {"name": "CPU", "full_name": "A CPU", "driver": None, "is_stand_in": False}
    a_machine = {"cpu": "A CPU", "cores": 4, "memory_gb": 8, "os": "an OS", "architecture": "x", "versions": {"a": "1"},
                 "devices": [device]}  # fmt: skip
    models = [{"name": m.name, "precision": m.precision, "file": m.file, "missing": m.missing,
               "weights_sha256": "ab" * 32} for m in MODELS]  # fmt: skip
    video = {"name": "v.mp4", "frame_size": [64, 48], "sha256": "cd" * 32}
    lacking = {"NPU": "there is no NPU: no such device"}
    found = {"machine": a_machine, "missing_devices": lacking, "models": models, "video": video}
    study = Study.new(options, cells, found)
    for job in schedule(cells, options):
        cell = job.cell
        fps = 5.0 if cell == ORIGINAL else SPEED.get(cell.device, 25.0) * (2 if cell.precision == "FP16" else 1)
        fps *= draw.gauss(1, 0.01)
        conditions = {"own_cores": 1.0, "other_cores": 0.0, "disturbed": False, "mhz": 2000, "temperature_c": None}
        result: dict[str, Any] = {"input_size": [64, 48], "inference_fps": fps, "conditions": conditions}
        if cell != TOOL:
            ms = 1000 / fps
            result |= {
                "application_fps": fps * 0.9, "latency_ms": {"mean": ms, "min": 0.9 * ms, "max": 1.2 * ms, "p95": ms},
                "latency_bins": {"50": 3, "51": 5}, "executed_on": [cell.device], "execution_precision": "f32",
                "requests": 1, "streams": 1, "subgraphs": None, "compile_s": 0.5, "is_from_cache": False,
                "is_stand_in": False,
            }  # fmt: skip
        study.add(job, result)
    agreed = {"frames": 9, "keypoints": 200, "within_pixels": 0.97, "within_torso": 0.99, "mean_pixels": 0.5,
              "people_float": 20, "people": 20}  # fmt: skip
    fp16 = next(cell for cell in cells if cell.precision == "FP16" and cell.device == "CPU")
    study.add(Job("agreement", fp16), agreed)
    study.add(Job("check", ORIGINAL), {"largest_difference": 4e-6})
    study.data["complete"] = True
    return study

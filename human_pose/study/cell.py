"""One job, in a process of its own: python -m human_pose.study.cell '<json>' prints its result as JSON.

The JSON holds the job's task, the cell and the options (see plan.py). A failure is printed as {"error": ...}.
"""

import contextlib
import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..console import show_messages
from ..errors import DemoError, first_line
from ..evaluate import evaluate
from ..inference.cache import note_late_files
from ..inference.estimator import must_not_be_torn_down
from ..measurement import throughput as measure
from ..measurement.cells import ORIGINALS, Cell, StudyOptions
from ..measurement.workload import Workload
from ..media.sources import open_source
from ..poses.pck import compare_poses
from ..quantization.calibration import read_samples
from . import hetero, original


def do(task: str, cell: Cell, options: StudyOptions, reference: str) -> dict[str, Any]:
    """A run, or what is found out once of a cell.

    reference: the file of the FP32 network that 'agreement', 'check' and the original compare with.
    """
    kind = cell.kind if task == "run" else task
    alone = {"ap": average_precision, "layers": hetero.explain, "openvino": measure.openvino_run,
             "application": measure.application_run,
             "benchmark_app": measure.benchmark_app_run}  # fmt: skip
    compared = {"agreement": pck, "check": original.check, **dict.fromkeys(ORIGINALS, original.run)}
    return alone[kind](cell, options) if kind in alone else compared[kind](cell, options, reference)


def pck(cell: Cell, options: StudyOptions, reference: str) -> dict[str, Any]:
    """How many of the keypoints that the FP32 network `reference` finds on the video the cell's network finds again."""
    own = Workload(cell, options)
    samples = read_samples(
        open_source(options.input), options.agreement_frames, own.network.size, own.network.preprocessing
    )
    truth = Workload(replace(cell, precision="FP32", file=reference), options)
    poses = [map(one.network.decoder.decode, one.outputs_of(samples)) for one in (truth, own)]
    return asdict(compare_poses(zip(*poses, strict=True)))


def average_precision(cell: Cell, options: StudyOptions) -> dict[str, Any]:
    """COCO's metrics in percent over the labelled set, and over how many images."""
    workload = Workload(cell, options)
    labelled = Path(str(options.images)), Path(str(options.annotations))
    with contextlib.redirect_stdout(None):
        done = evaluate(workload.core, workload.network, *labelled, cell.device, workload.network.size)
    return {"metrics": done.metrics, "images": done.images, "left_out": len(done.left_out)}


def main(argument: str) -> int:
    show_messages()
    job = json.loads(argument)
    try:
        result = do(job["task"], Cell(**job["cell"]), StudyOptions(**job["options"]), job.get("reference", ""))
    except DemoError as error:
        result = {"error": str(error)}
    except Exception as error:  # whatever a device's driver may raise: it is this cell's result
        result = {"error": f"{type(error).__name__}: {first_line(error)}"}
    print("\n" + json.dumps(result), flush=True)
    return 0


if __name__ == "__main__":
    exit_code = main(sys.argv[1])
    if must_not_be_torn_down():
        note_late_files()
        os._exit(exit_code)
    sys.exit(exit_code)

"""What a precision costs: AP where there is a labelled set, and agreement with FP32 on the user's own video."""

import contextlib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..evaluate import evaluate
from ..inference.openvino_backend import compile_model
from ..measurement.cells import Cell, Wish
from ..measurement.workload import Workload
from ..media.sources import open_source
from ..poses.pck import compare_poses
from ..poses.pose import Pose
from ..quantization.calibration import read_samples


def agreement(cell: Cell, wish: Wish, reference: str) -> dict[str, Any]:
    """How many of the keypoints that the FP32 network `reference` finds on the video the cell's finds again."""
    own = Workload(cell, wish)
    samples = read_samples(open_source(wish.input), wish.agreement_frames, min(own.size))
    truth = poses(Workload(replace(cell, precision="FP32", file=reference), wish), samples)
    return asdict(compare_poses(zip(truth, poses(own, samples), strict=True)))


def poses(workload: Workload, samples: list[np.ndarray]) -> list[list[Pose]]:
    """Everybody in each input (1, h, w, 3), in its pixels."""
    workload.configure()
    settings = replace(workload.settings, hint="latency", requests=None)
    compiled = compile_model(workload.core, workload.network.model, workload.cell.device, settings)
    request = compiled.network.create_infer_request()
    found = []
    for sample in samples:
        request.infer({"image": sample})
        decoder = workload.network.decoder
        found.append(decoder.decode({name: request.get_tensor(name).data[0] for name in decoder.output_names}))
    return found


def average_precision(cell: Cell, wish: Wish) -> dict[str, Any]:
    """COCO's metrics in percent over the labelled set, and over how many images."""
    assert wish.images is not None
    assert wish.annotations is not None
    workload = Workload(cell, wish)
    size = min(workload.size)
    with contextlib.redirect_stdout(None):
        done = evaluate(workload.core, workload.network, Path(wish.images), Path(wish.annotations), cell.device, size)
    return {"metrics": done.metrics, "images": done.images, "left_out": len(done.left_out)}

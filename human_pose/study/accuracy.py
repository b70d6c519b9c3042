"""What a precision costs: AP where there is a labelled set, and agreement with FP32 on the user's own video."""

import contextlib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..agreement import compare_poses
from ..compiled import compile_network
from ..decode import Pose, decode
from ..evaluate import evaluate
from ..network import CELL_PIXELS
from ..samples import read_samples
from ..sources import open_source
from .material import Material
from .plan import Cell, Wish


def agreement(cell: Cell, wish: Wish, reference: str) -> dict[str, Any]:
    """How many of the keypoints that the FP32 network `reference` finds on the video the cell's finds again."""
    own = Material(cell, wish)
    samples = read_samples(open_source(wish.input), wish.agreement_frames, min(own.size))
    truth = poses(Material(replace(cell, precision="FP32", file=reference), wish), samples)
    return asdict(compare_poses(zip(truth, poses(own, samples), strict=True)))


def poses(material: Material, samples: list[np.ndarray]) -> list[list[Pose]]:
    """Everybody in each input (1, h, w, 3), in its pixels."""
    material.configure()
    settings = replace(material.settings, hint="latency", requests=None)
    compiled = compile_network(material.core, material.network.model, material.cell.device, settings)
    request = compiled.network.create_infer_request()
    found = []
    for sample in samples:
        request.infer({"image": sample})
        heatmaps, pafs = (request.get_tensor(name).data[0] for name in ("heatmaps", "pafs"))
        found.append(decode(heatmaps, pafs, (CELL_PIXELS, CELL_PIXELS)))
    return found


def average_precision(cell: Cell, wish: Wish) -> dict[str, Any]:
    """COCO's metrics in percent over the labelled set, and over how many images."""
    assert wish.images is not None
    assert wish.annotations is not None
    material = Material(cell, wish)
    size = min(material.size)
    with contextlib.redirect_stdout(None):
        done = evaluate(material.core, material.network, Path(wish.images), Path(wish.annotations), cell.device, size)
    return {"metrics": done.metrics, "images": done.images, "left_out": len(done.left_out)}

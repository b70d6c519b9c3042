"""The effect of each choice in the decoder: AP on a COCO set with one choice removed or changed at a time.

python -m benchmarks.ablation --images DIR --annotations FILE [--model NAME_OR_XML] [--size 256 368]

The network runs once for each image and size. The variants are changes of `openpose_plain`, which finds the same poses
as the demo's decoder. Needs the extra `evaluate`.
"""

import argparse
import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import openvino as ov

from benchmarks.common import BUNDLED, Maps, latency_estimator, machine, maps_of, name_and_precision
from human_pose.decoders import openpose_plain as plain
from human_pose.evaluate import MIN_KEYPOINTS, compare, load_annotations
from human_pose.inference.estimator import infer_all
from human_pose.inference.model import load_model
from human_pose.media.capture import Capture
from human_pose.media.sources import images_source
from human_pose.poses.keypoint_files import coco_results
from human_pose.poses.pose import Pose
from human_pose.zoo.resolve import choose_model


def parabola_of_values(line: np.ndarray, peak: int) -> np.float32:
    """Refine with the parabola through the values themselves; no refinement at borders."""
    if peak in (0, len(line) - 1):
        return np.float32(0)
    before, here, after = line[peak - 1 : peak + 2]
    curvature = 2 * here - before - after
    return np.float32(0.5 * (after - before) / curvature) if curvature > 0 else np.float32(0)


def not_at_borders(line: np.ndarray, peak: int, offset: Any = plain.offset) -> np.float32:
    return np.float32(0) if peak in (0, len(line) - 1) else offset(line, peak)


def four_neighbours(heatmap: np.ndarray, threshold: float) -> list[plain.Peak]:
    """Peaks that no neighbour left, right, above or below exceeds."""
    height, width = heatmap.shape
    padded = np.full((height + 2, width + 2), -np.inf, np.float32)
    padded[1:-1, 1:-1] = heatmap
    is_peak = (heatmap >= threshold) & (heatmap >= padded[1:-1, :-2]) & (heatmap > padded[1:-1, 2:])
    is_peak &= (heatmap >= padded[:-2, 1:-1]) & (heatmap > padded[2:, 1:-1])
    return [
        plain.Peak(
            np.float32(column + plain.offset(heatmap[row], column)),
            np.float32(row + plain.offset(heatmap[:, column], row)),
            min(heatmap[row, column], np.float32(1)),
        )
        for row, column in np.argwhere(is_peak).tolist()
    ]


def bilinear(field: np.ndarray, x: float, y: float) -> float:
    """The field, interpolated between the centres of four cells. x, y: the position plus half a cell."""
    x, y = min(max(x - 0.5, 0), field.shape[1] - 1), min(max(y - 0.5, 0), field.shape[0] - 1)
    column, row = min(int(x), max(0, field.shape[1] - 2)), min(int(y), max(0, field.shape[0] - 2))
    right, below = min(column + 1, field.shape[1] - 1), min(row + 1, field.shape[0] - 1)
    ax, ay = x - column, y - row
    above_value = field[row, column] * (1 - ax) + field[row, right] * ax
    return float(above_value * (1 - ay) + (field[below, column] * (1 - ax) + field[below, right] * ax) * ay)


def limb_scorer(
    middle: bool = True, ends: str = "product", sample: Callable[..., float] | None = None, long_limbs: bool = True
) -> Callable[..., Any]:
    """A variant of score_limb.

    middle: whether the middle of a limb must support it; ends: how the scores of its ends count; sample: how the field
    is sampled; long_limbs: False lowers the score of long limbs.
    """

    def score_limb(start: plain.Peak, end: plain.Peak, paf: np.ndarray) -> float | None:
        _, height, width = paf.shape
        place = np.array([plain.inside(start.x, width), plain.inside(start.y, height)], float) + 0.5
        way = np.array([plain.inside(end.x, width), plain.inside(end.y, height)], float) + 0.5 - place
        length = float(np.hypot(*way))
        if length == 0:
            return None

        def projection(x: float, y: float) -> float:
            fields = [sample(field, x, y) if sample else field[int(y), int(x)] for field in paf]
            return float((fields[0] * way[0] + fields[1] * way[1]) / length)

        if middle and projection(*(place + way / 2)) <= plain.MIN_FIELD:
            return None
        samples = [projection(*(place + way * step)) for step in np.linspace(0, 1, plain.SAMPLES_PER_LIMB)]
        score = float(np.mean(samples))
        if ends == "product":
            score *= float(np.sqrt(start.score * end.score))
        if not long_limbs:
            score += min(0.5 * height / length - 1, 0)
        supported = sum(value > plain.MIN_FIELD for value in samples) >= plain.MIN_SUPPORT
        return score if supported and score > 0 else None

    return score_limb


def limb_limit(times: float, too_long: Any = plain.has_too_long_limb) -> Callable[..., bool]:
    """A variant of has_too_long_limb: the maximum lengths are multiplied by `times`."""
    return lambda person, size, peaks: bool(too_long(person, size * times, peaks))


def ranked(decode: Callable[..., list[Pose]], score: Callable[[Pose], float]) -> Callable[..., list[Pose]]:
    """The decoder with another score of a person."""

    def ranked_decode(*arguments: Any) -> list[Pose]:
        return [replace(pose, score=score(pose)) for pose in decode(*arguments)]

    return ranked_decode


def variants() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """The variants: name, {part of the plain decoder: its replacement}, {option: value}."""
    yield "the decoder as it is", {}, {}
    yield "peaks not refined", {"offset": lambda line, peak: np.float32(0)}, {}
    yield "parabola of the values, not of their logarithms", {"offset": parabola_of_values}, {}
    yield "no refinement at borders", {"offset": not_at_borders}, {}
    yield "four neighbours instead of eight", {"find_peaks": four_neighbours}, {}
    yield "threshold 0.1", {}, {"threshold": 0.1}
    yield "threshold 0.03", {}, {"threshold": 0.03}
    yield "fields sampled bilinearly", {"score_limb": limb_scorer(sample=bilinear)}, {}
    yield "limbs ranked by their field alone", {"score_limb": limb_scorer(ends="none")}, {}
    yield "the middle of a limb need not support it", {"score_limb": limb_scorer(middle=False)}, {}
    yield "limbs of any length", {"has_too_long_limb": limb_limit(math.inf)}, {}
    yield "limbs half as long at most", {"has_too_long_limb": limb_limit(0.5)}, {}
    yield "limbs three quarters as long at most", {"has_too_long_limb": limb_limit(0.75)}, {}
    yield "limbs half as long again", {"has_too_long_limb": limb_limit(1.5)}, {}
    yield "limbs longer than half the map's height lowered", {"score_limb": limb_scorer(long_limbs=False)}, {}
    yield "minimum field 0.05", {"MIN_FIELD": 0.05}, {}
    yield "support 6 of 10", {"MIN_SUPPORT": 6}, {}
    yield "no minimum mean of limbs", {"MIN_LIMB_MEAN": 0.0}, {}
    yield "at least 5 keypoints, as the demo shows", {}, {"min_keypoints": 5}
    yield (
        "people ranked by the mean of their keypoints",
        {"decode": ranked(plain.decode, lambda pose: float(np.nanmean(pose.keypoints[:, 2])))},
        {},
    )
    yield (
        "people ranked by the sum of their keypoints",
        {"decode": ranked(plain.decode, lambda pose: float(np.nansum(pose.keypoints[:, 2])))},
        {},
    )


def maps_of_images(core: ov.Core, model: str, size: int, paths: list[Path]) -> dict[str, Maps]:
    network = load_model(core, choose_model(*name_and_precision(model)))
    network.reshape_open(size)
    estimator = latency_estimator(core, network, "FP32")
    with Capture(images_source("images", paths)) as capture:
        return {str(result.frame.name): maps_of(result) for result in infer_all(capture, estimator)}


def average_precision(
    truth: Any, ids: dict[str, int], maps: dict[str, Maps], parts: dict[str, Any], options: dict[str, Any]
) -> float:
    wanted = {"threshold": plain.DEFAULT_THRESHOLD, "min_keypoints": MIN_KEYPOINTS} | options
    results = []
    with contextlib.ExitStack() as stack:
        for name, part in parts.items():
            stack.enter_context(mock.patch.object(plain, name, part))
        for image, (heatmaps, pafs, cell) in maps.items():
            poses = plain.decode(heatmaps, pafs, cell, wanted["threshold"], wanted["min_keypoints"])
            results += coco_results(ids[image], poses)
    return compare(truth, results, [ids[image] for image in maps])["AP"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--model", default=BUNDLED)
    parser.add_argument("--size", "--height", nargs="+", type=int, default=[256, 368])
    options = parser.parse_args()
    truth = load_annotations(options.annotations)
    ids = {image["file_name"]: int(image["id"]) for image in truth.dataset["images"]}
    paths = [options.images / name for name in ids if (options.images / name).is_file()]
    core = ov.Core()
    maps = {size: maps_of_images(core, options.model, size, paths) for size in options.size}
    print(f"{machine()}; {Path(options.model).stem}, {len(paths)} images\n")
    print("| AP, input size | " + " | ".join(map(str, options.size)) + " |")
    print("|---|" + "---|" * len(options.size))
    for name, parts, changes in variants():
        figures = [average_precision(truth, ids, maps[size], parts, changes) for size in options.size]
        print(f"| {name} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |", flush=True)


if __name__ == "__main__":
    main()

"""Networks of one stage whose answer is painted, so that it is known to the pixel.

A picture's first row holds the score of candidate n in its first colour, x of its first keypoint in the second and y in
the third; 255 is a score of 1, or 255 pixels. The box is 40 pixels wide and high around that place, and each keypoint
is 4 pixels further to the right and down than the one before it. A keypoint has the score of its person.
"""

from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as ops

SIDE = 64  # of the network's input
COUNT = 12  # of its candidates
STEP = 4  # pixels from keypoint to keypoint
BOX = 40  # pixels


def one_stage_network(
    layout: str = "candidates",
    keypoints: int = 17,
    values: int = 3,
    height: int = SIDE,
    width: int = SIDE,
    scale: float = 1.0,
    is_fixed: bool = False,
    batch: int = 1,
) -> ov.Model:
    """A network NCHW in a layout: candidates, transposed, people, boxes, scores or sizes; -1 leaves a size open.

    scale: what the network expects of a value of 255 (1.0: it takes 0..1; 255: 0..255). is_fixed: the graph holds
    constants of its size.
    """
    image = ops.parameter([batch, 3, height, width], ov.Type.f32, name="images")
    image.output(0).set_names({"images"})
    start, stop, step, axes = ([0, 0], [1, COUNT], [1, 1], [2, 3])
    row = ops.slice(image, start, stop, step, axes)  # (1, 3, 1, n)
    row = ops.multiply(ops.reshape(row, ops.constant([0, 3, -1]), True), ops.constant(np.float32(1 / scale)))
    score, across, down = ops.split(row, 1, 3).outputs()  # (1, 1, n) each, 0..1
    x, y = (ops.multiply(place, ops.constant(np.float32(255))) for place in (across, down))
    one = ops.add(ops.multiply(score, ops.constant(np.float32(0))), ops.constant(np.float32(1)))
    box = [x, y, *(ops.multiply(one, ops.constant(np.float32(BOX))) for _ in range(2))]
    # All keypoints at once: what has fewer nodes is compiled sooner.
    shifts = ops.constant(STEP * np.arange(keypoints, dtype=np.float32).reshape(1, -1, 1, 1))
    parts = [ops.add(ops.unsqueeze(place, ops.constant([2])), shifts) for place in (x, y)]  # (1, K, 1, n) each
    parts += [ops.tile(ops.unsqueeze(score, ops.constant([2])), ops.constant([1, keypoints, 1, 1]))]
    points = ops.reshape(ops.concat(parts[:values], 2), ops.constant([0, keypoints * values, -1]), True)
    inputs = [image]
    if is_fixed:
        grid = np.zeros((1, 1, height, width), np.float32)
        score = ops.add(score, ops.reduce_sum(ops.multiply(image, ops.constant(grid)), [1, 2, 3])).output(0)
    if layout == "candidates":
        outputs = [ops.concat([*box, score, points], 1)]
    elif layout == "transposed":
        outputs = [ops.transpose(ops.concat([*box, score, points], 1), [0, 2, 1])]
    elif layout == "people":
        kind = ops.multiply(score, ops.constant(np.float32(0)))
        outputs = [ops.transpose(ops.concat([*box, score, kind, points], 1), [0, 2, 1])]
    else:
        places = ops.transpose(points, [0, 2, 1])  # (1, n, K * values)
        places = ops.reshape(places, ops.constant([0, 0, keypoints, values]), True)
        labels = ops.convert(ops.squeeze(score, [1]), "i64")
        if layout == "boxes":
            outputs = [ops.transpose(ops.concat([*box, score], 1), [0, 2, 1]), places]
        else:
            if layout == "sizes":  # keypoints in 0..1 of the picture, times the sizes that are given
                sizes = ops.parameter([batch, 2], ov.Type.i64, name="orig_target_sizes")
                sizes.output(0).set_names({"orig_target_sizes"})
                inputs.append(sizes)
                shares = ops.divide(places, ops.constant(np.array([width, height], np.float32)))
                places = ops.multiply(shares, ops.reshape(ops.convert(sizes, "f32"), ops.constant([0, 1, 1, 2]), True))
            outputs = [ops.squeeze(score, [1]), labels, places]
    results = [ops.result(output, name=f"output{number}") for number, output in enumerate(outputs)]
    return ov.Model(results, inputs, "one stage")


def save_one_stage(folder: Path, name: str = "whole", **shape: object) -> Path:
    """Write the network as an IR; returns the .xml."""
    xml = folder / f"{name}.xml"
    ov.save_model(one_stage_network(**shape), xml, compress_to_fp16=False)  # type: ignore[arg-type]
    return xml


def paint(people: list[tuple[int, int, int]], is_rgb: bool = True, height: int = SIDE, width: int = SIDE) -> np.ndarray:
    """A picture (h, w, 3) uint8 BGR of people: the score of each in 255ths, x and y of its first keypoint in pixels."""
    image = np.zeros((height, width, 3), np.uint8)
    for number, values in enumerate(people):
        image[0, number] = values[::-1] if is_rgb else values
    return image

"""A network that finds what was painted, so that the right answer is known to the pixel.

The blue channel of a picture holds keypoints: a cell of 8x8 pixels with the value 10 (k + 1) is a sure keypoint k.
Green and red hold the x and y component of every limb's part affinity field: 0 is none, else (value - 128) / 127.
"""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
from openvino import opset13 as ops

from human_pose.decoders.openpose_fields import HEATMAP_CHANNELS, KEYPOINTS, LIMBS, PAF_CHANNELS

CELL = 8
HEIGHT, WIDTH = 256, 320  # of the network's own input

# A person facing the camera, in cells (column, row): the right side of the body is on the left of the picture.
PERSON = {
    "nose": (10, 4), "neck": (10, 7),
    "right_shoulder": (7, 7), "right_elbow": (5, 11), "right_wrist": (3, 15),
    "left_shoulder": (13, 7), "left_elbow": (15, 11), "left_wrist": (17, 15),
    "right_hip": (8, 16), "right_knee": (8, 21), "right_ankle": (8, 26),
    "left_hip": (12, 16), "left_knee": (12, 21), "left_ankle": (12, 26),
}  # fmt: skip


def painted_network(
    layout: str = "NCHW", outputs: int = 2, height: int = HEIGHT, width: int = WIDTH, element_type: str = "f32"
) -> ov.Model:
    """The network, with an input NCHW or NHWC and two outputs NCHW or one NHWC; -1 leaves a size open."""
    shape = [1, 3, height, width] if layout == "NCHW" else [1, height, width, 3]
    image = ops.parameter(shape, getattr(ov.Type, element_type), name="data")
    image.output(0).set_names({"data"})
    floats = ops.convert(image, "f32")
    nchw = floats if layout == "NCHW" else ops.transpose(floats, [0, 3, 1, 2])
    cells = ops.avg_pool(nchw, [CELL, CELL], [0, 0], [0, 0], [CELL, CELL], exclude_pad=True)
    blue, green, red = ops.split(cells, 1, 3).outputs()
    levels = np.array([10.0 * (k + 1) for k in range(HEATMAP_CHANNELS)], np.float32).reshape(1, -1, 1, 1)
    distance = ops.abs(ops.subtract(blue, ops.constant(levels)))
    heatmaps = ops.relu(
        ops.subtract(ops.constant(np.float32(1)), ops.multiply(distance, ops.constant(np.float32(0.2))))
    )
    components = ops.concat([green, red], 1)
    fields = ops.select(
        ops.less(components, ops.constant(np.float32(0.5))),
        ops.constant(np.float32(0)),
        ops.multiply(ops.subtract(components, ops.constant(np.float32(128))), ops.constant(np.float32(1 / 127))),
    )
    pafs = ops.tile(fields, ops.constant([1, PAF_CHANNELS // 2, 1, 1]))  # x and y, of every limb
    if outputs == 2:
        results = [ops.result(pafs), ops.result(heatmaps)]
    else:
        results = [ops.result(ops.transpose(ops.concat([heatmaps, pafs], 1), [0, 2, 3, 1]))]
    return ov.Model(results, [image], "painted")


def save_network(folder: Path, **shape: int | str) -> Path:
    """Write the network as an IR; returns the .xml."""
    xml = folder / "painted.xml"
    ov.save_model(painted_network(**shape), xml, compress_to_fp16=False)  # type: ignore[arg-type]
    return xml


def save_with_convolutions(folder: Path, count: int) -> Path:
    """Write the network behind some convolutions that change nothing, a relu after each; returns the .xml."""
    model = behind_convolutions(painted_network(), count)
    xml = folder / "behind" / "behind.xml"
    xml.parent.mkdir()
    ov.save_model(model, xml, compress_to_fp16=False)
    return xml


def behind_convolutions(model: ov.Model, count: int) -> ov.Model:
    """Put convolutions that change nothing, `same0` to the last, a relu after each, before an NCHW model, in place."""
    image = model.get_parameters()[0]
    readers = list(image.output(0).get_target_inputs())
    same = image
    for number in range(count):
        weights = ops.constant(np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1))
        same = ops.relu(ops.convolution(same, weights, [1, 1], [0, 0], [0, 0], [1, 1], name=f"same{number}"))
    for reader in readers:
        reader.replace_source_output(same.output(0))
    model.validate_nodes_and_infer_types()
    return model


def blank(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """A black picture, (height, width, 3) uint8 BGR."""
    return np.zeros((height, width, 3), np.uint8)


def paint_person(
    image: np.ndarray, person: Mapping[str, tuple[int, int]] = PERSON, shift: tuple[int, int] = (0, 0)
) -> np.ndarray:
    """Paint the keypoints of a person, given in cells and moved by `shift` cells, and the limbs between them."""
    image = image.copy()
    at = {name: (x + shift[0], y + shift[1]) for name, (x, y) in person.items()}
    for limb in LIMBS:
        if limb.start in at and limb.end in at:
            _paint_limb(image, np.array(at[limb.start]), np.array(at[limb.end]))
    for name, (x, y) in at.items():
        image[y * CELL : (y + 1) * CELL, x * CELL : (x + 1) * CELL, 0] = 10 * (KEYPOINTS.index(name) + 1)
    return image


def _paint_limb(image: np.ndarray, start: np.ndarray, end: np.ndarray) -> None:
    direction = (end - start) / np.linalg.norm(end - start)
    green, red = (round(128 + 127 * float(component)) for component in direction)
    mask = np.zeros((image.shape[0] // CELL, image.shape[1] // CELL), np.uint8)
    cv2.line(mask, start.tolist(), end.tolist(), 1)
    inside = np.kron(mask, np.ones((CELL, CELL), np.uint8)).astype(bool)
    image[: inside.shape[0], : inside.shape[1]][inside, 1:] = green, red


def save_clip(folder: Path) -> Path:
    """Write a video of 30 frames, in which a person walks to the right by a cell a frame, and starts again at 19."""
    path = folder / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"FFV1"), 30, (WIDTH, HEIGHT))
    for index in range(30):
        writer.write(paint_person(blank(), shift=(index % 19, 0)))
    writer.release()
    return path


def pixels(
    person: Mapping[str, tuple[int, int]] = PERSON, shift: tuple[int, int] = (0, 0)
) -> dict[str, tuple[float, float]]:
    """Where the keypoints of a painted person are, in pixels: the centres of their cells."""
    return {name: (CELL * (x + shift[0] + 0.5), CELL * (y + shift[1] + 0.5)) for name, (x, y) in person.items()}

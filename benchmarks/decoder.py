"""Time of the decoder for 1, 2, 6 and 25 people, compared with the plain decoder.

python -m benchmarks.decoder [--model NAME] [--runs 200]

The people are copies of the man in the bundled clip, side by side; the network makes the maps. Both decoders take
turns; printed are medians in ms. Both must find the same poses to within 1e-5.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np
import openvino as ov

from benchmarks.common import BUNDLED, CLIP, latency_estimator, machine, maps_of
from human_pose.decoders import openpose_plain
from human_pose.decoders.openpose import decode
from human_pose.inference.model import load_model
from human_pose.media.capture import Frame
from human_pose.zoo.resolve import choose_model

CANVAS = (1280, 720)  # width, height
GRIDS = {1: (1, 1), 2: (2, 1), 6: (6, 1), 25: (13, 2)}  # people: columns and rows
PLAIN_RUNS = 5
TOLERANCE = 1e-5


def crowd(people: int) -> np.ndarray:
    """An image with a number of people, (h, w, 3) uint8 BGR: copies of the man in frame 5 of the clip."""
    video = cv2.VideoCapture(str(CLIP))
    for _ in range(6):
        _, image = video.read()
    man = image[50:330, 200:360]
    columns, rows = GRIDS[people]
    scale = min(CANVAS[0] / columns / man.shape[1], CANVAS[1] / rows / man.shape[0], 1.5)
    man = cv2.resize(man, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    canvas = np.full((CANVAS[1], CANVAS[0], 3), 160, np.uint8)
    for number in range(people):
        x, y = number % columns * man.shape[1], number // columns * man.shape[0]
        canvas[y : y + man.shape[0], x : x + man.shape[1]] = man
    return canvas


def timed_ms(function: Callable[..., object], *arguments: object) -> float:
    started_at = time.perf_counter()
    function(*arguments)
    return 1000 * (time.perf_counter() - started_at)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=BUNDLED)
    parser.add_argument("--size", "--height", type=int, default=368)
    parser.add_argument("--runs", type=int, default=200)
    options = parser.parse_args()
    core = ov.Core()
    network = load_model(core, choose_model(options.model, None))
    network.reshape(*network.size_for(CANVAS, options.size))
    estimator = latency_estimator(core, network, "FP32")
    maps, found = {}, {}
    for people in GRIDS:
        estimator.submit(Frame(0, crowd(people), 0.0))
        while (inference := estimator.collect(wait=True)) is None:
            pass
        maps[people] = maps_of(inference)
        found[people] = decode(*maps[people])
        assert all(
            np.isclose(one.score, other.score, rtol=0, atol=TOLERANCE)
            and np.allclose(one.keypoints, other.keypoints, TOLERANCE, TOLERANCE, equal_nan=True)
            for one, other in zip(found[people], openpose_plain.decode(*maps[people]), strict=True)
        ), "the decoders differ"
    fast_ms: dict[int, list[float]] = {people: [] for people in GRIDS}
    plain_ms: dict[int, list[float]] = {people: [] for people in GRIDS}
    for run in range(options.runs):
        for people in GRIDS:
            fast_ms[people].append(timed_ms(decode, *maps[people]))
            if run % max(1, options.runs // PLAIN_RUNS) == 0:  # it is slow
                plain_ms[people].append(timed_ms(openpose_plain.decode, *maps[people]))
    print(f"{machine()}; {network.file.name}, input size {options.size}, {options.runs} runs; ms, median and min")
    print(f"{'people':>6} {'found':>6} {'keypoints':>10} {'decoder':>9} {'min':>7} {'plain':>9} {'ratio':>7}")
    for people, poses in found.items():
        fast, slow = statistics.median(fast_ms[people]), statistics.median(plain_ms[people])
        keypoints = sum(int(np.isfinite(pose.keypoints[:, 0]).sum()) for pose in poses)
        print(
            f"{people:>6} {len(poses):>6} {keypoints:>10} {fast:>9.2f} {min(fast_ms[people]):>7.2f} {slow:>9.1f} "
            f"{slow / fast:>7.0f}"
        )


if __name__ == "__main__":
    main()

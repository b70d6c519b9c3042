"""The picture of the work (key V): what it takes to draw it, in ms a frame.

python -m benchmarks.work_strip [--frames 600]

Results of a device come at an even rate, with so many requests in flight; every result is taken in, and the strip is
drawn over a picture of 1280x800 each time.
"""

import argparse
import time

import numpy as np

from benchmarks.common import machine, spread
from human_pose.demo.work_strip import WorkStrip
from human_pose.inference.backend import CompiledModel, Inference
from human_pose.inference.configuration import Configuration
from human_pose.inference.input_size import Box
from human_pose.media.capture import Frame

SIZE = (1280, 800)
CASES = ((30, 2), (60, 3), (100, 8), (400, 8))  # results a second, requests in flight


def times_ms(fps: int, requests: int, frames: int) -> list[float]:
    """The time of each frame, from its result to the drawn strip, once two seconds of work are there."""
    strip, compiled = WorkStrip(), CompiledModel(Configuration("CPU"), "f32", requests)
    frame, picture = Frame(0, np.zeros((8, 8, 3), np.uint8), 0.0), np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    found = []
    for index in range(2 * fps + frames):
        now = index / fps
        latency_s = requests / fps
        running = [(compiled, request, now - request / fps) for request in range(requests - 1)]
        box = Box(0, 0, 8, 8)
        result = Inference(frame, compiled, {}, (8, 8), box, 1000 * latency_s, index % requests, now - latency_s)
        started_at = time.perf_counter()
        strip.add(result)
        strip.put(picture, now, running)
        found.append(1000 * (time.perf_counter() - started_at))
    return found[2 * fps :]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=600)
    frames = parser.parse_args().frames
    print(f"{machine()}; {SIZE[0]}x{SIZE[1]}, {frames} frames")
    for fps, requests in CASES:
        found = sorted(times_ms(fps, requests, frames))
        middle = found[len(found) // 10 : -len(found) // 10]  # without what other programs disturbed
        print(f"{fps:4} results a second, {requests} requests: {spread(middle, 3)} ms a frame")


if __name__ == "__main__":
    main()

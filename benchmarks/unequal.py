"""Throughput of two devices of very unequal speed together: does the fast one wait for the slow one?

python -m benchmarks.unequal [--ratio 10] [--frame-ms 8] [--requests 2] [--runs 3] [--seconds 5]

The devices are simulated: one takes --frame-ms per frame, the other --ratio times as long, each with --requests
requests; neither uses the cores. As with MULTI, a frame goes to the device that is free first. The demo's own
estimator, decoder and drawing process the results in the frames' order. Each device alone and both together take turns.
The last row allows at most two rounds of requests in flight, which was an earlier rule.
"""

import argparse
import time

import numpy as np

from benchmarks.common import CLIP, machine, spread
from human_pose.decoders.openpose import OpenPoseDecoder
from human_pose.decoders.openpose_fields import HEATMAP_CHANNELS, PAF_CHANNELS
from human_pose.inference import estimator as estimator_module
from human_pose.inference.configuration import Configuration
from human_pose.inference.estimator import Estimator, infer_all
from human_pose.inference.played_backend import PlayedBackend, queues
from human_pose.media.capture import open_capture
from human_pose.poses.draw import draw

OUTPUTS = {
    "heatmaps": np.zeros((HEATMAP_CHANNELS, 32, 57), np.float32),
    "pafs": np.zeros((PAF_CHANNELS, 32, 57), np.float32),
}


def fps(device: str, frame_s: dict[str, float], requests: int, seconds: float, on_their_way: float) -> float:
    """Results per second, from the first result on."""
    members = device.removeprefix("MULTI:").split(",")
    played = requests * len(members) + 1, queues(*(frame_s[member] for member in members))
    estimator_module.ON_THEIR_WAY_BYTES = on_their_way
    decoder = OpenPoseDecoder()
    times = []
    with open_capture(str(CLIP), loop=True) as capture:
        estimator = Estimator(PlayedBackend({device: played}, outputs=OUTPUTS), Configuration(device))
        until = time.perf_counter() + seconds
        for number, result in enumerate(infer_all(capture, estimator, lambda _: time.perf_counter() < until)):
            assert result.frame.index == number
            draw(result.frame.image, decoder.decode(result.outputs, result.frame_pixels), in_place=True)
            times.append(time.perf_counter())
    return (len(times) - 1) / (times[-1] - times[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratio", type=float, default=10)
    parser.add_argument("--frame-ms", type=float, default=8)
    parser.add_argument("--requests", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    frame_s = {"FAST": options.frame_ms / 1000, "SLOW": options.ratio * options.frame_ms / 1000}
    wide = estimator_module.ON_THEIR_WAY_BYTES
    found: dict[str, list[float]] = {"FAST": [], "SLOW": [], "MULTI:SLOW,FAST": [], "two rounds at most": []}
    for _ in range(options.runs):
        for name, values in found.items():
            device = "MULTI:SLOW,FAST" if "rounds" in name else name
            values.append(fps(device, frame_s, options.requests, options.seconds, 0 if "rounds" in name else wide))
    print(f"{machine()}; played devices of {1000 * frame_s['FAST']:g} and {1000 * frame_s['SLOW']:g} ms a frame")
    print(f"{options.runs} runs: median (min to max)")
    sums = [fast + slow for fast, slow in zip(found["FAST"], found["SLOW"], strict=True)]
    for name, values in found.items():
        ratios = [value / both for value, both in zip(values, sums, strict=True)]
        print(f"{name:20}{spread(values):>24} FPS{spread(ratios, 2):>24} of their sum")


if __name__ == "__main__":
    main()

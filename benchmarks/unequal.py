"""What two devices of very unequal speed give together, and whether the fast one waits for the slow one.

python -m benchmarks.unequal [--ratio 10] [--frame-ms 8] [--requests 2] [--runs 3] [--seconds 5]

The devices are played: one takes --frame-ms a frame, the other --ratio times as long, both without using the cores,
with so many requests each; as MULTI does it, a frame goes to whichever is free first, and the results are shown in the
frames' order by the demo's own estimator, decoder and drawing. Each alone and both together take turns. Beside them
stands what both give with two rounds of requests on their way at most, which was the rule once.
"""

import argparse
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import openvino as ov

from benchmarks.common import CLIP, machine, spread
from human_pose import compilation, inference
from human_pose.capture import Frame, open_capture
from human_pose.decode import decode
from human_pose.draw import draw
from human_pose.evaluate import infer_all
from human_pose.infer_request import Inference
from human_pose.skeleton import HEATMAP_CHANNELS, PAF_CHANNELS

MAPS = tuple(np.zeros((channels, 32, 57), np.float32) for channels in (HEATMAP_CHANNELS, PAF_CHANNELS))


class PlayedRequest:
    """A request that is done when its device has had the time."""

    def __init__(self, compiled: Any) -> None:
        self.compiled = compiled
        self._done_at = 0.0

    def start(self, image: np.ndarray) -> None:
        self._started_at = time.perf_counter()
        self._done_at = self.compiled.takes()

    def is_done(self, wait_ms: int) -> bool:
        time.sleep(max(0.0, min(wait_ms / 1000, self._done_at - time.perf_counter())))
        return time.perf_counter() >= self._done_at

    def result(self, frame: Frame) -> Inference:
        return Inference(frame, self.compiled, *MAPS, (8, 8), 1000 * (self._done_at - self._started_at))


def played(device: str, frame_s: dict[str, float], requests: int) -> Any:
    """A compiled network of one or several devices, each of which works on one frame after the other."""
    members = device.removeprefix("MULTI:").split(",")
    free_at = dict.fromkeys(members, 0.0)

    def takes() -> float:
        now = time.perf_counter()
        member = min(members, key=lambda name: max(free_at[name], now))
        free_at[member] = max(free_at[member], now) + frame_s[member]
        return free_at[member]

    return SimpleNamespace(
        device=device, request_count=requests * len(members) + 1, takes=takes, operations={}, is_moving=False
    )


def fps(device: str, frame_s: dict[str, float], requests: int, seconds: float, on_their_way: float) -> float:
    """Results a second from the first one on."""
    compilation.compile_network = lambda core, model, device, settings: played(device, frame_s, requests)
    compilation.InferRequest = PlayedRequest  # type: ignore[assignment, misc]
    inference.ON_THEIR_WAY_BYTES = on_their_way
    times = []
    with open_capture(str(CLIP), loop=True) as capture:
        network: Any = SimpleNamespace(model=None)
        estimator = inference.Estimator(ov.Core(), network, device, None)  # type: ignore[arg-type]
        until = time.perf_counter() + seconds
        for number, result in enumerate(infer_all(capture, estimator, lambda _: time.perf_counter() < until)):
            assert result.frame.index == number
            draw(result.frame.image, decode(*result.maps), in_place=True)
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
    wide = inference.ON_THEIR_WAY_BYTES
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

"""Time of a live frame from its delivery to its drawn poses, compared with the network's own time.

python -m benchmarks.latency [--model NAME_OR_XML] [--size 128] [--runs 3]

The clip plays by its own clock, 30 frames a second, like a camera; with `--hint latency` there is one request, which
takes the newest frame. The network's own time is that of plain synchronous calls with the same settings. Both take
turns. The default size is small enough that each frame is done before the next comes; otherwise frames would be
dropped.
"""

import argparse
import statistics
import time

import openvino as ov

from benchmarks.common import BUNDLED, CLIP, machine, run_demo, spread
from human_pose.inference.model import load_model
from human_pose.inference.openvino_backend import compile_model
from human_pose.inference.preprocess import fill_input, new_input
from human_pose.inference.settings import Settings, configure
from human_pose.media.sources import open_source
from human_pose.zoo.resolve import choose_model

CALLS = 100


def synchronous_ms(model: str, height: int) -> float:
    """The median time of synchronous calls in ms."""
    core = ov.Core()
    network = load_model(core, choose_model(model, None))
    images = open_source(str(CLIP)).images()
    frame, _ = next(images)
    network.reshape(*network.size_for(frame.shape[1::-1], height))
    settings = Settings(network.file.precision, hint="latency")
    configure(core, settings)
    compiled = compile_model(core, network.model, "CPU", settings)
    request = compiled.network.create_infer_request()
    image = new_input(compiled.network, frame.shape[1::-1], network.preprocessing)
    fill_input(frame, image, network.preprocessing)
    times = []
    for _ in range(CALLS):
        started_at = time.perf_counter()
        request.infer({"image": image})
        times.append(1000 * (time.perf_counter() - started_at))
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=BUNDLED)
    parser.add_argument("--size", "--height", dest="height", type=int, default=128)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    own, median, p99, ratio, dropped = [], [], [], [], 0
    for _ in range(options.runs):
        own.append(synchronous_ms(options.model, options.height))
        report = run_demo(
            "-m", options.model, "--height", options.height, "--hint", "latency", "--realtime", "--no-cache",
            "--loop", "--frames", 280,
        )  # fmt: skip
        delay = report["devices"][0]["delay_ms"]
        median.append(delay["p50"])
        p99.append(delay["p99"])
        ratio.append((delay["p50"] - 1) / own[-1])
        dropped += report["input"]["dropped_frames"]
    print(f"{machine()}; {options.model}, input height {options.height}")
    print(f"{options.runs} runs: median (min to max)")
    print(f"the network alone, synchronous: {spread(own)} ms")
    print(f"delivered to drawn, median:     {spread(median)} ms;  less 1 ms, {spread(ratio, 2)} of the network's own")
    print(f"delivered to drawn, p99:        {spread(p99)} ms;  {dropped} of {options.runs * 280} frames dropped")


if __name__ == "__main__":
    main()

"""Compare the demo's throughput with the machine's limit, without a window, every frame in order.

python -m benchmarks.pipeline [--video FILE ...] [--model NAME_OR_XML ...] [--size 256] [--frames 100] [--runs 3]
                              [--peer "COMMAND"]

The limit is the throughput if no time were lost between the stages: number of cores / sum of the stages' CPU times.
Each stage is timed in the same run while the other cores infer, as in the demo: where two cores are two threads of one,
a stage alone would be up to 1.8 times as fast. The table also has the demo with one request at a time (--hint latency),
benchmark_app's throughput (inference alone on the same network) and, with --peer, the FPS of another program. Its
command, with {video} in place of the file, must process the video once; its FPS is the number of frames divided by its
total time less its time for a video of one frame. All take turns; printed are medians over the runs (min to max).
"""

import argparse
import contextlib
import multiprocessing
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openvino as ov

from benchmarks.common import BUNDLED, CLIP, cores, machine, model_options, name_and_precision, run_demo, spread
from human_pose.inference.input_size import frame_pixels
from human_pose.inference.model import PoseModel, load_model
from human_pose.inference.openvino_backend import compile_model
from human_pose.inference.preprocess import fill_input, new_input
from human_pose.inference.settings import Settings, configure, execution_type
from human_pose.measurement.benchmark_app import throughput
from human_pose.media.sources import open_source
from human_pose.poses.draw import draw
from human_pose.tracking.smoothing import Smoother
from human_pose.tracking.tracker import Tracker
from human_pose.zoo.resolve import choose_model

STAGES = ("read", "scale", "infer", "decode", "track", "draw")
FPS = 30  # of the kept frames, for the tracker
KEPT = 20  # maximum number of frames for the timing of a stage


class Stages:
    """The stages for one video and one network, each of which can be timed alone."""

    def __init__(self, video: str, model: str, height: int | None, span: int, threads: int | None = None) -> None:
        """span: the timed frames lie evenly among the video's first `span`, because a quiet beginning is no measure.

        threads: number of inference threads, with one request each; None: as the device chooses.
        """
        core = ov.Core()
        self.video = video
        self.network: PoseModel = load_model(core, choose_model(*name_and_precision(model)))
        source = open_source(video)
        span = min(span, source.frame_count or span)
        self.frames = [image for image, _ in islice(source.images(), 0, span, max(1, span // KEPT))][:KEPT]
        self.frame_size = self.frames[0].shape[1::-1]
        self.height = height or self.network.own_size
        self.input_size = self.network.size_for(self.frame_size, self.height)
        self.network.reshape(*self.input_size)
        settings = Settings(self.network.file.precision, requests=threads, streams=threads, threads=threads)
        configure(core, settings)
        compiled = compile_model(core, self.network.model, "CPU", settings)
        self.precision = compiled.execution_precision
        self.requests = [compiled.network.create_infer_request() for _ in range(compiled.request_count)]
        self.inputs = []
        for frame in self.frames:
            self.inputs.append(new_input(compiled.network, self.frame_size, self.network.preprocessing))
            box = fill_input(frame, self.inputs[-1], self.network.preprocessing)
        self.infer(len(self.frames))
        self.outputs = []
        for image in self.inputs:
            self.requests[0].infer({"image": image})
            names = self.network.decoder.output_names
            self.outputs.append({name: self.requests[0].get_tensor(name).data[0].copy() for name in names})
        self.pixels, self.origin = frame_pixels(self.frame_size, box), (box.left, box.top)
        self.poses = [self.network.decoder.decode(outputs, self.pixels, self.origin) for outputs in self.outputs]

    def cpu_ms(
        self, frames: int, others_at_work: Callable[[], contextlib.AbstractContextManager[None]]
    ) -> dict[str, float]:
        """CPU time of each stage in ms per frame, measured one stage after the other.

        frames: how many to read; others_at_work: keeps the other cores busy while a stage of one core is timed.
        """
        kept = len(self.frames)
        canvas = [frame.copy() for frame in self.frames]
        target = np.zeros_like(self.inputs[0])
        works: dict[str, tuple[int, Callable[[], Any]]] = {
            "read": (frames, lambda: [None for _ in islice(_looped(self.video), frames)]),
            "scale": (kept, lambda: [fill_input(frame, target, self.network.preprocessing) for frame in self.frames]),
            "infer": (kept * 2, lambda: self.infer(kept * 2)),
            "decode": (
                kept,
                lambda: [self.network.decoder.decode(outputs, self.pixels, self.origin) for outputs in self.outputs],
            ),
            "track": (kept, self.track),
            "draw": (kept, lambda: [draw(canvas[n], self.poses[n], True) for n in range(kept)]),
        }
        times = {}
        for stage, (count, work) in works.items():
            with contextlib.nullcontext() if stage == "infer" else others_at_work():
                started_at = time.process_time()
                work()
                times[stage] = 1000 * (time.process_time() - started_at) / count
        return times

    def track(self) -> None:
        """Number and calm the people of the kept frames."""
        tracker, smoother = Tracker(), Smoother()
        for index, poses in enumerate(self.poses):
            smoother.smooth(tracker.update(poses, index / FPS), index / FPS)

    def infer(self, count: int) -> None:
        """Run `count` inferences with all requests in flight."""
        for index in range(count):
            request = self.requests[index % len(self.requests)]
            request.wait()
            request.set_input_tensor(ov.Tensor(self.inputs[index % len(self.inputs)], shared_memory=True))
            request.start_async()
        for request in self.requests:
            request.wait()


def _looped(video: str) -> Iterator[Any]:
    """The images of a video, in an endless loop."""
    while True:
        yield from open_source(video).images()


class OtherCores:
    """A process that infers on all cores but one while `at_work` is entered. Use it as a context manager."""

    def __init__(self, video: str, model: str, height: int, span: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._ready, self._is_wanted = context.Event(), context.Event()
        arguments = (video, model, height, span, self._ready, self._is_wanted)
        self._process = context.Process(target=_keep_busy, args=arguments, daemon=True)

    def __enter__(self) -> "OtherCores":
        if cores() > 1:
            self._process.start()
            self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        if cores() > 1:
            self._process.kill()
            self._process.join()

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Keep the other cores busy while the context is entered."""
        self._is_wanted.set()
        yield
        self._is_wanted.clear()


def _keep_busy(video: str, model: str, height: int, span: int, ready: Any, is_wanted: Any) -> None:
    stages = Stages(video, model, height, span, threads=cores() - 1)
    ready.set()
    while is_wanted.wait():
        stages.infer(len(stages.requests))


def peer_fps(command: str, video: str, frames: int) -> float:
    """Frames per second of another program, without its start."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for count in (1, frames):
            part = str(Path(folder) / f"{count}.avi")
            source = open_source(video)
            writer = None
            for image, _ in islice(source.images(), count):
                writer = writer or cv2.VideoWriter(
                    part, cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 30, image.shape[1::-1]
                )
                writer.write(image)
            if writer is not None:
                writer.release()
            words = [word.replace("{video}", part) for word in shlex.split(command)]
            started_at = time.perf_counter()
            subprocess.run(words, check=True, capture_output=True)
            times.append(time.perf_counter() - started_at)
    return (frames - 1) / (times[1] - times[0])


def measure(video: str, model: str, options: argparse.Namespace) -> None:
    stages = Stages(video, model, options.height, options.frames)
    network, file = stages.network, stages.network.file
    wanted = [
        "-i",
        video,
        *model_options(model),
        "--height",
        stages.height,
        "--frames",
        options.frames,
        "--loop",
        "--no-cache",
    ]
    cpu: list[dict[str, float]] = []
    fps: dict[str, list[float]] = {"limit": [], "demo": [], "one request": [], "benchmark_app": [], "peer": []}
    execution = execution_type(ov.Core(), "CPU", file.precision)
    with OtherCores(video, model, stages.height, options.frames) as other_cores:
        for _ in range(options.runs):
            cpu.append(stages.cpu_ms(options.frames, other_cores.at_work))
            fps["limit"].append(1000 * cores() / sum(cpu[-1].values()))
            fps["demo"].append(run_demo(*wanted)["devices"][0]["fps"]["mean"])
            fps["one request"].append(run_demo(*wanted, "--hint", "latency")["devices"][0]["fps"]["mean"])
            fps["benchmark_app"].append(throughput(network.model, execution, "CPU", "throughput", options.seconds))
            if options.peer:
                fps["peer"].append(peer_fps(options.peer, video, options.frames))
    print(
        f"\n{Path(video).name}, {stages.frame_size[0]}x{stages.frame_size[1]}; {file.title}, "
        f"executed in {stages.precision}, input {stages.input_size[0]}x{stages.input_size[1]}"
    )
    print(
        "CPU ms a frame, the other cores at work: " + ", ".join(f"{s} {spread([t[s] for t in cpu], 2)}" for s in STAGES)
    )
    print(f"{'':16}{'FPS':>22}{'of the limit':>24}")
    for name, values in fps.items():
        if values:
            ratios = [value / limit for value, limit in zip(values, fps["limit"], strict=True)]
            print(f"{name:16}{spread(values):>22}{spread(ratios, 2):>24}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", nargs="+", default=[str(CLIP)])
    parser.add_argument("--model", nargs="+", default=[BUNDLED])
    parser.add_argument("--size", "--height", dest="height", type=int, default=256)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="of each run of benchmark_app")
    parser.add_argument(
        "--peer", metavar="COMMAND", help="another program, for example 'python demo.py -i {video} --no_show'"
    )
    options = parser.parse_args()
    print(f"{machine()}; {options.runs} runs of {options.frames} frames: median (min to max)")
    for video in options.video:
        for model in options.model:
            measure(video, model, options)


if __name__ == "__main__":
    main()

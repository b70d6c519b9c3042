"""Compare the network in this process with the same network on a KServe server of the same machine.

python -m benchmarks.remote [--model NAME_OR_XML] [--size 256] [--requests 1 2 4 8] [--seconds 3] [--runs 5]

The server is a process on the loopback address and serves what `models serve-layout` writes. It shares the cores with
this process, as no real server does: what it loses against the network in the process is the price of the way alone.
Both execute in the same type, with the throughput hint. "cores" are CPU seconds a second, of this process and of the
server's, so a share that the server takes is counted. Frames are decoded before; poses are not looked for.

"echo" is a model that costs nothing, with the same input and outputs: what remains is the way there and back. The last
lines divide it for one request at a time: "copying" is what tritonclient and protobuf take for making and reading both
messages, measured without a server, "protocol" the rest: gRPC, HTTP/2, both event loops, KServe. All take turns;
printed are medians over the runs (min to max). Needs tritonclient[grpc], kserve and psutil.
"""

import argparse
import contextlib
import importlib.util
import json
import math
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from benchmarks.common import BUNDLED, CLIP, ROOT, machine, name_and_precision, spread
from human_pose.inference.backend import InferRequest
from human_pose.inference.backends import open_backend
from human_pose.inference.configuration import Configuration
from human_pose.inference.model import PoseModel, load_model
from human_pose.inference.settings import Settings, execution_type
from human_pose.media.capture import Frame
from human_pose.media.sources import open_source
from human_pose.zoo.resolve import choose_model
from human_pose.zoo.serve_layout import CONFIG, ServedModel, serve_layout

FRAMES = 20  # of the clip, in turn
STARTS_WITHIN_S = 60.0
WAYS = ("here", "server", "echo")


@dataclass(frozen=True)
class Run:
    """Results a second, the median latency, and CPU seconds a second of this process and of the server."""

    fps: float
    latency_ms: float
    own_cores: float
    server_cores: float


def echo_of(network: PoseModel) -> PoseModel:
    """A model with the same input and outputs that reads one byte, and gives zeros."""
    image = ops.parameter(network.model.input("image").shape, ov.Type.u8, name="image")
    image.output(0).set_names({"image"})
    byte = ops.convert(ops.slice(image, [0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1]), "f32")
    zero = ops.multiply(ops.reshape(byte, ops.constant([1]), False), ops.constant(np.float32(0)))
    results = []
    for name in network.decoder.output_names:
        values = ops.add(zero, ops.constant(np.zeros(network.model.output(name).shape, np.float32)))
        values.output(0).set_names({name})
        results.append(ops.result(values))
    return replace(network, model=ov.Model(results, [image], "echo"))


def write_echo(folder: Path, echo: PoseModel) -> None:
    """Add the echo to a folder that is served."""
    xml = folder / "echo" / "1" / "model.xml"
    xml.parent.mkdir(parents=True)
    ov.save_model(echo.model, xml)
    config = json.loads((folder / CONFIG).read_text())
    config["model_config_list"].append({"config": {"name": "echo", "base_path": "echo"}})
    (folder / CONFIG).write_text(json.dumps(config))


@contextlib.contextmanager
def server_of(folder: Path, precision: str) -> Iterator[tuple[str, int]]:
    """Serve the folder while the context is entered. Gives the server's address, and the number of its process."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    command = [sys.executable, "-m", "tests.helpers.kserve_server", str(folder)]
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            [*command, "--port", str(port), "--precision", precision], cwd=ROOT, stdout=log, stderr=log
        )
        try:
            until = time.monotonic() + STARTS_WITHIN_S
            while server.poll() is None and time.monotonic() < until:
                with socket.socket() as one:
                    if one.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            else:
                log.seek(0)
                sys.exit(f"error: the server does not start:\n{log.read().decode(errors='replace')[-2000:]}")
            yield f"grpc://127.0.0.1:{port}", server.pid
        finally:
            server.kill()
            server.wait()


def run(requests: Sequence[InferRequest], frames: Sequence[np.ndarray], seconds: float, server: Any) -> Run:
    """Keep all the requests in flight for so many seconds. server: psutil's process."""
    idle, waiting, latencies = deque(requests), deque[InferRequest](), list[float]()
    before = server.cpu_times()
    own_s, started_at, sent = time.process_time(), time.perf_counter(), 0
    while True:
        while idle and time.perf_counter() < started_at + seconds:
            request = idle.popleft()
            request.start(frames[sent % len(frames)])
            waiting.append(request)
            sent += 1
        if not waiting:
            break
        request = waiting.popleft()
        while not request.is_done(1000):
            pass
        latencies.append(request.result(Frame(0, frames[0], 0.0)).latency_ms)
        idle.append(request)
    elapsed_s = time.perf_counter() - started_at
    after = server.cpu_times()
    server_s = after.user + after.system - before.user - before.system
    own_cores = (time.process_time() - own_s) / elapsed_s
    return Run(sent / elapsed_s, statistics.median(latencies), own_cores, server_s / elapsed_s)


def median_ms(work: Callable[[], object], times: int = 50) -> float:
    """The median time of a call."""
    found = []
    for _ in range(times):
        started_at = time.perf_counter()
        work()
        found.append(1000 * (time.perf_counter() - started_at))
    return statistics.median(found)


def copying_ms(network: PoseModel) -> tuple[float, float]:
    """What making and reading the messages takes: of the request, and of the answer."""
    from tritonclient.grpc import InferInput, InferResult, service_pb2

    image = np.zeros(network.model.input("image").shape, np.uint8)
    outputs = {name: np.ones(network.model.output(name).shape, np.float32) for name in network.decoder.output_names}

    def message(kind: Any, tensors: dict[str, np.ndarray], datatype: str) -> bytes:
        made = kind(model_name="network")
        told, contents = (
            (made.inputs, made.raw_input_contents)
            if kind is service_pb2.ModelInferRequest
            else (made.outputs, made.raw_output_contents)
        )
        for name, values in tensors.items():
            told.add(name=name, datatype=datatype, shape=values.shape)
            contents.append(values.tobytes())
        data: bytes = made.SerializeToString()
        return data

    request = message(service_pb2.ModelInferRequest, {"image": image}, "UINT8")
    answer = message(service_pb2.ModelInferResponse, outputs, "FP32")

    def ask() -> None:
        InferInput("image", list(image.shape), "UINT8").set_data_from_numpy(image)
        message(service_pb2.ModelInferRequest, {"image": image}, "UINT8")
        np.frombuffer(service_pb2.ModelInferRequest.FromString(request).raw_input_contents[0], np.uint8)

    def respond() -> None:
        message(service_pb2.ModelInferResponse, outputs, "FP32")
        result = InferResult(service_pb2.ModelInferResponse.FromString(answer))
        for name in outputs:
            result.as_numpy(name)

    return median_ms(ask), median_ms(respond)


def measure(options: argparse.Namespace, folder: Path) -> None:
    import psutil

    core = ov.Core()
    frames = [image for image, _ in islice(open_source(str(CLIP)).images(), FRAMES)]
    frame_size = frames[0].shape[1::-1]
    file = choose_model(*name_and_precision(options.model))
    network = load_model(core, file)
    input_size = network.size_for(frame_size, options.height)
    network.reshape(*input_size)
    echo = echo_of(network)
    serve_layout(folder, ServedModel(file, "network", frame_size, options.height))
    write_echo(folder, echo)
    counts = sorted({1, *options.requests})
    settings = Settings(file.precision, requests=counts[-1])
    with server_of(folder, execution_type(core, "CPU", file.precision)) as (address, number):
        server = psutil.Process(number)
        requests = {
            "here": open_backend(core, network, settings).compile(Configuration("CPU"), frames[0]),
            "server": open_backend(core, network, settings).compile(Configuration(f"{address}/network"), frames[0]),
            "echo": open_backend(core, echo, settings).compile(Configuration(f"{address}/echo"), frames[0]),
        }
        for way in WAYS:
            run(requests[way], frames, 0.5, server)  # warm
        found: dict[tuple[str, int], list[Run]] = {(way, count): [] for count in counts for way in WAYS}
        copying = []
        for _ in range(options.runs):
            for (way, count), runs in found.items():
                runs.append(run(requests[way][:count], frames, options.seconds, server))
            copying.append(copying_ms(network))
    sent = math.prod(network.model.input("image").shape)
    answered = 4 * sum(math.prod(network.model.output(name).shape) for name in network.decoder.output_names)
    print(f"{machine()}; {file.title}, input {input_size[0]}x{input_size[1]}")
    print(f"a request has {sent / 1000:.0f} kB, its answer {answered / 1000:.0f} kB")
    print(f"{options.runs} runs of {options.seconds:g} s: median (min to max)\n")
    print(f"{'in flight':10}{'':8}{'FPS':>24}{'of here':>22}{'latency, ms':>24}{'cores here':>12}{'server':>8}")
    for (way, count), runs in found.items():
        fps = [one.fps for one in runs]
        ratios = [one / other.fps for one, other in zip(fps, found["here", count], strict=True)]
        cores = (statistics.median(one.own_cores for one in runs), statistics.median(one.server_cores for one in runs))
        share = spread(ratios, 2) if way == "server" else ""
        latencies = spread([one.latency_ms for one in runs])
        print(f"{count:<10}{way:8}{spread(fps):>24}{share:>22}{latencies:>24}{cores[0]:>12.2f}{cores[1]:>8.2f}")
    ways = {way: [one.latency_ms for one in found[way, 1]] for way in WAYS}
    both = [sum(one) for one in copying]
    print("\none request at a time, ms:")
    for name, values in {
        "the network here": ways["here"],
        "the network on the server": ways["server"],
        "what the way adds": [there - here for there, here in zip(ways["server"], ways["here"], strict=True)],
        "the echo on the server": ways["echo"],
        "  of it copying, request": [one for one, _ in copying],
        "  of it copying, answer": [one for _, one in copying],
        "  of it protocol": [all_of_it - copies for all_of_it, copies in zip(ways["echo"], both, strict=True)],
    }.items():
        print(f"{name:28}{spread(values, 2):>26}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=BUNDLED)
    parser.add_argument("--size", "--height", dest="height", type=int, default=256)
    parser.add_argument("--requests", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    for package in ("kserve", "psutil"):
        if importlib.util.find_spec(package) is None:
            sys.exit(f"error: {package} is not installed: pip install {package}")
    with tempfile.TemporaryDirectory() as folder:
        measure(options, Path(folder))


if __name__ == "__main__":
    main()

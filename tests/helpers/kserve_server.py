"""A KServe server, as its own process, of the models in a folder that `serve-layout` wrote.

python -m tests.helpers.kserve_server FOLDER --port PORT [--precision f32]
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import openvino as ov

ROOT = Path(__file__).resolve().parent.parent.parent
TYPES = {"f32": "FP32", "u8": "UINT8"}
STARTS_WITHIN_S = 60.0


def models_in(folder: Path) -> dict[str, Path]:
    """The .xml of each model's newest version, as OpenVINO Model Server finds it."""
    found = {}
    for entry in json.loads((folder / "config.json").read_text())["model_config_list"]:
        place = folder / entry["config"]["base_path"]
        newest = max(int(version.name) for version in place.iterdir() if version.name.isdigit())
        found[entry["config"]["name"]] = place / str(newest) / "model.xml"
    return found


def serve(folder: Path, port: int, precision: str) -> None:
    """Serve on the CPU until the process ends. precision: the type in which to execute, f32 or bf16, say."""
    from kserve import InferOutput, InferResponse, Model, ModelServer

    class Network(Model):  # type: ignore[misc]
        """A network as KServe calls it. Several requests run at the same time."""

        def __init__(self, name: str, xml: Path) -> None:
            super().__init__(name)
            properties = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": precision}
            self._network = ov.Core().compile_model(xml, "CPU", properties)
            self._idle: asyncio.Queue[Any] = asyncio.Queue()
            for _ in range(self._network.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS") + 1):
                self._idle.put_nowait(self._network.create_infer_request())
            self.ready = True

        def get_input_types(self) -> list[dict[str, Any]]:
            return [told(port) for port in self._network.inputs]

        def get_output_types(self) -> list[dict[str, Any]]:
            return [told(port) for port in self._network.outputs]

        async def predict(self, payload: Any, *_: object, **__: object) -> Any:
            request, loop = await self._idle.get(), asyncio.get_running_loop()
            done = loop.create_future()
            request.set_callback(lambda _: loop.call_soon_threadsafe(done.set_result, None), None)
            try:
                request.start_async([payload.inputs[0].as_numpy()])
                await done
                outputs = []
                for port in self._network.outputs:
                    values = request.get_tensor(port).data
                    output = InferOutput(port.get_any_name(), list(values.shape), told(port)["datatype"])
                    output.set_data_from_numpy(values)
                    outputs.append(output)
            finally:
                self._idle.put_nowait(request)
            return InferResponse(payload.id or "1", self.name, outputs)

    networks = [Network(name, xml) for name, xml in models_in(folder).items()]
    ModelServer(grpc_port=port, http_port=free_port(), enable_latency_logging=False).start(networks)


def told(port: ov.ConstOutput) -> dict[str, Any]:
    """An input or output as the protocol describes it."""
    shape = [side.get_length() if side.is_static else -1 for side in port.partial_shape]
    return {"name": port.get_any_name(), "datatype": TYPES[port.element_type.get_type_name()], "shape": shape}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class ServerProcess:
    """The server in a process of its own, on a free port or the given one. Use it as a context manager."""

    def __init__(self, folder: Path, log: Path, port: int | None = None) -> None:
        self.port = port or free_port()
        self._log = log
        command = [sys.executable, "-m", "tests.helpers.kserve_server", str(folder), "--port", str(self.port)]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        with log.open("ab") as file:
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file)

    def device(self, model: str) -> str:
        """The address of a model."""
        return f"grpc://127.0.0.1:{self.port}/{model}"

    def wait_until_ready(self) -> None:
        """Returns when the server answers. Raises RuntimeError with the end of its log where it does not."""
        until = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < until and self._process.poll() is None:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"the server does not start: {self._log.read_text()[-2000:]}")

    def kill(self) -> None:
        """SIGKILL, as where the machine loses its power."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> "ServerProcess":
        self.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--precision", default="f32")
    options = parser.parse_args()
    serve(options.folder, options.port, options.precision)

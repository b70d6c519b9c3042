"""A model on a server as a backend: grpc://host:port/model[/version].

Frames are scaled here, so that the network's input travels and not the frame.
"""

import contextlib
import functools
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import openvino as ov

from ..errors import UsageError, first_line
from ..media.capture import Frame
from . import hetero
from .backend import CompiledModel, DeviceError, Inference, ServerFigures
from .input_size import Box
from .model import PoseModel
from .openvino_backend import compile_model
from .preprocess import blank_input, check_finite, fill_input
from .remote_address import parse_address
from .remote_check import Checked, Comparison, Guard, picture_of_people
from .remote_client import Answer, Client, check_remote
from .remote_figures import Sampler, ServerWatch
from .remote_signature import Signature, checked
from .request_tuner import RequestTuner
from .settings import Settings

MOST_REQUESTS = 8  # in flight, where the user gives no number


@dataclass(frozen=True, kw_only=True)
class RemoteCompiledModel(CompiledModel):
    """A model on a server. server_device: what the server says that it runs on, '' where it does not tell."""

    tuner: RequestTuner
    watch: ServerWatch
    server_device: str = ""

    @property
    def requests_in_use(self) -> int:
        """How many requests pay at this moment."""
        return self.tuner.limit

    @property
    def executed_on(self) -> list[str]:
        """As the server tells; where it does not, 'remote'."""
        return [f"{self.server_device} there" if self.server_device else "remote"]

    @property
    def runs_on(self) -> str:
        """'runs on GPU.0 there', or 'remote'."""
        return f"runs on {self.server_device} there" if self.server_device else "remote"

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The parts of the latency where the server tells, and the traffic."""
        return self.watch.facts

    @property
    def server(self) -> ServerFigures:
        """Over the run so far."""
        return self.watch.figures


class RemoteBackend:
    """Runs a model of a server instead of the local one, once both have given the same.

    A picture of people goes through the local model on the CPU and through the server's; see `remote_check`.
    """

    def __init__(self, core: ov.Core, model: PoseModel, settings: Settings) -> None:
        self._core, self._model, self._settings = core, model, settings
        self._watches: dict[str, ServerWatch] = {}

    def compile(self, device: str, sample: np.ndarray) -> "list[RemoteRequest]":
        """See Backend.compile."""
        try:
            check_remote(device)
            client = Client(parse_address(device), self._settings.remote)
            client.wait()
            started_at = time.perf_counter()
            model = client.model(self._wanted, self._model.preprocessing)
            requests = self._requests(device, client, model, sample, started_at)
        except UsageError as error:
            raise DeviceError(device, f"{device} cannot run this network: {error}", error.exit_code) from error
        except RuntimeError as error:
            raise DeviceError(device, f"{device} cannot run this network: {first_line(error)}") from error
        return requests

    @property
    def _wanted(self) -> dict[str, tuple[int, ...]]:
        """The shape of each output of the local model; -1 where it is open."""
        outputs = {}
        for name in self._model.decoder.output_names:
            shape = self._model.model.output(name).partial_shape
            outputs[name] = tuple(side.get_length() if side.is_static else -1 for side in shape)
        return outputs

    def _requests(
        self, device: str, client: Client, model: Signature, sample: np.ndarray, started_at: float
    ) -> "list[RemoteRequest]":
        most = self._settings.requests or (1 if self._settings.hint == "latency" else MOST_REQUESTS)
        people = picture_of_people(sample)
        size = model.size_for(people.shape[1::-1], self._model.own_size, self._model.preprocessing)
        picture = blank_input(size, self._model.preprocessing)
        fill_input(people, picture, self._model.preprocessing)
        comparison = Comparison(client, self._model, picture, self._local(picture))
        found = comparison.run(model)
        model = replace(model, encodings={found.way: model.encodings[found.way]})
        watch = self._watches.setdefault(device, ServerWatch())
        compiled = RemoteCompiledModel(
            device,
            "unknown",
            most,
            tuner=RequestTuner(most),
            watch=watch,
            server_device=client.server_device(),
            difference=found.difference,
            compile_s=time.perf_counter() - started_at,
        )
        shapes: Mapping[str, tuple[int, ...]]
        if model.fixed_size is None:  # frames are sent in the size of this run
            shapes = {name: shape[1:] for name, shape in self._wanted.items()}
        else:
            shapes = {name: tuple(values.shape) for name, values in comparison.expected.items()}

        def check_again() -> Checked:
            found = comparison.run(model)
            watch.parts.add(found.seconds)
            return found

        guard = Guard(check_again, found.version)
        watch.parts.connect(most)
        sampler = Sampler(functools.partial(client.statistics, found.version), watch.parts.sample)
        sampler.ask()
        return [RemoteRequest(compiled, client, model, self._model, shapes, guard, sampler) for _ in range(most)]

    def _local(self, picture: np.ndarray) -> dict[str, np.ndarray]:
        """What the local model gives for an input (1, h, w, 3) uint8 on the CPU."""
        local = self._model.model.clone()
        local.reshape({"image": list(picture.shape)})
        compiled = compile_model(self._core, local, "CPU", replace(self._settings, hint="latency"))
        return hetero.outputs_of(compiled.network, picture, self._model.decoder)


class RemoteRequest:
    """One picture on its way to a server and back; see `backend.InferRequest`."""

    def __init__(
        self,
        compiled: RemoteCompiledModel,
        client: Client,
        signature: Signature,
        model: PoseModel,
        shapes: Mapping[str, tuple[int, ...]],
        guard: Guard,
        sampler: Sampler,
    ) -> None:
        """shapes: of the outputs, without the batch axis; -1 where it is open."""
        self.compiled = compiled
        self._client, self._signature, self._model, self._shapes = client, signature, model, shapes
        self._guard, self._sampler = guard, sampler
        (self._encode,) = signature.encodings.values()
        self._frame_size, self._box = (0, 0), Box(0, 0, 0, 0)
        self._input = np.empty((1, 0, 0, 3), np.uint8)
        self._sent = 0
        self._started_at = self._done_at = 0.0
        self._is_done = threading.Event()
        self._told: tuple[Any, Any] = None, None
        self._answer: Answer | None = None

    def start(self, image: np.ndarray) -> None:
        """Scale the image into the input and send that."""
        preprocessing = self._model.preprocessing
        frame_size = image.shape[1::-1]
        if frame_size != self._frame_size:
            self._frame_size = frame_size
            self._input = blank_input(
                self._signature.size_for(frame_size, self._model.size, preprocessing), preprocessing
            )
        self._box = fill_input(image, self._input, preprocessing)
        self._is_done.clear()
        self._answer = None
        self._guard.sending()
        self._started_at = time.perf_counter()
        values = self._encode(self._input)
        self._sent = len(values[0]) if self._signature.datatype == "BYTES" else values.nbytes
        self._client.start(self._signature, values, self._take)

    def is_done(self, wait_ms: int) -> bool:
        """Whether the answer is there and counts, waiting for it up to `wait_ms`. Raises RuntimeError."""
        if not (self._is_done.wait(wait_ms / 1000) if wait_ms else self._is_done.is_set()):
            return False
        with self._closed_on_failure():
            if self._answer is None:
                self._answer = self._client.answer(self._signature, *self._told)
                self._told = None, None
            return self._guard.vouches_for(self._answer.version, wait_ms / 1000)

    def result(self, frame: Frame) -> Inference:
        """The result for the image that was started last. Raises RuntimeError where the server failed."""
        assert self._answer is not None
        with self._closed_on_failure():
            outputs = checked(self._answer.outputs, self._shapes)
            check_finite(*outputs.values())
        self.compiled.watch.traffic.add(self._sent, self._answer.nbytes, self._done_at)
        self.compiled.tuner.add(self._done_at)
        self._sampler.poll(self._done_at)
        self._answer = None
        _, height, width, _ = self._input.shape
        latency_ms = 1000 * (self._done_at - self._started_at)
        return Inference(frame, self.compiled, outputs, (width, height), self._box, latency_ms)

    @contextlib.contextmanager
    def _closed_on_failure(self) -> Iterator[None]:
        """A request of a device that failed is kept, its connection is not: it would be made again and again."""
        try:
            yield
        except RuntimeError:
            self._client.close()
            raise

    def _take(self, result: Any, error: Any) -> None:
        """Called in a thread of gRPC."""
        self._told, self._done_at = (result, error), time.perf_counter()
        self.compiled.watch.parts.add(self._done_at - self._started_at)
        self._is_done.set()

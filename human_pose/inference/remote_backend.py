"""A model on a server as a backend: grpc://host:port/model[/version].

Frames are scaled here, so that the network's input travels and not the frame.
"""

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import openvino as ov

from ..decoders.decoder import Decoder, Outputs
from ..errors import UsageError, first_line
from ..folders import BUNDLED_VIDEO
from ..media.capture import Frame
from . import hetero
from .backend import CompiledModel, DeviceError, Inference
from .configuration import Configuration
from .input_size import Box
from .model import PoseModel
from .openvino_backend import compile_model
from .preprocess import blank_input, check_finite, fill_input
from .remote_address import parse_address
from .remote_client import Client, check_remote
from .remote_signature import Signature, checked
from .request_tuner import RequestTuner
from .settings import Settings

MOST_REQUESTS = 8  # in flight, where the user gives no number
MOST_DIFFERENT = 0.4  # see `relative_difference`
RECENT_S = 2.0  # the traffic is averaged over this time


class Traffic:
    """The bytes that went to a server and came back."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, int]] = deque()

    def add(self, size: int, now: float) -> None:
        self._recent.append((now, size))
        while now - self._recent[0][0] > RECENT_S:
            self._recent.popleft()

    def bytes_per_s(self) -> float:
        """Over the last RECENT_S."""
        since = time.perf_counter() - RECENT_S
        return sum(size for when, size in list(self._recent) if when > since) / RECENT_S


@dataclass(frozen=True, kw_only=True)
class RemoteCompiledModel(CompiledModel):
    """A model on a server. server_device: what the server says that it runs on, '' where it does not tell."""

    tuner: RequestTuner
    traffic: Traffic
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
        """The traffic."""
        return [("traffic", f"{self.traffic.bytes_per_s() / 1e6:.1f} MB/s")]


class RemoteBackend:
    """Runs a model of a server instead of the local one, once both have given the same.

    A picture of people goes through the local model on the CPU and through the server's; see `relative_difference`.
    """

    def __init__(self, core: ov.Core, model: PoseModel, settings: Settings) -> None:
        self._core, self._model, self._settings = core, model, settings

    def compile(self, configuration: Configuration, sample: np.ndarray) -> "list[RemoteRequest]":
        """See Backend.compile."""
        device = configuration.device
        started_at = time.perf_counter()
        try:
            check_remote(device)
            client = Client(parse_address(device), self._settings.remote)
            model = client.model(self._wanted, self._model.preprocessing)
            requests = self._requests(configuration, client, model, sample, started_at)
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
        self, configuration: Configuration, client: Client, model: Signature, sample: np.ndarray, started_at: float
    ) -> "list[RemoteRequest]":
        most = self._settings.requests or (1 if self._settings.hint == "latency" else MOST_REQUESTS)
        compiled = RemoteCompiledModel(
            configuration,
            "unknown",
            most,
            tuner=RequestTuner(most),
            traffic=Traffic(),
            server_device=client.server_device(),
        )
        people = picture_of_people(sample)
        size = model.size_for(people.shape[1::-1], self._model.own_size, self._model.preprocessing)
        picture = blank_input(size, self._model.preprocessing)
        fill_input(people, picture, self._model.preprocessing)
        expected = self._local(picture)
        shapes = {name: tuple(values.shape) for name, values in expected.items()}
        found = {}
        for way, encode in model.encodings.items():
            outputs = checked(client.infer(model, encode(picture)), shapes)
            found[way] = relative_difference(outputs, expected, self._model.decoder)
        way = min(found, key=found.__getitem__)
        if not found[way] <= MOST_DIFFERENT:
            raise UsageError(
                f"its outputs differ from those of {self._model.file.title} by {found[way]:.0%} (allowed: "
                f"{MOST_DIFFERENT:.0%}). Give the model that it serves with -m, or serve this one"
            )
        if model.fixed_size is None:  # frames are sent in the size of this run
            shapes = {name: shape[1:] for name, shape in self._wanted.items()}
        compiled = replace(compiled, difference=found[way], compile_s=time.perf_counter() - started_at)
        model = replace(model, encodings={way: model.encodings[way]})
        return [RemoteRequest(compiled, client, model, self._model, shapes) for _ in range(most)]

    def _local(self, picture: np.ndarray) -> dict[str, np.ndarray]:
        """What the local model gives for an input (1, h, w, 3) uint8 on the CPU."""
        local = self._model.model.clone()
        local.reshape({"image": list(picture.shape)})
        compiled = compile_model(self._core, local, "CPU", replace(self._settings, hint="latency"))
        return hetero.outputs_of(compiled.network, picture, self._model.decoder)


def relative_difference(found: Outputs, expected: Outputs, decoder: Decoder) -> float:
    """The RMS of the difference in parts of the RMS of what decoding uses; the largest of all outputs.

    On `picture_of_people`, INT8 and FP32 of human-pose-estimation-0001 differ by 0.06 (at size 128: 0.16), red for blue
    by 0.18, mobilenet-thin from it by 1.2. On a picture of nobody, all of them would differ by as much.
    """
    ours, theirs = (decoder.quantities(decoder.signal(outputs)) for outputs in (found, expected))
    parts = []
    for name, values in theirs.items():
        size = float(np.square(values).mean())
        error = float(np.square(ours[name] - values).mean())
        parts.append(float(np.sqrt(error / size)) if size else float(error > 0))
    return max(parts)


def picture_of_people(otherwise: np.ndarray) -> np.ndarray:
    """The first frame of the bundled video, (h, w, 3) uint8 BGR; `otherwise` where that cannot be read."""
    video = cv2.VideoCapture(str(BUNDLED_VIDEO))
    is_read, image = video.read()
    video.release()
    return image if is_read and image is not None else otherwise


class RemoteRequest:
    """One picture on its way to a server and back; see `backend.InferRequest`."""

    def __init__(
        self,
        compiled: RemoteCompiledModel,
        client: Client,
        signature: Signature,
        model: PoseModel,
        shapes: Mapping[str, tuple[int, ...]],
    ) -> None:
        self.compiled = compiled
        self._client, self._signature, self._model, self._shapes = client, signature, model, shapes
        (self._encode,) = signature.encodings.values()
        self._frame_size, self._box = (0, 0), Box(0, 0, 0, 0)
        self._input = np.empty((1, 0, 0, 3), np.uint8)
        self._sent = 0
        self._started_at = self._done_at = 0.0
        self._is_done = threading.Event()
        self._answer: tuple[Any, Any] = None, None

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
        self._started_at = time.perf_counter()
        values = self._encode(self._input)
        self._sent = len(values[0]) if self._signature.datatype == "BYTES" else values.nbytes
        self._client.start(self._signature, values, self._take)

    def is_done(self, wait_ms: int) -> bool:
        """Whether the answer is there, waiting for it up to `wait_ms`."""
        return self._is_done.wait(wait_ms / 1000) if wait_ms else self._is_done.is_set()

    def result(self, frame: Frame) -> Inference:
        """The result for the image that was started last. Raises RuntimeError where the server failed."""
        outputs = checked(self._client.outputs(self._signature, *self._answer), self._shapes)
        self._answer = None, None
        check_finite(*outputs.values())
        received = sum(values.nbytes for values in outputs.values())
        self.compiled.traffic.add(self._sent + received, self._done_at)
        self.compiled.tuner.add(self._done_at)
        _, height, width, _ = self._input.shape
        latency_ms = 1000 * (self._done_at - self._started_at)
        return Inference(frame, self.compiled, outputs, (width, height), self._box, latency_ms)

    def _take(self, result: Any, error: Any) -> None:
        """Called in a thread of gRPC."""
        self._answer, self._done_at = (result, error), time.perf_counter()
        self._is_done.set()

"""A backend whose devices are played: they take a given time and infer nothing. To test and time the loop."""

import time
from collections.abc import Callable, Mapping

import numpy as np

from ..media.capture import Frame
from .backend import CompiledModel, DeviceError, Inference
from .configuration import Configuration
from .input_size import Box

DoneAt = Callable[[], float]  # when an image that is given to the device now will be done, in s of time.perf_counter


class PlayedRequest:
    """A request that is done when its device has had the time; see `backend.InferRequest`."""

    def __init__(self, compiled: CompiledModel, done_at: DoneAt, outputs: Mapping[str, np.ndarray]) -> None:
        self.compiled = compiled
        self._done_at, self._outputs = done_at, outputs
        self._started_at = self._is_done_at = 0.0

    def start(self, image: np.ndarray) -> None:
        self._started_at = time.perf_counter()
        self._is_done_at = self._done_at()

    def is_done(self, wait_ms: int) -> bool:
        time.sleep(max(0.0, min(wait_ms / 1000, self._is_done_at - time.perf_counter())))
        return time.perf_counter() >= self._is_done_at

    def result(self, frame: Frame) -> Inference:
        size = frame.image.shape[1::-1]
        latency_ms = 1000 * (self._is_done_at - self._started_at)
        return Inference(frame, self.compiled, self._outputs, size, Box(0, 0, *size), latency_ms)


class PlayedBackend:
    """Devices by name, each with its number of requests and its time; see `backend.Backend`.

    compile_s: how long compiling takes, by device. outputs: what every inference gives.
    """

    def __init__(
        self,
        devices: Mapping[str, tuple[int, DoneAt]],
        compile_s: Mapping[str, float] | None = None,
        outputs: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self._devices, self.compile_s, self._outputs = devices, dict(compile_s or {}), outputs or {}

    def compile(self, configuration: Configuration, sample: np.ndarray) -> list[PlayedRequest]:
        device = configuration.device
        time.sleep(self.compile_s.get(device, 0.0))
        if device not in self._devices:
            raise DeviceError(device, f"There is no device '{device}'.")
        requests, done_at = self._devices[device]
        compiled = CompiledModel(configuration, "played", requests)
        return [PlayedRequest(compiled, done_at, self._outputs) for _ in range(requests)]


def queues(*frame_s: float) -> DoneAt:
    """The queue of devices that work side by side, each so many s on a frame: a frame goes to the first to be free."""
    free_at = [0.0 for _ in frame_s]

    def done_at() -> float:
        now = time.perf_counter()
        device = min(range(len(free_at)), key=lambda number: max(free_at[number], now))
        free_at[device] = max(free_at[device], now) + frame_s[device]
        return free_at[device]

    return done_at

"""Frames in, heatmaps and part affinity fields out: several infer requests in flight, results in the frames' order."""

import math
import threading
import time
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
import openvino as ov

from .capture import Frame
from .devices import CompiledNetwork, DeviceError, compile_network
from .errors import first_line
from .models import CELL_PIXELS, PoseNetwork

WAIT_MS = 2  # how long collect(wait=True) waits at most; then the loop looks for keys and new frames
WIDEST_ASPECT = 4.0  # a wider frame is scaled down to this, lest its input grow without bound


@dataclass(frozen=True)
class Inference:
    """What the network found in one frame.

    heatmaps: (19, h, w) float32; pafs: (38, h, w) float32; pixels_per_cell: frame pixels that a cell of the maps spans
    in x and in y; latency_ms: from the start of inference to its result; compiled: what made it.
    """

    frame: Frame
    compiled: CompiledNetwork
    heatmaps: np.ndarray
    pafs: np.ndarray
    pixels_per_cell: tuple[float, float]
    latency_ms: float


def network_input_size(frame_size: tuple[int, int], height: int) -> tuple[int, int]:
    """Width and height of the input for frames of `frame_size` (width, height): their aspect ratio, padded to cells."""
    aspect = min(frame_size[0] / frame_size[1], WIDEST_ASPECT)
    return max(1, math.ceil(round(aspect * height) / CELL_PIXELS)) * CELL_PIXELS, height


def scaled_size(frame_size: tuple[int, int], input_size: tuple[int, int]) -> tuple[int, int]:
    """Width and height to which a frame is scaled: its own aspect ratio, as large as the input holds."""
    width, height = frame_size
    scale = min(input_size[0] / width, input_size[1] / height)
    return max(1, min(input_size[0], round(width * scale))), max(1, min(input_size[1], round(height * scale)))


def pixels_per_cell(frame_size: tuple[int, int], input_size: tuple[int, int]) -> tuple[float, float]:
    """Frame pixels that one cell of the maps spans, in x and in y."""
    scaled = scaled_size(frame_size, input_size)
    return CELL_PIXELS * frame_size[0] / scaled[0], CELL_PIXELS * frame_size[1] / scaled[1]


class _Request:
    """An infer request, its input image, and the frame it works on."""

    def __init__(self, compiled: CompiledNetwork) -> None:
        self.compiled = compiled
        self.request = compiled.network.create_infer_request()
        self.input = np.zeros(compiled.network.input("image").shape, np.uint8)
        self.request.set_input_tensor(ov.Tensor(self.input, shared_memory=True))
        self.filled = (0, 0)
        self.frame: Frame

    def start(self, frame: Frame) -> None:
        """Scale the frame to the input's top left corner; what it leaves stays black."""
        _, height, width, _ = self.input.shape
        size = scaled_size(frame.image.shape[1::-1], (width, height))
        if size != self.filled:
            self.input[:] = 0
            self.filled = size
        target = self.input[0, : size[1], : size[0]]
        shrinks = frame.image.shape[0] > 2 * size[1]  # by more than two, linear interpolation would skip pixels
        cv2.resize(frame.image, size, dst=target, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        self.frame = frame
        self.request.start_async()

    def result(self) -> Inference:
        self.request.wait()
        frame_size = self.frame.image.shape[1::-1]
        _, height, width, _ = self.input.shape
        return Inference(
            self.frame,
            self.compiled,
            self.request.get_tensor("heatmaps").data[0].copy(),
            self.request.get_tensor("pafs").data[0].copy(),
            pixels_per_cell(frame_size, (width, height)),
            self.request.latency,
        )


class _Compilation(threading.Thread):
    """Compiles the network for a device while the present one goes on."""

    def __init__(self, core: ov.Core, model: ov.Model, device: str) -> None:
        super().__init__(name=f"compile {device}", daemon=True)
        self.device = device
        self.started_at = time.perf_counter()
        self.compiled: CompiledNetwork | None = None
        self.error: DeviceError | None = None
        self._core, self._model = core, model
        self.start()

    def run(self) -> None:
        try:
            self.compiled = compile_network(self._core, self._model, self.device)
        except DeviceError as error:
            self.error = error


class Estimator:
    """Runs a network on one device after the other; every result remembers the frame and the device it came from.

    Raises DeviceError if the first device cannot run the network.
    """

    def __init__(self, core: ov.Core, network: PoseNetwork, device: str) -> None:
        self._core = core
        self._network = network
        self.used: dict[str, CompiledNetwork] = {}  # every device that was taken into use
        self._idle: dict[str, deque[_Request]] = {}
        self._pending: deque[_Request] = deque()
        self._compilation: _Compilation | None = None
        self.compiled = self._adopt(compile_network(core, network.model, device))

    @property
    def has_idle_request(self) -> bool:
        return bool(self._idle[self.compiled.device])

    @property
    def is_idle(self) -> bool:
        """Nothing is in flight."""
        return not self._pending

    @property
    def compiling(self) -> tuple[str, float] | None:
        """The device that is being compiled for, and for how many seconds already."""
        if self._compilation is None:
            return None
        return self._compilation.device, time.perf_counter() - self._compilation.started_at

    def submit(self, frame: Frame) -> None:
        """Start inference on a frame; there must be an idle request."""
        request = self._idle[self.compiled.device].popleft()
        request.start(frame)
        self._pending.append(request)

    def collect(self, wait: bool) -> Inference | None:
        """The result of the oldest frame in flight, or None if it is not there yet; `wait` for it, up to WAIT_MS.

        Raises DeviceError if the device failed.
        """
        if not self._pending:
            return None
        request = self._pending[0]
        try:
            if not request.request.wait_for(WAIT_MS if wait else 0):
                return None
            inference = request.result()
        except RuntimeError as error:
            device = request.compiled.device
            raise DeviceError(device, f"{device} failed while inferring: {first_line(error)}") from error
        self._pending.popleft()
        self._idle[request.compiled.device].append(request)
        return inference

    def switch(self, device: str) -> None:
        """Go on with another device as soon as the network is compiled for it; what is in flight stays in flight."""
        self._compilation = None
        if device in self.used:
            self.compiled = self.used[device]
        else:
            self._compilation = _Compilation(self._core, self._network.model, device)

    def finish_switch(self) -> None:
        """Take the new device into use if its compilation is over. Raises DeviceError if that failed."""
        if self._compilation is None or self._compilation.is_alive():
            return
        compilation, self._compilation = self._compilation, None
        if compilation.error is not None:
            raise compilation.error
        assert compilation.compiled is not None
        self.compiled = self._adopt(compilation.compiled)

    def _adopt(self, compiled: CompiledNetwork) -> CompiledNetwork:
        self.used[compiled.device] = compiled
        self._idle[compiled.device] = deque(_Request(compiled) for _ in range(compiled.request_count))
        return compiled

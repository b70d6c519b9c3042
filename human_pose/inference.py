"""Frames in, heatmaps and part affinity fields out: several infer requests in flight, results in the frames' order."""

import math
import threading
import time
from collections import deque
from dataclasses import dataclass, replace

import numpy as np
import openvino as ov

from .affinity import TOLERANCE, differences
from .capture import Frame
from .compiled import CompiledNetwork, Settings, compile_network
from .devices import DeviceError, members_of
from .errors import first_line
from .network import PoseNetwork
from .preprocess import check_finite, fill_input, new_input, pixels_per_cell
from .profile import Profile
from .terminal import say

SILENT_S = 2.0  # how long the first compilation may take without a word
WAIT_MS = 2  # how long collect(wait=True) waits at most; then the loop looks for keys and new frames
HANGS_AFTER_S = 60.0  # a request that takes longer will not come back


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

    @property
    def maps(self) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
        """What `decode` takes."""
        return self.heatmaps, self.pafs, self.pixels_per_cell


class _Request:
    """An infer request and its input image."""

    def __init__(self, compiled: CompiledNetwork) -> None:
        self.compiled = compiled
        self._request = compiled.network.create_infer_request()
        self._frame_size = (0, 0)
        self._input = np.empty((1, 0, 0, 3), np.uint8)

    def start(self, image: np.ndarray) -> None:
        """Scale the image to the input's top left corner, what it leaves is black, and start inference."""
        frame_size = image.shape[1::-1]
        if frame_size != self._frame_size:
            self._frame_size = frame_size
            self._input = new_input(self.compiled.network, frame_size)
            self._request.set_input_tensor(ov.Tensor(self._input, shared_memory=True))
        fill_input(image, self._input)
        self._request.start_async()

    def is_done(self, wait_ms: int) -> bool:
        return bool(self._request.wait_for(wait_ms))

    def result(self, frame: Frame) -> Inference:
        self._request.wait()  # raises what went wrong
        _, height, width, _ = self._input.shape
        heatmaps, pafs = (self._request.get_tensor(name).data[0].copy() for name in ("heatmaps", "pafs"))
        check_finite(heatmaps, pafs)
        return Inference(
            frame,
            self.compiled,
            heatmaps,
            pafs,
            pixels_per_cell(frame.image.shape[1::-1], (width, height)),
            self._request.latency,
        )


@dataclass
class _Job:
    """A frame on its way: waiting for a request, in one, or inferred and waiting for the frames before it."""

    frame: Frame
    request: _Request | None = None
    inference: Inference | None = None
    started_at: float = 0.0


class _Compilation(threading.Thread):
    """Compiles the network for a device, and makes its requests, while the present one goes on."""

    def __init__(self, core: ov.Core, model: ov.Model, device: str, settings: Settings, sample: np.ndarray) -> None:
        """sample: an image (h, w, 3) uint8 of the source, on which a HETERO's outputs are checked."""
        super().__init__(name=f"compile {device}", daemon=True)
        self.device = device
        self.started_at = time.perf_counter()
        self.requests: list[_Request] = []
        self.error: DeviceError | None = None
        self._core, self._model, self._settings, self._sample = core, model, settings, sample
        self.start()

    def run(self) -> None:
        try:
            compiled = compile_network(self._core, self._model, self.device, self._settings)
            if compiled.operations:
                compiled = replace(compiled, difference=self._difference(compiled))
            self.requests = [_Request(compiled) for _ in range(compiled.request_count)]
        except DeviceError as error:
            self.error = error
        except Exception as error:  # whatever it is, the present device goes on
            self.error = DeviceError(self.device, f"{self.device} cannot run this network: {first_line(error)}")

    def _difference(self, compiled: CompiledNetwork) -> float:
        """Of a HETERO's outputs to its last device's. Raises DeviceError if it is too large."""
        device = members_of(self.device)[-1]
        reference = compile_network(self._core, self._model, device, replace(self._settings, hint="latency"))
        image = new_input(compiled.network, self._sample.shape[1::-1])
        fill_input(self._sample, image)
        found = differences(compiled.network, reference.network, image)
        if max(found.values()) > TOLERANCE or not all(map(math.isfinite, found.values())):
            told = ", ".join(f"{output} by {difference:.3g}" for output, difference in found.items())
            raise DeviceError(
                self.device,
                f"{self.device} is refused: its outputs differ from {device}'s ({told}, root mean square; "
                f"allowed: {TOLERANCE})",
            )
        return max(found.values())


class Estimator:
    """Runs a network on one device after the other; every result remembers the frame and the device it came from.

    No frame is lost and all come back in order, also when a device fails: what it leaves unfinished is inferred again
    on the device used before. Raises DeviceError when no device is left.
    """

    def __init__(
        self,
        core: ov.Core,
        network: PoseNetwork,
        device: str,
        settings: Settings,
        sample: np.ndarray | None = None,
        profile: Profile | None = None,
    ) -> None:
        """sample: an image (h, w, 3) uint8 of the source, on which a HETERO's outputs are checked; None: a grey one.

        profile: where the time for scaling, waiting and inference is noted down.
        """
        self._profile = profile or Profile()
        self._core, self._network, self._settings = core, network, settings
        self._sample = np.full((64, 64, 3), 128, np.uint8) if sample is None else sample
        self._ready: dict[str, CompiledNetwork] = {}  # in the order of last use, the present one last
        self._idle: dict[str, deque[_Request]] = {}
        self._jobs: deque[_Job] = deque()  # in the order of the frames
        self._compilations: dict[str, _Compilation] = {}
        self._failures: list[DeviceError] = []
        self._target = device
        first = _Compilation(core, network.model, device, settings, self._sample)
        first.join(SILENT_S)
        if first.is_alive():
            say(f"Compiling the network for {device} ...")
            first.join()
        self._adopt(first)
        if self._failures:
            raise self._failures[0]

    @property
    def compiled(self) -> CompiledNetwork:
        """What new frames are inferred on."""
        return next(reversed(self._ready.values()))

    @property
    def has_idle_request(self) -> bool:
        """Whether a frame can be submitted. No more than two rounds of them are ever on their way."""
        return bool(self._idle[self.compiled.device]) and len(self._jobs) < 2 * self.compiled.request_count

    @property
    def is_idle(self) -> bool:
        """Nothing is on its way."""
        return not self._jobs

    @property
    def compiling(self) -> tuple[str, float] | None:
        """The device that is to be switched to, and for how many seconds it has been compiled for already."""
        compilation = self._compilations.get(self._target)
        return None if compilation is None else (self._target, time.perf_counter() - compilation.started_at)

    def submit(self, frame: Frame) -> None:
        """Start inference on a frame; there must be an idle request."""
        self._jobs.append(_Job(frame))
        self._start_waiting()

    def collect(self, wait: bool) -> Inference | None:
        """The result of the oldest frame, or None if it is not there yet; `wait` for it, up to WAIT_MS.

        Raises DeviceError if the last device that could run the network failed.
        """
        self._finish_compilations()
        for position, job in enumerate(self._jobs):
            self._finish(job, WAIT_MS if wait and position == 0 else 0)
        self._start_waiting()
        if self._jobs and self._jobs[0].inference is not None:
            return self._jobs.popleft().inference
        return None

    def switch(self, device: str) -> None:
        """Go on with another device as soon as the network is compiled for it; what is in flight stays in flight."""
        self._target = device
        if device in self._ready:
            self._ready[device] = self._ready.pop(device)
        elif device not in self._compilations:
            self._compilations[device] = _Compilation(
                self._core, self._network.model, device, self._settings, self._sample
            )

    def take_failures(self) -> list[DeviceError]:
        """The failures of devices since the last call."""
        failures, self._failures = self._failures, []
        return failures

    def _finish_compilations(self) -> None:
        """Keep what was compiled, also for a device that is no longer wanted, and switch to the one that is."""
        for device, compilation in list(self._compilations.items()):
            if not compilation.is_alive():
                del self._compilations[device]
                self._adopt(compilation)

    def _adopt(self, compilation: _Compilation) -> None:
        device = compilation.device
        if compilation.error is not None:
            self._failures.append(compilation.error)
            if self._target == device and self._ready:
                self._target = self.compiled.device
            return
        self._idle[device] = deque(compilation.requests)
        compiled = compilation.requests[0].compiled
        self._ready = {device: compiled} | self._ready
        if device == self._target:
            self.switch(device)

    def _start_waiting(self) -> None:
        """Give idle requests of the present device to the frames that wait for one, the oldest first."""
        for job in self._jobs:
            if job.request is None and job.inference is None:
                if not self._idle[self.compiled.device]:
                    return
                job.request = self._idle[self.compiled.device].popleft()
                job.started_at = time.perf_counter()
                try:
                    with self._profile.stage("preprocess"):
                        job.request.start(job.frame.image)
                except RuntimeError as error:
                    self._fail(job.request.compiled.device, first_line(error))

    def _finish(self, job: _Job, wait_ms: int) -> None:
        """Take a job's result if it is there, so that its request can go on, whatever the frames before it do."""
        if job.request is None:
            return
        device = job.request.compiled.device
        try:
            with self._profile.stage("wait"):
                is_done = job.request.is_done(wait_ms)
            if is_done:
                job.inference = job.request.result(job.frame)
                self._profile.add("infer", job.inference.latency_ms)
                self._idle[device].append(job.request)
                job.request = None
            elif time.perf_counter() - job.started_at > HANGS_AFTER_S:
                self._fail(device, f"no result within {HANGS_AFTER_S:.0f} s")
        except RuntimeError as error:
            self._fail(device, first_line(error))

    def _fail(self, device: str, reason: str) -> None:
        """Give up a device: its unfinished frames wait for a request of the one used before."""
        error = DeviceError(device, f"{device} failed while inferring: {reason}")
        del self._ready[device], self._idle[device]
        for job in self._jobs:
            if job.request is not None and job.request.compiled.device == device:
                _given_up.append(job.request)
                job.request = None
        if not self._ready:
            raise error
        self._failures.append(error)
        if self._target == device:
            self._target = self.compiled.device


_given_up: list[_Request] = []  # of devices that failed: to delete one waits for it, and it may never come


def must_not_be_torn_down() -> bool:
    """Whether a device still works at something, so that to end the program in order could take forever."""
    return bool(_given_up) or any(isinstance(thread, _Compilation) for thread in threading.enumerate())

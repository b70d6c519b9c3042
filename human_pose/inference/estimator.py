"""Frames in, the network's outputs out: several infer requests in flight, results in the frames' order."""

import logging
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..errors import first_line
from ..media.capture import Capture, Frame
from .backend import Backend, CompiledModel, DeviceError, Inference, InferRequest
from .compilation import Compilation, is_any_running
from .profile import Profile

log = logging.getLogger(__name__)

SILENT_S = 2.0  # how long the first compilation may take without a word on the terminal
WAIT_MS = 2  # how long collect(wait=True) waits at most; then the loop looks for keys and new frames
READ_WAIT_S = 0.02  # how long step() waits for a frame while nothing is on its way
HANGS_AFTER_S = 60.0  # a request that takes longer will not come back
ON_THEIR_WAY_BYTES = 512e6  # frames and outputs on their way at most, or two rounds of requests if that is more
LATE_AFTER_S = 0.1  # how long a result of a live source may hold up a newer one


@dataclass
class _Job:
    """A frame on its way: waiting for a request, in one, or inferred and waiting for the frames before it."""

    frame: Frame
    request: InferRequest | None = None
    inference: Inference | None = None
    started_at: float = 0.0
    done_at: float = 0.0


class Estimator:
    """Runs a network on one device after the other; every result remembers the frame and the device it came from.

    All results come in the order of the frames, and none is lost, also when a device fails: what it leaves unfinished
    is inferred again on the device used before. Of a live source alone, a result that would hold up newer ones for more
    than LATE_AFTER_S is left out and counted in `late`. Raises DeviceError when no device is left.
    """

    def __init__(
        self,
        backend: Backend,
        device: str,
        sample: np.ndarray | None = None,
        profile: Profile | None = None,
        is_live: bool = False,
        waits: bool = True,
    ) -> None:
        """sample: an image (h, w, 3) uint8 of the source, on which outputs are checked; None: a grey one.

        profile: where the time for scaling, waiting and inference is noted down. waits: return when the network is
        compiled, else at once: then no request is idle until it is.
        """
        self.late = self.submitted = 0
        self._profile = profile or Profile()
        self._backend = backend
        self._sample = np.full((64, 64, 3), 128, np.uint8) if sample is None else sample
        self._is_live = is_live
        self._ready: dict[str, CompiledModel] = {}  # in the order of last use, the present one last
        self._idle: dict[str, deque[InferRequest]] = {}
        self._jobs: deque[_Job] = deque()  # in the order of the frames
        self._late_jobs: list[_Job] = []  # given up, but their requests will be idle again
        self._in_flight: Counter[str] = Counter()  # requests at work on each device
        self._compilations: dict[str, Compilation] = {}
        self._failures: list[DeviceError] = []
        self._settled_at = -math.inf
        self._is_auto_moving = False
        self._has_said = False
        self.switch(device)
        while waits and not self._ready:
            self._compilations[device].join(0.05)
            self._finish_compilations()

    @property
    def compiled(self) -> CompiledModel:
        """What new frames are inferred on; only when the first compilation is over."""
        return next(reversed(self._ready.values()))

    @property
    def device(self) -> str | None:
        """The device that new frames are inferred on; None while the first compilation goes on."""
        return next(reversed(self._ready), None)

    @property
    def target(self) -> str:
        """The device that was asked for last, or that is used in its place because it failed."""
        return self._target

    @property
    def has_idle_request(self) -> bool:
        """Whether a frame can be submitted.

        Frames wait for a slower one before them, so that a MULTI's fast device need not wait for its slow one. They may
        take up ON_THEIR_WAY_BYTES of memory in all, and be two rounds of requests in any case.
        """
        device = self.device
        if device is None or not self._idle[device]:
            return False
        return len(self._jobs) < 2 * self.compiled.request_count or self._bytes_on_their_way() < ON_THEIR_WAY_BYTES

    @property
    def is_idle(self) -> bool:
        """Nothing is on its way."""
        return not self._jobs

    @property
    def compiling(self) -> tuple[str, float] | None:
        """The device that is to be switched to, and for how many seconds it has been compiled for already."""
        compilation = self._compilations.get(self._target)
        return None if compilation is None else (self._target, time.perf_counter() - compilation.started_at)

    def step(self, next_frame: Callable[[float], Frame | None] | None) -> Inference | None:
        """Submit the next frame while a request is idle; then give the oldest result, or None if it is not there yet.

        next_frame: gives the frame, waiting up to so many s for it, or None; None itself: no more are wanted. Raises
        DeviceError if the last device that could run the network failed.
        """
        frame = None
        if next_frame is not None and self.has_idle_request:
            frame = next_frame(READ_WAIT_S if self.is_idle else 0)
        if frame is not None:
            self.submit(frame)
        return self.collect(wait=frame is None)

    def submit(self, frame: Frame) -> None:
        """Start inference on a frame; there must be an idle request."""
        self._jobs.append(_Job(frame))
        self.submitted += 1
        self._start_waiting()

    def collect(self, wait: bool) -> Inference | None:
        """The result of the oldest frame, or None if it is not there yet; `wait` for it, up to WAIT_MS.

        Raises DeviceError if the last device that could run the network failed.
        """
        self._finish_compilations()
        if wait and not self._jobs and not self._ready:
            time.sleep(WAIT_MS / 1000)
        self._note_disturbance()
        for position, job in enumerate(self._jobs):
            self._finish(job, WAIT_MS if wait and position == 0 else 0)
        self._finish_late()
        self._start_waiting()
        inference = self._jobs[0].inference if self._jobs else None
        if inference is None:
            return None
        job = self._jobs.popleft()
        is_disturbed = job.started_at <= self._settled_at
        return replace(inference, while_switching=is_disturbed, settled_at=self._settled_at)

    def switch(self, device: str) -> None:
        """Go on with another device as soon as the network is compiled for it; what is in flight stays in flight."""
        self._target = device
        if device in self._ready:
            self._ready[device] = self._ready.pop(device)
        elif device not in self._compilations:
            self._compilations[device] = Compilation(self._backend, device, self._sample)
        self._note_disturbance()

    def take_failures(self) -> list[DeviceError]:
        """The failures of devices since the last call."""
        failures, self._failures = self._failures, []
        return failures

    def _bytes_on_their_way(self) -> int:
        newest, oldest = self._jobs[-1], self._jobs[0]
        outputs = oldest.inference or newest.inference
        per_frame = newest.frame.image.nbytes + (outputs.nbytes if outputs else 0)
        return len(self._jobs) * per_frame

    def _finish_compilations(self) -> None:
        """Keep what was compiled, also for a device that is no longer wanted, and switch to the one that is."""
        for device, compilation in list(self._compilations.items()):
            if not compilation.is_alive():
                self._note_disturbance()  # it was there until now
                del self._compilations[device]
                self._adopt(compilation)
            elif not (self._ready or self._has_said) and time.perf_counter() - compilation.started_at > SILENT_S:
                self._has_said = True
                log.info(f"Compiling the network for {device} ...")

    def _adopt(self, compilation: Compilation) -> None:
        device = compilation.device
        if compilation.error is not None:
            if not self._ready and not self._compilations:
                raise compilation.error
            self._failures.append(compilation.error)
            self._leave(device)
            return
        if not self._ready:
            self._profile.mark("compilation")
        self._idle[device] = deque(compilation.requests)
        compiled = compilation.requests[0].compiled
        self._ready = {device: compiled} | self._ready
        self._is_auto_moving |= device.startswith("AUTO")
        if device == self._target:
            self.switch(device)

    def _note_disturbance(self) -> None:
        """Remember that results of this moment say nothing of one device alone."""
        busy_devices = sum(count > 0 for count in self._in_flight.values())
        if self._compilations or busy_devices > 1 or self._auto_is_moving():
            self._settled_at = time.perf_counter()

    def _auto_is_moving(self) -> bool:
        """Whether AUTO, the present device, still runs on the CPU while it compiles for another device."""
        if self._is_auto_moving and self.device is not None and self.device.startswith("AUTO"):
            self._is_auto_moving = self.compiled.is_moving
            return self._is_auto_moving
        return False

    def _start_waiting(self) -> None:
        """Give idle requests of the present device to the frames that wait for one, the oldest first."""
        for job in self._jobs:
            if job.request is None and job.inference is None:
                device = self.device
                if device is None or not self._idle[device]:
                    return
                job.request = self._idle[device].popleft()
                job.started_at = time.perf_counter()
                self._in_flight[device] += 1
                self._note_disturbance()
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
                job.done_at = time.perf_counter()
                self._profile.add("infer", job.inference.latency_ms)
                self._idle[device].append(job.request)
                self._in_flight[device] -= 1
                job.request = None
            elif time.perf_counter() - job.started_at > HANGS_AFTER_S:
                self._fail(device, f"no result within {HANGS_AFTER_S:.0f} s")
        except RuntimeError as error:
            self._fail(device, first_line(error))

    def _finish_late(self) -> None:
        """Of a live source, give up the frames that hold up a newer one for too long; take their requests back."""
        if not self._is_live:
            return
        done = next((place for place, job in enumerate(self._jobs) if job.inference is not None), 0)
        if done > 0 and time.perf_counter() - self._jobs[done].done_at > LATE_AFTER_S:
            self._late_jobs += [self._jobs.popleft() for _ in range(done)]
            self.late += done
        for job in self._late_jobs:
            self._finish(job, 0)
        self._late_jobs = [job for job in self._late_jobs if job.request is not None]

    def _fail(self, device: str, reason: str) -> None:
        """Give up a device: its unfinished frames wait for a request of the one used before."""
        error = DeviceError(device, f"{device} failed while inferring: {reason}")
        del self._ready[device], self._idle[device], self._in_flight[device]
        for job in [*self._jobs, *self._late_jobs]:
            if job.request is not None and job.request.compiled.device == device:
                _given_up.append(job.request)
                job.request = None
        if not self._ready and not self._compilations:
            raise error
        self._failures.append(error)
        self._leave(device)

    def _leave(self, device: str) -> None:
        """If a device that failed is the one asked for, ask for the present one, or one that is being compiled for."""
        if self._target == device:
            self._target = self.device or next(iter(self._compilations))


def infer_all(
    capture: Capture, estimator: Estimator, goes_on: Callable[[int], bool] = lambda begun: True
) -> Iterator[Inference]:
    """The results of all frames, in their order; of no more frames once `goes_on`, of the number begun, says no.

    Raises DeviceError where the device fails.
    """
    first = estimator.submitted
    while not (estimator.is_idle and (capture.is_over or not goes_on(estimator.submitted - first))):
        inference = estimator.step(capture.read if goes_on(estimator.submitted - first) else None)
        if inference is not None:
            yield inference
        for failure in estimator.take_failures():
            raise failure


_given_up: list[InferRequest] = []  # of devices that failed: to delete one waits for it, and it may never come


def must_not_be_torn_down() -> bool:
    """Whether a device still works at something, so that to end the program in order could take forever."""
    return bool(_given_up) or is_any_running()

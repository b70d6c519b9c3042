"""Run the network on frames: several infer requests in flight, results in the order of the frames."""

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
from .configuration import Configuration
from .profile import Profile
from .remote_address import is_remote

log = logging.getLogger(__name__)

SILENT_S = 2.0  # if the first compilation takes longer, one line says so
WAIT_MS = 2  # maximum wait in collect(wait=True); then the loop polls keys and new frames
READ_WAIT_S = 0.02  # maximum wait for a frame in step() while no frame is in flight
HANGS_AFTER_S = 60.0  # a request that takes longer is taken for hung
ON_THEIR_WAY_BYTES = 512e6  # maximum memory of frames and outputs in flight; two rounds of requests are always allowed
MOST_READY = 12  # compiled networks that are kept
LATE_AFTER_S = 0.1  # how long a missing result of a live source may delay a newer one


@dataclass
class _Job:
    """A frame in flight: waiting for a request, being inferred, or inferred and waiting for the frames before it."""

    frame: Frame
    request: InferRequest | None = None
    inference: Inference | None = None
    started_at: float = 0.0  # before the frame is scaled into the input
    inferring_since: float = 0.0
    done_at: float = 0.0


class Estimator:
    """Runs networks in one configuration after the other. Each result holds its frame and what made it.

    Results come in the order of the frames. None is lost: if a device fails, its unfinished frames are inferred again
    in the configuration used before. Only for a live source, a result that would delay newer ones by more than
    LATE_AFTER_S is dropped and counted in `late`. Raises DeviceError when no configuration is left; where the backend
    waits for the last one, only when that does not come back.
    """

    def __init__(
        self,
        backend: Backend,
        configuration: Configuration,
        sample: np.ndarray | None = None,
        profile: Profile | None = None,
        is_live: bool = False,
        waits: bool = True,
        waits_for: Callable[[str], bool] = lambda device: False,
    ) -> None:
        """sample: an image (h, w, 3) uint8 of the source, on which outputs are checked; None: a grey image.

        profile: takes the times of scaling, waiting and inference. is_live: the source is live. waits: whether to wait
        for the first compilation; if not, no request is idle until it is over. waits_for: whether the network is
        compiled again for a device that fails as the only one; it must have given a result since the last time.
        """
        self.late = self.submitted = 0
        self._profile = profile or Profile()
        self._backend = backend
        self._sample = np.full((64, 64, 3), 128, np.uint8) if sample is None else sample
        self._is_live = is_live
        self._ready: dict[Configuration, CompiledModel] = {}  # in the order of last use, the current one last
        self._idle: dict[Configuration, deque[InferRequest]] = {}
        self._indices: dict[InferRequest, int] = {}  # of the requests of each configuration
        self._jobs: deque[_Job] = deque()  # in the order of the frames
        self._late_jobs: list[_Job] = []  # dropped frames whose requests are still busy
        self._in_flight: Counter[Configuration] = Counter()  # numbers of busy requests
        self._compilations: dict[Configuration, Compilation] = {}
        self._failures: list[tuple[Configuration, DeviceError]] = []
        self._settled_at = -math.inf
        self._is_auto_moving = False
        self._has_announced = False
        self._waits_for = waits_for
        self._has_result = False  # since the last configuration was waited for
        self.switch(configuration)
        while waits and not self._ready:
            self._compilations[configuration].join(0.05)
            self._finish_compilations()

    @property
    def compiled(self) -> CompiledModel:
        """The compiled model for new frames; only valid after the first compilation."""
        return next(reversed(self._ready.values()))

    @property
    def configuration(self) -> Configuration | None:
        """The configuration for new frames; None during the first compilation."""
        return next(reversed(self._ready), None)

    @property
    def target(self) -> Configuration:
        """The configuration that was asked for last; if it failed, the one used instead."""
        return self._target

    @property
    def has_idle_request(self) -> bool:
        """Whether a frame can be submitted.

        A result waits for slower ones before it, so that a MULTI's fast device need not wait for its slow one. Frames
        in flight may use ON_THEIR_WAY_BYTES of memory; two rounds of requests are always allowed.
        """
        if not self._may_start():
            return False
        return len(self._jobs) < 2 * self.compiled.request_count or self._bytes_on_their_way() < ON_THEIR_WAY_BYTES

    @property
    def is_idle(self) -> bool:
        """Whether no frame is in flight."""
        return not self._jobs

    @property
    def compiling(self) -> tuple[Configuration, float] | None:
        """The configuration to switch to, and for how many seconds it has been compiling; None if it is not."""
        compilation = self._compilations.get(self._target)
        return None if compilation is None else (self._target, time.perf_counter() - compilation.started_at)

    @property
    def running(self) -> Iterator[tuple[CompiledModel, int, float]]:
        """The inferences without a result yet: the compiled model, the request's index, when it began, in s."""
        for job in [*self._jobs, *self._late_jobs]:
            if job.request is not None:
                yield job.request.compiled, self._indices[job.request], job.inferring_since

    def step(self, next_frame: Callable[[float], Frame | None] | None) -> Inference | None:
        """Return the oldest result, or None if it is not ready yet; submit the next frame if a request is idle.

        The request of the result is thus busy again before the caller works on the result. next_frame: a function that
        takes the maximum wait in s and returns a frame or None; None: submit no more frames. Raises DeviceError if the
        last device that could run the network failed.
        """
        could_submit = next_frame is not None and self.has_idle_request
        inference = self.collect(wait=not could_submit)
        if next_frame is not None and self.has_idle_request:
            frame = next_frame(READ_WAIT_S if self.is_idle and inference is None else 0)
            if frame is not None:
                self.submit(frame)
            elif could_submit and inference is None:
                inference = self.collect(wait=True)
        return inference

    def submit(self, frame: Frame) -> None:
        """Start inference on a frame. Call it only while has_idle_request is true."""
        self._jobs.append(_Job(frame))
        self.submitted += 1
        self._start_waiting()

    def collect(self, wait: bool) -> Inference | None:
        """The result of the oldest frame, or None if it is not ready yet. wait: wait up to WAIT_MS for it.

        Raises DeviceError if the last device that could run the network failed.
        """
        self._finish_compilations()
        if wait and not self._ready:
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

    def switch(self, configuration: Configuration) -> None:
        """Use another configuration as soon as its network is compiled. Frames in flight stay in flight."""
        self._target = configuration
        if configuration in self._ready:
            self._ready[configuration] = self._ready.pop(configuration)
        elif configuration not in self._compilations:
            self._compilations[configuration] = Compilation(self._backend, configuration, self._sample)
        self._note_disturbance()

    def abandon(self) -> None:
        """Leave the frames in flight as they are, at the end of a program: deleting a busy request waits for it."""
        _given_up.extend(job.request for job in [*self._jobs, *self._late_jobs] if job.request is not None)

    def take_failures(self) -> list[tuple[Configuration, DeviceError]]:
        """The failures since the last call."""
        failures, self._failures = self._failures, []
        return failures

    def _may_start(self) -> bool:
        """Whether the current configuration has an idle request that is to be used."""
        current = self.configuration
        return (
            current is not None
            and bool(self._idle[current])
            and self._in_flight[current] < self._ready[current].requests_in_use
        )

    def _bytes_on_their_way(self) -> int:
        newest, oldest = self._jobs[-1], self._jobs[0]
        outputs = oldest.inference or newest.inference
        per_frame = newest.frame.image.nbytes + (outputs.nbytes if outputs else 0)
        return len(self._jobs) * per_frame

    def _finish_compilations(self) -> None:
        """Take over finished compilations, also those for other devices than the target; switch to the target."""
        for configuration, compilation in list(self._compilations.items()):
            if not compilation.is_alive():
                self._note_disturbance()  # the compilation ran until now
                del self._compilations[configuration]
                self._adopt(compilation)
            elif not (self._ready or self._has_announced) and time.perf_counter() - compilation.started_at > SILENT_S:
                self._has_announced = True
                device = configuration.device
                log.info(
                    f"Connecting to {device} ..." if is_remote(device) else f"Compiling the network for {device} ..."
                )

    def _adopt(self, compilation: Compilation) -> None:
        configuration = compilation.configuration
        if compilation.error is not None:
            if not self._ready and not self._compilations:
                raise compilation.error
            self._failures.append((configuration, compilation.error))
            self._retarget(configuration)
            return
        if not self._ready:
            self._profile.mark("compilation")
        self._idle[configuration] = deque(compilation.requests)
        self._indices |= {request: index for index, request in enumerate(compilation.requests)}
        compiled = compilation.requests[0].compiled
        self._ready = {configuration: compiled} | self._ready
        self._is_auto_moving |= configuration.device.startswith("AUTO")
        if configuration == self._target:
            self.switch(configuration)
        self._forget()

    def _note_disturbance(self) -> None:
        """Remember the time if two configurations work or a network is compiled: such results are not counted."""
        busy = sum(count > 0 for count in self._in_flight.values())
        if self._compilations or busy > 1 or self._auto_is_moving():
            self._settled_at = time.perf_counter()

    def _auto_is_moving(self) -> bool:
        """Whether the current device is an AUTO that still runs on the CPU while it compiles for another device."""
        current = self.configuration
        if self._is_auto_moving and current is not None and current.device.startswith("AUTO"):
            self._is_auto_moving = self.compiled.is_moving
            return self._is_auto_moving
        return False

    def _start_waiting(self) -> None:
        """Start idle requests of the current configuration on waiting frames, the oldest first."""
        for job in self._jobs:
            if job.request is None and job.inference is None:
                current = self.configuration
                if current is None or not self._may_start():
                    return
                job.request = self._idle[current].popleft()
                job.started_at = time.perf_counter()
                self._in_flight[current] += 1
                self._note_disturbance()
                try:
                    with self._profile.stage("preprocess"):
                        job.request.start(job.frame.image)
                    job.inferring_since = time.perf_counter()
                except Exception as error:  # whatever a backend's library raises: the previous configuration takes over
                    self._fail(job.request.compiled.configuration, first_line(error))

    def _finish(self, job: _Job, wait_ms: int) -> None:
        """Take a job's result if it is ready, so that its request is free for another frame."""
        if job.request is None:
            return
        configuration = job.request.compiled.configuration
        try:
            with self._profile.stage("wait"):
                is_done = job.request.is_done(wait_ms)
            inference = job.request.result(job.frame) if is_done else None
        except Exception as error:
            self._fail(configuration, first_line(error))
            return
        if inference is not None:
            job.inference = replace(inference, request=self._indices[job.request], began_at=job.inferring_since)
            self._has_result = True
            job.done_at = time.perf_counter()
            self._profile.add("infer", inference.latency_ms)
            self._idle[configuration].append(job.request)
            self._in_flight[configuration] -= 1
            job.request = None
        elif time.perf_counter() - job.started_at > HANGS_AFTER_S:
            self._fail(configuration, f"no result within {HANGS_AFTER_S:.0f} s")

    def _finish_late(self) -> None:
        """For a live source, drop the frames that delay a newer result too long, and free their requests when done."""
        if not self._is_live:
            return
        done = next((index for index, job in enumerate(self._jobs) if job.inference is not None), 0)
        if done > 0 and time.perf_counter() - self._jobs[done].done_at > LATE_AFTER_S:
            self._late_jobs += [self._jobs.popleft() for _ in range(done)]
            self.late += done
        for job in self._late_jobs:
            self._finish(job, 0)
        self._late_jobs = [job for job in self._late_jobs if job.request is not None]

    def _fail(self, configuration: Configuration, reason: str) -> None:
        """Drop what failed: its unfinished frames wait for a request of the configuration used before."""
        device = configuration.device
        error = DeviceError(device, f"{device} failed while inferring: {reason}")
        self._remove(configuration)
        _given_up[:] = [request for request in _given_up if _is_busy(request)]
        for job in [*self._jobs, *self._late_jobs]:
            if job.request is not None and job.request.compiled.configuration == configuration:
                _given_up.append(job.request)
                job.request = None
        if not self._ready and not self._compilations:
            if not (self._has_result and self._waits_for(device)):
                raise error
            self._has_result = False
            self._compilations[configuration] = Compilation(self._backend, configuration, self._sample)
        self._failures.append((configuration, error))
        self._retarget(configuration)

    def _retarget(self, failed: Configuration) -> None:
        """If what failed is the target, make the current configuration the target, or one that is being compiled."""
        if self._target == failed:
            self._target = self.configuration or next(iter(self._compilations))

    def _forget(self) -> None:
        """Drop compiled networks beyond MOST_READY, the least recently used first, so that memory stays bounded."""
        for configuration in list(self._ready)[: max(0, len(self._ready) - MOST_READY)]:
            if not self._in_flight[configuration]:
                self._remove(configuration)

    def _remove(self, configuration: Configuration) -> None:
        self._indices = {
            request: index
            for request, index in self._indices.items()
            if request.compiled.configuration != configuration
        }
        del self._ready[configuration], self._idle[configuration], self._in_flight[configuration]


def _is_busy(request: InferRequest) -> bool:
    """Whether a request that was given up may still have no result; one that ended with an error has ended."""
    try:
        return not request.is_done(0)
    except Exception:  # whatever a backend's library raises
        return False


def infer_all(
    capture: Capture, estimator: Estimator, goes_on: Callable[[int], bool] = lambda begun: True
) -> Iterator[Inference]:
    """The results of all frames, in order.

    goes_on: takes the number of frames submitted so far; when it returns False, no more are submitted. Raises
    DeviceError where the device fails.
    """
    first = estimator.submitted
    while not (estimator.is_idle and (capture.is_over or not goes_on(estimator.submitted - first))):
        inference = estimator.step(capture.read if goes_on(estimator.submitted - first) else None)
        if inference is not None:
            yield inference
        for _, error in estimator.take_failures():
            raise error


_given_up: list[InferRequest] = []  # busy ones; deleting a request waits for its result, which may never come


def must_not_be_torn_down() -> bool:
    """Whether a device or a compilation is still busy, so that a normal end of the program could take forever."""
    return bool(_given_up) or is_any_running()

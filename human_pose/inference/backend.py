"""The contract of backends: who runs the network, and what is known of a run. Nothing here imports OpenVINO."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ..decoders.decoder import Outputs
from ..errors import DemoError
from ..media.capture import Frame
from .input_size import frame_pixels

VIRTUAL_DEVICES = ("MULTI", "HETERO", "AUTO")  # made of others


class DeviceError(DemoError):
    """A device that cannot run the network, or failed while running it."""

    def __init__(self, device: str, message: str, exit_code: int = DemoError.exit_code) -> None:
        """exit_code: that of UsageError where the device cannot work as it was given."""
        super().__init__(message)
        self.device, self.exit_code = device, exit_code


def members_of(device: str) -> list[str]:
    """'MULTI:GPU,CPU(2)' -> ['GPU', 'CPU']; 'GPU' -> ['GPU']; 'AUTO' -> []; 'AUTO:-CPU', all but the CPU, -> []."""
    kind, _, members = device.partition(":")
    if kind not in VIRTUAL_DEVICES:
        return [device]
    return [re.sub(r"\(\d+\)$", "", member) for member in members.split(",") if member and not member.startswith("-")]


@dataclass(frozen=True)
class CompiledModel:
    """What is known of a network that was compiled for `device`.

    execution_precision: what the layers really run in, such as 'f16' or 'INT8 + f32'. request_count: how many infer
    requests are kept in flight. streams: how many of them each device works on at once; None if it does not tell.
    compile_s: seconds that compiling took; is_from_cache: it was read from the cache instead. is_stand_in: a member is
    the CPU under another name. Of HETERO: subgraphs: into how many parts it split the network; operations: how many
    each device has; difference: of its outputs to the last device's, root mean square.
    """

    device: str
    execution_precision: str
    request_count: int
    streams: int | None = None
    compile_s: float = 0.0
    is_from_cache: bool = False
    is_stand_in: bool = False
    subgraphs: int | None = None
    operations: Mapping[str, int] = field(default_factory=dict)
    difference: float | None = None

    @property
    def executed_on(self) -> list[str]:
        """The devices it really runs on at this moment; AUTO may move from one to another."""
        return [self.device]

    @property
    def is_moving(self) -> bool:
        """Whether AUTO runs on the CPU until it has compiled for another device."""
        return False

    @property
    def runs_on(self) -> str:
        """Where it runs, if that is something else than the device asked for: 'runs on CPU alone'; else ''.

        What is executed by the CPU under another name is marked as a stand-in, the real CPU is not.
        """
        executed_on = self.executed_on
        if not executed_on or (executed_on == [self.device] and not self.is_stand_in):
            return ""
        names = [f"{name} (stand-in)" if self.is_stand_in and not _is_cpu(name) else name for name in executed_on]
        alone = " alone" if len(names) == 1 and len(members_of(self.device)) > 1 else ""
        return f"runs on {', '.join(names)}{alone}"


def _is_cpu(name: str) -> bool:
    """Whether a device is the CPU by its own name: CPU or CPU.0, not CPUX."""
    return name.partition(".")[0] == "CPU"


@dataclass(frozen=True)
class Inference:
    """What the network gave for one frame.

    outputs: float32 arrays by name, without the batch's axis; input_size: width and height of the network's input, in
    whose top left corner the frame was; latency_ms: from the start of inference to its result; compiled: what made it.
    while_switching: another network was being compiled, or another device was at work beside this one, while it was
    made or before it was collected; settled_at: when that was so last, in s of time.perf_counter.
    """

    frame: Frame
    compiled: CompiledModel
    outputs: Outputs
    input_size: tuple[int, int]
    latency_ms: float
    while_switching: bool = False
    settled_at: float = -math.inf

    @property
    def frame_pixels(self) -> tuple[float, float]:
        """Pixels of the frame that one pixel of the input spans, in x and in y: what a decoder takes."""
        return frame_pixels(self.frame.image.shape[1::-1], self.input_size)

    @property
    def nbytes(self) -> int:
        """Memory of the outputs."""
        return sum(values.nbytes for values in self.outputs.values())


class InferRequest(Protocol):
    """Works on one image at a time."""

    @property
    def compiled(self) -> CompiledModel: ...

    def start(self, image: np.ndarray) -> None:
        """Scale an image (h, w, 3) uint8 BGR into the input and start inference. Raises RuntimeError."""
        ...

    def is_done(self, wait_ms: int) -> bool:
        """Whether the result is there, waiting for it up to `wait_ms`. Raises RuntimeError."""
        ...

    def result(self, frame: Frame) -> Inference:
        """The result of the image that was started last, which was the frame's. Raises RuntimeError."""
        ...


class Backend(Protocol):
    """Compiles the network for devices."""

    def compile(self, device: str, sample: np.ndarray) -> Sequence[InferRequest]:
        """The infer requests of the network compiled for a device; takes its time, and is called in a thread.

        sample: an image (h, w, 3) uint8 BGR of the source, to check the outputs on. Raises DeviceError where the device
        is not here, refuses the network, would run on another device without a word, or gives wrong outputs.
        """
        ...

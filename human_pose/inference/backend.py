"""The contract of backends, which run the network, and the data of a run. This module does not import OpenVINO."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ..decoders.decoder import Outputs
from ..errors import DemoError
from ..media.capture import Frame
from .input_size import Box, frame_pixels

VIRTUAL_DEVICES = ("MULTI", "HETERO", "AUTO")  # they consist of other devices


class DeviceError(DemoError):
    """A device that cannot run the network, or failed while running it."""

    def __init__(self, device: str, message: str, exit_code: int = DemoError.exit_code) -> None:
        """exit_code: UsageError's where the device string itself is wrong."""
        super().__init__(message)
        self.device, self.exit_code = device, exit_code


def members_of(device: str) -> list[str]:
    """'MULTI:GPU,CPU(2)' -> ['GPU', 'CPU']; 'GPU' -> ['GPU']; 'AUTO' -> []; 'AUTO:-CPU', all but the CPU, -> []."""
    kind, _, members = device.partition(":")
    if kind not in VIRTUAL_DEVICES:
        return [device]
    return [re.sub(r"\(\d+\)$", "", member) for member in members.split(",") if member and not member.startswith("-")]


@dataclass(frozen=True)
class ServerFigures:
    """What was measured of a server: means of a frame.

    server_ms, network_ms: the parts of the latency, None where they are not known. sent_bytes, received_bytes: of the
    picture and of the outputs.
    """

    server_ms: float | None
    network_ms: float | None
    sent_bytes: float
    received_bytes: float


@dataclass(frozen=True)
class CompiledModel:
    """The facts about a network that was compiled for `device`.

    execution_precision: the types in which the layers really run, such as 'f16' or 'INT8 + f32'. request_count: the
    number of infer requests kept in flight. streams: how many requests the devices work on at once; None if unknown.
    compile_s: seconds that compilation took; is_from_cache: it was read from the cache instead. is_stand_in: a member
    is the CPU under another name; is_emulated: a member is emulated on the CPU. For HETERO: subgraphs: the number of
    parts of the network; operations: their number on each device; difference: RMS difference between its outputs and
    the last device's; for a server, between its outputs and the local model's, in parts of what decoding uses.
    """

    device: str
    execution_precision: str
    request_count: int
    streams: int | None = None
    compile_s: float = 0.0
    is_from_cache: bool = False
    is_stand_in: bool = False
    is_emulated: bool = False
    subgraphs: int | None = None
    operations: Mapping[str, int] = field(default_factory=dict)
    difference: float | None = None

    @property
    def executed_on(self) -> list[str]:
        """The devices on which it runs at this moment; AUTO may move from one to another."""
        return [self.device]

    @property
    def is_moving(self) -> bool:
        """Whether AUTO still runs on the CPU while it compiles for another device."""
        return False

    @property
    def requests_in_use(self) -> int:
        """How many of the requests are to be in flight at this moment."""
        return self.request_count

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What else the details tell about it: names and values."""
        return []

    @property
    def server(self) -> ServerFigures | None:
        """What was measured of the server; None for a device of this machine."""
        return None

    @property
    def mark(self) -> str:
        """What must stand beside every figure of it: 'stand-in' or 'emulated', '' for real devices."""
        return "stand-in" if self.is_stand_in else "emulated" if self.is_emulated else ""

    @property
    def runs_on(self) -> str:
        """Where it runs, if not on the device asked for: 'runs on CPU alone'; else ''.

        The CPU under another name is marked as a stand-in, the real CPU is not.
        """
        executed_on = self.executed_on
        if not executed_on or (executed_on == [self.device] and not self.mark):
            return ""
        names = [f"{name} ({self.mark})" if self.mark and not _is_cpu(name) else name for name in executed_on]
        alone = " alone" if len(names) == 1 and len(members_of(self.device)) > 1 else ""
        return f"runs on {', '.join(names)}{alone}"


def _is_cpu(name: str) -> bool:
    """Whether a device is the CPU by its own name: CPU or CPU.0, not CPUX."""
    return name.partition(".")[0] == "CPU"


@dataclass(frozen=True)
class Inference:
    """The result of the network for one frame.

    compiled: the network that made it; outputs: float32 arrays by name, without the batch axis; input_size: width and
    height of the network's input; frame_box: where the frame was in it; latency_ms: from the start of inference
    to its result. while_switching: during inference or before collection, another network was compiled or another
    device worked, too; settled_at: the last time when this was so, in s of time.perf_counter.
    """

    frame: Frame
    compiled: CompiledModel
    outputs: Outputs
    input_size: tuple[int, int]
    frame_box: Box
    latency_ms: float
    while_switching: bool = False
    settled_at: float = -math.inf

    @property
    def frame_pixels(self) -> tuple[float, float]:
        """Pixels of the frame that one pixel of the input spans, in x and in y, for the decoder."""
        return frame_pixels(self.frame.image.shape[1::-1], self.frame_box)

    @property
    def origin(self) -> tuple[int, int]:
        """Where the frame's top left corner was in the input, in its pixels, for the decoder."""
        return self.frame_box.left, self.frame_box.top

    @property
    def nbytes(self) -> int:
        """The size of the outputs in bytes."""
        return sum(values.nbytes for values in self.outputs.values())


class InferRequest(Protocol):
    """Works on one image at a time. Whatever its methods raise is a failure of the device."""

    @property
    def compiled(self) -> CompiledModel: ...

    def start(self, image: np.ndarray) -> None:
        """Scale an image (h, w, 3) uint8 BGR into the input and start inference."""
        ...

    def is_done(self, wait_ms: int) -> bool:
        """Whether the result is there, waiting for it up to `wait_ms`."""
        ...

    def result(self, frame: Frame) -> Inference:
        """The result for the image that was started last. frame: the frame of that image."""
        ...


class Backend(Protocol):
    """Compiles the network for devices."""

    def compile(self, device: str, sample: np.ndarray) -> Sequence[InferRequest]:
        """Compile the network for a device and return its infer requests. This takes long; it is called in a thread.

        sample: an image (h, w, 3) uint8 BGR of the source, to check the outputs on. Raises DeviceError where the
        machine lacks the device, the device rejects the network or gives wrong outputs, or another device would
        silently run the network.
        """
        ...

"""The devices of this machine, and the network compiled for one of them, a MULTI, a HETERO or AUTO."""

import re
import time
from dataclasses import dataclass
from typing import Any

import openvino as ov

from .errors import DemoError, UsageError, first_line

VIRTUAL_DEVICES = ("MULTI", "HETERO", "AUTO")

# What a precision of the model asks of the device. Where the device has no f16 it executes in another type;
# CompiledNetwork.execution_precision says in which. FP16-INT8: the quantized layers run in INT8, the rest in this.
EXECUTION_HINTS = {"FP32": "f32", "FP16": "f16", "FP16-INT8": "f16"}


@dataclass(frozen=True)
class CompiledNetwork:
    """A network compiled for `device`, ready to infer, and what OpenVINO says of it.

    execution_precision: what the layers really run in, such as 'f16' or 'INT8 + f32'. request_count: how many infer
    requests in flight keep the device busy. compile_s: seconds that compiling took.
    """

    device: str
    network: ov.CompiledModel
    execution_precision: str
    request_count: int
    compile_s: float

    @property
    def executed_on(self) -> list[str]:
        """The devices it really runs on at this moment; AUTO may move from one to another."""
        names = self.network.get_property("EXECUTION_DEVICES")
        return [str(name).strip("()") for name in (names if isinstance(names, list) else [names])]


class DeviceError(DemoError):
    """A device that cannot run the network, or failed while running it."""

    def __init__(self, device: str, message: str) -> None:
        super().__init__(message)
        self.device = device


class DeviceCycle:
    """What TAB walks through: each device; MULTI and HETERO over all of them, where there are several; AUTO."""

    def __init__(self, core: ov.Core, start: str) -> None:
        devices = sorted(core.available_devices, key=lambda name: (not name.startswith("CPU"), name))
        self.devices = list(devices)
        if len(devices) > 1:
            accelerators_first = ",".join(devices[1:] + devices[:1])
            self.devices += [f"MULTI:{accelerators_first}", f"HETERO:{accelerators_first}"]
        self.devices.append("AUTO")
        if start not in self.devices:
            self.devices.insert(0, start)
        self.target = start

    def next(self) -> str:
        """Move on to the next device."""
        self.target = self.devices[(self.devices.index(self.target) + 1) % len(self.devices)]
        return self.target

    def remove(self, device: str, back_to: str) -> None:
        """Take out a device that cannot be used; TAB goes on from `back_to`."""
        self.devices.remove(device)
        self.target = back_to


def check_device(core: ov.Core, device: str) -> None:
    """Raise UsageError where `device` names something that this machine lacks.

    OpenVINO itself would not always: MULTI:GPU,CPU runs on the CPU alone, and silently, where there is no GPU.
    """
    available = core.available_devices
    listed = f"This machine has {', '.join(available)}; MULTI:, HETERO: and AUTO: take several of them."
    kind, colon, members = device.partition(":")
    if not colon:
        if device != "AUTO" and not _is_available(device, available):
            raise UsageError(f"There is no device '{device}'. {listed}")
        return
    if kind not in VIRTUAL_DEVICES:
        raise UsageError(f"'{kind}' of '{device}' joins no devices. {listed}")
    for member in members.split(","):
        if not _is_available(member.lstrip("-"), available):
            raise UsageError(f"'{device}' names '{member}', which is not here. {listed}")


def _is_available(device: str, available: list[str]) -> bool:
    """'GPU' is the first of GPU.0 and GPU.1; 'CPU(2)' is the CPU with a number of requests."""
    name = re.sub(r"\(\d+\)$", "", device)
    return name in available or (name != "" and f"{name}.0" in available)


def set_precision(core: ov.Core, precision: str) -> None:
    """Ask every device to execute in the type that `precision` stands for, by itself or as a member of MULTI."""
    for device in core.available_devices:
        if "INFERENCE_PRECISION_HINT" in core.get_property(device, "SUPPORTED_PROPERTIES"):
            try:
                core.set_property(device, {"INFERENCE_PRECISION_HINT": EXECUTION_HINTS[precision]})
            except RuntimeError:
                continue  # a device that takes no such type keeps its own; what it runs in is read back and shown


def compile_network(core: ov.Core, model: ov.Model, device: str) -> CompiledNetwork:
    """Compile `model` for throughput on `device`. Raises DeviceError if the device refuses it."""
    started_at = time.perf_counter()
    try:
        network = core.compile_model(model, device, {"PERFORMANCE_HINT": "THROUGHPUT"})
        return CompiledNetwork(
            device,
            network,
            _execution_precision(network),
            network.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"),
            time.perf_counter() - started_at,
        )
    except RuntimeError as error:
        raise DeviceError(device, f"{device} cannot run this network: {first_line(error)}") from error


def _execution_precision(network: ov.CompiledModel) -> str:
    """The types that the network's layers execute in, as OpenVINO tells them after compiling."""
    hints = _member_properties(network, "INFERENCE_PRECISION_HINT")
    floats = sorted({hint.get_type_name() for hint in hints if isinstance(hint, ov.Type)})
    convolutions = {
        layer.get_rt_info()["runtimePrecision"].astype(str)
        for layer in network.get_runtime_model().get_ops()
        if "layerType" in layer.get_rt_info()
        and "onvolution" in layer.get_rt_info()["layerType"].astype(str)
        and "runtimePrecision" in layer.get_rt_info()
    }
    is_quantized = bool(convolutions & {"u8", "i8"})
    return " + ".join((["INT8"] if is_quantized else []) + (floats or sorted(convolutions - {"u8", "i8"}))) or "unknown"


def _member_properties(network: ov.CompiledModel, name: str) -> list[Any]:
    """A property of the compiled network, or of each device that MULTI, HETERO or AUTO compiled it for."""
    supported = network.get_property("SUPPORTED_PROPERTIES")
    if name in supported:
        return [network.get_property(name)]
    if "DEVICE_PROPERTIES" in supported:
        members = network.get_property("DEVICE_PROPERTIES")
        return [properties[name] for properties in members.values() if name in properties]
    return []

"""The user's settings for the devices, and the OpenVINO properties that result from them."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openvino as ov

from ..errors import LIBRARY_ERRORS, UsageError, first_line
from ..output_log import OutputLog
from .devices import device_property, kinds_of_devices
from .remote_address import RemoteSettings

AT_COMPILING = ("PERFORMANCE_HINT", "ALLOW_AUTO_BATCHING")  # passed to each compilation, not set on the device
PERFORMANCE_HINTS = ("THROUGHPUT", "LATENCY", "CUMULATIVE_THROUGHPUT")
HINTS = ("throughput", "latency", "cumulative")
SWITCH = {"YES": True, "NO": False, "TRUE": True, "FALSE": False}


@dataclass(frozen=True)
class Settings:
    """The user's settings for all devices; None leaves a setting to OpenVINO.

    precision: one of zoo.catalog.PRECISIONS. hint: one of HINTS; 'cumulative' makes AUTO use all its devices at once,
    like MULTI, and means 'throughput' for other devices. requests: infer requests in flight. properties: other OpenVINO
    properties by name. cache: the folder for compiled networks. affinity: how HETERO splits the network: 'auto',
    'conv', or a file for `hetero.from_file`. affinity_map: the file for the split in use; written: its log.
    remote: for servers.
    """

    precision: str
    hint: str = "throughput"
    requests: int | None = None
    streams: int | None = None
    threads: int | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    cache: Path | None = None
    affinity: str = "auto"
    affinity_map: Path | None = None
    written: OutputLog | None = field(default=None, repr=False)
    remote: RemoteSettings = field(default_factory=RemoteSettings)


def configure(core: ov.Core, settings: Settings) -> None:
    """Set the properties on every device that supports them; members of MULTI, HETERO and AUTO then have them, too.

    Raises UsageError that names the property where a device rejects its value, or no device supports it.
    """
    hint = settings.properties.get("PERFORMANCE_HINT", "THROUGHPUT")
    if hint not in PERFORMANCE_HINTS:
        raise UsageError(f"There is no PERFORMANCE_HINT={hint}. Give {', '.join(PERFORMANCE_HINTS)}.")
    batching = settings.properties.get("ALLOW_AUTO_BATCHING", "NO")
    if batching.upper() not in SWITCH:
        raise UsageError(f"There is no ALLOW_AUTO_BATCHING={batching}. Give YES or NO.")
    wanted: dict[str, Any] = {k: v for k, v in settings.properties.items() if k not in AT_COMPILING}
    if settings.streams is not None:
        wanted["NUM_STREAMS"] = settings.streams
    if settings.threads is not None:
        wanted["INFERENCE_NUM_THREADS"] = settings.threads
    if settings.threads is not None and "ENABLE_CPU_PINNING" not in wanted:
        # OpenVINO pins its threads to the first cores: two programs with one thread each would share the first core.
        for device in kinds_of_devices(core):
            if _takes(core, device, "ENABLE_CPU_PINNING"):
                _set_property(core, device, "ENABLE_CPU_PINNING", False)
    for name, value in wanted.items():
        takers = [device for device in kinds_of_devices(core) if _takes(core, device, name)]
        if not takers:
            raise UsageError(f"No device of this machine takes the property {name}={value}.")
        for device in takers:
            _set_property(core, device, name, value)
    if "INFERENCE_PRECISION_HINT" not in wanted:
        for device in kinds_of_devices(core):
            # A device without this type keeps its own type; the type in use is read back and shown.
            with contextlib.suppress(UsageError):
                _set_property(
                    core, device, "INFERENCE_PRECISION_HINT", execution_type(core, device, settings.precision)
                )


def execution_type(core: ov.Core, device: str, precision: str) -> str:
    """The type in which a device should execute a precision: FP32 in f32, FP16 in the device's own 16-bit type.

    That type is f16, or bf16 on a CPU that has only bf16; without either it is f32. For FP16-INT8 it is the type of the
    layers that are not quantized. CompiledModel.execution_precision has the type really used.
    """
    if precision == "FP32":
        return "f32"
    capabilities = device_property(core, device, "OPTIMIZATION_CAPABILITIES") or ()
    return next((kind.replace("FP", "f").lower() for kind in ("FP16", "BF16") if kind in capabilities), "f32")


def _set_property(core: ov.Core, device: str, name: str, value: str | int) -> None:
    try:
        core.set_property(device, {name: value})
    except LIBRARY_ERRORS as error:
        raise UsageError(f"{device} rejects {name}={value}: {first_line(error)}") from error


def _takes(core: ov.Core, device: str, name: str) -> bool:
    return name in (device_property(core, device, "SUPPORTED_PROPERTIES") or ())


def compile_properties(device: str, settings: Settings) -> dict[str, Any]:
    """The properties to pass to the compilation for a device."""
    hint = {"throughput": "THROUGHPUT", "latency": "LATENCY", "cumulative": "THROUGHPUT"}[settings.hint]
    if settings.hint == "cumulative" and device.startswith("AUTO"):
        hint = "CUMULATIVE_THROUGHPUT"
    properties: dict[str, Any] = {"PERFORMANCE_HINT": hint}
    if "GPU" in device:
        # With automatic batching, a GPU waits up to a second for a full batch: too long for a live picture.
        properties["ALLOW_AUTO_BATCHING"] = False
    given: dict[str, Any] = {k: v for k, v in settings.properties.items() if k in AT_COMPILING}
    if "ALLOW_AUTO_BATCHING" in given:
        given["ALLOW_AUTO_BATCHING"] = SWITCH[given["ALLOW_AUTO_BATCHING"].upper()]
    return properties | given

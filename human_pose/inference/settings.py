"""What a user wants of OpenVINO's devices, and the properties that say it to them."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openvino as ov

from ..errors import UsageError, first_line
from ..output_log import OutputLog

AT_COMPILING = ("PERFORMANCE_HINT", "ALLOW_AUTO_BATCHING")  # given with each compilation, not set beforehand
PERFORMANCE_HINTS = ("THROUGHPUT", "LATENCY", "CUMULATIVE_THROUGHPUT")
HINTS = ("throughput", "latency", "cumulative")
SWITCH = {"YES": True, "NO": False, "TRUE": True, "FALSE": False}


@dataclass(frozen=True)
class Settings:
    """What the user wants of every device; None leaves it to OpenVINO.

    precision: of zoo.catalog.PRECISIONS. hint: of HINTS; 'cumulative' makes AUTO use all its devices at once, as MULTI
    does, and is 'throughput' elsewhere. requests: infer requests in flight. properties: other OpenVINO properties by
    name. cache: a folder for compiled networks. affinity: how HETERO splits the network: 'auto', 'conv', or a file of
    `hetero.from_file`. affinity_map: where to write the split in force; written: who is told of it.
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
    written: OutputLog | None = None


def configure(core: ov.Core, settings: Settings) -> None:
    """Set the properties of every device that takes them; MULTI, HETERO and AUTO pass them on to their members.

    Raises UsageError that names the property where a device rejects its value, or no device takes it.
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
    for name, value in wanted.items():
        takers = [device for device in core.available_devices if _takes(core, device, name)]
        if not takers:
            raise UsageError(f"No device of this machine takes the property {name}={value}.")
        for device in takers:
            _set_property(core, device, name, value)
    if "INFERENCE_PRECISION_HINT" not in wanted:
        for device in core.available_devices:
            # A device that has no such type keeps its own; what it runs in is read back and shown.
            with contextlib.suppress(UsageError):
                _set_property(
                    core, device, "INFERENCE_PRECISION_HINT", execution_type(core, device, settings.precision)
                )


def execution_type(core: ov.Core, device: str, precision: str) -> str:
    """The type that a precision of the model asks of a device: f32, or of FP16 the device's own type of 16 bits.

    That is f16, bf16 on a CPU that has only that, or f32 where there is none. Of FP16-INT8 it is the type of the layers
    that are not quantized. CompiledModel.execution_precision says what came of it.
    """
    if precision == "FP32":
        return "f32"
    capabilities = core.get_property(device, "OPTIMIZATION_CAPABILITIES")
    return next((kind.replace("FP", "f").lower() for kind in ("FP16", "BF16") if kind in capabilities), "f32")


def _set_property(core: ov.Core, device: str, name: str, value: str | int) -> None:
    try:
        core.set_property(device, {name: value})
    except RuntimeError as error:
        raise UsageError(f"{device} rejects {name}={value}: {first_line(error)}") from error


def _takes(core: ov.Core, device: str, name: str) -> bool:
    return name in core.get_property(device, "SUPPORTED_PROPERTIES")


def compile_properties(device: str, settings: Settings) -> dict[str, Any]:
    """What is given with the compilation for a device."""
    hint = {"throughput": "THROUGHPUT", "latency": "LATENCY", "cumulative": "THROUGHPUT"}[settings.hint]
    if settings.hint == "cumulative" and device.startswith("AUTO"):
        hint = "CUMULATIVE_THROUGHPUT"
    properties: dict[str, Any] = {"PERFORMANCE_HINT": hint}
    if "GPU" in device:
        # A GPU would wait up to a second for a full batch, which no live picture can bear.
        properties["ALLOW_AUTO_BATCHING"] = False
    given: dict[str, Any] = {k: v for k, v in settings.properties.items() if k in AT_COMPILING}
    if "ALLOW_AUTO_BATCHING" in given:
        given["ALLOW_AUTO_BATCHING"] = SWITCH[given["ALLOW_AUTO_BATCHING"].upper()]
    return properties | given

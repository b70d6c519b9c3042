"""The network compiled for one device, a MULTI, a HETERO or AUTO, and what OpenVINO says of it."""

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import openvino as ov

from . import affinity as affinities
from .cache import checked_folder
from .devices import DeviceError, check_device, full_name, is_stand_in, members_of
from .errors import DemoError, UsageError, first_line
from .terminal import say
from .written import Written

SUBGRAPHS = "HETERO_NUMBER_OF_SUBMODELS"
AT_COMPILING = ("PERFORMANCE_HINT", "ALLOW_AUTO_BATCHING")  # given with each compilation, not set beforehand
PERFORMANCE_HINTS = ("THROUGHPUT", "LATENCY", "CUMULATIVE_THROUGHPUT")
HINTS = ("throughput", "latency", "cumulative")
SWITCH = {"YES": True, "NO": False, "TRUE": True, "FALSE": False}


@dataclass(frozen=True)
class Settings:
    """What the user wants of every device; None leaves it to OpenVINO.

    precision: of catalog.PRECISIONS. hint: of HINTS; 'cumulative' makes AUTO use all its devices at once, as MULTI
    does, and is 'throughput' elsewhere. requests: infer requests in flight. properties: other OpenVINO properties by
    name. cache: a folder for compiled networks. affinity: how HETERO splits the network: 'auto', 'conv', or a file of
    `affinity.from_file`. affinity_map: where to write the split in force; written: who is told of it.
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
    written: Written | None = None


@dataclass(frozen=True)
class CompiledNetwork:
    """A network compiled for `device`, ready to infer.

    execution_precision: what the layers really run in, such as 'f16' or 'INT8 + f32'. request_count: how many infer
    requests are kept in flight. streams: how many of them each device works on at once; None if it does not tell.
    compile_s: seconds that compiling took; is_from_cache: it was read from the cache instead. is_stand_in: a member is
    the CPU under another name. Of HETERO: subgraphs: into how many parts it split the network; operations: how many
    each device has; difference: of its outputs to the last device's, root mean square.
    """

    device: str
    network: ov.CompiledModel
    execution_precision: str
    request_count: int
    streams: int | None
    compile_s: float
    is_from_cache: bool
    is_stand_in: bool = False
    subgraphs: int | None = None
    operations: Mapping[str, int] = field(default_factory=dict)
    difference: float | None = None

    @property
    def executed_on(self) -> list[str]:
        """The devices it really runs on at this moment; AUTO may move from one to another."""
        return [name.strip("()") for name in self._execution_devices()]

    @property
    def is_moving(self) -> bool:
        """Whether AUTO runs on the CPU until it has compiled for another device: OpenVINO calls that '(CPU)'."""
        return any(name.startswith("(") for name in self._execution_devices())

    def _execution_devices(self) -> list[str]:
        try:
            names = self.network.get_property("EXECUTION_DEVICES")
        except RuntimeError:  # the device is gone
            return []
        return [str(name) for name in (names if isinstance(names, list) else [names])]

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
    that are not quantized. CompiledNetwork.execution_precision says what came of it.
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


def compile_network(core: ov.Core, model: ov.Model, device: str, settings: Settings) -> CompiledNetwork:
    """Compile `model` for `device`; `configure` was called before.

    Raises DeviceError if the device is not here or refuses the network.
    """
    started_at = time.perf_counter()
    operations: dict[str, int] = {}
    try:
        check_device(core, device)
    except UsageError as error:
        raise DeviceError(device, str(error), error.exit_code) from error
    try:
        if device.startswith("HETERO:"):
            affinity = affinity_of(core, model, device, settings)
            operations = affinities.operations(model, affinity)
            if settings.affinity != "auto":
                model = affinities.bind(model, affinity)
        network = _compile(core, model, device, settings)
        compile_s = time.perf_counter() - started_at
        supported = network.get_property("SUPPORTED_PROPERTIES")
        optimal = int(network.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        streams = [int(number) for number in _member_properties(network, "NUM_STREAMS")]
        subgraphs = int(network.get_property(SUBGRAPHS)) if SUBGRAPHS in supported else None
        if operations and settings.affinity_map is not None:
            _write_map(settings, model, device, subgraphs or 1, affinity)
        return CompiledNetwork(
            device,
            network,
            _execution_precision(network),
            settings.requests or (1 if settings.hint == "latency" else optimal + _spare_requests(device, settings)),
            sum(streams) if streams else None,
            compile_s,
            bool(network.get_property("LOADED_FROM_CACHE")),
            is_stand_in(core, device),
            subgraphs,
            operations,
        )
    except UsageError as error:
        raise DeviceError(device, f"{device} cannot run this network: {error}", error.exit_code) from error
    except RuntimeError as error:
        raise DeviceError(device, f"{device} cannot run this network: {first_line(error)}") from error


def _spare_requests(device: str, settings: Settings) -> int:
    """Requests beyond those that a device asks for: a stream that is done goes on with one, whatever the loop is at.

    One for each device that works at the same time: more gained nothing (benchmarks/README.md).
    """
    is_several = device.startswith("MULTI:") or (device.startswith("AUTO:") and settings.hint == "cumulative")
    return max(1, len(members_of(device))) if is_several else 1


def _compile(core: ov.Core, model: ov.Model, device: str, settings: Settings) -> ov.CompiledModel:
    """Compile with the cache; without it where it cannot be used or does not work."""
    properties = _compile_properties(device, settings)
    if settings.cache is not None:
        machine = [(name, full_name(core, name)) for name in core.available_devices]
        network = (model.get_friendly_name(), str(model.input().partial_shape), len(model.get_ops()))
        wanted = replace(settings, requests=None, cache=None, affinity_map=None)
        configuration = (ov.get_version(), machine, network, properties, wanted)
        writes_later = device.startswith(("AUTO", "MULTI"))
        with checked_folder(settings.cache, configuration, writes_later) as folder:
            if folder is not None:
                with contextlib.suppress(RuntimeError):
                    return core.compile_model(model, device, properties | {"CACHE_DIR": str(folder)})
    return core.compile_model(model, device, properties | {"CACHE_DIR": ""})


def _write_map(settings: Settings, model: ov.Model, device: str, subgraphs: int, affinity: affinities.Affinity) -> None:
    """A map that cannot be written is no reason not to run the network."""
    path, written = settings.affinity_map, settings.written or Written()
    assert path is not None
    try:
        affinities.write_map(path, model, device, subgraphs, affinity)
        written.add(path)
    except DemoError as error:
        written.fail(error)
        return
    try:
        affinities.draw_map(path.with_suffix(".svg"), model, affinity)
        written.add(path.with_suffix(".svg"))
    except DemoError as error:
        say(str(error))


def affinity_of(core: ov.Core, model: ov.Model, device: str, settings: Settings) -> affinities.Affinity:
    """Which operation of the network runs on which device of a HETERO. Raises UsageError for a wrong file."""
    if settings.affinity == "auto":
        return affinities.automatic(core, model, device)
    if settings.affinity == "conv":
        return affinities.convolutions_first(model, members_of(device))
    return affinities.from_file(model, members_of(device), Path(settings.affinity))


def _compile_properties(device: str, settings: Settings) -> dict[str, Any]:
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


def _execution_precision(network: ov.CompiledModel) -> str:
    """The types that the network's layers execute in, as OpenVINO tells them after compiling."""
    hints = _member_properties(network, "INFERENCE_PRECISION_HINT")
    floats = sorted({hint.get_type_name() for hint in hints if isinstance(hint, ov.Type)})
    convolutions = set()
    try:
        layers = network.get_runtime_model().get_ops()
    except RuntimeError:  # a HETERO of many subgraphs has none to show; what was asked for is all that is known
        return " + ".join(floats) + " (hint)" if floats else "unknown"
    for layer in layers:
        info = layer.get_rt_info()
        if "layerType" in info and "runtimePrecision" in info and "onvolution" in info["layerType"].astype(str):
            convolutions.add(info["runtimePrecision"].astype(str))
    quantized = convolutions & {"u8", "i8"}
    return " + ".join((["INT8"] if quantized else []) + (floats or sorted(convolutions - quantized))) or "unknown"


def _member_properties(network: ov.CompiledModel, name: str) -> list[Any]:
    """A property of the compiled network, or of each device that MULTI, HETERO or AUTO compiled it for."""
    supported = network.get_property("SUPPORTED_PROPERTIES")
    if name in supported:
        return [network.get_property(name)]
    if "DEVICE_PROPERTIES" in supported:
        members = network.get_property("DEVICE_PROPERTIES")
        return [properties[name] for properties in members.values() if name in properties]
    return []

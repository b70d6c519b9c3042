"""OpenVINO as a backend: compiles the network for a device, MULTI, HETERO or AUTO, and reads back how it runs."""

import contextlib
import logging
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from ..errors import LIBRARY_ERRORS, DemoError, UsageError, first_line
from ..media.capture import Frame
from ..output_log import OutputLog
from . import hetero
from .backend import CompiledModel, DeviceError, Inference, members_of
from .cache import checked_folder
from .configuration import Configuration
from .devices import check_device, full_name, is_emulated, is_stand_in
from .input_size import Box, Preprocessing
from .model import PoseModel
from .preprocess import check_finite, fill_input, new_input
from .remote_address import RemoteSettings
from .settings import Settings, compile_properties, configure

log = logging.getLogger(__name__)

SUBGRAPHS = "HETERO_NUMBER_OF_SUBMODELS"


class OpenVinoBackend:
    """Compiles a model for the devices of this machine; see `backend.Backend`."""

    def __init__(self, core: ov.Core, model: PoseModel, settings: Settings) -> None:
        """Raises UsageError where the settings are wrong; see `settings.configure`."""
        configure(core, settings)
        self._core, self._model, self._settings = core, model, settings

    def compile(self, configuration: Configuration, sample: np.ndarray) -> "list[OpenVinoRequest]":
        """See Backend.compile. The outputs of a HETERO are compared with those of its last device."""
        compiled = compile_model(self._core, self._model.model, configuration.device, self._settings)
        compiled = replace(compiled, configuration=configuration)
        if compiled.operations:
            compiled = replace(compiled, difference=self._difference(compiled, sample))
        names, preprocessing = self._model.decoder.output_names, self._model.preprocessing
        return [OpenVinoRequest(compiled, names, preprocessing) for _ in range(compiled.request_count)]

    def _difference(self, compiled: "OpenVinoCompiledModel", sample: np.ndarray) -> float:
        """The difference between a HETERO's outputs and its last device's. Raises DeviceError if too large."""
        device = members_of(compiled.device)[-1]
        reference = compile_model(self._core, self._model.model, device, replace(self._settings, hint="latency"))
        preprocessing = self._model.preprocessing
        image = new_input(compiled.network, sample.shape[1::-1], preprocessing)
        fill_input(sample, image, preprocessing)
        found = hetero.differences(compiled.network, reference.network, image, self._model.decoder)
        if max(found.values()) > hetero.TOLERANCE or not all(map(math.isfinite, found.values())):
            listed = ", ".join(f"{output} by {difference:.3g}" for output, difference in found.items())
            raise DeviceError(
                compiled.device,
                f"{compiled.device} is refused: its outputs differ from {device}'s ({listed}, root mean square; "
                f"allowed: {hetero.TOLERANCE})",
            )
        return max(found.values())


@dataclass(frozen=True, kw_only=True)
class OpenVinoCompiledModel(CompiledModel):
    """network: OpenVINO's compiled model."""

    network: ov.CompiledModel

    @property
    def executed_on(self) -> list[str]:
        """The devices on which it runs at this moment; AUTO may move from one to another."""
        return [name.strip("()") for name in self._execution_devices()]

    @property
    def is_moving(self) -> bool:
        """Whether AUTO still runs on the CPU while it compiles for another device; OpenVINO then reports '(CPU)'."""
        return any(name.startswith("(") for name in self._execution_devices())

    def _execution_devices(self) -> list[str]:
        try:
            names = self.network.get_property("EXECUTION_DEVICES")
        except LIBRARY_ERRORS:  # the device is gone
            return []
        return [str(name) for name in (names if isinstance(names, list) else [names])]


class OpenVinoRequest:
    """An OpenVINO infer request and its input image; see `backend.InferRequest`."""

    def __init__(
        self, compiled: OpenVinoCompiledModel, output_names: tuple[str, ...], preprocessing: Preprocessing
    ) -> None:
        self.compiled = compiled
        self._output_names, self._preprocessing = output_names, preprocessing
        self._request = compiled.network.create_infer_request()
        self._frame_size, self._box = (0, 0), Box(0, 0, 0, 0)
        self._input = np.empty((1, 0, 0, 3), np.uint8)

    def start(self, image: np.ndarray) -> None:
        """Scale the image into the input, whose rest keeps the padding's value, and start inference."""
        frame_size = image.shape[1::-1]
        if frame_size != self._frame_size:
            self._frame_size = frame_size
            self._input = new_input(self.compiled.network, frame_size, self._preprocessing)
            self._request.set_input_tensor(ov.Tensor(self._input, shared_memory=True))
        self._box = fill_input(image, self._input, self._preprocessing)
        self._request.start_async()

    def is_done(self, wait_ms: int) -> bool:
        """Whether the result is there, waiting for it up to `wait_ms`."""
        return bool(self._request.wait_for(wait_ms))

    def result(self, frame: Frame) -> Inference:
        """The result for the image that was started last. Raises RuntimeError if inference failed."""
        self._request.wait()
        outputs = {name: self._request.get_tensor(name).data[0].copy() for name in self._output_names}
        check_finite(*outputs.values())
        _, height, width, _ = self._input.shape
        return Inference(frame, self.compiled, outputs, (width, height), self._box, self._request.latency)


def compile_model(core: ov.Core, model: ov.Model, device: str, settings: Settings) -> OpenVinoCompiledModel:
    """Compile `model` for `device`. Call `configure` first, as OpenVinoBackend does.

    Raises DeviceError if the machine lacks the device or the device rejects the network.
    """
    started_at = time.perf_counter()
    operations: dict[str, int] = {}
    try:
        check_device(core, device)
    except UsageError as error:
        raise DeviceError(device, str(error), error.exit_code) from error
    try:
        if device.startswith("HETERO:"):
            model = hetero.with_known_shapes(model)
            affinity = affinity_of(core, model, device, settings)
            operations = hetero.operations(model, affinity)
            if settings.affinity != "auto":
                model = hetero.bind(model, affinity)
        network = _compile(core, model, device, settings)
        compile_s = time.perf_counter() - started_at
        supported = network.get_property("SUPPORTED_PROPERTIES")
        optimal = int(network.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        streams = [int(number) for number in _member_properties(network, "NUM_STREAMS")]
        subgraphs = int(network.get_property(SUBGRAPHS)) if SUBGRAPHS in supported else None
        if operations and settings.affinity_map is not None:
            _write_map(settings, model, device, subgraphs or 1, affinity)
        return OpenVinoCompiledModel(
            Configuration(device),
            _execution_precision(network),
            settings.requests or (1 if settings.hint == "latency" else optimal + _spare_requests(device, settings)),
            sum(streams) if streams else None,
            compile_s,
            bool(network.get_property("LOADED_FROM_CACHE")),
            is_stand_in(core, device),
            is_emulated(core, device),
            subgraphs,
            operations,
            network=network,
        )
    except UsageError as error:
        raise DeviceError(device, f"{device} cannot run this network: {error}", error.exit_code) from error
    except LIBRARY_ERRORS as error:
        raise DeviceError(device, f"{device} cannot run this network: {first_line(error)}") from error


def _spare_requests(device: str, settings: Settings) -> int:
    """Extra requests beyond those that the device asks for, so that a stream never waits for the loop.

    One for each device that works at the same time; more do not increase throughput (benchmarks/README.md).
    """
    is_several = device.startswith("MULTI:") or (device.startswith("AUTO:") and settings.hint == "cumulative")
    return max(1, len(members_of(device))) if is_several else 1


def _compile(core: ov.Core, model: ov.Model, device: str, settings: Settings) -> ov.CompiledModel:
    """Compile with the cache, or without it where it cannot be used or fails."""
    properties = compile_properties(device, settings)
    if settings.cache is not None:
        machine = [(name, full_name(core, name)) for name in core.available_devices]
        network = (model.get_friendly_name(), str(model.input().partial_shape), len(model.get_ops()))
        wanted = replace(settings, requests=None, cache=None, affinity_map=None, written=None, remote=RemoteSettings())
        configuration = (ov.get_version(), machine, network, properties, wanted)
        writes_later = device.startswith(("AUTO", "MULTI"))
        with checked_folder(settings.cache, configuration, writes_later) as folder:
            if folder is not None:
                with contextlib.suppress(*LIBRARY_ERRORS):
                    return core.compile_model(model, device, properties | {"CACHE_DIR": str(folder)})
    return core.compile_model(model, device, properties | {"CACHE_DIR": ""})


def _write_map(settings: Settings, model: ov.Model, device: str, subgraphs: int, affinity: hetero.Affinity) -> None:
    """Write the affinity map and its picture. A failure is logged and does not stop the run."""
    path, written = settings.affinity_map, settings.written or OutputLog()
    assert path is not None
    try:
        hetero.write_map(path, model, device, subgraphs, affinity)
        written.add(path)
    except DemoError as error:
        written.fail(error)
        return
    try:
        hetero.draw_map(path.with_suffix(".svg"), model, affinity)
        written.add(path.with_suffix(".svg"))
    except DemoError as error:
        log.warning(str(error))


def affinity_of(core: ov.Core, model: ov.Model, device: str, settings: Settings) -> hetero.Affinity:
    """The device of each operation of the network under HETERO. Raises UsageError for a wrong file."""
    if settings.affinity == "auto":
        return hetero.automatic(core, model, device)
    if settings.affinity == "conv":
        return hetero.convolutions_first(model, members_of(device))
    return hetero.from_file(model, members_of(device), Path(settings.affinity))


def _execution_precision(network: ov.CompiledModel) -> str:
    """The types in which the layers execute, as OpenVINO reports them after compiling."""
    hints = _member_properties(network, "INFERENCE_PRECISION_HINT")
    # A string where the GPU's part of a HETERO comes from the cache.
    floats = sorted({hint.get_type_name() if isinstance(hint, ov.Type) else str(hint) for hint in hints})
    convolutions = set()
    try:
        layers = network.get_runtime_model().get_ops()
    except LIBRARY_ERRORS:  # HETERO with many subgraphs has no such graph: only the precision hint is known
        return " + ".join(floats) + " (hint)" if floats else "unknown"
    for layer in layers:
        info = layer.get_rt_info()
        if "layerType" in info and "runtimePrecision" in info and "onvolution" in info["layerType"].astype(str):
            convolutions.add(info["runtimePrecision"].astype(str))
    quantized = convolutions & {"u8", "i8"}
    return " + ".join((["INT8"] if quantized else []) + (floats or sorted(convolutions - quantized))) or "unknown"


def _member_properties(network: ov.CompiledModel, name: str) -> list[Any]:
    """A property of the compiled network, or of each member of MULTI, HETERO or AUTO."""
    supported = network.get_property("SUPPORTED_PROPERTIES")
    if name in supported:
        return [network.get_property(name)]
    if "DEVICE_PROPERTIES" in supported:
        members = network.get_property("DEVICE_PROPERTIES")
        return [properties[name] for properties in members.values() if name in properties]
    return []

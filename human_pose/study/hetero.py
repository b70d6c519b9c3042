"""Why a device is as fast as it is: the layers that cost most, and of HETERO what crosses between the devices."""

import contextlib
import math
from collections import Counter
from typing import Any

import openvino as ov

from ..inference import hetero as affinities
from ..inference.devices import device_property, kinds_of_devices
from ..inference.openvino_backend import affinity_of
from ..measurement.cells import Cell, StudyOptions
from ..measurement.workload import Workload

HEAVIEST = 10
INFERENCES = 10  # over which the layers' times are averaged


def crossing_bytes(model: ov.Model, affinity: affinities.Affinity) -> tuple[int, int]:
    """Bytes an inference moves from one device to another, and how many tensors they are.

    A tensor that several operations of one other device read crosses once. Constants and the input are not counted:
    they are where they are read. The sizes are those of the types in the model's graph.
    """
    total = tensors = 0
    for node in model.get_ordered_ops():
        own = affinity.get(node.get_friendly_name())
        if own is None or node.get_type_name() in ("Constant", "Parameter"):
            continue
        for output in node.outputs():
            readers = {
                affinity.get(target.get_node().get_friendly_name())
                for target in output.get_target_inputs()
                if target.get_node().get_type_name() != "Result"
            }
            others = readers - {own, None}
            tensors += len(others)
            total += len(others) * math.prod(output.shape) * output.element_type.size
    return total, tensors


def explain(cell: Cell, options: StudyOptions) -> dict[str, Any]:
    """The cell's layers: ms an inference by type, the HEAVIEST ones; of a HETERO, subgraphs and what crosses.

    It is measured with OpenVINO's own profiling on, one request at a time that has the whole device, whatever the
    cell's hint is, so that devices can be compared. Profiling takes time: the sum is more than a frame takes else.
    """
    workload = Workload(cell, options)
    workload.configure()
    for device in kinds_of_devices(workload.core):
        if "PERF_COUNT" in (device_property(workload.core, device, "SUPPORTED_PROPERTIES") or ()):
            workload.core.set_property(device, {"PERF_COUNT": True})
    compiled = workload.compile_for_one()
    found: dict[str, Any] = {
        "execution_precision": compiled.execution_precision,
        "subgraphs": compiled.subgraphs,
        "operations": dict(compiled.operations),
    }
    if cell.device.startswith("HETERO:"):
        model = workload.network.model
        total, tensors = crossing_bytes(model, affinity_of(workload.core, model, cell.device, workload.settings))
        found |= {"crossing_bytes": total, "crossing_tensors": tensors}
    return found | layer_times(compiled.network.create_infer_request(), workload)


def layer_times(request: ov.InferRequest, workload: Workload) -> dict[str, Any]:
    """ms an inference: by type, and of the heaviest layers; empty tables where the device has no profile."""
    times: Counter[tuple[str, str, str]] = Counter()  # by name, type, and how it is executed
    request.infer({"image": workload.inputs[0]})
    for number in range(INFERENCES):
        request.infer({"image": workload.inputs[number % len(workload.inputs)]})
        with contextlib.suppress(RuntimeError):
            for layer in request.get_profiling_info():
                if "NOT_RUN" not in str(layer.status):
                    ms = layer.real_time.total_seconds() * 1000 / INFERENCES
                    times[layer.node_name, layer.node_type, layer.exec_type] += ms
    by_type: Counter[str] = Counter()
    for (_, kind, _), ms in times.items():
        by_type[kind] += ms
    return {
        "layer_types": [{"type": kind, "ms": round(ms, 4)} for kind, ms in by_type.most_common() if ms > 0],
        "heaviest": [
            {"name": name, "type": kind, "executed_as": executed, "ms": round(ms, 4)}
            for (name, kind, executed), ms in times.most_common(HEAVIEST)
            if ms > 0
        ],
    }

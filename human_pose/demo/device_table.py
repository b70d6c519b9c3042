"""The table of --list-devices."""

from collections.abc import Callable

import openvino as ov

from ..folders import cache_folder
from ..inference.backend import DeviceError
from ..inference.devices import device_property, full_name, is_stand_in, missing_devices, offered_devices
from ..inference.model import load_model
from ..inference.openvino_backend import compile_model
from ..inference.settings import Settings, configure
from ..invocation import command
from ..zoo.resolve import choose_model


def device_table(core: ov.Core, optimal_requests: Callable[[str], int]) -> str:
    """A row for each device: its string, the types it can execute, streams, requests, and its full name.

    A device that the machine lacks has a row with the reason. optimal_requests: gives the number of infer requests that
    a device asks for, and compiles for that; raises DeviceError if it is not known. Only the CPU is asked: a GPU may
    compile for minutes.
    """
    rows = [("device", "executes", "streams", "requests", "name")]
    for device in core.available_devices:
        name = f"{full_name(core, device)} (stand-in)" if is_stand_in(core, device) else str(full_name(core, device))
        try:
            requests = str(optimal_requests(device)) if device.startswith("CPU") else "-"
        except DeviceError:
            requests = "?"
        rows.append((device, _capabilities(core, device), _streams(core, device), requests, name))
    rows += [(kind, "-", "-", "-", f"not here: {reason}") for kind, reason in missing_devices(core).items()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    walk = f"TAB walks through: {'  '.join(offered_devices(core)) or 'no device'}"
    return "\n".join([*table, "", walk, f"What a missing device needs: {command('doctor')}"])


def _capabilities(core: ov.Core, device: str) -> str:
    known = {"FP32": "f32", "FP16": "f16", "BF16": "bf16", "INT8": "INT8"}
    capabilities = device_property(core, device, "OPTIMIZATION_CAPABILITIES") or ()
    return " ".join(known[name] for name in capabilities if name in known) or "?"


def _streams(core: ov.Core, device: str) -> str:
    streams = device_property(core, device, "RANGE_FOR_STREAMS")
    return "{} to {}".format(*streams) if streams else "?"


def list_devices(core: ov.Core) -> str:
    """The table of devices. The number of requests is what each asks for when it runs the default network."""
    network = load_model(core, choose_model(None, None))
    network.reshape(network.own_size, network.own_size)
    settings = Settings(network.file.precision, cache=cache_folder())
    configure(core, settings)
    return device_table(core, lambda device: compile_model(core, network.model, device, settings).request_count)

"""What is worth trying: devices and precisions first, then how the best of them work, then sizes of the input."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import openvino as ov

from ..errors import UsageError
from ..inference.backend import VIRTUAL_DEVICES, members_of
from ..inference.backends import check_device, offered_devices
from ..inference.devices import is_emulated, is_stand_in
from ..inference.input_size import LARGEST_SIZE
from ..inference.model import PoseModel
from ..inference.remote_address import is_remote
from ..inference.settings import execution_type
from ..measurement.cells import Cell

SIZE_PARTS = (3 / 8, 1 / 2, 5 / 8, 3 / 4, 7 / 8, 1, 9 / 8, 5 / 4, 23 / 16, 13 / 8, 7 / 4, 2)  # of its own size


class Way(NamedTuple):
    """How a device works: None is what the program chooses by the hint."""

    hint: str
    requests: int | None = None
    streams: int | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Source:
    """A precision of the network, and its file."""

    model: str
    precision: str
    file: str


def devices_of(core: ov.Core, wanted: Sequence[str] | None) -> list[str]:
    """The devices to try; all that the machine has but AUTO, which is one of the others. Raises UsageError."""
    if not core.available_devices:
        check_device(core, "CPU")  # says why there is none
    for device in wanted or []:
        if is_remote(device):
            raise UsageError(f"'{device}' is tuned where it runs, not from here. Give devices of this machine.")
        check_device(core, device)
    found = wanted or [device for device in offered_devices(core) if not device.startswith("AUTO")]
    return list(dict.fromkeys(found))


def executed_types(core: ov.Core, device: str, precision: str) -> tuple[str, ...]:
    """The types in which each member of a device executes a precision: candidates of the same types are the same."""
    members = [name for name in members_of(device) if name not in VIRTUAL_DEVICES] or core.available_devices
    quantized = ("INT8",) if precision == "FP16-INT8" else ()
    return (*quantized, *(execution_type(core, member, precision) for member in members))


def families(core: ov.Core, devices: Sequence[str], sources: Sequence[Source], hint: str) -> list[Cell]:
    """One candidate for each device and each set of types it executes, all working in the same way."""
    found: dict[tuple[str, tuple[str, ...]], Cell] = {}
    for device in devices:
        for source in sources:
            cell = new_cell(core, source, device, hint)
            found.setdefault((device, executed_types(core, device, source.precision)), cell)
    return list(found.values())


def new_cell(core: ov.Core, source: Source, device: str, hint: str) -> Cell:
    """A candidate that works as the program chooses; a stand-in and an emulated device are marked."""
    return Cell(
        "openvino",
        source.model,
        source.precision,
        source.file,
        device,
        hint,
        is_stand_in=is_stand_in(core, device),
        is_emulated=is_emulated(core, device),
    )


def ways(device: str, goal: str, cores: int) -> list[Way]:
    """How a device may work. Requests and streams are few for latency, as many as cores for throughput."""
    found = [Way("throughput"), Way("latency")]
    if goal == "latency":
        found = [Way("latency"), Way("throughput", 1, 1)]
    kind = device.partition(":")[0].partition(".")[0]
    if kind == "CPU":
        threads = sorted({max(1, cores // 2), max(1, cores - 1), cores})
        if goal == "latency":
            found += [Way("latency", 1, 1, count) for count in threads]
        else:
            found.append(Way("latency", 2))
            streams = sorted({2, cores // 2, cores} - {0, 1})
            found += [Way("throughput", count + spare, count) for count in streams for spare in (0, 1)]
            found += [Way("throughput", None, None, count) for count in threads[:-1]]
    elif goal != "latency":
        several = max(1, len(members_of(device)))
        found += [Way("latency", 2), *(Way("throughput", count * several) for count in (2, 4, 8))]
    return list(dict.fromkeys(found))


def in_way(cell: Cell, way: Way) -> Cell:
    """A candidate that works in another way."""
    return replace(cell, hint=way.hint, requests=way.requests, streams=way.streams, threads=way.threads)


def sizes_of(network: PoseModel) -> list[int]:
    """The sizes of the input to try for a live picture, from small to large."""
    preprocessing = network.preprocessing
    if preprocessing.fixed_size is not None:
        return [network.own_size]
    sizes = {preprocessing.whole_steps(network.own_size * part) for part in SIZE_PARTS}
    return sorted(size for size in sizes if size <= LARGEST_SIZE)

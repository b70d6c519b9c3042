"""The devices of this machine, and checks of device strings."""

import re
from pathlib import Path
from typing import Any

import openvino as ov

from ..errors import LIBRARY_ERRORS, UsageError, first_line, printable
from ..invocation import IS_DEPLOYED, NO_PLUGIN
from .backend import VIRTUAL_DEVICES, members_of

KNOWN_DEVICES = ("CPU", "GPU", "NPU")  # the devices on a PC for which OpenVINO has a plugin


def open_core(plugins: Path | str | None) -> ov.Core:
    """OpenVINO's core, with the plugins of a file, or with its own for None. Raises UsageError."""
    try:
        return ov.Core() if plugins is None else ov.Core(str(plugins))
    except LIBRARY_ERRORS as error:
        raise UsageError(f"'{plugins}' is not a plugins.xml for OpenVINO: {first_line(error)}") from error


def full_name(core: ov.Core, device: str) -> str | None:
    """The full name of a device, such as 'Intel(R) Arc(TM) A770 Graphics'; None if this machine lacks it."""
    name = device_property(core, device, "FULL_DEVICE_NAME")
    return None if name is None else printable(str(name))


def device_property(core: ov.Core, device: str, name: str) -> Any:
    """A property of a device; None if the machine lacks the device, or the device or its driver fails at it."""
    try:
        return core.get_property(device, name)
    except LIBRARY_ERRORS:
        return None


def is_stand_in(core: ov.Core, device: str) -> bool:
    """Whether a member of `device` is the CPU under another name, which a plugins.xml can register."""
    cpu = full_name(core, "CPU")
    return any(
        not member.startswith("CPU") and full_name(core, member) in (cpu, member) for member in members_of(device)
    )


def is_emulated(core: ov.Core, device: str) -> bool:
    """Whether a member of `device` calls itself emulated, as the GPU plugin's device does that runs on a CPU."""
    return any("emulated" in (full_name(core, member) or "").lower() for member in members_of(device))


def check_device(core: ov.Core, device: str) -> None:
    """Raise UsageError where `device` names something that this machine lacks.

    OpenVINO itself does not always report this: without a GPU, MULTI:GPU,CPU silently runs on the CPU alone.
    """
    problem = _problem(core, device)
    if problem is not None and device.upper() != device and _problem(core, device.upper()) is None:
        problem = f"There is no device '{device}'. Write it in capitals: {device.upper()}."
    if problem is not None:
        raise UsageError(problem)


def _problem(core: ov.Core, device: str) -> str | None:
    """Why a device string cannot work on this machine; None if it can."""
    here = core.available_devices
    if not here:
        return f"OpenVINO offers no device on this machine. CPU: {_why_missing(core, 'CPU')}"
    listed = f"This machine has {', '.join(here)}; MULTI:, HETERO: and AUTO: take several of them."
    kind, colon, rest = device.partition(":")
    if not device.isascii():
        return f"There is no device '{device}'. {listed}"
    if colon and kind not in VIRTUAL_DEVICES:
        return f"'{kind}' of '{device}' joins no devices. {listed}"
    members = members_of(device)
    if not members and device != "AUTO" and not device.startswith("AUTO:-"):
        return f"'{device}' names no device. {listed}"
    left_out = [member[1:] for member in rest.split(",") if member.startswith("-")]
    if not members and all(_is_of(name, left_out) for name in here):
        return f"'{device}' leaves no device. {listed}"
    for member in members:
        if member in VIRTUAL_DEVICES or full_name(core, member) is None:
            return (
                f"'{device}' names '{member}', which is not here. {listed}"
                if colon
                else f"There is no device '{device}'. {listed}"
            )
        base, dot, _ = member.partition(".")
        if dot and device_property(core, base, "AVAILABLE_DEVICES") == [""]:  # the only one of its kind has no number
            return f"There is no device '{member}'. Give '{base}', without a number."
    for requests in re.findall(r"\((\d+)\)", rest):
        if kind == "HETERO" or int(requests) == 0:
            return (
                f"'({requests})' in '{device}' is wrong: HETERO takes no number of requests, MULTI and AUTO 1 or more."
            )
    return None


def _is_of(name: str, kinds: list[str]) -> bool:
    """Whether a device, 'GPU.1', is one of some devices or kinds of devices, ['GPU']."""
    return any(name == kind or name.startswith(f"{kind}.") for kind in kinds)


def offered_devices(core: ov.Core) -> list[str]:
    """Each single device, the CPU first; then MULTI and HETERO over all of them if there are several; then AUTO."""
    singles = sorted(core.available_devices, key=lambda name: (not name.startswith("CPU"), name))
    if len(singles) < 2:
        return [*singles, "AUTO"] if singles else []
    accelerators_first = ",".join(singles[1:] + singles[:1])
    return [*singles, f"MULTI:{accelerators_first}", f"HETERO:{accelerators_first}", f"AUTO:{accelerators_first}"]


def kinds_of_devices(core: ov.Core) -> list[str]:
    """CPU, GPU, NPU: those that are here, without numbers. Properties are set on these.

    Where a property is set on GPU.0, OpenVINO takes that for a kind of its own, and lists GPU.0.0, GPU.0.1, ...
    """
    return list(dict.fromkeys(device.partition(".")[0] for device in core.available_devices))


def missing_devices(core: ov.Core) -> dict[str, str]:
    """The kinds of device that this machine lacks, and why: {'NPU': 'no such device, or ...'}."""
    lacking = [kind for kind in KNOWN_DEVICES if not any(device.startswith(kind) for device in core.available_devices)]
    return {kind: _why_missing(core, kind) for kind in lacking}


def _why_missing(core: ov.Core, kind: str) -> str:
    """Why OpenVINO does not offer a kind of device."""
    try:
        core.get_property(kind, "AVAILABLE_DEVICES")
    except LIBRARY_ERRORS as error:
        if IS_DEPLOYED and "not registered" in str(error):
            return NO_PLUGIN
        return re.sub(r'"[^"]*[/\\]([^"/\\]+)"', r"\1", first_line(error))  # a library's path -> its name
    if Path("/dev").is_dir():  # on Linux, a device with a driver has a node
        nodes = {"GPU": "dri/renderD*", "NPU": "accel/accel*"}
        if kind in nodes and not list(Path("/dev").glob(nodes[kind])):
            return f"no such device, or its kernel driver is missing (no /dev/{nodes[kind]})"
    return "no such device, or its driver is missing"

"""Which backend runs a device: the only place that knows all of them.

A second backend is added here: `check_device` and `offered_devices` learn its device strings, and `open_backend`
returns a backend whose `compile` passes each device string on to the right one, so that TAB can switch between them.
"""

import openvino as ov

from . import devices
from .backend import Backend
from .model import PoseModel
from .openvino_backend import OpenVinoBackend
from .settings import Settings


def offered_devices(core: ov.Core) -> list[str]:
    """What TAB walks through by default."""
    return devices.offered_devices(core)


def check_device(core: ov.Core, device: str) -> None:
    """Raise UsageError if no backend has this device."""
    devices.check_device(core, device)


def open_backend(core: ov.Core, model: PoseModel, settings: Settings) -> Backend:
    """A backend for every device that `check_device` accepts. Raises UsageError where the settings are wrong."""
    return OpenVinoBackend(core, model, settings)

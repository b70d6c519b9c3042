"""Which backend runs a device: the only place that knows all of them.

Another backend is added here: `check_device` learns its device strings, `offered_devices` what it has to offer, and
`Backends.compile` passes each device string on to the right one, so that TAB can switch between them.
"""

from collections.abc import Sequence

import numpy as np
import openvino as ov

from ..errors import UsageError
from . import devices
from .backend import Backend, DeviceError, InferRequest
from .model import PoseModel
from .openvino_backend import OpenVinoBackend
from .remote_address import RemoteSettings, is_remote
from .remote_backend import RemoteBackend
from .remote_client import check_remote, is_ready
from .settings import Settings


def offered_devices(core: ov.Core) -> list[str]:
    """What TAB walks through by default."""
    return devices.offered_devices(core)


def check_device(core: ov.Core, device: str) -> None:
    """Raise UsageError if no backend has this device."""
    if is_remote(device):
        check_remote(device)
    else:
        devices.check_device(core, device)


def may_return(failure: DeviceError) -> bool:
    """Whether a device that failed may work again later: a server, but none that has another network."""
    return is_remote(failure.device) and failure.exit_code != UsageError.exit_code


def waits_for(device: str, remote: RemoteSettings) -> bool:
    """Whether the only device is compiled for again when it fails, as `compile` waits for it."""
    return is_remote(device) and remote.wait_s > 0


def has_returned(device: str, remote: RemoteSettings) -> bool:
    """Whether a device that may return is there again. This may take seconds."""
    return is_ready(device, remote)


class Backends:
    """OpenVINO for the devices of this machine, a client for servers; see `backend.Backend`."""

    def __init__(self, core: ov.Core, model: PoseModel, settings: Settings) -> None:
        """Raises UsageError where the settings are wrong."""
        self._local = OpenVinoBackend(core, model, settings)
        self._remote = RemoteBackend(core, model, settings)

    def compile(self, device: str, sample: np.ndarray) -> Sequence[InferRequest]:
        """See Backend.compile."""
        return self._remote.compile(device, sample) if is_remote(device) else self._local.compile(device, sample)


def open_backend(core: ov.Core, model: PoseModel, settings: Settings) -> Backend:
    """A backend for every device that `check_device` accepts. Raises UsageError where the settings are wrong."""
    return Backends(core, model, settings)

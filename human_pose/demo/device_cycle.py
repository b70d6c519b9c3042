"""The list of devices that TAB walks through."""

from collections.abc import Sequence

import openvino as ov

from ..inference.backends import check_device, offered_devices


class DeviceCycle:
    """The devices that TAB walks through: each single device, then MULTI and HETERO over all of them, then AUTO.

    TAB skips a device that failed until it is back; its number key still selects it.
    """

    def __init__(self, core: ov.Core, start: str, devices: Sequence[str] | None = None) -> None:
        """devices: the list to use; None: all that the machine has. Raises UsageError if it lacks one of them."""
        self.devices = list(dict.fromkeys(devices)) if devices else offered_devices(core)
        if start not in self.devices:
            self.devices.insert(0, start)
        for device in self.devices:
            check_device(core, device)
        self.target = start
        self.failed: set[str] = set()

    def next(self, step: int = 1) -> str:
        """Move to the next device that has not failed; with step -1, to the previous one."""
        position = self.devices.index(self.target)
        for distance in range(1, len(self.devices) + 1):
            device = self.devices[(position + step * distance) % len(self.devices)]
            if device not in self.failed:
                self.target = device
                break
        return self.target

    def jump(self, number: int) -> str | None:
        """Move to a device by its number, from 1, even if it failed before. Returns None if there is no such number."""
        if not 1 <= number <= len(self.devices):
            return None
        self.target = self.devices[number - 1]
        self.failed.discard(self.target)
        return self.target

    def mark_returned(self, device: str) -> bool:
        """TAB no longer skips a device. Returns whether it did."""
        was_failed = device in self.failed
        self.failed.discard(device)
        return was_failed

    def mark_failed(self, device: str, back_to: str) -> None:
        """Skip a device from now on; TAB continues from `back_to`."""
        self.failed.add(device)
        if self.target == device:
            self.target = back_to

"""What TAB walks through."""

from collections.abc import Sequence

import openvino as ov

from ..inference.devices import check_device, offered_devices


class DeviceCycle:
    """What TAB walks through: each device; MULTI and HETERO over all of them, where there are several; AUTO.

    A device that failed is passed over, but can still be asked for by its number.
    """

    def __init__(self, core: ov.Core, start: str, devices: Sequence[str] | None = None) -> None:
        """devices: these, in this order, instead of what the machine has. Raises UsageError if one is not here."""
        self.devices = list(dict.fromkeys(devices)) if devices else offered_devices(core)
        if start not in self.devices:
            self.devices.insert(0, start)
        for device in self.devices:
            check_device(core, device)
        self.target = start
        self.failed: set[str] = set()

    def next(self, step: int = 1) -> str:
        """Move on to the next device that did not fail, or to the one before with step -1."""
        position = self.devices.index(self.target)
        for distance in range(1, len(self.devices) + 1):
            device = self.devices[(position + step * distance) % len(self.devices)]
            if device not in self.failed:
                self.target = device
                break
        return self.target

    def jump(self, number: int) -> str | None:
        """Move to a device by its number, from 1; one that failed gets another try. None if there is none."""
        if not 1 <= number <= len(self.devices):
            return None
        self.target = self.devices[number - 1]
        self.failed.discard(self.target)
        return self.target

    def mark_failed(self, device: str, back_to: str) -> None:
        """Pass over a device from now on; TAB goes on from `back_to`."""
        self.failed.add(device)
        if self.target == device:
            self.target = back_to

"""An automatic tour of all devices."""

from .device_cycle import DeviceCycle
from .window import Key


class Tour:
    """Presses the keys of a viewer: TAB after some seconds on each device, ESC after the last one."""

    def __init__(self, devices: DeviceCycle, seconds: float | None) -> None:
        """seconds: the time on each device, from its first counted result; None for no tour."""
        self._devices = devices
        self._seconds = seconds
        self._seen: list[str] = []
        self._failed: set[str] = set()  # also those that are back: the tour does not wait for them
        self._leaves_at: float | None = None

    def key(self, counting: str | None, now: float) -> Key | None:
        """The key to press now, if any. counting: the device whose result was counted last; now: the time in s."""
        if self._seconds is None:
            return None
        self._failed |= self._devices.failed
        if self._leaves_at is None and counting is not None and counting == self._devices.target:
            # A device failed and the tour is back on one that was visited before: do not stay.
            self._leaves_at = now if counting in self._seen else now + self._seconds
            self._seen.append(counting)
        if self._leaves_at is None or now < self._leaves_at:
            return None
        self._leaves_at = None
        to_see = set(self._devices.devices) - self._failed - set(self._seen)
        return Key.NEXT_DEVICE if to_see else Key.QUIT

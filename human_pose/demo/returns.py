"""Watches for servers that failed, so that TAB offers them again when they are back."""

import queue
import threading
from types import TracebackType

from ..inference.backend import DeviceError
from ..inference.backends import has_returned, may_return
from ..inference.remote_address import RemoteSettings

PROBE_S = 3.0  # between two questions


class Returns:
    """Asks each server that failed whether it is ready, in a thread of its own, until it is or the run ends."""

    def __init__(self, settings: RemoteSettings) -> None:
        self._settings = settings
        self._asked: set[str] = set()
        self._back: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._is_over = threading.Event()

    def __enter__(self) -> "Returns":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()

    def watch(self, failure: DeviceError) -> None:
        """A device failed; nothing is done for one that cannot return."""
        if failure.device not in self._asked and may_return(failure):
            self._asked.add(failure.device)
            threading.Thread(target=self._ask, args=(failure.device,), name="failed server", daemon=True).start()

    def take(self) -> list[str]:
        """The servers that returned since the last call."""
        returned = []
        while not self._back.empty():
            returned.append(self._back.get())
        self._asked -= set(returned)
        return returned

    def _ask(self, device: str) -> None:
        while not self._is_over.wait(PROBE_S):
            if has_returned(device, self._settings):
                self._back.put(device)
                return

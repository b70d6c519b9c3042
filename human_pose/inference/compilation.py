"""Compile the network for a device in the background, while the current device continues."""

import threading
import time
from collections.abc import Sequence

import numpy as np

from ..errors import first_line
from .backend import Backend, DeviceError, InferRequest


class Compilation(threading.Thread):
    """Compiles the network for a device and makes its infer requests; starts at once.

    When the thread is over, either `requests` or `error` is set.
    """

    def __init__(self, backend: Backend, device: str, sample: np.ndarray) -> None:
        """sample: an image (h, w, 3) uint8 of the source, see Backend.compile."""
        super().__init__(name=f"compile {device}", daemon=True)
        self.device = device
        self.started_at = time.perf_counter()
        self.requests: Sequence[InferRequest] = []
        self.error: DeviceError | None = None
        self._backend, self._sample = backend, sample
        self.start()

    def run(self) -> None:
        try:
            self.requests = self._backend.compile(self.device, self._sample)
        except DeviceError as error:
            self.error = error
        except Exception as error:  # on any error, the current device continues
            self.error = DeviceError(self.device, f"{self.device} cannot run this network: {first_line(error)}")


def is_any_running() -> bool:
    """Whether a compilation is still running; it cannot be stopped."""
    return any(isinstance(thread, Compilation) for thread in threading.enumerate())

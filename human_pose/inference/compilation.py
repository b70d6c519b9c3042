"""Compile a network in the background, while the current configuration continues."""

import threading
import time
from collections.abc import Sequence

import numpy as np

from ..errors import UsageError, first_line
from .backend import Backend, DeviceError, InferRequest
from .configuration import Configuration


class Compilation(threading.Thread):
    """Compiles a network in a configuration and makes its infer requests; starts at once.

    When the thread is over, either `requests` or `error` is set.
    """

    def __init__(self, backend: Backend, configuration: Configuration, sample: np.ndarray) -> None:
        """sample: an image (h, w, 3) uint8 of the source, see Backend.compile."""
        super().__init__(name=f"compile {configuration}", daemon=True)
        self.configuration = configuration
        self.started_at = time.perf_counter()
        self.requests: Sequence[InferRequest] = []
        self.error: DeviceError | None = None
        self._backend, self._sample = backend, sample
        self.start()

    def run(self) -> None:
        try:
            self.requests = self._backend.compile(self.configuration, self._sample)
        except DeviceError as error:
            self.error = error
        except UsageError as error:  # the network's, or a wrong setting
            self.error = DeviceError(self.configuration.device, str(error), error.exit_code)
        except Exception as error:  # on any error, the current configuration continues
            device = self.configuration.device
            self.error = DeviceError(device, f"{device} cannot run this network: {first_line(error)}")


def is_any_running() -> bool:
    """Whether a compilation is still running; it cannot be stopped."""
    return any(isinstance(thread, Compilation) for thread in threading.enumerate())

"""Compiling the network for a device in the background, while the present device goes on."""

import math
import threading
import time
from dataclasses import replace

import numpy as np
import openvino as ov

from .affinity import TOLERANCE, differences
from .compiled import CompiledNetwork, Settings, compile_network
from .devices import DeviceError, members_of
from .errors import first_line
from .infer_request import InferRequest
from .preprocess import fill_input, new_input


class Compilation(threading.Thread):
    """Compiles the network for a device and makes its infer requests; starts at once.

    When the thread is over, either `requests` or `error` is set.
    """

    def __init__(self, core: ov.Core, model: ov.Model, device: str, settings: Settings, sample: np.ndarray) -> None:
        """sample: an image (h, w, 3) uint8 of the source, on which a HETERO's outputs are checked."""
        super().__init__(name=f"compile {device}", daemon=True)
        self.device = device
        self.started_at = time.perf_counter()
        self.requests: list[InferRequest] = []
        self.error: DeviceError | None = None
        self._core, self._model, self._settings, self._sample = core, model, settings, sample
        self.start()

    def run(self) -> None:
        try:
            compiled = compile_network(self._core, self._model, self.device, self._settings)
            if compiled.operations:
                compiled = replace(compiled, difference=self._difference(compiled))
            self.requests = [InferRequest(compiled) for _ in range(compiled.request_count)]
        except DeviceError as error:
            self.error = error
        except Exception as error:  # whatever it is, the present device goes on
            self.error = DeviceError(self.device, f"{self.device} cannot run this network: {first_line(error)}")

    def _difference(self, compiled: CompiledNetwork) -> float:
        """Of a HETERO's outputs to its last device's. Raises DeviceError if it is too large."""
        device = members_of(self.device)[-1]
        reference = compile_network(self._core, self._model, device, replace(self._settings, hint="latency"))
        image = new_input(compiled.network, self._sample.shape[1::-1])
        fill_input(self._sample, image)
        found = differences(compiled.network, reference.network, image)
        if max(found.values()) > TOLERANCE or not all(map(math.isfinite, found.values())):
            listed = ", ".join(f"{output} by {difference:.3g}" for output, difference in found.items())
            raise DeviceError(
                self.device,
                f"{self.device} is refused: its outputs differ from {device}'s ({listed}, root mean square; "
                f"allowed: {TOLERANCE})",
            )
        return max(found.values())


def is_any_running() -> bool:
    """Whether a compilation is still at work; it cannot be stopped."""
    return any(isinstance(thread, Compilation) for thread in threading.enumerate())

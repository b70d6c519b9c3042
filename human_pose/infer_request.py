"""One infer request and the image that it works on."""

import math
from dataclasses import dataclass

import numpy as np
import openvino as ov

from .capture import Frame
from .compiled import CompiledNetwork
from .preprocess import check_finite, fill_input, new_input, pixels_per_cell


@dataclass(frozen=True)
class Inference:
    """What the network found in one frame.

    heatmaps: (19, h, w) float32; pafs: (38, h, w) float32; pixels_per_cell: frame pixels that a cell of the maps spans
    in x and in y; latency_ms: from the start of inference to its result; compiled: what made it. while_switching:
    another network was being compiled, or another device was at work beside this one, while it was made or before it
    was collected; settled_at: when that was so last, in s of time.perf_counter.
    """

    frame: Frame
    compiled: CompiledNetwork
    heatmaps: np.ndarray
    pafs: np.ndarray
    pixels_per_cell: tuple[float, float]
    latency_ms: float
    while_switching: bool = False
    settled_at: float = -math.inf

    @property
    def maps(self) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
        """What `decode` takes."""
        return self.heatmaps, self.pafs, self.pixels_per_cell

    @property
    def nbytes(self) -> int:
        """Memory of the frame and the maps."""
        return self.frame.image.nbytes + self.heatmaps.nbytes + self.pafs.nbytes


class InferRequest:
    """An infer request and its input image."""

    def __init__(self, compiled: CompiledNetwork) -> None:
        self.compiled = compiled
        self._request = compiled.network.create_infer_request()
        self._frame_size = (0, 0)
        self._input = np.empty((1, 0, 0, 3), np.uint8)

    def start(self, image: np.ndarray) -> None:
        """Scale the image to the input's top left corner, the rest stays black, and start inference."""
        frame_size = image.shape[1::-1]
        if frame_size != self._frame_size:
            self._frame_size = frame_size
            self._input = new_input(self.compiled.network, frame_size)
            self._request.set_input_tensor(ov.Tensor(self._input, shared_memory=True))
        fill_input(image, self._input)
        self._request.start_async()

    def is_done(self, wait_ms: int) -> bool:
        """Whether the result is there, waiting for it up to `wait_ms`."""
        return bool(self._request.wait_for(wait_ms))

    def result(self, frame: Frame) -> Inference:
        """The result of the frame that was started last. Raises RuntimeError with what went wrong."""
        self._request.wait()
        _, height, width, _ = self._input.shape
        heatmaps, pafs = (self._request.get_tensor(name).data[0].copy() for name in ("heatmaps", "pafs"))
        check_finite(heatmaps, pafs)
        return Inference(
            frame,
            self.compiled,
            heatmaps,
            pafs,
            pixels_per_cell(frame.image.shape[1::-1], (width, height)),
            self._request.latency,
        )

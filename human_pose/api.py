"""The library: the poses of all people in an image, or in every frame of a source."""

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from .errors import UsageError
from .folders import cache_folder
from .inference.backend import Inference
from .inference.backends import open_backend
from .inference.devices import open_core
from .inference.estimator import Estimator, infer_all
from .inference.model import load_model
from .inference.remote_address import RemoteSettings
from .inference.settings import Settings
from .media.capture import Capture, Frame, open_capture
from .poses.pose import Pose
from .poses.skeleton import Skeleton
from .tracking.tracker import Tracker
from .zoo.resolve import choose_model

MAX_SIZES = 4  # input sizes for which compiled networks are kept
Hint = Literal["throughput", "latency"]


class PoseEstimator:
    """Finds the poses of all people with a network on a device of this machine.

    The network is compiled when the shape of the first image is known, and once more for each other shape. Messages go
    to `logging.getLogger("human_pose")`. Not thread-safe.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        device: str = "CPU",
        precision: str | None = None,
        size: int | None = None,
        threshold: float | None = None,
        min_keypoints: int | None = None,
        cache: bool = True,
        threads: int | None = None,
        remote: RemoteSettings | None = None,
    ) -> None:
        """model: a name of the catalog or of your models, or the path of an IR, an .onnx file or an exporter's folder.

        None: the default one. device: as OpenVINO names it: CPU, GPU, NPU, AUTO, MULTI:GPU,CPU, HETERO:GPU,CPU; or a
        model on a server, grpc://host:port/model.
        precision: FP16-INT8, FP16 or FP32; None: FP16-INT8 where the model comes with it, else FP16. size: the shorter
        side of the network's input in pixels, or the longer of one-stage networks; None: the model's own. threshold:
        minimum score of a keypoint, or of a person in one-stage networks, 0..1; min_keypoints: people with fewer are
        left out; None: the decoder's own. cache: keep compiled networks in the user's cache folder. threads: number of
        CPU threads; None: OpenVINO's choice. remote: the settings for a server; None: the defaults. Raises UsageError
        where the model is unknown or is not a pose network.
        """
        self._core = open_core(None)
        file = choose_model(None if model is None else str(model), precision)
        self._model = load_model(self._core, file)
        self._decoder = self._model.decoder.with_limits(threshold, min_keypoints)
        self._size = size
        self._cache = cache_folder() if cache else None
        self._threads = threads
        self._remote = remote or RemoteSettings()
        self.device = device
        self._estimators: OrderedDict[tuple[tuple[int, int] | None, Hint], Estimator] = OrderedDict()

    @property
    def skeleton(self) -> Skeleton:
        """The skeleton of the poses: the names of the keypoints, and the limbs between them."""
        return self._decoder.skeleton

    def __call__(self, image: np.ndarray) -> list[Pose]:
        """The poses in an image (h, w, 3) uint8 BGR, in its pixels, the highest score first.

        Raises UsageError where the array is not such an image, DeviceError where the device rejects the network or
        fails.
        """
        if not (isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3):
            found = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
            raise UsageError(f"An image is an array (height, width, 3) of uint8 in the order BGR, not {found}.")
        estimator = self._estimator(self._model.size_for(image.shape[1::-1], self._size), "latency", image)
        estimator.submit(Frame(0, image, 0.0))
        while (inference := estimator.collect(wait=True)) is None:
            pass
        return self._poses(inference)

    def run(self, source: str | Path | int, realtime: bool = False) -> Iterator[tuple[Frame, list[Pose]]]:
        """Every frame of a source with its poses, in order. Several infer requests run at once.

        In a video or a live source each person keeps a number, `pose.id`; None while a person is not confirmed yet.
        source: a video, an image, a folder of images, the index of a camera, or a stream's URL. realtime: play a file
        by its own clock and drop the frames that come too fast, like a camera. Raises UsageError or DemoError where
        the source cannot be read, DeviceError where the device rejects the network or fails.
        """
        with open_capture(str(source), realtime=realtime) as capture:
            tracker = Tracker()
            for frame, poses in self.find(capture):
                yield frame, poses if frame.time_s is None else tracker.update(poses, frame.time_s)

    def find(self, capture: Capture) -> Iterator[tuple[Frame, list[Pose]]]:
        """Every frame of a capture that is entered, with its poses as the network finds them: without numbers."""
        has_one_size = not capture.source.has_many_sizes
        input_size = self._model.size_for(capture.frame_size, self._size) if has_one_size else None
        estimator = self._estimator(input_size, "throughput", capture.first_image)
        try:
            for inference in infer_all(capture, estimator):
                yield inference.frame, self._poses(inference)
        finally:
            while not estimator.is_idle:  # the caller may stop while frames are in flight
                estimator.collect(wait=True)

    def sha256(self) -> str:
        """The SHA-256 of the model's weights."""
        return self._model.sha256()

    def _poses(self, inference: Inference) -> list[Pose]:
        return self._decoder.decode(inference.outputs, inference.frame_pixels, inference.origin)

    def _estimator(self, input_size: tuple[int, int] | None, hint: Hint, sample: np.ndarray) -> Estimator:
        """The estimator for one input size (width, height); None: for inputs of many sizes."""
        key = input_size, hint
        if key not in self._estimators:
            if input_size is None:
                self._model.reshape_open(self._size)
            else:
                self._model.reshape(*input_size)
            settings = Settings(
                self._model.file.precision, hint, threads=self._threads, cache=self._cache, remote=self._remote
            )
            self._estimators[key] = Estimator(open_backend(self._core, self._model, settings), self.device, sample)
            while len(self._estimators) > MAX_SIZES:
                self._estimators.popitem(last=False)
        self._estimators.move_to_end(key)
        return self._estimators[key]

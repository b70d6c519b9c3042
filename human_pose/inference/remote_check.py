"""Whether a server has the network of the local model: a picture of people goes through both.

The server may get another model while it works, so the picture goes there again; see `Guard`.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from ..decoders.decoder import Decoder, Outputs
from ..errors import DemoError, UsageError, first_line
from ..folders import BUNDLED_VIDEO
from .model import PoseModel
from .remote_client import Client
from .remote_signature import Signature, checked

MOST_DIFFERENT = 0.4  # see `relative_difference`
IDLE_S = 1.0  # a server to which nothing went for so long may have been started anew
AGAIN_S = 30.0  # a server may load another model without a sign


def relative_difference(found: Outputs, expected: Outputs, decoder: Decoder) -> float:
    """The RMS of the difference in parts of the RMS of what decoding uses; the largest of all outputs.

    On `picture_of_people`, INT8 and FP32 of human-pose-estimation-0001 differ by 0.06 (at size 128: 0.16), red for blue
    by 0.18, mobilenet-thin from it by 1.2. On a picture of nobody, all of them would differ by as much.
    """
    ours, theirs = (decoder.quantities(decoder.signal(outputs)) for outputs in (found, expected))
    parts = []
    for name, values in theirs.items():
        size = float(np.square(values).mean())
        error = float(np.square(ours[name] - values).mean())
        parts.append(float(np.sqrt(error / size)) if size else float(error > 0))
    return max(parts)


def picture_of_people(otherwise: np.ndarray) -> np.ndarray:
    """The first frame of the bundled video, (h, w, 3) uint8 BGR; `otherwise` where that cannot be read."""
    video = cv2.VideoCapture(str(BUNDLED_VIDEO))
    is_read, image = video.read()
    video.release()
    return image if is_read and image is not None else otherwise


class Checked(NamedTuple):
    """What a comparison found: the way to send a picture that fits best, its difference, the model's version.

    seconds: from sending the picture to the answer.
    """

    way: str
    difference: float
    version: str
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """The picture, (1, h, w, 3) uint8, and what the local model gives for it."""

    client: Client
    model: PoseModel
    picture: np.ndarray
    expected: Outputs

    def run(self, signature: Signature) -> Checked:
        """Send the picture in each way of the signature.

        Raises UsageError where the server has another network, RuntimeError where it does not answer.
        """
        shapes = {name: tuple(values.shape) for name, values in self.expected.items()}
        found = []
        for way, encode in signature.encodings.items():
            sent_at = time.perf_counter()
            answer = self.client.infer(signature, encode(self.picture))
            seconds = time.perf_counter() - sent_at
            outputs = checked(answer.outputs, shapes)
            difference = relative_difference(outputs, self.expected, self.model.decoder)
            found.append(Checked(way, difference, answer.version, seconds))
        best = min(found, key=lambda one: one.difference)
        if not best.difference <= MOST_DIFFERENT:
            raise UsageError(
                f"its outputs differ from those of {self.model.file.title} by {best.difference:.0%} (allowed: "
                f"{MOST_DIFFERENT:.0%}). Give the model that it serves with -m, or serve this one"
            )
        return best


class Guard:
    """Has a server checked again, in a thread, when it may have another model by now.

    That is: when an answer is of a version that was not checked; when nothing went there for IDLE_S, as the server may
    have been started anew; and every AGAIN_S. In the first two cases no answer counts until the check is over.
    Thread-safe.
    """

    def __init__(self, check: Callable[[], Checked], version: str) -> None:
        """check: raises DemoError or RuntimeError. version: of the model that was checked just now."""
        self._check = check
        self._good = {version}  # versions
        self._error: str | None = None
        self._lock = threading.Lock()
        self._is_over = threading.Event()  # no answer has to wait
        self._is_over.set()
        self._is_running = False
        self._used_at = self._checked_at = time.perf_counter()

    def sending(self) -> None:
        """A picture is about to be sent."""
        now = time.perf_counter()
        with self._lock:
            if now - self._used_at > IDLE_S:
                self._begin(holds_up=True)
            elif now - self._checked_at > AGAIN_S:
                self._begin(holds_up=False)
            self._used_at = now

    def vouches_for(self, version: str, wait_s: float) -> bool:
        """Whether an answer of a version counts, waiting for a check up to `wait_s`. Raises RuntimeError."""
        if not self._is_over.wait(wait_s):
            return False
        with self._lock:
            self._used_at = time.perf_counter()
            if self._error is not None:
                raise RuntimeError(self._error)
            if version not in self._good:
                self._begin(holds_up=True)
            return version in self._good

    def _begin(self, holds_up: bool) -> None:
        if holds_up:
            self._is_over.clear()
        if not self._is_running:
            self._is_running = True
            threading.Thread(target=self._run, name="check of the server", daemon=True).start()

    def _run(self) -> None:
        version, error = "", None
        try:
            version = self._check().version
        except (DemoError, RuntimeError) as raised:
            error = f"checked again, {first_line(raised)}"
        with self._lock:
            self._good.add(version)
            self._error = error
            self._is_running, self._checked_at = False, time.perf_counter()
            self._is_over.set()

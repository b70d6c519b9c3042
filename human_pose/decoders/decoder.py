"""The contract of decoders: from a network's outputs to the poses of everybody in the frame.

A decoder knows neither the device nor the window; it needs numpy, and OpenCV where it likes.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from ..poses.pose import Pose
from ..poses.skeleton import Skeleton

Outputs = Mapping[str, np.ndarray]  # what the network gave for one frame, by name, without the batch's axis


class Decoder(Protocol):
    """What a family of networks gives, made poses."""

    @property
    def skeleton(self) -> Skeleton:
        """Of the poses it finds."""
        ...

    @property
    def output_names(self) -> tuple[str, ...]:
        """The outputs it reads."""
        ...

    def with_limits(self, threshold: float, min_keypoints: int) -> "Decoder":
        """The same with other limits. threshold: least score of a keypoint, 0..1; min_keypoints: of a person."""
        ...

    def decode(self, outputs: Outputs, frame_pixels: tuple[float, float] = (1.0, 1.0)) -> list[Pose]:
        """Everybody's pose, the surest first.

        frame_pixels: how many pixels of the frame one pixel of the network's input spans, in x and in y; the frame lies
        in the input's top left corner. With (1, 1) poses are in pixels of the input.
        """
        ...

    def signal(self, outputs: Outputs) -> Outputs:
        """The part of the outputs that decoding looks at: what the outputs of two networks are compared by."""
        ...

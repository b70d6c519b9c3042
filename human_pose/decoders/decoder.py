"""The contract of decoders: from a network's outputs to the poses of all people in the frame.

A decoder knows neither the device nor the window. It may use numpy and OpenCV.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from ..poses.pose import Pose
from ..poses.skeleton import Skeleton

Outputs = Mapping[str, np.ndarray]  # one frame's outputs by name, without the batch axis


class Decoder(Protocol):
    """Decodes the outputs of one family of networks to poses."""

    @property
    def skeleton(self) -> Skeleton:
        """The skeleton of the poses."""
        ...

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of the outputs that it reads."""
        ...

    def with_limits(self, threshold: float | None = None, min_keypoints: int | None = None) -> "Decoder":
        """A copy with other limits; None leaves one as it is.

        threshold: minimum score, 0..1, of what the network finds first: a keypoint, where people are put together from
        keypoints, or a person, where the network finds people as wholes. min_keypoints: of a person.
        """
        ...

    def for_evaluation(self) -> "Decoder":
        """A copy with the limits for average precision, where also weak people and weak keypoints count."""
        ...

    def decode(
        self,
        outputs: Outputs,
        frame_pixels: tuple[float, float] = (1.0, 1.0),
        origin: tuple[float, float] = (0.0, 0.0),
    ) -> list[Pose]:
        """The poses of all people, the highest score first.

        frame_pixels: how many pixels of the frame one pixel of the network's input spans, in x and in y; origin: where
        the frame's top left corner is in the input. With the defaults poses are in pixels of the input.
        """
        ...

    def signal(self, outputs: Outputs) -> Outputs:
        """The part of the outputs that decoding uses; a comparison of two networks compares this part."""
        ...

    def quantities(self, outputs: Outputs) -> Outputs:
        """The outputs by what they measure: scores apart from pixels, and in an order that rounding does not change.

        What runs the same network in another way must give the same in each of them; HETERO's splits are checked so.
        """
        ...

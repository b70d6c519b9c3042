"""The keypoints of a body, the limbs that join them, and the colours for drawing."""

from dataclasses import dataclass
from typing import NamedTuple

# The keypoints of COCO, in COCO's order.
COCO_KEYPOINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip

# BGR. Left and right have different colours, so that a swapped limb is easy to see.
RIGHT_COLOUR = (64, 140, 255)  # orange
LEFT_COLOUR = (255, 190, 64)  # light blue
MIDDLE_COLOUR = (120, 235, 120)  # green


class Limb(NamedTuple):
    """Two keypoints with a line between them."""

    start: str
    end: str


@dataclass(frozen=True)
class Skeleton:
    """The topology of a body, as one family of networks defines it.

    keypoints: their names, in the order of a pose's rows; limbs: the limbs to draw.
    """

    keypoints: tuple[str, ...]
    limbs: tuple[Limb, ...]

    def index(self, keypoint: str) -> int:
        """The row of a keypoint in a pose. Raises ValueError where the skeleton has no such keypoint."""
        return self.keypoints.index(keypoint)

    def colour(self, keypoint: str) -> tuple[int, int, int]:
        """BGR colour of a keypoint, by its side of the body. A limb has the colour of its end."""
        if keypoint.startswith("right_"):
            return RIGHT_COLOUR
        if keypoint.startswith("left_"):
            return LEFT_COLOUR
        return MIDDLE_COLOUR

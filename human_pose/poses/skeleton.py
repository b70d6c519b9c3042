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

    def limb_colour(self, limb: Limb) -> tuple[int, int, int]:
        """BGR colour of a limb: that of its end; from one side of the body to the other, that of the middle."""
        sides = {name.partition("_")[0] for name in limb} & {"left", "right"}
        return MIDDLE_COLOUR if len(sides) == 2 else self.colour(limb.end)

    def colour(self, keypoint: str) -> tuple[int, int, int]:
        """BGR colour of a keypoint, by its side of the body."""
        if keypoint.startswith("right_"):
            return RIGHT_COLOUR
        if keypoint.startswith("left_"):
            return LEFT_COLOUR
        return MIDDLE_COLOUR


# COCO's skeleton. It has no neck: the shoulders, the hips, and what joins them are the trunk.
COCO_SKELETON = Skeleton(
    COCO_KEYPOINTS,
    (
        Limb("left_shoulder", "right_shoulder"), Limb("left_hip", "right_hip"),
        Limb("left_shoulder", "left_hip"), Limb("right_shoulder", "right_hip"),
        Limb("left_shoulder", "left_elbow"), Limb("left_elbow", "left_wrist"),
        Limb("right_shoulder", "right_elbow"), Limb("right_elbow", "right_wrist"),
        Limb("left_hip", "left_knee"), Limb("left_knee", "left_ankle"),
        Limb("right_hip", "right_knee"), Limb("right_knee", "right_ankle"),
        Limb("left_eye", "right_eye"), Limb("nose", "left_eye"), Limb("nose", "right_eye"),
        Limb("left_eye", "left_ear"), Limb("right_eye", "right_ear"),
        Limb("left_ear", "left_shoulder"), Limb("right_ear", "right_shoulder"),
    ),
)  # fmt: skip


def unnamed_skeleton(count: int) -> Skeleton:
    """A skeleton of `count` keypoints of which only the number is known: drawn as points."""
    return Skeleton(tuple(f"keypoint_{number}" for number in range(1, count + 1)), ())

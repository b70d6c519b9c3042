"""The outputs of OpenPose's COCO networks: heatmaps of 18 keypoints, part affinity fields of 19 limbs.

Source: Cao et al., "Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields", arXiv 1611.08050.
"""

from math import inf
from typing import NamedTuple

from ..poses.skeleton import Limb, Skeleton

CELL_PIXELS = 8  # the maps have 1/8 of the input's width and height

KEYPOINTS = (
    "nose", "neck",
    "right_shoulder", "right_elbow", "right_wrist",
    "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle",
    "left_hip", "left_knee", "left_ankle",
    "right_eye", "left_eye", "right_ear", "left_ear",
)  # fmt: skip

HEATMAP_CHANNELS = len(KEYPOINTS) + 1  # the last one is the background


class FieldLimb(NamedTuple):
    """Two keypoints that a part affinity field joins; the field points from `start` to `end`.

    length: its usual length; longest: its maximum length; both in torso lengths, neck to hip. Limbs of the face and
    from shoulder to ear have no usual length here, because the size of a body is not estimated from its head.
    """

    start: str
    end: str
    paf: tuple[int, int]  # channels of the field's x and y component
    length: float | None
    longest: float = inf
    founds_person: bool = True  # False: joins keypoints of people already found, never starts one
    drawn: bool = True

    @property
    def start_id(self) -> int:
        return KEYPOINTS.index(self.start)

    @property
    def end_id(self) -> int:
        return KEYPOINTS.index(self.end)


# The trunk, arms and legs, the face, and the limbs from shoulders to ears. The trunk comes first, because its size
# decides which limbs are too long. The usual lengths are medians over COCO's annotations, left and right together. The
# maximum for arms and legs is 3 times the usual length, because the trunk may be foreshortened or cut off at the edge;
# for the face it is more than twice the medians of 0.1 and 0.15. docs/accuracy.md has the measurements.
LIMBS = (
    FieldLimb("neck", "right_shoulder", (12, 13), 0.29),
    FieldLimb("neck", "left_shoulder", (20, 21), 0.29),
    FieldLimb("neck", "right_hip", (0, 1), 1.0),
    FieldLimb("neck", "left_hip", (6, 7), 1.0),
    FieldLimb("neck", "nose", (28, 29), 0.38),
    FieldLimb("right_shoulder", "right_elbow", (14, 15), 0.53, longest=1.6),
    FieldLimb("right_elbow", "right_wrist", (16, 17), 0.43, longest=1.3),
    FieldLimb("left_shoulder", "left_elbow", (22, 23), 0.53, longest=1.6),
    FieldLimb("left_elbow", "left_wrist", (24, 25), 0.43, longest=1.3),
    FieldLimb("right_hip", "right_knee", (2, 3), 0.71, longest=2.1),
    FieldLimb("right_knee", "right_ankle", (4, 5), 0.77, longest=2.3),
    FieldLimb("left_hip", "left_knee", (8, 9), 0.71, longest=2.1),
    FieldLimb("left_knee", "left_ankle", (10, 11), 0.77, longest=2.3),
    FieldLimb("nose", "right_eye", (30, 31), None, longest=0.25),
    FieldLimb("right_eye", "right_ear", (34, 35), None, longest=0.32),
    FieldLimb("nose", "left_eye", (32, 33), None, longest=0.25),
    FieldLimb("left_eye", "left_ear", (36, 37), None, longest=0.32),
    FieldLimb("right_shoulder", "right_ear", (18, 19), None, founds_person=False, drawn=False),
    FieldLimb("left_shoulder", "left_ear", (26, 27), None, founds_person=False, drawn=False),
)

PAF_CHANNELS = 2 * len(LIMBS)
SKELETON = Skeleton(KEYPOINTS, tuple(Limb(limb.start, limb.end) for limb in LIMBS if limb.drawn))

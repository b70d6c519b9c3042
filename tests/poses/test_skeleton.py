"""The body's tables against a reference that was written down apart from them."""

import pytest

from human_pose.decoders.openpose_fields import HEATMAP_CHANNELS, KEYPOINTS, LIMBS, PAF_CHANNELS, SKELETON, FieldLimb
from human_pose.poses.skeleton import LEFT_COLOUR, MIDDLE_COLOUR, RIGHT_COLOUR

# (start, end): channel of the x component of the limb's part affinity field; y is the next one.
REFERENCE = {
    ("neck", "right_shoulder"): 12,
    ("neck", "left_shoulder"): 20,
    ("neck", "right_hip"): 0,
    ("neck", "left_hip"): 6,
    ("neck", "nose"): 28,
    ("right_shoulder", "right_elbow"): 14,
    ("right_elbow", "right_wrist"): 16,
    ("left_shoulder", "left_elbow"): 22,
    ("left_elbow", "left_wrist"): 24,
    ("right_hip", "right_knee"): 2,
    ("right_knee", "right_ankle"): 4,
    ("left_hip", "left_knee"): 8,
    ("left_knee", "left_ankle"): 10,
    ("nose", "right_eye"): 30,
    ("nose", "left_eye"): 32,
    ("right_eye", "right_ear"): 34,
    ("left_eye", "left_ear"): 36,
    ("right_shoulder", "right_ear"): 18,
    ("left_shoulder", "left_ear"): 26,
}
SHOULDER_TO_EAR = {("right_shoulder", "right_ear"), ("left_shoulder", "left_ear")}

each_limb = pytest.mark.parametrize("limb", LIMBS, ids=lambda limb: f"{limb.start}-{limb.end}")


def side(keypoint: str) -> str:
    """'right', 'left', or '' for the nose and the neck."""
    return keypoint.rpartition("_")[0]


def test_keypoints_are_in_the_order_of_the_heatmaps() -> None:
    arms_and_legs = [
        f"{side}_{joint}"
        for joints in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
        for side in ("right", "left")
        for joint in joints
    ]
    assert list(KEYPOINTS) == ["nose", "neck", *arms_and_legs, "right_eye", "left_eye", "right_ear", "left_ear"]


def test_limbs_and_their_channels_are_the_reference() -> None:
    assert {(limb.start, limb.end): limb.paf for limb in LIMBS} == {
        ends: (channel, channel + 1) for ends, channel in REFERENCE.items()
    }
    assert len(LIMBS) == len(REFERENCE)


def test_each_of_the_38_field_channels_is_used_once() -> None:
    assert sorted(channel for limb in LIMBS for channel in limb.paf) == list(range(38))
    assert PAF_CHANNELS == 38


def test_there_is_a_heatmap_for_each_keypoint_and_the_background() -> None:
    assert HEATMAP_CHANNELS == 19


def test_only_shoulder_to_ear_founds_nobody_and_is_not_drawn() -> None:
    assert {(limb.start, limb.end) for limb in LIMBS if not limb.founds_person} == SHOULDER_TO_EAR
    assert {(limb.start, limb.end) for limb in LIMBS if not limb.drawn} == SHOULDER_TO_EAR


def test_limbs_go_from_the_trunk_outwards() -> None:
    """So that a person's size is known before it decides about arms, legs and face."""
    assert {(limb.start, limb.end) for limb in LIMBS[:5]} == {
        ("neck", "right_shoulder"), ("neck", "left_shoulder"), ("neck", "right_hip"), ("neck", "left_hip"),
        ("neck", "nose"),
    }  # fmt: skip
    known = {"neck"}
    for limb in LIMBS:
        assert limb.start in known
        known.add(limb.end)
    drawn = [limb for limb in LIMBS if limb.drawn]
    assert len({limb.end for limb in drawn}) == len(drawn) == len(KEYPOINTS) - 1  # a tree


@pytest.mark.parametrize("right", [limb for limb in LIMBS if limb.end.startswith("right")], ids=lambda limb: limb.end)
def test_left_and_right_are_of_the_same_length(right: FieldLimb) -> None:
    mirrored = right.start.replace("right", "left"), right.end.replace("right", "left")
    (left,) = [limb for limb in LIMBS if (limb.start, limb.end) == mirrored]
    assert (left.length, left.longest) == (right.length, right.longest)


@each_limb
def test_no_limb_crosses_sides(limb: FieldLimb) -> None:
    assert len({side(limb.start), side(limb.end)} - {""}) <= 1


@each_limb
def test_limb_ids_are_the_places_of_its_keypoints(limb: FieldLimb) -> None:
    assert (KEYPOINTS[limb.start_id], KEYPOINTS[limb.end_id]) == (limb.start, limb.end)


@each_limb
def test_limb_has_the_colour_of_its_side(limb: FieldLimb) -> None:
    sides = {side(limb.start), side(limb.end)}
    expected = RIGHT_COLOUR if "right" in sides else LEFT_COLOUR if "left" in sides else MIDDLE_COLOUR
    assert SKELETON.colour(limb.end) == expected


@pytest.mark.parametrize("keypoint", KEYPOINTS)
def test_keypoint_has_the_colour_of_its_side(keypoint: str) -> None:
    assert SKELETON.colour(keypoint) == {"right": RIGHT_COLOUR, "left": LEFT_COLOUR, "": MIDDLE_COLOUR}[side(keypoint)]


def test_right_is_orange_and_left_is_blue() -> None:
    (blue, green, red), (left_blue, left_green, left_red) = RIGHT_COLOUR, LEFT_COLOUR
    assert red > green > blue
    assert left_blue > left_green > left_red

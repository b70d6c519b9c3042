"""Count the limbs of faces that are too long on a video, with and without the decoder's limit of limb lengths.

python -m benchmarks.limbs --input VIDEO [--model NAME_OR_XML] [--height 256 368]

A limb of a face (nose to eye, eye to ear) counts as too long if it is longer than half of the person's torso (neck to
hip) or half of the shoulders' width, whichever is larger; people with neither are left out. The network runs once for
each frame and height; both decoders get the same maps. "changes" counts the pairs of consecutive frames that differ in
the number of people.
"""

import argparse
import contextlib
import math
from collections.abc import Iterator
from unittest import mock

import numpy as np
import openvino as ov

from benchmarks.common import BUNDLED, latency_estimator, machine, maps_of
from human_pose.decoders import openpose as decoder
from human_pose.decoders.openpose import decode
from human_pose.decoders.openpose_fields import LIMBS
from human_pose.inference.estimator import infer_all
from human_pose.inference.model import load_model
from human_pose.media.capture import Capture
from human_pose.media.sources import open_source
from human_pose.poses.pose import Pose
from human_pose.zoo.resolve import choose_model

FACE = [limb for limb in LIMBS if limb.drawn and {"eye", "ear"} & {limb.end.rpartition("_")[2]}]


def length(pose: Pose, start: int, end: int) -> float:
    """The length of a limb in pixels; NaN where one of its keypoints was not found."""
    return math.dist(pose.keypoints[start, :2].tolist(), pose.keypoints[end, :2].tolist())


def size(pose: Pose) -> float:
    """The size of a person: torso or shoulders' width in pixels, whichever is larger; NaN where neither is known."""
    known = [
        length(pose, limb.start_id, limb.end_id) * (2 if limb.end.endswith("shoulder") else 1)
        for limb in LIMBS
        if limb.start == "neck" and limb.end != "nose"
    ]
    return max((value for value in known if not math.isnan(value)), default=math.nan)


def limits(are_on: bool) -> contextlib.AbstractContextManager[object]:
    if are_on:
        return contextlib.nullcontext()
    return mock.patch.object(decoder, "_LONGEST", [math.inf] * len(LIMBS))


def poses_of(core: ov.Core, model: str, height: int, video: str) -> Iterator[tuple[list[Pose], list[Pose]]]:
    """The poses of each frame, without the limits and with them."""
    network = load_model(core, choose_model(model, None))
    network.reshape_open(height)
    estimator = latency_estimator(core, network, network.file.precision)
    with Capture(open_source(video)) as capture:
        for inference in infer_all(capture, estimator):
            with limits(False):
                free = decode(*maps_of(inference))
            yield free, decode(*maps_of(inference))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True)
    parser.add_argument("--model", default=BUNDLED)
    parser.add_argument("--height", nargs="+", type=int, default=[256, 368])
    options = parser.parse_args()
    core = ov.Core()
    print(f"{machine()}; {options.input}\n")
    print("| height | limits | frames | people a frame | changes | limbs of faces | too long |\n" + "|---" * 7 + "|")
    for height in options.height:
        frames = list(poses_of(core, options.model, height, options.input))
        for name, of_frames in zip(("off", "on"), zip(*frames, strict=True), strict=True):
            counts = [len(poses) for poses in of_frames]
            lengths = [
                (length(pose, limb.start_id, limb.end_id), size(pose))
                for poses in of_frames
                for pose in poses
                for limb in FACE
            ]
            found = [(long, whole) for long, whole in lengths if not math.isnan(long + whole)]
            too_long = sum(long > 0.5 * whole for long, whole in found)
            changes = np.count_nonzero(np.diff(counts))
            cells = (height, name, len(counts), f"{np.mean(counts):.2f}", changes, len(found), too_long)
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()

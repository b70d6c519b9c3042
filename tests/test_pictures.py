"""Real pictures whose people were counted, and whose joints were marked, by eye."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
import pytest

from human_pose.decode import Pose, decode
from human_pose.inference import Estimator, network_input_size
from human_pose.model_files import choose_model
from human_pose.network import load_network
from human_pose.skeleton import KEYPOINTS
from tests.test_inference import SETTINGS, infer


def frames_of(video: Path, indices: list[int]) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(video))
    images = []
    for index in range(max(indices) + 1):
        _, image = capture.read()
        if index in indices:
            images.append(image)
    return images


def poses_in(images: list[np.ndarray], model: str, height: int | None = None) -> Iterator[list[Pose]]:
    core = ov.Core()
    network = load_network(core, choose_model(model, None))
    network.reshape(*network_input_size(images[0].shape[1::-1], height or network.own_height))
    for inference in infer(Estimator(core, network, "CPU", SETTINGS), images):
        yield decode(*inference.maps)


def point(pose: Pose, keypoint: str) -> tuple[float, float]:
    x, y, _ = pose.keypoints[KEYPOINTS.index(keypoint)].tolist()
    return x, y


# The man in frame 5 of the bundled video faces the camera: his right hand is on the left of the picture.
MAN = {
    "nose": (273, 82),
    "right_shoulder": (248, 120), "right_wrist": (212, 217), "right_knee": (247, 257), "right_ankle": (253, 307),
    "left_shoulder": (307, 120), "left_wrist": (340, 217), "left_knee": (295, 255), "left_ankle": (293, 308),
}  # fmt: skip


def test_left_and_right_of_a_man_who_faces_the_camera(root: Path) -> None:
    [[man]] = poses_in(frames_of(root / "videos" / "park.mp4", [5]), "mobilenet-thin")
    for keypoint, marked in MAN.items():
        assert point(man, keypoint) == pytest.approx(marked, abs=16), keypoint  # a cell of the maps is 16 pixels here


def test_both_people_of_the_bundled_video_carry_skeletons_in_nearly_every_frame(root: Path) -> None:
    """Counted by eye: the man from the start, the woman, all of her out from behind the tree, from frame 45."""
    indices = list(range(45, 140, 5))
    counts = []
    for poses in poses_in(frames_of(root / "videos" / "park.mp4", indices), "mobilenet-thin"):
        whole = [pose for pose in poses if np.isfinite(pose.keypoints[:, 0]).sum() >= 10]
        on_the_roof = [pose for pose in whole if np.nanmean(pose.keypoints[:, 1]) < 350]
        on_the_lawn = [pose for pose in whole if np.nanmean(pose.keypoints[:, 1]) > 400]
        counts.append((len(on_the_roof), len(on_the_lawn)))
    assert counts.count((1, 1)) >= 0.9 * len(indices)


def test_no_skeleton_on_pictures_without_people(root: Path) -> None:
    [image] = frames_of(root / "videos" / "park.mp4", [90])
    sky, lawn = image[:300, 340:], image[560:, 350:600]
    for empty in (sky, lawn, np.full((480, 640, 3), 128, np.uint8)):
        assert list(poses_in([np.ascontiguousarray(empty)], "mobilenet-thin", 256)) == [[]]


@pytest.mark.measurement_data
def test_the_zoos_int8_network_knows_the_man_too(root: Path, measurement_data: Path) -> None:
    model = measurement_data / "models/human-pose-estimation-0001/FP16-INT8/human-pose-estimation-0001.xml"
    [[man]] = poses_in(frames_of(root / "videos" / "park.mp4", [5]), str(model), 368)
    for keypoint, marked in MAN.items():
        assert point(man, keypoint) == pytest.approx(marked, abs=16), keypoint


@pytest.mark.measurement_data
def test_a_street_full_of_people(measurement_data: Path) -> None:
    """Counted by eye in the first frame: some 15 people; the nearest 8 are large enough to be found at height 368."""
    model = measurement_data / "models/human-pose-estimation-0001/FP16-INT8/human-pose-estimation-0001.xml"
    [poses] = poses_in(frames_of(measurement_data / "videos" / "openpose_video.avi", [0]), str(model), 368)
    assert 8 <= len(poses) <= 16


@pytest.mark.measurement_data
def test_two_musicians_in_view_and_one_cut_off_by_the_edge(measurement_data: Path) -> None:
    model = measurement_data / "models/human-pose-estimation-0001/FP16-INT8/human-pose-estimation-0001.xml"
    indices = list(range(0, 250, 25))
    counts = [
        len(poses)
        for poses in poses_in(frames_of(measurement_data / "videos" / "raga_3people.mp4", indices), str(model), 368)
    ]
    assert all(2 <= count <= 3 for count in counts), counts

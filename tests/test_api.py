"""The library, in this process; `test_wheel.py` has it from an installed wheel."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

import human_pose
from human_pose import PoseEstimator, UsageError
from tests.helpers.inference_server import PoseServer
from tests.helpers.painted import PERSON, blank, paint_person, painted_network, pixels


@pytest.fixture(scope="module")
def painter(painted_xml: Path) -> PoseEstimator:
    return PoseEstimator(painted_xml, precision="FP32", cache=False)


def test_an_image_gives_its_poses_in_its_own_pixels(painter: PoseEstimator) -> None:
    image = paint_person(blank(), shift=(3, 1))
    before = image.copy()
    for factor in (1, 2):
        frame = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
        [person] = painter(frame)
        for name, (x, y) in pixels(PERSON, (3, 1)).items():
            keypoint = person[name]
            assert keypoint is not None
            assert (keypoint.x, keypoint.y) == (x * factor, y * factor)
    assert (image == before).all()
    assert painter(blank()) == []


def test_upright_and_lying_images_may_follow_each_other(painter: PoseEstimator) -> None:
    for height, width in ((456, 256), (256, 456), (456, 256)):
        assert len(painter(paint_person(blank(height, width)))) == 1


@pytest.mark.parametrize("image", [None, "a.png", np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32)])
def test_what_is_no_image_is_named(painter: PoseEstimator, image: object) -> None:
    with pytest.raises(UsageError, match=r"An image is an array \(height, width, 3\) of uint8"):
        painter(image)  # type: ignore[arg-type]


def test_a_folder_gives_every_frame_in_order(painter: PoseEstimator, tmp_path: Path) -> None:
    for number in range(9):
        size = (256, 320) if number % 2 else (456, 256)
        cv2.imwrite(str(tmp_path / f"{number}.png"), paint_person(blank(*size)))
    found = [(frame.index, frame.name, len(poses)) for frame, poses in painter.run(tmp_path)]
    assert found == [(number, f"{number}.png", 1) for number in range(9)]


def test_a_run_may_be_left_early_and_followed_by_another(painter: PoseEstimator, tmp_path: Path) -> None:
    for number in range(9):
        cv2.imwrite(str(tmp_path / f"{number}.png"), paint_person(blank()))
    for frame, _ in painter.run(tmp_path):
        if frame.index == 2:
            break
    assert [frame.index for frame, _ in painter.run(tmp_path)] == list(range(9))


def test_people_of_a_video_have_numbers_and_those_of_images_none(painter: PoseEstimator, tmp_path: Path) -> None:
    writer = cv2.VideoWriter(str(tmp_path / "v.avi"), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"FFV1"), 30, (320, 256))
    for number in range(9):
        writer.write(paint_person(blank(), shift=(number % 2, 0)))
    writer.release()
    assert {pose.id for _, poses in painter.run(tmp_path / "v.avi") for pose in poses} <= {None, 1}
    assert [pose.id for pose in list(painter.run(tmp_path / "v.avi"))[-1][1]] == [1]
    assert painter(paint_person(blank()))[0].id is None


def test_limits_are_the_users(painted_xml: Path) -> None:
    strict = PoseEstimator(painted_xml, precision="FP32", min_keypoints=15, cache=False)
    assert strict(paint_person(blank())) == []  # the painted person has 14


def test_the_skeleton_names_keypoints_and_limbs(painter: PoseEstimator) -> None:
    assert painter.skeleton.keypoints[:2] == ("nose", "neck")
    assert ("right_elbow", "right_wrist") in painter.skeleton.limbs


def test_a_server_with_its_settings(painted_xml: Path, serve: Callable[..., PoseServer]) -> None:
    server = serve(painted_network())
    image = paint_person(blank())
    there = PoseEstimator(
        painted_xml, server.device_string, cache=False, remote=human_pose.RemoteSettings(timeout_s=1.5)
    )
    [found], [here] = there(image), PoseEstimator(painted_xml, cache=False)(image)
    np.testing.assert_array_equal(found.keypoints, here.keypoints)
    server.pause_s = 3.0
    with pytest.raises(human_pose.DemoError, match=r"no answer within 1\.5 s"):
        there(image)


@pytest.mark.parametrize("wrong", [{"model": "nobody"}, {"device": "GPUX"}, {"precision": "FP8"}])
def test_wrong_use_is_one_line(wrong: dict[str, str]) -> None:
    with pytest.raises(human_pose.DemoError) as caught:
        PoseEstimator(**{"cache": False, **wrong})(blank(64, 64))  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_library_says_nothing_of_itself(root: Path) -> None:
    """What it has to say is logged; the float twin is such a message."""
    code = (
        "import logging, human_pose as h; e = h.PoseEstimator(precision='FP32', size=64, cache=False)\n"
        "import numpy as np; e(np.zeros((64, 64, 3), np.uint8))\n"
        "print(h.__version__, isinstance(logging.getLogger('human_pose').handlers[0], logging.NullHandler))"
    )
    env = {**os.environ, "HUMAN_POSE_ZOO": "http://127.0.0.1:9"}
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == f"{human_pose.__version__} True\n"
    assert done.stderr == ""


def test_messages_go_through_logging(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUMAN_POSE_ZOO", "http://127.0.0.1:9")
    with caplog.at_level(logging.INFO, logger="human_pose"):
        PoseEstimator(precision="FP32")
    assert any("float twin" in message for message in caplog.messages)

"""Keypoints in files: what is in them, and that they are whole at every moment."""

import csv
import io
import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from human_pose.decoders.openpose_fields import KEYPOINTS, SKELETON
from human_pose.errors import DemoError, UsageError
from human_pose.media.capture import Frame
from human_pose.media.sources import Source
from human_pose.output_log import OutputLog
from human_pose.poses.keypoint_files import coco_results, image_ids, open_keypoint_writer
from human_pose.poses.pose import Pose
from human_pose.poses.skeleton import COCO_KEYPOINTS
from tests.conftest import ROOT, Program, room_for
from tests.helpers.painted import blank, paint_person, pixels

VIDEO = Source("gym.mp4", lambda: iter(()), fps=25.0)


def pose(**keypoints: tuple[float, float, float]) -> Pose:
    found = np.full((18, 3), np.nan, np.float32)
    for name, keypoint in keypoints.items():
        found[KEYPOINTS.index(name)] = keypoint
    return Pose(SKELETON, found, 0.125)


ARM = pose(right_elbow=(10.5, 20.25, 0.5), right_wrist=(30, 40, 0.75))


def frame(index: int, name: str | None = None) -> Frame:
    return Frame(index, np.zeros((48, 64, 3), np.uint8), 7.0, name)


def write(path: Path, poses_of_frames: Sequence[Sequence[Pose]], source: Source = VIDEO) -> None:
    with open_keypoint_writer(path, source) as export:
        for index, poses in enumerate(poses_of_frames):
            export.write(frame(index), "CPU", poses)


def test_a_json_line_has_time_size_device_and_all_keypoints(tmp_path: Path) -> None:
    write(tmp_path / "k.jsonl", [[], [ARM]])
    empty, line = [json.loads(text) for text in (tmp_path / "k.jsonl").read_text().splitlines()]
    assert empty["people"] == []
    assert {key: value for key, value in line.items() if key != "people"} == {
        "frame": 1, "name": None, "time_s": 0.04, "width": 64, "height": 48, "device": "CPU",
    }  # fmt: skip
    [person] = line["people"]
    assert person["score"] == 0.125
    assert list(person["keypoints"]) == list(KEYPOINTS)
    assert {name: place for name, place in person["keypoints"].items() if place is not None} == {
        "right_elbow": [10.5, 20.25, 0.5],
        "right_wrist": [30, 40, 0.75],
    }


def test_csv_has_a_row_a_keypoint(tmp_path: Path) -> None:
    write(tmp_path / "k.csv", [[ARM], [], [ARM, ARM]])
    rows = list(csv.DictReader((tmp_path / "k.csv").open()))
    assert [(row["frame"], row["person"], row["keypoint"]) for row in rows] == [
        ("0", "0", "right_elbow"), ("0", "0", "right_wrist"),
        ("2", "0", "right_elbow"), ("2", "0", "right_wrist"),
        ("2", "1", "right_elbow"), ("2", "1", "right_wrist"),
    ]  # fmt: skip
    assert (rows[0]["x"], rows[0]["y"], rows[0]["score"]) == ("10.5", "20.25", "0.5")
    assert rows[2]["time_s"] == "0.08"


def test_coco_results_have_cocos_keypoints_in_cocos_order(tmp_path: Path) -> None:
    write(tmp_path / "k.json", [[ARM], [], [pose(neck=(1, 2, 1), nose=(3, 4, 0.5))]])
    first, second = json.loads((tmp_path / "k.json").read_text())
    assert (first["image_id"], second["image_id"], first["category_id"], first["score"]) == (0, 2, 1, 0.125)
    assert len(first["keypoints"]) == 51
    places = dict(zip(COCO_KEYPOINTS, np.reshape(first["keypoints"], (17, 3)).tolist(), strict=True))
    assert places["right_elbow"] == [10.5, 20.25, 0.5]
    assert places["left_elbow"] == [0, 0, 0]
    assert second["keypoints"][:3] == [3, 4, 0.5]
    assert set(second["keypoints"][3:]) == {0}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".csv"])
def test_what_is_no_number_never_reaches_a_file(tmp_path: Path, suffix: str, value: float) -> None:
    write(tmp_path / f"k{suffix}", [[pose(nose=(1, value, 0.5), left_eye=(3, 4, 0.5))]])
    text = (tmp_path / f"k{suffix}").read_text().lower()
    assert "inf" not in text
    assert "nan" not in text
    assert "3" in text


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".csv"])
def test_the_file_is_whole_after_every_frame(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"k{suffix}"
    with open_keypoint_writer(path, VIDEO) as export:
        for index in range(5):
            export.write(frame(index), "CPU", [ARM] * (index % 3))
            people = sum(number % 3 for number in range(index + 1))
            text = path.read_text()
            if suffix == ".json":
                assert len(json.loads(text)) == people
            elif suffix == ".jsonl":
                assert [json.loads(line)["frame"] for line in text.splitlines()] == list(range(index + 1))
            else:
                assert len(text.splitlines()) == 1 + 2 * people
            assert text.endswith("\n")


@pytest.mark.parametrize(("suffix", "content"), [(".json", "[\n]\n"), (".jsonl", ""), (".csv", None)])
def test_a_run_without_people_leaves_a_whole_file(tmp_path: Path, suffix: str, content: str | None) -> None:
    write(tmp_path / f"k{suffix}", [])
    text = (tmp_path / f"k{suffix}").read_text()
    assert text == content if content is not None else len(text.splitlines()) == 1


def test_a_run_that_fails_before_its_first_frame_leaves_an_older_file_alone(tmp_path: Path) -> None:
    (tmp_path / "k.json").write_text("old")
    with pytest.raises(DemoError), open_keypoint_writer(tmp_path / "k.json", VIDEO):
        raise DemoError("no camera")
    assert (tmp_path / "k.json").read_text() == "old"


def test_image_ids_are_the_numbers_in_the_names() -> None:
    assert image_ids([Path("a/000000000885.jpg"), Path("a/img2_17.png")]) == {
        "000000000885.jpg": 885,
        "img2_17.png": 17,
    }


@pytest.mark.parametrize("names", [["a.jpg", "b2.jpg"], ["a1.jpg", "b1.jpg"]])
def test_without_a_number_of_its_own_for_each_the_frames_number_counts(names: list[str], tmp_path: Path) -> None:
    source = Source("folder", lambda: iter(()), images_from=tuple(map(Path, names)))
    with open_keypoint_writer(tmp_path / "k.json", source) as export:
        for index, name in enumerate(names):
            export.write(frame(index, name), "CPU", [ARM])
    assert [entry["image_id"] for entry in json.loads((tmp_path / "k.json").read_text())] == [0, 1]


@pytest.mark.parametrize("name", ["k.txt", "k", "k.xml"])
def test_another_ending_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"\.json, \.jsonl, \.csv"):
        open_keypoint_writer(tmp_path / name, VIDEO)


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".csv"])
def test_a_full_disk_leaves_the_whole_frames_and_is_said_once(
    tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, written = tmp_path / f"k{suffix}", OutputLog()
    with open_keypoint_writer(path, VIDEO, written) as export:
        export.write(frame(0), "CPU", [ARM])
        size = path.stat().st_size
        with room_for(size + 100):  # a system call then writes a part of what it is given
            export.write(frame(1), "CPU", [ARM] * 3)
        whole = path.read_text()
        export.write(frame(2), "CPU", [ARM])  # there is room again, but a frame would be missing in between
    assert path.read_text() == whole
    assert len(whole) == size
    assert written.has_failed
    assert capsys.readouterr().err.count("File too large") == 1
    assert written.lines == [f"Wrote {path} (1 frame)"]


def test_a_system_call_that_writes_a_part_only_is_followed_by_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(io.FileIO):
        def write(self, data: Any) -> int:
            return super().write(bytes(data)[:7])

    monkeypatch.setattr("human_pose.files.open", lambda path, mode, buffering: Slow(path, mode), raising=False)
    write(tmp_path / "k.json", [[ARM], [ARM, ARM]])
    assert len(json.loads((tmp_path / "k.json").read_text())) == 3


def test_results_of_an_image_name_its_file_and_load_as_cocos(tmp_path: Path) -> None:
    source = Source("folder", lambda: iter(()), images_from=(Path("b.jpg"), Path("a.jpg")))
    with open_keypoint_writer(tmp_path / "k.json", source) as export:
        for index, name in enumerate(("b.jpg", "a.jpg")):
            export.write(frame(index, name), "CPU", [ARM])
    entries = json.loads((tmp_path / "k.json").read_text())
    assert [(entry["image_id"], entry["file_name"]) for entry in entries] == [(0, "b.jpg"), (1, "a.jpg")]
    coco = pytest.importorskip("pycocotools.coco").COCO()
    coco.dataset = {"images": [{"id": 0}, {"id": 1}], "categories": [{"id": 1}], "annotations": []}
    coco.createIndex()
    assert len(coco.loadRes(str(tmp_path / "k.json")).anns) == 2


# The program


def paint_folder(folder: Path) -> dict[str, tuple[int, int]]:
    """Images of many sizes with a painted person each; name -> by how many cells the person is moved."""
    folder.mkdir()
    shifts = {}
    for number, (columns, rows) in enumerate([(40, 32), (32, 57), (60, 32), (32, 33)]):
        name = f"picture{10 - number}.png"
        shifts[name] = (number % 3, number % 2)
        cv2.imwrite(str(folder / name), paint_person(blank(8 * rows, 8 * columns), shift=shifts[name]))
    return shifts


@pytest.fixture(scope="module")
def open_xml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The painted network with its size left open."""
    from tests.helpers.painted import save_network

    return save_network(tmp_path_factory.mktemp("open"), height=-1, width=-1)


def test_a_folder_of_many_sizes_keeps_every_aspect_ratio(call: Program, open_xml: Path, tmp_path: Path) -> None:
    shifts = paint_folder(tmp_path / "pictures")
    done = call("-i", tmp_path / "pictures", "-m", open_xml, "--size", 256, "--keypoints", tmp_path / "k.jsonl")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (tmp_path / "k.jsonl").read_text().splitlines()]
    assert {line["name"] for line in lines} == set(shifts)
    for line in lines:
        [person] = line["people"]
        found = {name: tuple(place[:2]) for name, place in person["keypoints"].items() if place}
        assert found == pixels(shift=shifts[line["name"]])


def test_a_killed_run_leaves_the_frames_so_far(open_xml: Path, tmp_path: Path) -> None:
    for suffix in (".json", ".jsonl"):
        path = tmp_path / f"k{suffix}"
        command = [sys.executable, ROOT / "human_pose_est.py", "--no-show", "--loop", "-m", open_xml, "--height", 64]
        process = subprocess.Popen(
            [str(part) for part in [*command, "--keypoints", path]],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not (path.exists() and path.stat().st_size > (0 if suffix == ".json" else 2000)):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if suffix == ".json":
            assert isinstance(json.loads(path.read_text()), list)
        else:
            frames = [json.loads(line)["frame"] for line in path.read_text().splitlines()]
            assert frames == list(range(len(frames)))


def test_the_program_refuses_what_is_no_name_for_keypoints(call: Program) -> None:
    done = call("--keypoints", "k.txt", "-m", "mobilenet-thin")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert ".jsonl" in done.stderr


def test_a_score_is_never_rounded_away() -> None:
    [entry] = coco_results(1, [Pose(SKELETON, ARM.keypoints, 0.000012)])
    assert entry["score"] > 0

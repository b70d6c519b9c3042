"""Numbers, calm skeletons and visits in the demo: what is shown, written, and said in the panel."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from human_pose import PoseEstimator
from human_pose.demo.people import People, Seen
from human_pose.media.capture import Frame
from human_pose.media.sources import open_source
from human_pose.poses.pose import Pose
from human_pose.tracking.gate import Gate
from human_pose.tracking.visit_files import NullVisitWriter, open_visit_writer
from tests.conftest import ROOT, Program
from tests.helpers.painted import blank, paint_person
from tests.helpers.pictures import frames_of
from tests.helpers.skeletons import FRAME, pose
from tests.helpers.window import Demo, wait_for

CLIP = ROOT / "videos" / "park.mp4"
FPS = 30
MEMORY_S = 2.0  # instead of 5: how long the tracker remembers who is not seen, in the test of a pause


def frame(index: int, time_s: float | None) -> Frame:
    return Frame(index, np.zeros((*FRAME[::-1], 3), np.uint8), 100.0 + index / FPS, time_s=time_s)


def moved(person: Pose, x: float, y: float = 0.0) -> Pose:
    return replace(person, keypoints=person.keypoints + np.array([x, y, 0], np.float32))


def play(people: People, seconds: float, at: Callable[[float], list[Pose]], start_s: float = 0.0) -> list[Seen]:
    """What is seen of people who are `at(seconds)`, at FPS frames a second."""
    return [
        people.see(frame(index, start_s + index / FPS), at(index / FPS)) for index in range(round(seconds * FPS) + 1)
    ]


def test_a_person_has_a_number_a_time_and_a_line_in_the_panel() -> None:
    seen = play(People(NullVisitWriter()), 3.0, lambda _: [pose()])
    assert [one.id for one in seen[-1].poses] == [1]
    assert dict(seen[-1].marks.labels) == {1: "#1 0:03"}
    assert seen[-1].notes == ("1 since the start",)
    assert dict(seen[FPS].marks.labels) in ({1: "#1 0:00"}, {1: "#1 0:01"})


def test_what_is_shown_is_calm_and_what_is_written_is_as_found() -> None:
    noise = np.random.default_rng(4)

    def trembling(_: float) -> list[Pose]:
        return [moved(pose(), *noise.normal(0, 2, 2))]

    for is_smoothed in (True, False):
        seen = play(People(NullVisitWriter(), is_smoothed=is_smoothed), 4.0, trembling)[FPS:]
        raw, shown = (np.std([getattr(one, what)[0].keypoints[0, 0] for one in seen]) for what in ("poses", "shown"))
        assert raw > 1.5
        assert shown < raw / 2.5 if is_smoothed else shown == raw


def test_a_new_round_of_a_video_has_new_people() -> None:
    people = People(NullVisitWriter())
    play(people, 1.0, lambda _: [pose()])
    seen = play(people, 1.0, lambda _: [pose()])
    assert [one.id for one in seen[-1].poses] == [2]
    assert seen[-1].notes == ("2 since the start",)


def test_images_have_no_clock_and_their_people_no_numbers() -> None:
    people = People(NullVisitWriter())
    for index in range(5):
        seen = people.see(frame(index, None), [pose()])
        assert [one.id for one in seen.poses] == [None]
        assert seen.shown == seen.poses
        assert not seen.marks.labels
        assert seen.notes == ()


def test_the_gate_is_counted_in_the_panel_and_drawn() -> None:
    width = FRAME[0]
    people = People(NullVisitWriter(), gate=Gate(0.5, 1, 0.5, 0))
    seen = play(people, 2.0, lambda s: [moved(pose(), (s / 2 - 0.5) * 1.2 * width)])
    assert seen[0].notes[-1] == "gate: 0 in, 0 out"
    assert seen[-1].notes[-1] == "gate: 1 in, 0 out"
    assert seen[-1].marks.gate == (0.5, 1, 0.5, 0)


def test_visits_are_written_when_they_end_and_at_the_end(tmp_path: Path) -> None:
    with open_visit_writer(tmp_path / "v.jsonl", open_source(str(CLIP))) as writer, People(writer, gap_s=1.0) as people:
        play(people, 4.0, lambda s: [pose()] if s < 1.5 else [])
        [first] = [json.loads(line) for line in (tmp_path / "v.jsonl").read_text().splitlines()]
        play(people, 1.0, lambda s: [pose()], start_s=10.0)
    lines = [json.loads(line) for line in (tmp_path / "v.jsonl").read_text().splitlines()]
    assert lines[0] == first
    assert first["number"] == 1
    assert first["first_s"] == 0
    assert first["last_s"] == pytest.approx(1.5, abs=0.04)
    assert [line["number"] for line in lines] == [1, 2]


@pytest.mark.slow
def test_the_program_numbers_both_people_of_the_bundled_video(call: Program, tmp_path: Path) -> None:
    """In every third of its frames, which are enough to follow them."""
    images = frames_of(CLIP, list(range(0, 140, 3)))
    path, codec = tmp_path / "third.avi", cv2.VideoWriter.fourcc(*"MJPG")
    third = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, FPS / 3, (960, 720))
    for image in images:
        third.write(image)
    third.release()
    files = ["--keypoints", tmp_path / "k.jsonl", "--visits", tmp_path / "v.csv"]
    done = call("-i", path, *files, "--profile")
    assert done.returncode == 0, done.stderr
    assert f"Wrote {tmp_path / 'v.csv'} (2 visits)" in done.stdout
    assert "\ntrack  " in done.stdout
    frames = [json.loads(line)["people"] for line in (tmp_path / "k.jsonl").read_text().splitlines()]
    assert len(frames) == len(images)
    numbers = [person["id"] for people in frames for person in people]
    assert {number for number in numbers if number is not None} == {1, 2}
    assert numbers.count(None) < 0.05 * len(numbers)
    assert {person["id"] for person in frames[-1]} == {1, 2}


def test_numbers_survive_a_change_of_device(call: Program, painted_xml: Path, tmp_path: Path) -> None:
    count = 90
    clip = cv2.VideoWriter(str(tmp_path / "v.avi"), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"FFV1"), FPS, (320, 256))
    for number in range(count):
        second = paint_person(blank(), shift=(19, number % 2))
        clip.write(paint_person(second) if number < 10 else second)  # the first one leaves, so that number 2 is counted
    clip.release()
    arguments = ["-m", painted_xml, "-i", tmp_path / "v.avi", "--realtime", "--devices", "CPU", "AUTO", "--tour", 0.6]
    done = call(*arguments, "--keypoints", tmp_path / "k.jsonl")
    assert done.returncode == 0, done.stderr
    frames = [json.loads(line) for line in (tmp_path / "k.jsonl").read_text().splitlines()]
    [change] = [n for n in range(1, len(frames)) if frames[n]["device"] != frames[n - 1]["device"]]
    before, after = ([person["id"] for person in frames[n]["people"]] for n in (change - 1, change))
    assert before == after
    # Where the machine is so slow that the frames of the first one were dropped, or that the clip starts over, which
    # takes 3 s, they have other numbers.
    has_seen_both = any(2 in [person["id"] for person in frame["people"]] for frame in frames[: change - 1])
    assert after == [2] or not has_seen_both or frames[change]["frame"] >= count


@pytest.mark.slow
def test_numbers_survive_the_frames_that_a_live_source_drops() -> None:
    """Of the bundled clip's poses, those that a device of about 8 FPS would see."""
    found = list(PoseEstimator(size=192).run(CLIP))
    gaps = np.random.default_rng(7).integers(2, 7, 60)
    for start in range(3):
        people = People(NullVisitWriter())
        seen = [people.see(*found[n]) for n in gaps.cumsum() + start if n < len(found)]
        numbers = [[pose.id for pose in one.shown] for one in seen]
        assert set().union(*numbers) == {1, 2}
        assert any(set(of_frame) == {1, 2} for of_frame in numbers)
        assert all(len(set(of_frame)) == len(of_frame) for of_frame in numbers)


@pytest.mark.slow
def test_numbers_survive_a_pause(demo: Callable[..., Demo], painted_xml: Path, tmp_path: Path) -> None:
    """A pause stops the clock of a file. Longer than what the tracker remembers, it would otherwise make new people.

    Here it remembers for 2 s, so that a pause of 3 s is enough.
    """
    slow, keypoints, script = tmp_path / "slow.avi", tmp_path / "k.jsonl", tmp_path / "forgets.py"
    writer = cv2.VideoWriter(str(slow), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"FFV1"), 10, (320, 256))
    for number in range(140):
        writer.write(paint_person(blank(), shift=(abs(number % 38 - 19), 0)))  # to and fro
    writer.release()
    script.write_text(
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import human_pose_est\n"
        "from human_pose.tracking import tracker\n"
        f"tracker.MEMORY_S = {MEMORY_S}\n"
        "human_pose_est.program()\n"
    )

    def written() -> int:
        return len(keypoints.read_bytes().splitlines()) if keypoints.exists() else 0

    window = demo("-m", painted_xml, "-i", slow, "--realtime", "--keypoints", keypoints, script=script)
    wait_for(lambda: written() > 10, "the first frames")
    window.press("space")
    wait_for(window.stands_still, "the pause")
    time.sleep(MEMORY_S + 1)
    window.press("space")
    before = written()
    wait_for(lambda: written() > before + 10, "frames after the pause")
    window.quit()
    frames = [json.loads(line) for line in keypoints.read_text().splitlines()]
    assert set().union(*({person["id"] for person in frame["people"]} for frame in frames)) - {None} == {1}


def test_wrong_use_is_one_line(call: Program, tmp_path: Path) -> None:
    for arguments, said in (
        (("--gate", "0,0,2,1"), "is not a gate"),
        (("--visits", tmp_path / "v.txt"), ".csv or .jsonl"),
        (("--visit-gap", "-1"), "--visit-gap"),
        (("--colours", "rainbow"), "--colours"),
    ):
        done = call(*arguments)
        assert done.returncode == 2
        assert said in done.stderr

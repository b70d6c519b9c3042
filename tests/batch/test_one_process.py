"""Many videos in one process: the demo's poses, what is done is kept, what is broken is listed."""

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from human_pose.batch import piece_files, work
from human_pose.batch.__main__ import main
from human_pose.batch.ledger import WORK_FOLDER
from human_pose.decoders.openpose_fields import KEYPOINTS
from tests.batch.conftest import COUNT, Batch, write_clip
from tests.conftest import Program, room_for


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_files_are_those_of_the_demo(
    batch: Batch, call: Program, clips: Path, tmp_path: Path, painted_xml: Path
) -> None:
    """Pieces of twelve frames: the numbers of the people must not start anew with each."""
    done = batch(clips, "-o", tmp_path / "out", "--piece", 0.2)
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("a", "deep/b"):
        demo = call("-i", clips / f"{name}.avi", "-m", painted_xml, "--keypoints", tmp_path / "demo.jsonl")
        assert demo.returncode == 0, demo.stderr
        assert (tmp_path / "out" / f"{name}.jsonl").read_bytes() == (tmp_path / "demo.jsonl").read_bytes()
    assert [person["id"] for person in lines_of(tmp_path / "out" / "a.jsonl")[18]["people"]] == [1]
    assert f"2 done with {2 * COUNT} frames, 0 done before, 0 failed" in done.stdout
    assert not list((tmp_path / "out" / WORK_FOLDER).glob("*/*"))  # no piece is left


def test_parquet_holds_what_the_lines_hold(batch: Batch, clips: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    batch(clips / "a.avi", "-o", tmp_path / "lines")
    assert batch(clips / "a.avi", "-o", tmp_path / "tables", kind=None).returncode == 0
    table = parquet.read_table(tmp_path / "tables" / "a.parquet")
    rows = table.to_pylist()
    people = [(line, person) for line in lines_of(tmp_path / "lines" / "a.jsonl") for person in line["people"]]
    assert len(rows) == len(people) == COUNT
    for row, (line, person) in zip(rows, people, strict=True):
        assert (row["frame"], row["time_s"], row["id"]) == (line["frame"], line["time_s"], person["id"])
        assert round(row["score"], 4) == person["score"]
        for name in KEYPOINTS:
            values = [row[f"{name}_{what}"] for what in ("x", "y", "score")]
            assert person["keypoints"][name] == (None if values[0] is None else [round(value, 4) for value in values])
    facts = json.loads(table.schema.metadata[b"human_pose"])
    assert (facts["frames"], facts["width"], facts["height"], facts["fps"]) == (COUNT, 320, 256, 30.0)


def test_what_is_done_is_not_done_again(batch: Batch, clips: Path, tmp_path: Path) -> None:
    batch(clips, "-o", tmp_path / "out")
    before = (tmp_path / "out" / "a.jsonl").stat()
    again = batch(clips, "-o", tmp_path / "out")
    assert "0 done with 0 frames, 2 done before, 0 failed" in again.stdout
    write_clip(clips / "deep" / "b.avi", step=3)  # another video under the same name
    (tmp_path / "out" / "a.batch.json").touch()
    replaced = batch(clips, "-o", tmp_path / "out")
    assert "1 done with 30 frames, 1 done before" in replaced.stdout
    assert (tmp_path / "out" / "a.jsonl").stat().st_mtime_ns == before.st_mtime_ns
    assert "2 done with 60 frames" in batch(clips, "-o", tmp_path / "out", "--no-resume").stdout


def test_results_of_other_options_are_not_taken_for_these(batch: Batch, clips: Path, tmp_path: Path) -> None:
    batch(clips, "-o", tmp_path / "out")
    other = batch(clips, "-o", tmp_path / "out", "--threshold", 0.3)
    assert other.returncode == 2
    assert "were made with threshold by default instead of 0.3. Give another --output" in other.stderr


def test_an_interrupted_video_goes_on_with_its_next_piece(
    batch: Batch, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces: list[Path] = []

    def write(path: Path, piece: piece_files.PiecePoses) -> None:
        if stops and len(pieces) == 1:
            raise KeyboardInterrupt
        piece_files.write_piece(path, piece)
        pieces.append(path)

    stops = True
    monkeypatch.setattr(work, "write_piece", write)
    stopped = batch(clips / "a.avi", "-o", tmp_path / "out", "--piece", 0.2)
    assert stopped.returncode == 130
    assert "What is done is kept" in stopped.stderr
    stops = False
    assert batch(clips / "a.avi", "-o", tmp_path / "out", "--piece", 0.2).returncode == 0
    assert len(pieces) == len(set(pieces)) == 3
    assert [line["frame"] for line in lines_of(tmp_path / "out" / "a.jsonl")] == list(range(COUNT))


def test_a_corrupt_video_among_good_ones_is_listed(batch: Batch, clips: Path, tmp_path: Path) -> None:
    whole = (clips / "a.avi").read_bytes()
    (clips / "bad.avi").write_bytes(b"RIFF" + bytes(500))
    (clips / "half.avi").write_bytes(whole[: len(whole) // 2])
    done = batch(clips, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert "is not a video that can be read" in done.stdout
    assert "broke off after" in done.stdout
    assert "3 done with" in done.stdout
    assert "1 failed" in done.stdout
    again = batch(clips, "-o", tmp_path / "out")
    assert again.returncode == 1  # what broke off is done, and still said
    assert "broke off after" in again.stdout


def test_a_full_disk_stops_the_run_in_one_line(batch: Batch, clips: Path, tmp_path: Path) -> None:
    batch(clips / "a.avi", "-o", tmp_path / "warm")  # compiled networks go to files, too
    with room_for(3000):
        full = batch(clips, "-o", tmp_path / "out")
    assert full.returncode == 1
    assert full.stderr.count("\n") == 1
    assert "Cannot write" in full.stderr
    assert "What is done is kept: start the same command again." in full.stderr
    assert not list((tmp_path / "out").rglob("*.jsonl"))
    assert batch(clips, "-o", tmp_path / "out").returncode == 0


def test_the_annotated_video_is_the_demos(
    batch: Batch, call: Program, clips: Path, tmp_path: Path, painted_xml: Path
) -> None:
    assert batch(clips / "a.avi", "-o", tmp_path / "out", "--annotate").returncode == 0
    call("-i", clips / "a.avi", "-m", painted_xml, "-o", tmp_path / "demo.mp4", "--no-panel")
    ours, demos = (cv2.VideoCapture(str(path)) for path in (tmp_path / "out" / "a-poses.mp4", tmp_path / "demo.mp4"))
    for _ in range(COUNT):
        assert np.array_equal(ours.read()[1], demos.read()[1])
    assert not ours.read()[0]


def test_a_video_behind_fsspec(batch: Batch, clips: Path, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    fsspec.filesystem("memory").pipe("/videos/a.avi", (clips / "a.avi").read_bytes())
    done = batch("memory://videos", "-o", tmp_path / "out", "--piece", 0.2)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(lines_of(tmp_path / "out" / "a.jsonl")) == COUNT


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: INPUT"),
        (["a.avi"], "required: -o/--output"),
        (["a.avi", "-o", "file"], "is a file. Give --output a folder"),
        (["a.avi", "-o", "no/where"], "there is no folder"),
        (["a.avi", "-o", "out", "--size", "7"], "is not a multiple of 8"),
        (["a.avi", "-o", "out", "--piece", "0"], "is not a number of seconds"),
        (["a.avi", "-o", "out", "-d", "GPU.7"], "GPU.7"),
        (["a.avi", "-o", "taken"], "is there already, and no run has written it"),
    ],
)
def test_wrong_use_is_one_line(
    arguments: list[str], said: str, tmp_path: Path, clips: Path, painted_xml: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(clips)
    (clips / "file").touch()
    (clips / "taken").mkdir()
    (clips / "taken" / "a.jsonl").touch()
    try:
        code: object = main([*arguments, "--format", "jsonl", "-m", str(painted_xml)])
    except SystemExit as stop:
        code = stop.code
    errors = capsys.readouterr().err
    assert code == 2
    assert errors.count("\n") == 1
    assert said in errors


def test_without_pyarrow_the_poses_are_lines(
    batch: Batch, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert batch(clips / "a.avi", "-o", tmp_path / "out", kind=None).returncode == 0
    assert (tmp_path / "out" / "a.jsonl").exists()
    refused = batch(clips / "a.avi", "-o", tmp_path / "other", kind="parquet")
    assert refused.returncode == 2
    assert "pip install '.[batch]'" in refused.stderr

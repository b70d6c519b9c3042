"""Visits in files: what is in them, and that no visit that has ended is lost, whatever ends the run."""

import csv
import io
import json
import signal
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from human_pose.errors import DemoError, UsageError
from human_pose.media.sources import Source
from human_pose.output_log import OutputLog
from human_pose.tracking.visit_files import COLUMNS, SourceClock, local_time, open_visit_writer
from human_pose.tracking.visits import Visit
from tests.conftest import ROOT, room_for

VIDEO = Source("gym.mp4", lambda: iter(()), fps=25.0)
CAMERA = Source("camera 0", lambda: iter(()), is_live=True)
VISIT = Visit(3, 1.04, 9.5, 7.0004, 2, 1, 0)
HEAD = "number,first_s,last_s,first_clock,last_clock,in_view_s,entries,crossed_in,crossed_out\n"
NOON = datetime(2026, 11, 27, 12, 0, 0, tzinfo=timezone(timedelta(hours=1)))
SUFFIXES = [".csv", ".jsonl"]


class Hands:
    """A clock that is set by hand."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def after(self, seconds: float) -> None:
        self.now = NOON + timedelta(seconds=seconds)


def rows(path: Path) -> list[dict[str, Any]]:
    """The visits in a file; raises where it is not whole."""
    text = path.read_text()
    assert text == "" or text.endswith("\n")
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines()]
    assert text.startswith(HEAD)
    found = list(csv.DictReader(io.StringIO(text)))
    assert all(None not in row and None not in row.values() for row in found)
    return found


def numbers(path: Path) -> list[int]:
    return [int(row["number"]) for row in rows(path)]


def visit(number: int) -> Visit:
    return Visit(number, 0.0, 1.0, 1.0, 1, 0, 0)


def test_a_row_of_csv(tmp_path: Path) -> None:
    with open_visit_writer(tmp_path / "v.csv", VIDEO) as writer:
        writer.write([VISIT])
    assert (tmp_path / "v.csv").read_text() == HEAD + "3,1.04,9.5,,,7.0,2,1,0\n"
    assert ",".join(COLUMNS) + "\n" == HEAD


def test_a_json_line(tmp_path: Path) -> None:
    with open_visit_writer(tmp_path / "v.jsonl", VIDEO) as writer:
        writer.write([VISIT])
    assert rows(tmp_path / "v.jsonl") == [
        {
            "number": 3, "first_s": 1.04, "last_s": 9.5, "first_clock": None, "last_clock": None, "in_view_s": 7.0,
            "entries": 2, "crossed_in": 1, "crossed_out": 0,
        }
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_live_source_has_the_clocks_time(suffix: str, tmp_path: Path) -> None:
    path, clock = tmp_path / f"v{suffix}", Hands()
    with open_visit_writer(path, CAMERA, clock=clock) as writer:
        clock.after(3600)
        writer.write([VISIT])
    [row] = rows(path)
    assert (row["first_clock"], row["last_clock"]) == ("2026-11-27T12:00:01+01:00", "2026-11-27T12:00:09+01:00")


def test_the_first_frame_is_when_its_time_says_so(tmp_path: Path) -> None:
    clock = Hands()
    with open_visit_writer(tmp_path / "v.csv", CAMERA, clock=clock) as writer:
        clock.after(20)  # the network was compiled meanwhile
        writer.write([], time_s=0.0)
        clock.after(30)
        writer.write([VISIT], time_s=10.0)
    assert rows(tmp_path / "v.csv")[0]["first_clock"] == "2026-11-27T12:00:21+01:00"


def test_a_pause_of_the_source_is_in_the_clocks_time(tmp_path: Path) -> None:
    clock = Hands()
    with open_visit_writer(tmp_path / "v.csv", CAMERA, clock=clock) as writer:
        for time_s, clock_s in [(0, 0), (1, 1.25), (2, 2.5), (3, 603.25), (4, 604)]:  # 600 s without a frame
            clock.after(clock_s)
            writer.write([], time_s=time_s)
        writer.write([Visit(1, 1, 2, 1, 1, 0, 0), Visit(2, 2, 4, 2, 1, 0, 0)])
    before, across = rows(tmp_path / "v.csv")
    assert (before["first_clock"], before["last_clock"]) == ("2026-11-27T12:00:01+01:00", "2026-11-27T12:00:02+01:00")
    assert (across["first_clock"], across["last_clock"]) == ("2026-11-27T12:00:02+01:00", "2026-11-27T12:10:04+01:00")


def test_a_clock_that_gets_ahead_by_less_than_a_second_changes_no_earlier_time() -> None:
    hands = Hands()
    clock = SourceClock(hands)
    for index in range(5000):
        hands.after(index + index / 10_000)
        clock.note(index)
    assert clock.at(0.75) == "2026-11-27T12:00:00+01:00"


def test_a_clock_that_wavers_for_weeks_fills_no_memory() -> None:
    hands = Hands()
    clock = SourceClock(hands)
    for index in range(5000):
        hands.after(index + 5 * (index % 2))
        clock.note(index)
    assert clock.at(0) == "2026-11-27T12:00:00+01:00"
    assert clock.at(4998) == (NOON + timedelta(seconds=4998)).isoformat()


def test_the_local_time_has_its_offset() -> None:
    assert local_time().utcoffset() is not None
    assert abs(local_time() - datetime.now(timezone.utc)) < timedelta(minutes=1)


@pytest.mark.parametrize(("suffix", "content"), [(".csv", HEAD), (".jsonl", "")])
def test_the_file_is_there_from_the_start(tmp_path: Path, suffix: str, content: str) -> None:
    path, written = tmp_path / f"v{suffix}", OutputLog()
    path.write_text("an older run\n" * 100)
    with open_visit_writer(path, VIDEO, written):
        assert path.read_text() == content
    assert path.read_text() == content
    assert written.lines == [f"Wrote {path} (0 visits)"]


def test_a_writer_that_was_not_entered_leaves_an_older_file_alone(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("old")
    open_visit_writer(tmp_path / "v.csv", VIDEO)
    assert (tmp_path / "v.csv").read_text() == "old"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_visit_is_in_the_file_at_once(tmp_path: Path, suffix: str) -> None:
    path, written = tmp_path / f"v{suffix}", OutputLog()
    with open_visit_writer(path, VIDEO, written) as writer:
        for number in range(4):
            writer.write([visit(number)])
            assert numbers(path) == list(range(number + 1))
            writer.write([])
        writer.write([visit(4), visit(5)])
        assert numbers(path) == list(range(6))
    assert written.lines == [f"Wrote {path} (6 visits)"]
    assert not written.has_failed


@pytest.mark.parametrize("error", [KeyboardInterrupt(), DemoError("the camera is gone")])
def test_what_ends_the_run_leaves_the_visits_and_says_so(tmp_path: Path, error: BaseException) -> None:
    path, written = tmp_path / "v.csv", OutputLog()
    with pytest.raises(type(error)), open_visit_writer(path, VIDEO, written) as writer:
        writer.write([visit(1)])
        raise error
    assert numbers(path) == [1]
    assert written.lines == [f"Wrote {path} (1 visit)"]


RUN = """
import itertools, signal, sys
from pathlib import Path
from types import SimpleNamespace
from human_pose.tracking.visit_files import open_visit_writer
from human_pose.tracking.visits import Visit

assert "cv2" not in sys.modules
signal.signal(signal.SIGINT, signal.default_int_handler)  # who started the tests may have had it ignored
with open_visit_writer(Path(sys.argv[1]), SimpleNamespace(is_live=True)) as writer:
    for number in itertools.count():
        writer.write([Visit(number, 0.0, 1.0, 1.0, 1, 0, 0)], float(number))
        print(number, flush=True)
"""


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_loses_no_visit_that_has_ended(tmp_path: Path, suffix: str, stop: signal.Signals) -> None:
    path = tmp_path / f"v{suffix}"
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(path)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(200)]
        process.send_signal(stop)
        said += [int(line) for line in process.stdout if line.endswith("\n")]
    found = numbers(path)
    assert found == list(range(len(found)))
    assert len(found) >= len(said) >= 200


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_leaves_the_whole_visits_and_is_said_once(
    tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, written = tmp_path / f"v{suffix}", OutputLog()
    with open_visit_writer(path, VIDEO, written) as writer:
        writer.write([visit(0)])
        size = path.stat().st_size
        with room_for(size + 10):  # a system call then writes a part of the line
            writer.write([visit(1), visit(2)])
            writer.write([visit(3)])
        assert path.stat().st_size == size
        writer.write([visit(4)])  # there is room again, but visits would be missing in between
    assert numbers(path) == [0]
    assert written.has_failed
    assert capsys.readouterr().err.count("File too large. It ends after 1 visit.") == 1
    assert written.lines == [f"Wrote {path} (1 visit)"]


def test_a_disk_that_was_full_at_the_start_stops_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, written = tmp_path / "v.csv", OutputLog()
    with room_for(10), open_visit_writer(path, VIDEO, written) as writer:
        writer.write([visit(0)])
    assert path.read_text() == ""
    assert written.has_failed
    assert capsys.readouterr().err.count("\n") == 1


def test_a_folder_that_is_gone_stops_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "there").mkdir()
    written = OutputLog()
    writer = open_visit_writer(tmp_path / "there" / "v.csv", VIDEO, written)
    (tmp_path / "there").rmdir()
    with writer:
        writer.write([visit(0)])
    assert (written.has_failed, written.lines) == (True, [])
    assert capsys.readouterr().err.count("No such file") == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_system_call_that_writes_a_part_only_is_followed_by_others(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(io.FileIO):
        def write(self, data: Any) -> int:
            return super().write(bytes(data)[:7])

    monkeypatch.setattr("human_pose.files.open", lambda path, mode, buffering: Slow(path, mode), raising=False)
    with open_visit_writer(tmp_path / f"v{suffix}", VIDEO) as writer:
        writer.write([visit(1), visit(2)])
    assert numbers(tmp_path / f"v{suffix}") == [1, 2]


@pytest.mark.parametrize("name", ["v.txt", "v", "v.json", ".csv"])
def test_another_ending_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"ends in \.csv or \.jsonl"):
        open_visit_writer(tmp_path / name, VIDEO)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "message"), [("folder.csv", "it is a folder"), ("no/v.csv", "there is no folder")])
def test_where_no_file_can_be_written_is_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UsageError, match=message):
        open_visit_writer(tmp_path / name, VIDEO)


def test_the_endings_case_does_not_matter(tmp_path: Path) -> None:
    with open_visit_writer(tmp_path / "V.CSV", VIDEO):
        pass
    assert (tmp_path / "V.CSV").read_text() == HEAD

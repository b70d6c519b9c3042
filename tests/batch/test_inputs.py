"""Which videos the inputs name, and what is refused in one line."""

import sys
from pathlib import Path

import pytest

from human_pose.batch.inputs import find_videos, source_stamp
from human_pose.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.mp4", "b.MKV", "notes.txt", "deep/c.avi", ".hidden/d.mp4"):
        file = tmp_path / "in" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    return tmp_path / "in"


def names(*inputs: object) -> list[str]:
    return sorted(video.name for video in find_videos([str(text) for text in inputs]))


def test_a_folder_gives_its_videos_and_keeps_subfolders(folder: Path) -> None:
    assert names(folder) == ["a", "b", "deep/c"]


def test_a_file_is_taken_whatever_its_suffix(folder: Path) -> None:
    assert names(folder / "notes.txt") == ["notes"]


def test_a_pattern_keeps_what_is_below_its_fixed_part(folder: Path) -> None:
    assert names(folder / "**" / "*.avi") == ["deep/c"]
    assert names(folder / "*.mp4", folder) == ["a", "b", "deep/c"]


def test_a_list_names_files_beside_it_folders_and_comments(folder: Path) -> None:
    (folder / "list.txt").write_text(f"# two\na.mp4\n\ndeep/c.avi\n{folder / 'b.MKV'}\n")
    assert names(f"@{folder / 'list.txt'}") == ["a", "b", "deep/c"]


def test_an_address_is_listed_by_fsspec() -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    for name in ("x.mp4", "more/y.mkv", "z.txt"):
        memory.pipe(f"/bucket/{name}", b"x")
    assert names("memory://bucket") == ["more/y", "x"]
    assert names("memory://bucket/*.mp4") == ["x"]
    before = source_stamp("memory://bucket/x.mp4")
    memory.pipe("/bucket/x.mp4", b"longer")
    assert source_stamp("memory://bucket/x.mp4") != before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nowhere.mp4", "no such file"),
        ("*.nothing", "No file fits"),
        ("@nolist.txt", "Cannot read the list"),
        ("s4://bucket/a.mp4", "Protocol not known"),
        ("memory://empty/a.mp4", "no video at"),
    ],
)
def test_what_names_no_video_is_refused_in_one_line(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=said) as raised:
        find_videos([text])
    assert "\n" not in str(raised.value)


def test_two_videos_of_one_name_are_refused(folder: Path) -> None:
    (folder / "deep" / "a.mp4").write_bytes(b"x")
    with pytest.raises(UsageError, match="would both become 'a'"):
        find_videos([str(folder / "a.mp4"), str(folder / "deep" / "a.mp4")])


def test_an_address_without_fsspec_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(UsageError, match="needs fsspec: pip install"):
        find_videos(["s3://bucket/a.mp4"])

"""Annotated pictures arrive whole: as a video that keeps its source's time, as an image, as a folder of images."""

import contextlib
import functools
import os
import shutil
import threading
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from human_pose.errors import DemoError, UsageError
from human_pose.files import write_whole
from human_pose.media import encoder as encoder_module
from human_pose.media.capture import Frame, open_capture
from human_pose.media.encoder import VIDEO_SUFFIXES, Codec, choose_codec
from human_pose.media.sources import IMAGE_SUFFIXES, Source
from human_pose.media.writer import LIST_OF_IMAGES, ImageWriter, NullWriter, VideoWriter, open_writer, write_image
from human_pose.output_log import OutputLog
from tests.conftest import missing_program, room_for
from tests.helpers.pictures import read_picture

HEIGHT, WIDTH = 48, 64


def grey(number: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """A picture as bright as `number`, 0 to 12."""
    return np.full((height, width, 3), 20 * number, np.uint8)


def frame(index: int, name: str | None = None) -> Frame:
    return Frame(index, grey(0), 0.0, name)


def video_source(fps: float | None = 25.0) -> Source:
    return Source("video.mp4", lambda: iter(()), fps=fps)


def image_source(count: int, name: str = "images") -> Source:
    return Source(name, lambda: iter(()), frame_count=count, images_from=tuple(Path(f"{n}.png") for n in range(count)))


def write_video(path: Path, pictures: dict[int, np.ndarray], fps: float = 25.0) -> OutputLog:
    """Write pictures by the index of their frame."""
    written = OutputLog()
    with open_writer(str(path), video_source(fps), written) as writer:
        for index, picture in pictures.items():
            writer.write(frame(index), picture)
    return written


@pytest.fixture(autouse=True)
def known_codecs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask an ffmpeg once for the codecs that it has, not for each video; test_encoder.py is about this question."""
    monkeypatch.setattr(encoder_module, "choose_codec", choose_codec_once)


def choose_codec_once(program: str, path: Path, fps: Fraction, picture: np.ndarray) -> Codec | None:
    height, width = picture.shape[:2]
    return cached_codec(program, path.suffix.lower(), height % 2, width % 2)


@functools.cache
def cached_codec(program: str, suffix: str, *odd: int) -> Codec | None:
    return choose_codec(program, Path(f"x{suffix}"), Fraction(25), grey(3, HEIGHT + odd[0], WIDTH + odd[1]))


@pytest.fixture(params=["ffmpeg", "OpenCV"])
def encoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the program ffmpeg, and on a machine that does not have it."""
    if request.param == "OpenCV":
        monkeypatch.setenv("PATH", "")
    elif shutil.which("ffmpeg") is None:
        missing_program("ffmpeg")
    return str(request.param)


def read_video(path: Path) -> list[np.ndarray]:
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    pictures: list[np.ndarray] = []
    while True:
        is_read, picture = video.read()
        if not is_read:
            return pictures
        pictures.append(picture)


def numbers_of(path: Path) -> list[int]:
    """How bright the pictures of a video are."""
    return [round(picture.mean() / 20) for picture in read_video(path)]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != LIST_OF_IMAGES)


# ---- a video ----


@pytest.mark.usefixtures("encoder")
@pytest.mark.parametrize("suffix", [*VIDEO_SUFFIXES, ".MP4"])
def test_video_has_the_frames_the_size_and_the_rate_that_were_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    written = write_video(path, {number: grey(number) for number in range(12)}, fps=12.5)
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(12.5)
    assert (video.get(cv2.CAP_PROP_FRAME_WIDTH), video.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (WIDTH, HEIGHT)
    assert numbers_of(path) == list(range(12))
    assert names_in(tmp_path) == [path.name]
    [line] = written.lines
    assert line.startswith(f"Wrote {path} (12 frames, ")
    assert not written.has_failed


RATES = [0.2, 7.5, 29.97002997, 59.94, 66.667, 71.4286, 83.333, 119.987, 142.857, 239.76, 1000]
FFMPEGS = [0.2, 29.97002997, 71.4286, 1000]  # it has no rates that are hard to store, and starts thrice for a video


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_every_frame_rate_can_be_written(tmp_path: Path, encoder: str, suffix: str) -> None:
    for fps in FFMPEGS if encoder == "ffmpeg" else RATES:
        path = tmp_path / f"{fps}{suffix}"
        assert not write_video(path, {number: grey(number) for number in range(4)}, fps).has_failed
        assert cv2.VideoCapture(str(path), cv2.CAP_FFMPEG).get(cv2.CAP_PROP_FPS) == pytest.approx(fps, rel=1e-3)
        assert numbers_of(path) == list(range(4))


def test_video_of_a_source_without_a_clock_has_30_fps(tmp_path: Path) -> None:
    with open_writer(str(tmp_path / "out.mp4"), video_source(fps=None)) as writer:
        writer.write(frame(0), grey(1))
    assert cv2.VideoCapture(str(tmp_path / "out.mp4")).get(cv2.CAP_PROP_FPS) == pytest.approx(30)


def test_video_gets_its_name_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_text("the former video")
    with open_writer(str(path), video_source()) as writer:
        for number in range(5):
            writer.write(frame(number), grey(number))
        assert path.read_text() == "the former video"
        assert len(names_in(tmp_path)) == 2
    assert numbers_of(path) == list(range(5))
    assert names_in(tmp_path) == ["out.mp4"]


def test_video_of_a_run_cut_short_can_be_played(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), open_writer(str(tmp_path / "out.mp4"), video_source()) as writer:
        for number in range(5):
            writer.write(frame(number), grey(number))
        raise KeyboardInterrupt
    assert numbers_of(tmp_path / "out.mp4") == list(range(5))
    assert names_in(tmp_path) == ["out.mp4"]


def test_video_without_a_frame_is_no_file(tmp_path: Path) -> None:
    write_video(tmp_path / "out.mp4", {})
    assert names_in(tmp_path) == []


def test_dropped_frames_are_filled_with_the_picture_after_them(tmp_path: Path) -> None:
    write_video(tmp_path / "out.avi", {index: grey(index) for index in (0, 1, 4, 5, 9)})
    assert numbers_of(tmp_path / "out.avi") == [0, 1, 4, 4, 4, 5, 9, 9, 9, 9]


def test_video_starts_with_the_first_frame_that_came(tmp_path: Path) -> None:
    write_video(tmp_path / "out.avi", {index: grey(index) for index in (7, 8, 10)})
    assert numbers_of(tmp_path / "out.avi") == [7, 8, 10, 10]


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_frame_of_another_size_keeps_the_video_playable(tmp_path: Path, suffix: str) -> None:
    sizes = [(48, 64), (30, 100), (100, 30), (96, 128), (480, 640), (49, 65), (1, 1), (1, 500), (48, 64)]
    pictures = {index: grey(10, *size) for index, size in enumerate(sizes)}
    write_video(tmp_path / f"out{suffix}", pictures)
    shown = read_video(tmp_path / f"out{suffix}")
    assert [picture.shape for picture in shown] == [(HEIGHT, WIDTH, 3)] * len(sizes)
    assert all(picture[0, 0].mean() > 100 for picture in shown)  # each is there, in the top left corner


def test_picture_of_another_size_keeps_its_aspect(tmp_path: Path) -> None:
    write_video(tmp_path / "out.avi", {0: grey(0), 1: grey(10, 48, 32), 2: grey(10, 32, 128)})
    _, narrow, wide = (picture.mean(axis=2) > 100 for picture in read_video(tmp_path / "out.avi"))
    assert narrow[:, :30].all()
    assert not narrow[:, 34:].any()
    assert wide[:14].all()
    assert not wide[18:].any()


@pytest.mark.parametrize(
    ("suffix", "height", "width"),
    [
        *((suffix, *size) for suffix in (".mp4", ".avi") for size in ((49, 65), (48, 65), (49, 64), (3, 3))),
        *((suffix, 49, 65) for suffix in (".mkv", ".mov")),  # the same codec as in .mp4
    ],
)
def test_odd_size_is_kept_or_what_was_cut_is_said(
    tmp_path: Path, encoder: str, suffix: str, height: int, width: int
) -> None:
    path = tmp_path / f"out{suffix}"
    written = write_video(path, {number: grey(number, height, width) for number in range(5)})
    is_cut = encoder == "OpenCV" and suffix != ".avi"
    size = (height // 2 * 2, width // 2 * 2) if is_cut else (height, width)
    assert [picture.shape[:2] for picture in read_video(path)] == [size] * 5
    assert numbers_of(path) == list(range(5))
    assert ("cut off" in written.lines[0]) == is_cut


@pytest.mark.parametrize("name", ["out.txt", "out.gif", "out.png", "out", "out.mp4.part"])
def test_unknown_ending_of_a_video_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"\.mp4"):
        open_writer(str(tmp_path / name), video_source())
    assert names_in(tmp_path) == []


def test_missing_codec_costs_the_video_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cv2.VideoWriter, "isOpened", lambda self: False)
    written = write_video(tmp_path / "out.avi", {0: grey(0), 1: grey(1)})
    assert written.has_failed
    assert capsys.readouterr().err.count("no codec for .avi") == 1
    assert written.lines == names_in(tmp_path) == []


@pytest.mark.parametrize("name", ["out.mp4", "out.avi"])
def test_folder_of_a_videos_name_is_refused_before_the_run(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match=name):
        open_writer(str(tmp_path / name), video_source())
    assert names_in(tmp_path) == [name]


def test_video_that_finds_a_folder_in_its_place_at_the_end_is_kept_beside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = OutputLog()
    with open_writer(str(tmp_path / "out.mp4"), video_source(), written) as writer:
        writer.write(frame(0), grey(3))
        (tmp_path / "out.mp4").mkdir()
    assert written.has_failed
    assert not written.lines
    [kept] = tmp_path.glob(".human-pose-*.mp4")
    assert f"The video is in '{kept}'" in capsys.readouterr().err
    assert numbers_of(kept) == [3]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_disk_that_fills_ends_the_video_at_once_and_keeps_it(
    tmp_path: Path, encoder: str, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (8, 240, 320, 3), np.uint8)
    path, written = tmp_path / f"out{suffix}", OutputLog()
    with room_for(2_000_000), open_writer(str(path), video_source(), written) as writer:
        for index in range(400):
            writer.write(frame(index), noise[index % 8])
            if written.has_failed:
                break
        assert index < 399
        assert f"'{path}' ends after " in capsys.readouterr().err
        writer.write(frame(index), noise[0])  # the run goes on
    frames = len(read_video(path))
    assert 10 < frames <= index
    assert written.lines[0].startswith(f"Wrote {path} ({frames} frames")
    assert names_in(tmp_path) == [path.name]


# ---- images ----


def test_image_becomes_one_file(tmp_path: Path) -> None:
    with open_writer(str(tmp_path / "out.png"), image_source(1)) as writer:
        writer.write(frame(0, "in.jpg"), grey(3))
    assert names_in(tmp_path) == ["out.png"]
    assert (read_picture(tmp_path / "out.png") == grey(3)).all()


@pytest.mark.parametrize("suffix", [*sorted(IMAGE_SUFFIXES), ".JPG"])
def test_image_of_every_format_that_is_read_can_be_written(tmp_path: Path, suffix: str) -> None:
    with open_writer(str(tmp_path), image_source(2)) as writer:
        writer.write(frame(0, f"Größe{suffix}"), grey(3))
    written = "Größe.pgm.png" if suffix == ".pgm" else f"Größe{suffix}"  # .pgm has no colours
    assert names_in(tmp_path) == [written]
    picture = cv2.imdecode(np.fromfile(tmp_path / written, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    np.testing.assert_allclose(picture, grey(3), atol=2)


def test_images_keep_their_names_in_a_folder_that_is_made(tmp_path: Path) -> None:
    with open_writer(str(tmp_path / "out"), image_source(3)) as writer:
        for number, name in enumerate(("a.png", "b.bmp", "c 1.ppm")):
            writer.write(frame(number, name), grey(number))
    assert names_in(tmp_path) == ["out"]
    assert names_in(tmp_path / "out") == ["a.png", "b.bmp", "c 1.ppm"]
    assert (read_picture(tmp_path / "out" / "b.bmp") == grey(1)).all()


def test_folder_that_is_there_keeps_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with open_writer(str(tmp_path), image_source(1)) as writer:
        writer.write(frame(0, "a.png"), grey(1))
    assert names_in(tmp_path) == ["a.png", "notes.txt"]


def test_picture_without_a_name_gets_its_number(tmp_path: Path) -> None:
    ImageWriter(tmp_path, is_folder=True, written=OutputLog()).write(frame(12), grey(1))
    assert names_in(tmp_path) == ["000012.png"]


def test_images_become_a_video_too(tmp_path: Path) -> None:
    with open_writer(str(tmp_path / "out.mp4"), image_source(3)) as writer:
        for number in range(3):
            writer.write(frame(number, f"{number}.png"), grey(number))
    assert numbers_of(tmp_path / "out.mp4") == [0, 1, 2]


def test_several_images_do_not_go_into_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="several"):
        open_writer(str(tmp_path / "out.png"), image_source(2))


def test_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(UsageError, match="is a file"):
        open_writer(str(tmp_path / "out"), image_source(2))
    assert (tmp_path / "out").read_text() == "in the way"


def test_folder_of_an_images_name_is_refused_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "out.png").mkdir()
    with pytest.raises(UsageError, match=r"out\.png"):
        open_writer(str(tmp_path / "out.png"), image_source(1))


# ---- where to ----


def test_without_an_output_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with open_writer(None, video_source()) as writer:
        writer.write(frame(0), grey(0))
    assert type(writer) is NullWriter
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("output", ["in/a.png", "in/../in/a.png", "link.png"])
def test_output_that_is_the_input_image_is_refused(tmp_path: Path, output: str) -> None:
    (tmp_path / "in").mkdir()
    write_image(tmp_path / "in" / "a.png", grey(1))
    (tmp_path / "link.png").symlink_to(tmp_path / "in" / "a.png")
    with pytest.raises(UsageError, match="input itself"):
        open_writer(str(tmp_path / output), open_capture(str(tmp_path / "in" / "a.png")).source)


def test_output_that_is_the_input_video_is_refused(tmp_path: Path) -> None:
    write_video(tmp_path / "in.mp4", {0: grey(1)})
    with pytest.raises(UsageError, match="input itself"):
        open_writer(str(tmp_path / "in.mp4"), open_capture(str(tmp_path / "in.mp4")).source)


def test_output_that_is_the_input_folder_is_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", grey(1))
    with pytest.raises(UsageError, match="input itself"):
        open_writer(str(tmp_path), open_capture(str(tmp_path)).source)


@pytest.mark.parametrize(("source", "output"), [("in/a.png", "in"), ("in", "in/a.png")])
def test_output_never_overwrites_the_input(tmp_path: Path, source: str, output: str) -> None:
    (tmp_path / "in").mkdir()
    write_image(tmp_path / "in" / "a.png", grey(1))
    before = (tmp_path / "in" / "a.png").read_bytes()
    with (
        contextlib.suppress(UsageError),
        open_capture(str(tmp_path / source)) as capture,
        open_writer(str(tmp_path / output), capture.source) as writer,
    ):
        while (read := capture.read(wait_s=5)) is not None:
            writer.write(read, grey(9))
    assert (tmp_path / "in" / "a.png").read_bytes() == before


@pytest.mark.parametrize(
    ("source", "name"), [(video_source(), "out.mp4"), (image_source(1), "out.png"), (image_source(2), "out")]
)
def test_missing_parent_folder_is_refused(tmp_path: Path, source: Source, name: str) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        open_writer(str(tmp_path / "absent" / name), source)
    assert names_in(tmp_path) == []


def test_output_beside_the_program_needs_no_folder_in_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_video(Path("out.mp4"), {0: grey(1)})
    write_image(Path("out.png"), grey(1))
    assert names_in(tmp_path) == ["out.mp4", "out.png"]


def test_two_writers_of_one_folder_do_not_meet(tmp_path: Path) -> None:
    written = OutputLog()
    with VideoWriter(tmp_path / "a.mp4", 25, written) as one, VideoWriter(tmp_path / "b.mp4", 25, written) as other:
        for number in range(5):
            one.write(frame(number), grey(1))
            other.write(frame(number), grey(2))
    assert (numbers_of(tmp_path / "a.mp4"), numbers_of(tmp_path / "b.mp4")) == ([1] * 5, [2] * 5)
    assert names_in(tmp_path) == ["a.mp4", "b.mp4"]


# ---- write_image, write_whole ----


def test_unknown_ending_of_an_image_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="cannot encode"):
        write_image(tmp_path / "out.xyz", grey(1))
    assert names_in(tmp_path) == []


def test_whole_file_replaces_the_former_one(tmp_path: Path) -> None:
    for data in (b"first, and longer", b"second"):
        write_whole(tmp_path / "file.json", data)
        assert (tmp_path / "file.json").read_bytes() == data
    assert names_in(tmp_path) == ["file.json"]


def test_nobody_sees_half_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = {bytes([i]) * 1_000_000 for i in range(20)}
    write_whole(path, next(iter(contents)))
    seen: list[bool] = []
    is_over = threading.Event()

    def look() -> None:
        while not is_over.is_set():
            seen.append(path.read_bytes() in contents)

    thread = threading.Thread(target=look)
    thread.start()
    for data in contents:
        write_whole(path, data)
    is_over.set()
    thread.join()
    assert seen
    assert all(seen)


def test_written_file_can_be_read_by_everybody(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", b"data")
    assert (tmp_path / "file").stat().st_mode & 0o444 == 0o444


def test_folder_in_the_files_place_is_an_error_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "out.png").mkdir()
    with pytest.raises(DemoError, match="Cannot write"):
        write_whole(tmp_path / "out.png", b"data")
    assert names_in(tmp_path) == ["out.png"]


def test_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="Cannot write"):
        write_whole(tmp_path / "absent" / "file", b"data")
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("size", [5_000, 500_000])
def test_full_disk_leaves_the_former_file_and_nothing_else(tmp_path: Path, size: int) -> None:
    (tmp_path / "file").write_text("former")
    with room_for(1_000), pytest.raises(DemoError, match="Make room"):
        write_whole(tmp_path / "file", os.urandom(size))
    assert (tmp_path / "file").read_text() == "former"
    assert names_in(tmp_path) == ["file"]

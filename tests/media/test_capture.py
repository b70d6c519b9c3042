"""Frames come each once and in order from a file, the newest from a live source, and an error is said in one line."""

import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote_to_bytes

import cv2
import numpy as np
import pytest

from human_pose.errors import DemoError, UsageError
from human_pose.files import opencv_path
from human_pose.media import capture as capture_module
from human_pose.media.capture import QUEUED_FRAMES, Capture, Frame, open_capture
from human_pose.media.sources import IMAGE_SUFFIXES, Images, Source, as_bgr

HEIGHT, WIDTH = 64, 128
WAIT_S = 10.0  # longer than anything here takes
CODECS = {".avi": "MJPG", ".mp4": "mp4v", ".mkv": "mp4v"}


def numbered(number: int) -> np.ndarray:
    """A picture that shows `number` as eight bright or dark stripes."""
    bits = [255 * (number >> bit & 1) for bit in range(8)]
    return np.broadcast_to(np.repeat(np.array(bits, np.uint8), WIDTH // 8)[:, None], (HEIGHT, WIDTH, 3)).copy()


def number_of(image: np.ndarray) -> int:
    """The number that a picture shows."""
    return sum(int(image[:, 16 * bit + 4 : 16 * bit + 12].mean() > 127) << bit for bit in range(8))


def write_video(path: Path, count: int, fps: float = 25.0) -> Path:
    video = cv2.VideoWriter(
        str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*CODECS[path.suffix]), fps, (WIDTH, HEIGHT)
    )
    assert video.isOpened()
    for number in range(count):
        video.write(numbered(number))
    video.release()
    return path


def read_all(capture: Capture) -> list[Frame]:
    """Every frame up to the end."""
    frames: list[Frame] = []
    while (frame := capture.read(wait_s=WAIT_S)) is not None:
        frames.append(frame)
    assert capture.is_over
    return frames


def read_one(capture: Capture) -> Frame:
    frame = capture.read(wait_s=WAIT_S)
    assert frame is not None
    return frame


def capture_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "capture"]


def until_thread_ends() -> None:
    for thread in capture_threads():
        thread.join(WAIT_S)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Whatever a test does with captures, their threads are gone after it."""
    yield
    assert capture_threads() == []


# ---- a video file ----


@pytest.mark.parametrize("suffix", CODECS)
def test_frames_of_a_video_come_each_once_and_in_order(tmp_path: Path, suffix: str) -> None:
    with open_capture(str(write_video(tmp_path / f"video{suffix}", 60))) as capture:
        assert capture.frame_size == (WIDTH, HEIGHT)
        assert capture.frame_count == 60
        assert capture.source.fps == pytest.approx(25)
        frames = read_all(capture)
    assert [frame.index for frame in frames] == list(range(60))
    assert [number_of(frame.image) for frame in frames] == list(range(60))
    assert all(frame.image.shape == (HEIGHT, WIDTH, 3) and frame.image.dtype == np.uint8 for frame in frames)
    assert capture.dropped == 0


def test_frames_are_stamped_in_order(tmp_path: Path) -> None:
    before = time.perf_counter()
    with open_capture(str(write_video(tmp_path / "video.avi", 10))) as capture:
        stamps = [before, *(frame.captured_at for frame in read_all(capture)), time.perf_counter()]
    assert stamps == sorted(stamps)


def test_loop_starts_over_and_goes_on_counting(tmp_path: Path) -> None:
    with open_capture(str(write_video(tmp_path / "video.avi", 10)), loop=True) as capture:
        frames = [read_one(capture) for _ in range(35)]
        assert capture.frame_count is None
        assert not capture.is_over
    assert [frame.index for frame in frames] == list(range(35))
    assert [number_of(frame.image) for frame in frames] == [i % 10 for i in range(35)]


def test_bundled_video_has_the_frames_that_its_container_states(root: Path) -> None:
    with open_capture(str(root / "videos" / "park.mp4")) as capture:
        stated = capture.frame_count
        indices = [frame.index for frame in read_all(capture)]
    assert stated is not None
    assert indices == list(range(stated))


def test_after_the_end_there_is_no_frame_for_ever(tmp_path: Path) -> None:
    with open_capture(str(write_video(tmp_path / "video.avi", 3))) as capture:
        assert not capture.is_over
        assert len(read_all(capture)) == 3
        assert [capture.read(wait_s=0.01) for _ in range(5)] == [None] * 5
        assert capture.is_over


def test_reading_before_the_next_frame_is_there_gives_none() -> None:
    may_go_on = threading.Event()

    def images() -> Images:
        yield numbered(0), None
        may_go_on.wait(WAIT_S)
        yield numbered(1), None

    with Capture(Source("slow", images)) as capture:
        assert read_one(capture).index == 0
        assert capture.read() is None
        assert not capture.is_over
        may_go_on.set()
        assert read_one(capture).index == 1


def test_truncated_video_gives_what_is_there_and_names_both_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = write_video(tmp_path / "video.avi", 100)
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    with open_capture(str(video)) as capture:
        first = read_one(capture)
        assert not capture.has_broken_off
        frames = [first, *read_all(capture)]
        assert capture.has_broken_off
    assert 40 < len(frames) < 60
    assert [number_of(frame.image) for frame in frames[:-1]] == list(range(len(frames) - 1))
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"after {len(frames)} of 100 frames" in error


def test_whole_video_ends_without_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_capture(str(write_video(tmp_path / "video.mp4", 30))) as capture:
        read_all(capture)
        assert not capture.has_broken_off
    assert capsys.readouterr() == ("", "")


def test_bundled_video_cut_short_names_both_counts(
    tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (root / "videos" / "park.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 4])
    with open_capture(str(tmp_path / "cut.mp4")) as capture:
        count = len(read_all(capture))
        stated = capture.frame_count
    assert f"after {count} of {stated} frames" in capsys.readouterr().err


# ---- what is no source ----


@pytest.mark.parametrize("name", ["file.mp4", "file.avi", "file", "file.txt", "file.png", "file.jpg"])
@pytest.mark.parametrize(
    "content",
    [b"", b"This is a text.\n" * 100, np.random.default_rng(1).bytes(20_000)],
    ids=["empty", "text", "random bytes"],
)
def test_file_that_is_neither_video_nor_image_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=name) as caught, open_capture(str(tmp_path / name)):
        pass
    assert "\n" not in str(caught.value)
    until_thread_ends()


@pytest.mark.parametrize("name", ["absent.mp4", "absent.png", "absent", "no folder/absent.mp4"])
def test_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no such file"):
        open_capture(str(tmp_path / name))


def test_video_without_a_frame_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"empty\.avi"), open_capture(str(write_video(tmp_path / "empty.avi", 0))):
        pass
    until_thread_ends()


# ---- names and kinds of files ----

OPEN_ALL = """
import os, sys
from human_pose.media.capture import open_capture
for source in sys.argv[1:]:
    try:
        with open_capture(source) as capture:
            count = 0
            while not capture.is_over:
                count += capture.read(wait_s=0.1) is not None
            print(count)
    except Exception as error:
        print(type(error).__name__, ascii(str(error)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow no such names")
def test_a_name_may_have_any_bytes(tmp_path: Path, root: Path, served: str) -> None:
    """In a process of its own: OpenCV crashes at a name that is not UTF-8."""
    folder = tmp_path / os.fsdecode(b"dir\xe9")
    folder.mkdir()
    with opencv_path(folder / "video.mp4") as name:  # for what is to be written, too
        write_video(Path(name), 5)
    shutil.copy(folder / "video.mp4", folder / os.fsdecode(b"\xff.mp4"))
    shutil.copy(folder / "video.mp4", tmp_path / "a:b %d.mp4")
    (folder / os.fsdecode(b"\xff.png")).write_bytes(cv2.imencode(".png", numbered(1))[1].tobytes())
    sources: list[bytes] = [
        b"dir\xe9/\xff.mp4", b"dir\xe9/video.mp4", b"dir\xe9/\xff.png", b"dir\xe9", b"a:b %d.mp4",
        os.fsencode(f"file://{tmp_path}/") + b"dir\xe9/\xff.mp4", os.fsencode(served) + b"/dir\xe9/\xff.mp4",
        os.fsencode(served) + b"/\xff.mp4", b"\xff.mp4",
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", OPEN_ALL, *sources],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert lines[:7] == ["5", "5", "1", "1", "5", "5", "5"], done
    assert lines[7].startswith('DemoError "Cannot open the stream')
    assert lines[8].startswith("UsageError \"Cannot open '\\udcff.mp4': no such file.")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")
def test_a_pipe_is_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("pipe.mp4", "pipe.png"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(UsageError, match=f"{name}' is a pipe or a device, not a file"):
            open_capture(str(tmp_path / name))
    write_image(tmp_path / "a.png", numbered(3))
    with open_capture(str(tmp_path)) as capture:
        assert [number_of(frame.image) for frame in read_all(capture)] == [3]
    assert "pipe.png': no image" in capsys.readouterr().err


def test_a_file_that_must_not_be_read_is_named_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = write_video(tmp_path / "video.mp4", 3)

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UsageError, match=r"Cannot read '.*video.mp4': Permission denied\."):
        open_capture(str(video))


# ---- images ----


def write_image(path: Path, image: np.ndarray) -> Path:
    """The name may have letters that cv2.imwrite knows not on every system."""
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())
    return path


@pytest.mark.parametrize("suffix", [*sorted(IMAGE_SUFFIXES), ".PNG"])
def test_image_of_any_format_is_a_single_frame(tmp_path: Path, suffix: str) -> None:
    picture = numbered(5)[..., 0] if suffix == ".pgm" else numbered(5)
    with open_capture(str(write_image(tmp_path / f"Größe 1{suffix}", picture))) as capture:
        assert capture.frame_size == (WIDTH, HEIGHT)
        assert capture.frame_count == 1
        assert capture.source.images_from
        (frame,) = read_all(capture)
    assert (frame.index, frame.name, number_of(frame.image)) == (0, f"Größe 1{suffix}", 5)


def test_images_of_a_folder_come_in_natural_order_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["a.png", "frame1.png", "frame2.PNG", "Frame3.png", "frame10.png", "frame11b2.png", "frame11b10.png"]
    for number in (3, 0, 6, 2, 5, 1, 4):
        write_image(tmp_path / names[number], numbered(number))
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "deeper").mkdir()
    write_image(tmp_path / "deeper" / "b.png", numbered(99))
    with open_capture(str(tmp_path)) as capture:
        assert capture.frame_count == 7
        frames = read_all(capture)
    assert [frame.name for frame in frames] == names
    assert [number_of(frame.image) for frame in frames] == [frame.index for frame in frames] == list(range(7))
    assert capsys.readouterr().err == ""


def test_loop_repeats_an_image(tmp_path: Path) -> None:
    with open_capture(str(write_image(tmp_path / "a.png", numbered(7))), loop=True) as capture:
        frames = [read_one(capture) for _ in range(5)]
    assert [(frame.index, number_of(frame.image)) for frame in frames] == [(i, 7) for i in range(5)]


def test_broken_image_of_a_folder_is_skipped_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_image(tmp_path / "1.png", numbered(1))
    (tmp_path / "2.png").write_bytes(b"broken")
    (tmp_path / "3.jpg").touch()
    (tmp_path / "4.png").mkdir()
    write_image(tmp_path / "5.png", numbered(5))
    with open_capture(str(tmp_path)) as capture:
        frames = read_all(capture)
    assert [(frame.index, frame.name, number_of(frame.image)) for frame in frames] == [(0, "1.png", 1), (1, "5.png", 5)]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert all(name in line for name, line in zip(("2.png", "3.jpg", "4.png"), lines, strict=True))


def test_folder_of_broken_images_is_refused(tmp_path: Path) -> None:
    for name in ("1.png", "2.jpg"):
        (tmp_path / name).write_bytes(b"broken")
    with pytest.raises(UsageError, match="None of the 2 images"), open_capture(str(tmp_path)):
        pass
    until_thread_ends()


def test_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "video.mp4").touch()
    with pytest.raises(UsageError, match="no image"):
        open_capture(str(tmp_path))


@pytest.mark.parametrize(
    ("pixel", "bgr"),
    [
        (np.uint8(200), (200, 200, 200)),
        (np.uint16(0xC800), (200, 200, 200)),
        (np.array([10, 20, 30], np.uint8), (10, 20, 30)),
        (np.array([0x0A00, 0x1400, 0x1E00], np.uint16), (10, 20, 30)),
        (np.array([10, 20, 30, 255], np.uint8), (10, 20, 30)),
    ],
    ids=["grey", "grey 16 bit", "colour", "colour 16 bit", "transparent"],
)
def test_image_of_any_depth_becomes_bgr_of_8_bit(tmp_path: Path, pixel: np.ndarray, bgr: tuple[int, ...]) -> None:
    image = np.broadcast_to(pixel, (20, 30, *np.shape(pixel))).copy()
    with open_capture(str(write_image(tmp_path / "a.png", image))) as capture:
        (frame,) = read_all(capture)
    assert (frame.image.shape, frame.image.dtype) == ((20, 30, 3), np.uint8)
    assert (frame.image == bgr).all()


@pytest.mark.parametrize(
    ("shape", "pixel", "bgr"),
    [
        ((4, 6), 9, (9, 9, 9)),
        ((4, 6, 1), 9, (9, 9, 9)),
        ((4, 6, 3), (1, 2, 3), (1, 2, 3)),
        ((4, 6, 4), (1, 2, 3, 4), (1, 2, 3)),
    ],
    ids=["2-D", "1", "3", "4"],
)
def test_as_bgr_takes_any_number_of_channels(
    shape: tuple[int, ...], pixel: int | tuple[int, ...], bgr: tuple[int, ...]
) -> None:
    image = np.empty(shape, np.uint8)
    image[:] = pixel
    converted = as_bgr(image)
    assert (converted.shape, converted.dtype) == ((4, 6, 3), np.uint8)
    assert (converted == bgr).all()


# ---- the thread ----


class Endless:
    """Gives numbered pictures without end, and remembers whether it was released."""

    def __init__(self) -> None:
        self.is_released = False

    def __call__(self) -> Images:
        try:
            number = 0
            while True:
                yield numbered(number % 256), None
                number += 1
        finally:
            self.is_released = True


@pytest.mark.parametrize("is_live", [False, True])
@pytest.mark.parametrize("realtime", [False, True])
def test_closing_early_ends_the_thread_and_releases_the_source(is_live: bool, realtime: bool) -> None:
    images = Endless()
    with Capture(
        Source("endless", images, fps=0.01 if realtime else 25, is_live=is_live), realtime=realtime
    ) as capture:
        read_one(capture)
        assert len(capture_threads()) == 1
    assert capture_threads() == []
    assert images.is_released


def test_file_is_read_ahead_by_a_few_frames_only() -> None:
    given = [threading.Event() for _ in range(10)]

    def images() -> Images:
        for number, event in enumerate(given):
            event.set()
            yield numbered(number), None

    with Capture(Source("file", images)) as capture:
        assert given[QUEUED_FRAMES].wait(WAIT_S)  # read, too, but there is no place for it
        assert not given[QUEUED_FRAMES + 1].wait(0.1)
        assert read_one(capture).index == 0
        assert given[QUEUED_FRAMES + 1].wait(WAIT_S)


@pytest.mark.parametrize("before", [0, 1, 5])
def test_exception_inside_the_source_reaches_the_reader_after_its_frames(before: int) -> None:
    def images() -> Images:
        for number in range(before):
            yield numbered(number), None
        raise RuntimeError("the source broke")

    indices: list[int] = []
    with pytest.raises(RuntimeError, match="the source broke"), Capture(Source("breaking", images)) as capture:
        while True:
            indices += [read_one(capture).index]
    assert indices == list(range(before))
    until_thread_ends()


def test_source_that_gives_nothing_in_time_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_module, "FIRST_FRAME_TIMEOUT_S", 0.05)
    over = threading.Event()

    def images() -> Images:
        over.wait(WAIT_S)
        yield numbered(0), None

    with pytest.raises(DemoError, match="'slow' gave no frame"), Capture(Source("slow", images)):
        pass
    over.set()
    until_thread_ends()


# ---- realtime ----


class Gated:
    """Gives pictures: all at once or, if it `waits`, each when the one before was taken. Then it waits for `end`."""

    def __init__(self, count: int, waits: bool) -> None:
        self.taken, self.all_given, self.end = threading.Semaphore(0), threading.Event(), threading.Event()
        self._count, self._waits = count, waits

    def __call__(self) -> Images:
        for number in range(self._count):
            yield numbered(number), None
            if self._waits:
                assert self.taken.acquire(timeout=WAIT_S)
        self.all_given.set()
        assert self.end.wait(WAIT_S)


def test_realtime_gives_a_slow_reader_the_newest_frame() -> None:
    images = Gated(30, waits=False)
    with Capture(Source("file", images, frame_count=30, fps=1000), realtime=True) as capture:
        assert images.all_given.wait(WAIT_S)
        frame = read_one(capture)
        assert (frame.index, number_of(frame.image)) == (29, 29)
        assert capture.dropped == 29
        images.end.set()
        assert read_all(capture) == []


def test_realtime_drops_nothing_for_a_fast_reader() -> None:
    images = Gated(30, waits=True)
    indices = []
    with Capture(Source("file", images, frame_count=30, fps=1000), realtime=True) as capture:
        for _ in range(30):
            indices.append(read_one(capture).index)
            images.taken.release()
        images.end.set()
        assert read_all(capture) == []
    assert indices == list(range(30))
    assert capture.dropped == 0


def test_realtime_frames_are_received_or_dropped_and_in_order(tmp_path: Path) -> None:
    received = []
    with open_capture(str(write_video(tmp_path / "video.avi", 60, fps=200)), realtime=True) as capture:
        while not capture.is_over:
            frame = capture.read(wait_s=WAIT_S)
            if frame is not None:
                assert number_of(frame.image) == frame.index
                received.append(frame.index)
                time.sleep(0.03)  # six frames' time
    assert received == sorted(set(received))
    assert received[-1] == 59
    assert capture.dropped > 0
    assert capture.dropped + len(received) == 60


@pytest.mark.parametrize("fps", [50.0, None])
def test_realtime_gives_no_frame_before_its_time(fps: float | None) -> None:
    def images() -> Images:
        for number in range(5):
            yield numbered(number), None

    before = time.perf_counter()
    with Capture(Source("file", images, fps=fps), realtime=True) as capture:
        frames = read_all(capture)
    assert all(frame.captured_at > before + frame.index / (fps or 30) - 0.002 for frame in frames)
    assert frames[-1].index == 4


# ---- a camera ----


class FakeCamera:
    """Stands in for cv2.VideoCapture: gives the pictures of `images`, then fails."""

    def __init__(self, images: Callable[[], Images] | None) -> None:
        self._images = None if images is None else images()
        self.is_released = False

    def isOpened(self) -> bool:  # noqa: N802
        return self._images is not None

    def get(self, property_id: int) -> float:
        return -1.0 if property_id == cv2.CAP_PROP_FRAME_COUNT else 30.0

    def read(self) -> tuple[bool, np.ndarray | None]:
        assert self._images is not None
        image, _ = next(self._images, (None, None))
        return image is not None, image

    def release(self) -> None:
        self.is_released = True


Plug = Callable[[Callable[[], Images] | None], FakeCamera]


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Plug:
    """Make a camera of the pictures be camera 0 and the stream rtsp://camera; None: there is none."""

    def plug_in(images: Callable[[], Images] | None) -> FakeCamera:
        camera = FakeCamera(images)

        def open_camera(source: int | str, *_: object) -> FakeCamera:
            assert source in (0, "rtsp://camera")
            return camera

        monkeypatch.setattr(cv2, "VideoCapture", open_camera)
        return camera

    return plug_in


@pytest.mark.parametrize("source", ["0", "rtsp://camera"])
def test_live_source_gives_its_newest_frame_and_counts_the_dropped(
    plug: Plug, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    images = Gated(5, waits=False)
    camera = plug(images)
    with open_capture(source) as capture:
        assert (capture.source.is_live, capture.frame_count, capture.source.fps) == (True, None, 30.0)
        assert capture.frame_size == (WIDTH, HEIGHT)
        assert images.all_given.wait(WAIT_S)
        frame = read_one(capture)
        assert (frame.index, number_of(frame.image)) == (4, 4)
        assert capture.dropped == 4
        assert not capture.is_over
        images.end.set()
        assert not capture.has_broken_off
        assert read_all(capture) == []
        assert capture.has_broken_off  # nothing tells an orderly end from another
    assert camera.is_released
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "ended after 5 frames" in error


def test_camera_drops_nothing_for_a_fast_reader(plug: Plug) -> None:
    images = Gated(10, waits=True)
    plug(images)
    indices = []
    with open_capture("0") as capture:
        for _ in range(10):
            indices.append(read_one(capture).index)
            images.taken.release()
        images.end.set()
        assert read_all(capture) == []
    assert (indices, capture.dropped) == (list(range(10)), 0)


def test_grey_camera_gives_bgr(plug: Plug) -> None:
    plug(lambda: iter([(np.full((20, 30), 9, np.uint8), None)]))
    with open_capture("0") as capture:
        assert read_one(capture).image.shape == (20, 30, 3)


def test_closing_a_camera_releases_it(plug: Plug) -> None:
    camera = plug(Endless())
    with open_capture("0") as capture:
        read_one(capture)
        assert not camera.is_released
    assert camera.is_released


def test_camera_that_is_not_there_is_an_error(plug: Plug) -> None:
    plug(None)
    with pytest.raises(DemoError, match="no camera 0"):
        open_capture("0")


@pytest.mark.parametrize("index", ["97", "99999999999"])
def test_camera_of_a_number_that_nobody_has_is_an_error(index: str) -> None:
    with pytest.raises(DemoError, match=index) as caught:
        open_capture(index)
    assert "\n" not in str(caught.value)


def test_camera_that_gives_nothing_is_an_error(plug: Plug) -> None:
    camera = plug(lambda: iter(()))
    with pytest.raises(DemoError, match="Camera 0 opened but gave no frame"), open_capture("0"):
        pass
    until_thread_ends()
    assert camera.is_released


@pytest.mark.parametrize("source", ["0", "rtsp://camera"])
def test_live_source_cannot_loop(plug: Plug, source: str) -> None:
    plug(Endless())
    with pytest.raises(UsageError, match="--loop"):
        open_capture(source, loop=True)


# ---- behind an address ----


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a server that gives the files of tmp_path."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def translate_path(self, path: str) -> str:
            return str(tmp_path) + os.fsdecode(unquote_to_bytes(path))

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("realtime", [False, True])
def test_recorded_video_behind_an_address_gives_every_frame_unless_played_by_its_clock(
    tmp_path: Path, served: str, realtime: bool
) -> None:
    write_video(tmp_path / "video.avi", 20, fps=200)
    with open_capture(f"{served}/video.avi", realtime=realtime) as capture:
        assert (capture.frame_count, capture.source.is_live) == (20, False)
        frames = [read_one(capture)]
        time.sleep(0.2)
        frames += read_all(capture)
        assert not capture.has_broken_off
    assert [number_of(frame.image) for frame in frames] == [frame.index for frame in frames]
    assert frames[-1].index == 19
    assert len(frames) + capture.dropped == 20
    assert (capture.dropped > 0) == realtime


def test_a_video_that_its_server_cannot_give_in_parts_is_no_damaged_one(tmp_path: Path, served: str) -> None:
    """Its index stands after its frames, and the server gives a file from its start only."""
    size = (640, 480)
    video = cv2.VideoWriter(str(tmp_path / "v.mp4"), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 25, size)
    noise = np.random.default_rng(1)
    for _ in range(20):
        video.write(noise.integers(0, 256, (480, 640, 3)).astype(np.uint8))
    video.release()
    with open_capture(str(tmp_path / "v.mp4")) as capture:
        assert len(read_all(capture)) == 20
    with pytest.raises(UsageError, match=r"sends whole files only.*Download it"), open_capture(f"{served}/v.mp4"):
        pass
    until_thread_ends()


def test_address_without_a_video_is_an_error(tmp_path: Path, served: str) -> None:
    (tmp_path / "page.html").write_text("<html></html>")
    for name in ("absent.avi", "page.html"):
        with pytest.raises(DemoError, match=f"Cannot open the stream.*{name}"):
            open_capture(f"{served}/{name}")


def test_a_source_that_is_held_stands_still_and_counts_nothing() -> None:
    def images() -> Images:
        for number in range(40):
            yield numbered(number), None

    with Capture(Source("file", images, frame_count=40, fps=200), realtime=True) as capture:
        capture.hold(True)
        first = capture.read()
        time.sleep(0.1)  # one frame may have been on its way when it was held
        dropped = capture.dropped
        time.sleep(0.5)
        assert capture.dropped == dropped <= 1
        assert not capture.is_over
        capture.hold(False)
        received = [] if first is None else [first]
        while not capture.is_over:
            received += [frame] if (frame := capture.read(wait_s=0.05)) else []
        assert len(received) + capture.dropped == 40


@pytest.mark.parametrize("is_live", [True, False])
def test_times_are_from_the_sources_start_and_anew_in_each_round(is_live: bool) -> None:
    def images() -> Images:
        for _ in range(3):
            yield np.zeros((8, 8, 3), np.uint8), None

    frames: list[Frame] = []
    with Capture(Source("three", images, fps=10.0, is_live=is_live), loop=not is_live) as capture:
        while len(frames) < 6 and not capture.is_over:
            frame = capture.read(1.0)
            frames += [frame] if frame is not None else []
    times = [frame.time_s for frame in frames]
    if is_live:
        assert times
        assert all(time_s is not None and 0 <= time_s < 5 for time_s in times)
    else:
        assert times == pytest.approx([0, 0.1, 0.2] * 2)

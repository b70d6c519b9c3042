"""What every source, writer, backend and decoder must do, whichever it is; one that is added goes into these lists."""

import contextlib
import http.server
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openvino as ov
import pytest

from human_pose.decoders.decoder import Decoder
from human_pose.decoders.one_stage import OneStageDecoder
from human_pose.decoders.openpose import OpenPoseDecoder
from human_pose.decoders.openpose_fields import HEATMAP_CHANNELS, PAF_CHANNELS
from human_pose.demo.window import NullWindow, Window
from human_pose.inference.backend import Backend, DeviceError
from human_pose.inference.configuration import Configuration
from human_pose.inference.model import PoseModel
from human_pose.inference.openvino_backend import OpenVinoBackend
from human_pose.inference.played_backend import PlayedBackend, queues
from human_pose.inference.settings import Settings
from human_pose.media.capture import Frame
from human_pose.media.encoder import VIDEO_SUFFIXES
from human_pose.media.sources import open_source
from human_pose.media.writer import PictureWriter, open_writer
from human_pose.output_log import OutputLog
from human_pose.poses.keypoint_files import KeypointWriter, open_keypoint_writer
from human_pose.poses.pose import Pose
from human_pose.tracking.visit_files import VisitWriter, open_visit_writer
from human_pose.tracking.visits import Visit
from tests.helpers.painted import blank, paint_person
from tests.helpers.skeletons import pose

COUNT, SIZE = 4, (96, 64)  # frames of each source; width, height


def picture(number: int) -> np.ndarray:
    return np.full((SIZE[1], SIZE[0], 3), 40 * number + 20, np.uint8)


# ---- sources ----


def image_file(folder: Path) -> str:
    cv2.imwrite(str(folder / "one.png"), picture(0))
    return str(folder / "one.png")


def image_folder(folder: Path) -> str:
    for number in range(COUNT):
        cv2.imwrite(str(folder / f"{number}.png"), picture(number))
    return str(folder)


def video_file(folder: Path) -> str:
    path = folder / "video.avi"
    video = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 25, SIZE)
    for number in range(COUNT):
        video.write(picture(number))
    video.release()
    return str(path)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """A folder's files behind an address on this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


Expected = list[np.ndarray]  # the frames of a source


@pytest.fixture(params=["image", "folder", "video", "address"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Expected]]:
    """A source, and the frames that it must give."""
    pictures = [picture(number) for number in range(COUNT)]
    match request.param:
        case "image":
            yield image_file(tmp_path), pictures[:1]
        case "folder":
            yield image_folder(tmp_path), pictures
        case "video":
            yield video_file(tmp_path), pictures
        case "address":
            video_file(tmp_path)
            with served(tmp_path) as address:
                yield f"{address}/video.avi", pictures


def test_a_source_gives_its_frames_in_order_each_time_it_is_opened(source: tuple[str, Expected]) -> None:
    name, expected = source
    opened = open_source(name)
    assert opened.name == name
    assert opened.frame_count in (None, len(expected))
    assert not opened.is_live
    for _ in range(2):
        images = [image for image, _ in opened.images()]
        assert len(images) == len(expected)
        for image, wanted in zip(images, expected, strict=True):
            assert (image.shape, image.dtype) == (wanted.shape, np.uint8)
            assert abs(float(image.mean()) - float(wanted.mean())) < 3
    assert not opened.breaks


def test_a_source_that_is_not_read_to_its_end_lets_go(source: tuple[str, Expected]) -> None:
    images: Any = open_source(source[0]).images()
    next(images)
    images.close()
    with pytest.raises(StopIteration):
        next(images)


# ---- writers of pictures ----


@pytest.mark.parametrize(
    "name", [None, "o.png", "o.jpg", "folder", *(f"o{suffix}" for suffix in sorted(VIDEO_SUFFIXES))]
)
def test_a_writer_leaves_what_it_names_and_nothing_else(name: str | None, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    is_image = name is not None and name.endswith(("png", "jpg"))
    make = image_file if is_image else image_folder if name == "folder" else video_file
    source, log = open_source(make(tmp_path / "in")), OutputLog()
    writer = open_writer(None if name is None else str(tmp_path / "out" / name), source, log)
    assert isinstance(writer, PictureWriter)
    with writer as entered:
        assert entered is writer
        for index, (image, file_name) in enumerate(source.images()):
            assert writer.is_open == (name is not None)
            writer.write(Frame(index, image, 0.0, file_name), image)
    assert not log.has_failed
    left = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert left == ([] if name is None else [name])
    assert len(log.lines) == len(left)
    if name is not None:
        assert log.lines[0].startswith(f"Wrote {tmp_path / 'out' / name}")
        written = list(open_source(str(tmp_path / "out" / name)).images())
        assert len(written) == (1 if is_image else COUNT)
        assert {image.shape for image, _ in written} == {(SIZE[1], SIZE[0], 3)}


# ---- writers of keypoints ----


@pytest.mark.parametrize("name", [None, "k.json", "k.jsonl", "k.csv"])
def test_a_writer_of_keypoints_leaves_a_whole_file_after_every_frame(name: str | None, tmp_path: Path) -> None:
    source, log = open_source(image_file(tmp_path)), OutputLog()
    path = None if name is None else tmp_path / name
    writer = open_keypoint_writer(path, source, log)
    assert isinstance(writer, KeypointWriter)
    sizes = [0]
    with writer as entered:
        assert entered is writer
        for index in range(3):
            writer.write(Frame(index, picture(0), 0.0), "CPU", [pose()] * index)
            if path is not None:
                text = path.read_text()
                assert text.endswith("\n")
                sizes.append(len(text))
    assert sizes == sorted(sizes)
    assert (len(log.lines), log.has_failed) == (0 if name is None else 1, False)


# ---- writers of visits ----


@pytest.mark.parametrize("name", [None, "v.csv", "v.jsonl"])
def test_a_writer_of_visits_leaves_a_whole_file_after_every_visit(name: str | None, tmp_path: Path) -> None:
    source, log = open_source(image_file(tmp_path)), OutputLog()
    path = None if name is None else tmp_path / name
    writer = open_visit_writer(path, source, log)
    assert isinstance(writer, VisitWriter)
    counts = []
    with writer as entered:
        assert entered is writer
        for number in range(3):
            writer.write([Visit(number, 0.0, 1.0, 1.0, 1, 0, 0)] * number, time_s=float(number))
            if path is not None:
                text = path.read_text()
                assert text == "" or text.endswith("\n")
                counts.append(text.count("\n") - (name == "v.csv"))
    assert counts == ([] if name is None else [0, 1, 3])
    assert log.lines == ([] if name is None else [f"Wrote {path} (3 visits)"])
    assert not log.has_failed


# ---- backends ----


@dataclass
class Tried:
    """A backend, a device that it has, and the outputs that its inferences must have."""

    backend: Backend
    device: str
    output_names: set[str]


@pytest.fixture(params=["OpenVINO", "played"])
def tried(request: pytest.FixtureRequest, stand_in_core: ov.Core, painted: PoseModel) -> Tried:
    if request.param == "OpenVINO":
        backend = OpenVinoBackend(stand_in_core, painted, Settings("FP32"))
        return Tried(backend, "CPU", set(painted.decoder.output_names))
    outputs = {"values": np.zeros((1, 8, 8), np.float32)}
    return Tried(PlayedBackend({"SLOW": (2, queues(0.001))}, outputs=outputs), "SLOW", {"values"})


def test_a_backend_gives_requests_that_infer_frame_after_frame(tried: Tried) -> None:
    image = paint_person(blank())
    requests = tried.backend.compile(Configuration(tried.device), image)
    assert len(requests) == requests[0].compiled.request_count >= 1
    compiled = requests[0].compiled
    assert compiled.device == tried.device
    assert all(request.compiled is compiled for request in requests)
    assert compiled.execution_precision
    assert (compiled.executed_on, compiled.runs_on, compiled.is_moving) == ([tried.device], "", False)
    for index in range(2):
        for request in requests:
            request.start(image)
        for request in requests:
            until = time.perf_counter() + 10
            while not request.is_done(5):
                assert time.perf_counter() < until
            frame = Frame(index, image, 0.0)
            inference = request.result(frame)
            assert inference.frame is frame
            assert inference.compiled is compiled
            assert inference.latency_ms > 0
            assert set(inference.outputs) == tried.output_names
            assert all(np.isfinite(values).all() for values in inference.outputs.values())
            assert inference.nbytes == sum(values.nbytes for values in inference.outputs.values())
            assert min(inference.frame_pixels) > 0


def test_a_backend_names_the_device_that_it_does_not_have(tried: Tried) -> None:
    with pytest.raises(DeviceError, match="NONE") as caught:
        tried.backend.compile(Configuration("NONE"), blank())
    assert caught.value.device == "NONE"


# ---- decoders ----


def openpose_outputs() -> dict[str, np.ndarray]:
    return {
        "heatmaps": np.zeros((HEATMAP_CHANNELS, 8, 12), np.float32),
        "pafs": np.zeros((PAF_CHANNELS, 8, 12), np.float32),
    }


def candidates() -> dict[str, np.ndarray]:
    return {"candidates": np.zeros((56, 84), np.float32)}


def people() -> dict[str, np.ndarray]:
    return {"scores": np.zeros(10, np.float32), "keypoints": np.zeros((10, 17, 3), np.float32)}


@pytest.mark.parametrize(
    ("decoder", "outputs"),
    [
        (OpenPoseDecoder(), openpose_outputs),
        (OneStageDecoder(has_candidates=True), candidates),
        (OneStageDecoder(has_candidates=False), people),
    ],
)
def test_a_decoder_finds_nobody_in_nothing_and_changes_no_output(
    decoder: Decoder, outputs: Callable[[], dict[str, np.ndarray]]
) -> None:
    nothing = outputs()
    assert set(nothing) == set(decoder.output_names)
    assert decoder.decode(nothing) == []
    assert decoder.decode(nothing, (2.0, 3.0), (4.0, 5.0)) == []
    assert all((values == 0).all() for values in nothing.values())
    assert set(decoder.signal(nothing)) <= set(decoder.output_names)
    quantities = decoder.quantities(nothing)
    assert all(np.isfinite(values).all() and values.size > 0 for values in quantities.values())
    assert decoder.for_evaluation().decode(nothing) == []
    assert decoder.with_limits(0.5, 9) != decoder
    assert decoder.with_limits() == decoder
    assert {end for limb in decoder.skeleton.limbs for end in limb} <= set(decoder.skeleton.keypoints)


# ---- windows ----


def test_the_window_that_is_none_shows_nothing_and_gives_no_key() -> None:
    window: Window = NullWindow()
    with window as entered:
        assert entered is window
        window.show(picture(0))
        assert (window.is_shown, window.poll_key(1), window.picture_size(SIZE)) == (False, None, SIZE)


# ---- poses ----


def test_a_pose_gives_its_keypoints_by_name() -> None:
    person: Pose = pose({"nose": (0.5, 0.25)}, (100, 80))
    assert person["nose"] == (50, 20, 1)
    assert person["left_wrist"] is None
    with pytest.raises(KeyError, match="There is no keypoint 'tail'"):
        person["tail"]

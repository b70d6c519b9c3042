"""From a frame to the network's input and back to frame pixels; results in order, on whatever device."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from human_pose.decoders.openpose_fields import CELL_PIXELS, KEYPOINTS
from human_pose.errors import DemoError
from human_pose.inference.backend import DeviceError, Inference
from human_pose.inference.estimator import Estimator, infer_all
from human_pose.inference.input_size import frame_box, frame_pixels, network_input_size
from human_pose.inference.model import PoseModel, load_model
from human_pose.inference.openpose_outputs import PREPROCESSING
from human_pose.inference.settings import Settings
from human_pose.media.capture import Capture, Frame
from human_pose.media.sources import Source
from human_pose.zoo.resolve import choose_model
from tests.helpers.openpose import estimator_on, infer, pixels_per_cell, poses_of
from tests.helpers.painted import HEIGHT, PERSON, WIDTH, blank, paint_person, pixels


@pytest.fixture(scope="module")
def network(painted_xml: Path) -> PoseModel:
    core = ov.Core()
    network = load_model(core, choose_model(str(painted_xml), None))
    network.reshape(WIDTH, HEIGHT)
    return network


@pytest.fixture
def estimator(network: PoseModel) -> Estimator:
    return estimator_on(ov.Core(), network)


def poses(inference: Inference) -> list[dict[str, tuple[float, float]]]:
    return [
        {KEYPOINTS[part]: (x, y) for part, (x, y, _) in enumerate(pose.keypoints.tolist()) if np.isfinite(x)}
        for pose in poses_of(inference)
    ]


@pytest.mark.parametrize("factor", [1, 3])
def test_an_upright_frame_gets_an_upright_input_and_its_own_pixels(network: PoseModel, factor: int) -> None:
    image = cv2.resize(
        paint_person(blank(456, 256), shift=(8, 25)), None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST
    )
    core = ov.Core()
    upright = load_model(core, network.file)
    upright.reshape(*upright.size_for(image.shape[1::-1], 256))
    assert upright.input_size == (256, 456)
    [inference] = infer(estimator_on(core, upright), [image])
    assert poses(inference) == [{name: (x * factor, y * factor) for name, (x, y) in pixels(shift=(8, 25)).items()}]


def test_frames_of_both_orientations_need_one_compilation(network: PoseModel) -> None:
    core = ov.Core()
    either = load_model(core, network.file)
    either.reshape_open(256)
    estimator = estimator_on(core, either)
    compiled = estimator.compiled
    sizes = [(320, 256), (256, 456), (256, 320), (1024, 256), (256, 1024), (320, 256)]
    images = [paint_person(blank(height, width), shift=(2, 3)) for width, height in sizes]
    for inference, (width, height) in zip(infer(estimator, images), sizes, strict=True):
        assert inference.compiled is compiled
        assert inference.outputs["heatmaps"].shape == (19, height // 8, width // 8)
        assert poses(inference) == [pixels(shift=(2, 3))]


def test_a_painted_person_comes_back_to_the_pixel(estimator: Estimator) -> None:
    [inference] = infer(estimator, [paint_person(blank())])
    assert poses(inference) == [pixels()]


def test_two_painted_people_come_back_apart(estimator: Estimator) -> None:
    [inference] = infer(estimator, [paint_person(paint_person(blank()), shift=(18, 2))])
    found = sorted(poses(inference), key=lambda person: person["neck"])
    assert found == [pixels(), pixels(shift=(18, 2))]


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_a_larger_frame_gives_its_own_pixels(estimator: Estimator, factor: int) -> None:
    image = cv2.resize(paint_person(blank()), None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
    [inference] = infer(estimator, [image])
    expected = {name: (x * factor, y * factor) for name, (x, y) in pixels().items()}
    assert poses(inference) == [expected]


@pytest.mark.parametrize("size", [(641, 479), (333, 777), (1279, 719), (97, 61)])
def test_a_light_spot_is_found_where_it_is_in_frames_of_odd_size(network: PoseModel, size: tuple[int, int]) -> None:
    """A Gaussian spot, wider than a cell, centred on a known pixel of the frame: its centre of mass is found there."""
    input_size = network_input_size(size, HEIGHT, PREPROCESSING)
    core = ov.Core()
    own = load_model(core, network.file)
    own.reshape(*input_size)
    centre = np.array([size[0] * 0.37, size[1] * 0.61])
    columns, rows = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    cell = CELL_PIXELS * np.array(frame_pixels(size, frame_box(size, input_size, PREPROCESSING)))
    distance = ((columns - centre[0]) / cell[0]) ** 2 + ((rows - centre[1]) / cell[1]) ** 2
    image = np.zeros((size[1], size[0], 3), np.uint8)
    image[..., 1] = 128 + 127 * np.exp(-distance / (2 * 1.5**2))  # read back from the x fields
    [inference] = infer(estimator_on(core, own), [image])
    field = inference.outputs["pafs"][0].clip(0) * (inference.outputs["pafs"][0] > 0.02)
    rows, columns = np.indices(field.shape) + 0.5
    found = np.array([(field * columns).sum(), (field * rows).sum()]) / field.sum() * pixels_per_cell(inference)
    assert found == pytest.approx(centre, abs=0.1 * cell.max())


def test_what_an_earlier_frame_left_in_the_padding_is_gone(estimator: Estimator) -> None:
    portrait = np.full((HEIGHT, WIDTH // 4, 3), 0, np.uint8)
    images = [np.full((HEIGHT, WIDTH, 3), 60, np.uint8)] * 8 + [portrait] * 8
    for inference in list(infer(estimator, images))[8:]:
        assert inference.outputs["heatmaps"].max() == 0
        assert pixels_per_cell(inference) == (8, 8)


def test_results_come_in_the_order_of_the_frames(estimator: Estimator) -> None:
    images = [paint_person(blank(), shift=(index % 19, index % 5)) for index in range(60)]
    results = list(infer(estimator, images))
    assert [result.frame.index for result in results] == list(range(60))
    for index, result in enumerate(results):
        assert poses(result) == [pixels(PERSON, (index % 19, index % 5))]


def test_as_many_frames_are_in_flight_as_the_device_asks_for(estimator: Estimator) -> None:
    submitted = 0
    while estimator.has_idle_request:
        estimator.submit(Frame(submitted, blank(), 0.0))
        submitted += 1
    assert submitted == estimator.compiled.request_count >= 1


def test_a_request_is_busy_again_before_the_caller_gets_its_result(network: PoseModel) -> None:
    estimator = estimator_on(ov.Core(), network, settings=Settings("FP32", hint="latency"))
    assert estimator.compiled.request_count == 1
    frames = iter([Frame(index, blank(), 0.0) for index in range(3)])
    in_flight: list[int] = []
    while len(in_flight) < 3:
        inference = estimator.step(lambda wait_s: next(frames, None))
        if inference is not None:
            in_flight.append(estimator.submitted - inference.frame.index - 1)
    assert in_flight == [1, 1, 0]


def test_a_source_that_breaks_loses_no_frame_that_is_in_flight(estimator: Estimator) -> None:
    def images() -> Iterator[tuple[np.ndarray, None]]:
        for _ in range(5):
            yield blank(), None
        raise DemoError("the source broke")

    done: list[int] = []
    with Capture(Source("breaking", images)) as capture, pytest.raises(DemoError, match="the source broke"):
        done.extend(inference.frame.index for inference in infer_all(capture, estimator))
    assert done == list(range(5))


def test_latency_is_the_requests_own(estimator: Estimator) -> None:
    [inference] = infer(estimator, [blank()])
    assert 0 < inference.latency_ms < 10_000


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_network_that_gives_no_numbers_ends_the_run_with_one_line(
    value: float, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    weights = np.full((57, 3, 8, 8), 0.001, np.float32)
    weights[20, 0, 0, 0] = value
    image = ops.parameter([1, 3, HEIGHT, WIDTH], ov.Type.f32, name="data")
    maps = ops.convolution(image, ops.constant(weights), [8, 8], [0, 0], [0, 0], [1, 1])
    ov.save_model(ov.Model([ops.result(maps)], [image]), tmp_path / "damaged.xml", compress_to_fp16=False)
    core = ov.Core()
    damaged = load_model(core, choose_model(str(tmp_path / "damaged.xml"), "FP32"))
    damaged.reshape(WIDTH, HEIGHT)
    with pytest.raises(DeviceError, match="CPU failed while inferring: the network gives NaN or infinity") as caught:
        list(infer(estimator_on(core, damaged), [np.full((HEIGHT, WIDTH, 3), 60, np.uint8)]))
    assert caught.value.exit_code == 1
    assert not recwarn.list


def test_a_result_does_not_change_when_its_request_is_used_again(estimator: Estimator) -> None:
    [first, *_] = list(infer(estimator, [paint_person(blank())] + [blank()] * 10))
    assert poses(first) == [pixels()]


def test_the_bundled_network_gives_what_a_plain_call_gives(root: Path) -> None:
    core = ov.Core()
    network = load_model(core, choose_model("mobilenet-thin", "FP32"))
    video = cv2.VideoCapture(str(root / "videos" / "park.mp4"))
    images = [video.read()[1] for _ in range(3)]
    network.reshape(*network.size_for(images[0].shape[1::-1], 256))
    plain = core.compile_model(network.model, "CPU")
    for image, inference in zip(images, infer(estimator_on(core, network), images), strict=True):
        tensor = np.zeros((1, 256, 344, 3), np.uint8)
        tensor[0, :, :341] = cv2.resize(cv2.resize(image, (480, 360), interpolation=cv2.INTER_AREA), (341, 256))
        expected = plain([tensor])
        np.testing.assert_allclose(inference.outputs["heatmaps"], expected["heatmaps"][0], atol=1e-5)
        np.testing.assert_allclose(inference.outputs["pafs"], expected["pafs"][0], atol=1e-5)

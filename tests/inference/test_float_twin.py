"""The float twin of a quantized network: its weights are those of INT8, its activations are not rounded."""

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from human_pose.errors import UsageError
from human_pose.folders import BUNDLED_VIDEO as VIDEO
from human_pose.folders import MODELS_FOLDER
from human_pose.inference.float_twin import NOTE, fake_quantize, is_quantized, make_float_twin
from human_pose.inference.model import ModelFile, load_model
from human_pose.inference.preprocess import fill_input, new_input
from human_pose.zoo.catalog import DEFAULT_MODEL
from human_pose.zoo.resolve import choose_model
from tests.helpers.pictures import frames_of

RANGES = (-0.9, 1.1, -0.8, 1.2)
RANDOM = np.random.default_rng(5)
WEIGHTS = RANDOM.normal(0, 0.5, (57, 3, 8, 8)).astype(np.float32)
IMAGE = RANDOM.integers(0, 256, (1, 3, 64, 96)).astype(np.float32)


def infer(model: ov.Model, image: np.ndarray) -> np.ndarray:
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.array(compiled([image])[0])


def ports(*values: float) -> list[ov.Node]:
    return [ops.constant(np.float32(value)) for value in values]


def quantized(weights: ov.Node) -> ov.Model:
    """A convolution whose input is rounded to 16 levels, so that everybody can see it."""
    image = ops.parameter([1, 3, -1, -1], ov.Type.f32, name="data")
    rounded = ops.fake_quantize(image, *ports(0, 255, 0, 255), 16)
    maps = ops.convolution(rounded, weights, [8, 8], [0, 0], [0, 0], [1, 1])
    return ov.Model([ops.result(maps)], [image], "quantized")


def plain(weights: np.ndarray) -> ov.Model:
    image = ops.parameter([1, 3, -1, -1], ov.Type.f32, name="data")
    return ov.Model(
        [ops.result(ops.convolution(image, ops.constant(weights), [8, 8], [0, 0], [0, 0], [1, 1]))], [image]
    )


@pytest.mark.parametrize("ranges", [RANGES, (0.0, 1.0, 0.0, 1.0), (-1.0, 1.0, 3.0, -3.0)])
@pytest.mark.parametrize("levels", [255, 16])
def test_rounding_is_openvinos_own(ranges: tuple[float, float, float, float], levels: int) -> None:
    values = np.concatenate([RANDOM.normal(0, 1, 1000), [*ranges, 0.0]]).astype(np.float32)
    port = ops.parameter([len(values)], ov.Type.f32)
    expected = infer(ov.Model([ops.result(ops.fake_quantize(port, *ports(*ranges), levels))], [port]), values)
    found = fake_quantize(levels, values, *(np.float32(value) for value in ranges))
    step = abs(ranges[3] - ranges[2]) / (levels - 1)
    # A value in the middle between two levels may fall to either; all others are the same.
    assert np.isclose(found, expected, atol=1e-5).mean() > 0.995
    assert np.abs(found - expected).max() < 1.01 * step


def test_a_range_of_no_width_gives_one_end_or_the_other() -> None:
    """As for a filter whose weights are all zero; OpenVINO's CPU gives NaN."""
    values = np.array([-1, 0, 1], np.float32)
    found = fake_quantize(255, values, *(np.float32(value) for value in (0, 0, -2, 2)))
    assert found.tolist() == [-2, -2, 2]


@pytest.mark.parametrize("stored_as", ["f32", "f16", "i8"])
def test_twin_has_the_rounded_weights_and_unrounded_activations(stored_as: str) -> None:
    """Weights under a FakeQuantize, as the zoo has them, or stored as INT8 with a scale, as NNCF saves them."""
    if stored_as == "i8":
        codes = np.round(WEIGHTS * 50).clip(-127, 127).astype(np.int8)
        node = ops.multiply(ops.convert(ops.constant(codes), "f32"), ops.constant(np.float32(0.02)))
        expected = codes.astype(np.float32) * np.float32(0.02)
    else:
        stored = ops.constant(WEIGHTS.astype(np.float16)) if stored_as == "f16" else ops.constant(WEIGHTS)
        node = ops.fake_quantize(ops.convert(stored, "f32"), *ports(*RANGES), 255)
        given = WEIGHTS.astype(np.float16).astype(np.float32) if stored_as == "f16" else WEIGHTS
        expected = fake_quantize(255, given, *(np.float32(value) for value in RANGES))
    model = quantized(node)
    before = infer(model, IMAGE)
    assert is_quantized(model)
    make_float_twin(model)
    assert not is_quantized(model)
    truth = infer(plain(expected), IMAGE)
    np.testing.assert_allclose(infer(model, IMAGE), truth, rtol=1e-4, atol=0.02)
    assert np.abs(before - truth).max() > 10  # the rounding to 16 levels was there


def test_weights_that_are_computed_have_no_twin_and_one_line_says_so(tmp_path: Path) -> None:
    ranges = [ops.add(ops.constant(np.float32(value)), ops.constant(np.float32(0))) for value in RANGES]
    node = ops.fake_quantize(ops.constant(WEIGHTS), *ranges, 255)
    node.set_friendly_name("weights")
    xml = tmp_path / "odd.xml"
    ov.save_model(quantized(node), xml)
    with pytest.raises(UsageError, match=r"odd\.xml' cannot run in FP32: its layer 'weights.*Leave -p out\.") as caught:
        load_model(ov.Core(), choose_model(str(xml), "FP32"))
    assert "\n" not in str(caught.value)


def maps(file: ModelFile, frame: np.ndarray) -> list[np.ndarray]:
    core = ov.Core()
    network = load_model(core, file)
    assert network.file.note == ("" if file.precision == "FP16-INT8" or file.path.parent.name == "FP32" else NOTE)
    network.reshape(*network.size_for(frame.shape[1::-1], 128))
    compiled = core.compile_model(network.model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    image = new_input(compiled, frame.shape[1::-1], network.preprocessing)
    image[0] = frame
    return [np.array(compiled(image)[name][0]) for name in ("heatmaps", "pafs")]


@pytest.fixture(scope="module")
def frame(root: Path) -> np.ndarray:
    """A part of the bundled clip with the man in it, of the input's size."""
    [image] = frames_of(root / "videos" / "park.mp4", [60])
    return np.ascontiguousarray(image[:512:4, 0:704:4])


BUNDLED_XML = MODELS_FOLDER / DEFAULT_MODEL / "FP16-INT8" / f"{DEFAULT_MODEL}.xml"


def test_twin_of_the_bundled_network_finds_what_int8_finds(frame: np.ndarray) -> None:
    """The maps are alike as those of one network are, in INT8 and in float: far from equal, far from another's."""
    for twin, int8 in zip(
        maps(ModelFile(DEFAULT_MODEL, "FP32", BUNDLED_XML), frame),
        maps(ModelFile(DEFAULT_MODEL, "FP16-INT8", BUNDLED_XML), frame),
        strict=True,
    ):
        assert np.corrcoef(twin.ravel(), int8.ravel())[0, 1] > 0.97


@pytest.mark.measurement_data
def test_twin_is_the_one_that_was_made_by_other_means(frame: np.ndarray, measurement_data: Path) -> None:
    other = measurement_data / "models" / DEFAULT_MODEL / "FP32" / f"{DEFAULT_MODEL}.xml"
    own = maps(ModelFile(DEFAULT_MODEL, "FP32", BUNDLED_XML), frame)
    for twin, reference in zip(own, maps(ModelFile(DEFAULT_MODEL, "FP32", other), frame), strict=True):
        np.testing.assert_allclose(twin, reference, atol=1e-5)


@pytest.mark.measurement_data
def test_twin_of_a_network_of_another_kind_works(measurement_data: Path) -> None:
    """YOLOv8's pose network, quantized by NNCF: a best box of the twin is that of INT8 to a few pixels."""
    xml = measurement_data / "models" / "yolov8n-pose" / "FP16-INT8" / "yolov8n-pose.xml"
    core = ov.Core()
    model, int8 = core.read_model(xml), core.read_model(xml)
    make_float_twin(model)
    assert not is_quantized(model)
    [street] = frames_of(measurement_data / "videos" / "openpose_video.avi", [0])
    image = np.zeros((1, 3, 640, 640), np.float32)
    part = street[:640, :640, ::-1].transpose(2, 0, 1)
    image[0, :, : part.shape[1], : part.shape[2]] = part / 255
    found, expected = infer(model, image)[0], infer(int8, image)[0]
    best = expected[4].argmax()
    assert expected[4, best] > 0.5
    assert found[4, best] == pytest.approx(expected[4, best], abs=0.1)
    assert found[:4, best] == pytest.approx(expected[:4, best], abs=6)


@pytest.mark.parametrize("has_offset", [False, True])
def test_weights_stored_in_int8_beside_their_scale_become_their_values(has_offset: bool) -> None:
    stored = RANDOM.integers(-127, 128, WEIGHTS.shape).astype(np.int8)
    scale = RANDOM.uniform(0.001, 0.01, (57, 1, 1, 1)).astype(np.float32)
    offset = np.full((57, 1, 1, 1), 3 if has_offset else 0, np.float32)
    floats: ov.Node = ops.convert(ops.constant(stored), "f32")
    if has_offset:
        floats = ops.subtract(floats, ops.constant(offset))
    model = quantized(ops.multiply(floats, ops.constant(scale)))
    make_float_twin(model)
    assert {"Convert", "Multiply", "Subtract", "FakeQuantize"}.isdisjoint(
        node.get_type_name() for node in model.get_ops()
    )
    np.testing.assert_allclose(
        infer(model, IMAGE), infer(plain((stored - offset) * scale), IMAGE), rtol=1e-3, atol=1e-2
    )


@pytest.mark.measurement_data
@pytest.mark.slow
def test_the_twin_of_a_one_stage_network_gives_the_same_however_often_it_is_compiled(measurement_data: Path) -> None:
    """With weights in INT8 the first of several compilations for two streams gave others."""
    xml = measurement_data / "models/yolov8n-pose/FP16-INT8/yolov8n-pose.xml"
    frame = frames_of(VIDEO, [30])[0]
    found = []
    for _ in range(3):
        network = load_model(ov.Core(), choose_model(str(xml), "FP32"))
        network.reshape(320, 256)
        compiled = ov.Core().compile_model(network.model, "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"})
        image = new_input(compiled, frame.shape[1::-1], network.preprocessing)
        fill_input(frame, image, network.preprocessing)
        found.append(len(network.decoder.decode({"candidates": compiled(image)["candidates"][0]})))
    assert found == [1, 1, 1]

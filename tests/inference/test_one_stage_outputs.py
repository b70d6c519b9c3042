"""A one-stage network of any layout becomes the uniform one, and finds what was painted."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from human_pose.api import PoseEstimator
from human_pose.decoders.one_stage import OneStageDecoder
from human_pose.errors import UsageError
from human_pose.inference.model import ModelFile, PoseModel, load_model
from human_pose.inference.preprocess import as_floats, new_input
from human_pose.inference.settings import Settings
from human_pose.measurement.stand_ins import AUTO, HETERO, MULTI
from human_pose.media.capture import Frame
from human_pose.poses.pose import Pose
from human_pose.poses.skeleton import COCO_SKELETON
from tests.helpers.one_stage import SIDE, STEP, one_stage_network, paint, save_one_stage
from tests.helpers.openpose import estimator_on

TWO = [(230, 20, 30), (200, 50, 10), (30, 5, 5)]  # the third is too weak


@pytest.fixture(scope="module")
def core() -> ov.Core:
    return ov.Core()


def load(core: ov.Core, xml: Path) -> PoseModel:
    return load_model(core, ModelFile(xml.stem, "FP32", xml))


def poses_in(core: ov.Core, network: PoseModel, image: np.ndarray) -> list[Pose]:
    if network.input_size is None:
        network.reshape(*network.size_for(image.shape[1::-1]))
    estimator = estimator_on(core, network, sample=image)
    estimator.submit(Frame(0, image, 0.0))
    while (inference := estimator.collect(wait=True)) is None:
        pass
    return network.decoder.decode(inference.outputs, inference.frame_pixels, inference.origin)


def assert_finds_both(poses: list[Pose], scale: float = 1.0) -> None:
    assert [pose.score for pose in poses] == pytest.approx([230 / 255, 200 / 255], abs=1e-3)
    for pose, (_, x, y) in zip(poses, TWO, strict=False):
        for number, (found_x, found_y, _) in enumerate(pose.keypoints.tolist()):
            assert found_x == pytest.approx(scale * (x + STEP * number), abs=0.05)
            assert found_y == pytest.approx(scale * (y + STEP * number), abs=0.05)


# how each layout's makers feed it, where no metadata says it: RGB, and the value of white
MAKERS = {
    "candidates": (True, 1.0), "transposed": (True, 1.0), "people": (True, 1.0), "boxes": (False, 255.0),
    "scores": (True, 1.0), "sizes": (True, 1.0),
}  # fmt: skip


@pytest.mark.parametrize(
    ("layout", "values"), [(layout, 3) for layout in MAKERS if layout != "sizes"] + [(layout, 2) for layout in MAKERS]
)
def test_every_layout_finds_what_was_painted(core: ov.Core, tmp_path: Path, layout: str, values: int) -> None:
    is_rgb, white = MAKERS[layout]
    if layout in ("candidates", "transposed", "people") and values == 2:
        (tmp_path / "metadata.yaml").write_text("task: pose\nstride: 32\nkpt_shape:\n- 17\n- 2\n")
    network = load(core, save_one_stage(tmp_path, layout=layout, values=values, scale=white))
    assert network.decoder.skeleton is COCO_SKELETON
    assert network.model.input("image").get_element_type() == ov.Type.u8
    assert list(network.model.input("image").shape) == [1, SIDE, SIDE, 3]
    for name in network.decoder.output_names:
        assert network.model.output(name).get_element_type() == ov.Type.f32
        assert network.model.output(name).get_names() == {name}
    assert_finds_both(poses_in(core, network, paint(TWO, is_rgb)))


@pytest.mark.parametrize("layout", MAKERS)
def test_multi_and_auto_find_the_outputs(stand_in_core: ov.Core, tmp_path: Path, layout: str) -> None:
    is_rgb, white = MAKERS[layout]
    values = 2 if layout == "sizes" else 3
    network = load(stand_in_core, save_one_stage(tmp_path, layout=layout, values=values, scale=white))
    for device in (MULTI, AUTO, HETERO):
        estimator = estimator_on(
            stand_in_core, network, device, Settings("FP32", affinity="conv"), sample=paint(TWO, is_rgb)
        )
        estimator.submit(Frame(0, paint(TWO, is_rgb), 0.0))
        while (inference := estimator.collect(wait=True)) is None:
            pass
        assert len(network.decoder.decode(inference.outputs, inference.frame_pixels)) == 2
        if device == HETERO:
            assert estimator.compiled.difference == pytest.approx(0, abs=1e-5)


def test_the_longer_side_is_named_and_the_frame_fits_into_whole_steps(core: ov.Core, tmp_path: Path) -> None:
    network = load(core, save_one_stage(tmp_path, height=-1, width=-1))
    assert network.own_size == 640
    assert network.size_for((1920, 1080)) == (640, 384)
    assert network.size_for((1080, 1920), 416) == (256, 416)
    assert network.size_for((5000, 10), 128) == (128, 32)
    with pytest.raises(UsageError, match=r"in steps of 32 pixels\. Give --size 384"):
        network.size_for((1920, 1080), 360)
    network.reshape_open(128)
    assert (network.input_size, network.size) == (None, 128)
    compiled = core.compile_model(network.model, "CPU")
    blank = new_input(compiled, (960, 720), network.preprocessing)
    assert blank.shape == (1, 96, 128, 3)
    assert (blank == 114).all()


def test_a_frame_of_another_shape_is_found_in_its_own_pixels(core: ov.Core, tmp_path: Path) -> None:
    """Twice the input's size, as wide as the input: beside it there is the padding's grey."""
    network = load(core, save_one_stage(tmp_path))
    image = np.zeros((SIDE, 2 * SIDE, 3), np.uint8)
    image[:2] = np.kron(paint(TWO)[:1], np.ones((2, 2, 1), np.uint8))
    assert network.size_for(image.shape[1::-1]) == (SIDE, 32)
    network.reshape(*network.size_for(image.shape[1::-1]))
    assert_finds_both(poses_in(core, network, image), scale=2)


def test_a_network_of_a_fixed_size_keeps_it_and_the_frame_is_fitted_into_it(core: ov.Core, tmp_path: Path) -> None:
    (tmp_path / "whole.pose.json").write_text('{"centred": false}')
    network = load(core, save_one_stage(tmp_path, is_fixed=True))
    assert network.preprocessing.fixed_size == (SIDE, SIDE)
    assert network.size_for((1920, 1080)) == (SIDE, SIDE) == network.size_for((1920, 1080), SIDE)
    with pytest.raises(UsageError, match=r"takes no other size than its own\. Leave --size out, or give 64"):
        network.size_for((1920, 1080), 128)
    network.reshape_open()
    image = np.zeros((SIDE, 2 * SIDE, 3), np.uint8)
    image[:2] = np.kron(paint(TWO)[:1], np.ones((2, 2, 1), np.uint8))
    assert_finds_both(poses_in(core, network, image), scale=2)


def test_a_frame_in_the_middle_of_the_input_is_found_in_its_own_pixels(core: ov.Core, tmp_path: Path) -> None:
    """The padding above the frame is grey: a person of that score at those pixels of the input."""
    network = load(core, save_one_stage(tmp_path, is_fixed=True))
    network = replace(network, decoder=network.decoder.for_evaluation())
    [pose] = poses_in(core, network, np.zeros((SIDE, 2 * SIDE, 3), np.uint8))
    assert pose.score == pytest.approx(114 / 255, abs=1e-3)
    assert pose["nose"] == pytest.approx((2 * 114, 2 * (114 - 16), 114 / 255), abs=0.05)


def test_a_network_that_stretches_the_frame_finds_people_in_it(core: ov.Core, tmp_path: Path) -> None:
    network = load(core, save_one_stage(tmp_path, layout="sizes", values=2))
    assert not network.preprocessing.keeps_aspect
    image = np.zeros((SIDE, 2 * SIDE, 3), np.uint8)
    image[:1] = np.kron(paint(TWO)[:1], np.ones((1, 2, 1), np.uint8))
    network.reshape(*network.size_for(image.shape[1::-1]))
    assert network.input_size == (SIDE, SIDE)
    poses = poses_in(core, network, image)
    assert [pose["nose"][:2] for pose in poses if pose["nose"]] == [pytest.approx((2 * x, y)) for _, x, y in TWO[:2]]


def test_the_library_runs_it(tmp_path: Path) -> None:
    estimator = PoseEstimator(save_one_stage(tmp_path), cache=False)
    assert estimator.skeleton is COCO_SKELETON
    assert len(estimator(paint(TWO))) == 2


def test_metadata_beside_it_changes_how_it_is_fed(
    core: ov.Core, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = load(core, save_one_stage(tmp_path, scale=255))
    assert "does not say how it takes its picture: taken as YOLO's, RGB, 0 to 1" in capsys.readouterr().err
    own = {"colours": "BGR", "scale": 1, "mean": [0, 0, 0], "padding": 7, "step": 16, "licence": "mine"}
    (tmp_path / "whole.pose.json").write_text(json.dumps(own))
    network = load(core, tmp_path / "whole.xml")
    assert capsys.readouterr().err == ""
    assert (network.preprocessing.padding, network.preprocessing.step, network.licence) == (7, 16, "mine")
    assert_finds_both(poses_in(core, network, paint(TWO, is_rgb=False)))


def test_mean_and_scale_are_done_in_the_graph_as_for_calibration(core: ov.Core, tmp_path: Path) -> None:
    own = {"colours": "RGB", "mean": [10, 20, 30], "scale": [2, 4, 8]}
    (tmp_path / "whole.pose.json").write_text(json.dumps(own))
    xml = save_one_stage(tmp_path)
    network = load(core, xml)
    frame = np.random.default_rng(1).integers(0, 256, (1, SIDE, SIDE, 3)).astype(np.uint8)
    hints = {"INFERENCE_PRECISION_HINT": "f32"}
    found = core.compile_model(network.model, "CPU", hints)(frame)["candidates"]
    floats = as_floats(frame, network.preprocessing).transpose(0, 3, 1, 2)
    expected = core.compile_model(core.read_model(xml), "CPU", hints)(np.ascontiguousarray(floats))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


def test_other_keypoints_are_points_unless_they_are_named(core: ov.Core, tmp_path: Path) -> None:
    (tmp_path / "metadata.yaml").write_text("task: pose\nstride: 32\nkpt_shape: [3, 3]\n")
    xml = save_one_stage(tmp_path, keypoints=3)
    skeleton = load(core, xml).decoder.skeleton
    assert (skeleton.keypoints, skeleton.limbs) == (("keypoint_1", "keypoint_2", "keypoint_3"), ())
    names = {"keypoints": ["head", "middle", "tail"], "limbs": [["head", "middle"], ["middle", "tail"]]}
    (tmp_path / "whole.pose.json").write_text(json.dumps(names))
    skeleton = load(core, xml).decoder.skeleton
    assert skeleton.keypoints == ("head", "middle", "tail")
    assert [tuple(limb) for limb in skeleton.limbs] == [("head", "middle"), ("middle", "tail")]


def detector(shape: tuple[int, ...]) -> ov.Model:
    """A network with one output of a shape, whatever it means."""
    image = ops.parameter([1, 3, SIDE, SIDE], ov.Type.f32)
    grey = ops.reduce_mean(image, [1, 2, 3])
    output = ops.broadcast(grey, ops.constant(np.array(shape)))
    return ov.Model([ops.result(output)], [image], "other")


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((1, 84, 8400), ["is not a network of this kind", "(1, 5 + 3K, n)", "output [1,84,8400]"]),  # 80 classes
        ((1, 300, 6), ["is not a network of this kind", "output [1,300,6]"]),
        ((1, 5, 8400), ["is not a network of this kind"]),
        ((1, 1000), ["is not a network of this kind"]),
        ((1, 8, 8400), ["1 keypoints of a one-stage pose network, or something else", "'other.pose.json'"]),
        ((1, 20, 21504), ["5 keypoints"]),  # rotated boxes of 15 classes
        ((1, 300, 12), ["2 keypoints"]),
        ((1, 58, 8400), ["is not a network of this kind"]),
    ],
)  # fmt: skip
def test_a_network_of_another_kind_is_refused_in_one_line(
    core: ov.Core, tmp_path: Path, shape: tuple[int, ...], words: list[str]
) -> None:
    ov.save_model(detector(shape), tmp_path / "other.xml")
    with pytest.raises(UsageError) as caught:
        load(core, tmp_path / "other.xml")
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("task", ["detect", "segment", "classify", "obb"])
def test_a_network_for_another_task_is_refused_by_its_metadata(core: ov.Core, tmp_path: Path, task: str) -> None:
    ov.save_model(detector((1, 56, 84)), tmp_path / "other.xml")
    (tmp_path / "metadata.yaml").write_text(f"task: {task}\nstride: 32\n")
    with pytest.raises(UsageError, match=rf"is a network for the task '{task}'\. Give one for 'pose'"):
        load(core, tmp_path / "other.xml")


def test_a_segmentation_network_is_refused(core: ov.Core, tmp_path: Path) -> None:
    image = ops.parameter([1, 3, SIDE, SIDE], ov.Type.f32)
    grey = ops.reduce_mean(image, [1, 2, 3])
    outputs = [ops.broadcast(grey, ops.constant(np.array(shape))) for shape in ((1, 116, 84), (1, 32, 16, 16))]
    ov.save_model(ov.Model([ops.result(output) for output in outputs], [image], "masks"), tmp_path / "masks.xml")
    with pytest.raises(UsageError, match=r"Found: .* output \[1,116,84\], output \[1,32,16,16\]"):
        load(core, tmp_path / "masks.xml")


@pytest.mark.parametrize(
    ("metadata", "words"),
    [("kpt_shape: [21, 3]\n", r"its metadata says 21 keypoints of 3 values: expected \(1, 68, n\) or \(1, n, 69\)"),
     ("kpt_names:\n  0:\n  - a\n  - b\n  - c\n", r"its metadata says 3 keypoints")],
)  # fmt: skip
def test_metadata_that_does_not_fit_is_said(core: ov.Core, tmp_path: Path, metadata: str, words: str) -> None:
    (tmp_path / "metadata.yaml").write_text("task: pose\nstride: 32\n" + metadata)
    with pytest.raises(UsageError, match=words):
        load(core, save_one_stage(tmp_path))


def test_a_second_input_that_is_no_size_is_refused(core: ov.Core, tmp_path: Path) -> None:
    model = one_stage_network(layout="scores")
    other = ops.parameter([1, 5], ov.Type.f32, name="other")
    scores = model.get_results()[0].input_value(0)
    results = [*model.get_results()[1:], ops.result(ops.add(scores, ops.reduce_sum(other, [0, 1])))]
    ov.save_model(ov.Model(results, [*model.get_parameters(), other], "two"), tmp_path / "two.xml")
    with pytest.raises(UsageError, match=r"input \[1,5\]"):
        load(core, tmp_path / "two.xml")


def test_outputs_of_nan_or_infinity_are_an_error(core: ov.Core, tmp_path: Path) -> None:
    (tmp_path / "whole.pose.json").write_text('{"colours": "RGB", "scale": 1e-45}')
    model = one_stage_network()
    ov.save_model(model, tmp_path / "whole.xml", compress_to_fp16=False)
    network = load(core, tmp_path / "whole.xml")
    with pytest.raises(Exception, match="NaN or infinity"):
        poses_in(core, network, paint([(255, 255, 255)] * 12))


def test_the_decoder_of_people_reads_no_labels(core: ov.Core, tmp_path: Path) -> None:
    network = load(core, save_one_stage(tmp_path, layout="scores"))
    assert isinstance(network.decoder, OneStageDecoder)
    assert [output.any_name for output in network.model.outputs] == ["scores", "keypoints"]

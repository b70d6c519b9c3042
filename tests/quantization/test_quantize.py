"""What a quantized model lost is measured to the pixel; one that lost too much is not kept. Needs no NNCF but once."""

import importlib.util
import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from human_pose.decoders.decoder import Outputs
from human_pose.decoders.openpose_fields import KEYPOINTS, SKELETON
from human_pose.errors import DemoError, UsageError
from human_pose.inference.model import load_model
from human_pose.inference.openpose_outputs import PREPROCESSING
from human_pose.media.sources import open_source
from human_pose.poses.pck import NEAR_PIXELS, NEAR_TORSO, compare_poses, match, torso_length
from human_pose.poses.pose import Pose
from human_pose.poses.skeleton import COCO_KEYPOINTS, COCO_SKELETON, unnamed_skeleton
from human_pose.quantization.calibration import Inputs, read_samples, split
from human_pose.quantization.comparison import relative_error
from human_pose.quantization.equalize import equalize
from human_pose.quantization.nncf_quantizer import (
    QuantizerMissingError,
    decoding_layers,
    import_nncf,
    rounded,
    sensitive_layers,
)
from human_pose.quantization.quantize import INT8, Options, Quantizer, quantize
from human_pose.zoo.catalog import DEFAULT_MODEL
from human_pose.zoo.resolve import choose_model
from tests.helpers.one_stage import SIDE, one_stage_network, paint, save_one_stage
from tests.helpers.painted import (
    HEIGHT,
    PERSON,
    WIDTH,
    behind_convolutions,
    blank,
    paint_person,
    pixels,
    save_network,
    save_with_convolutions,
)

TORSO = 8 * 9  # of a painted person, in pixels: the neck is in row 7, the hips in row 16, the middle of them below it


def pose(shift: tuple[float, float] = (0, 0), without: Collection[str] = ()) -> Pose:
    """The painted person, moved by some pixels."""
    keypoints = np.full((len(KEYPOINTS), 3), np.nan, np.float32)
    for name, (x, y) in pixels(PERSON).items():
        if name not in without:
            keypoints[KEYPOINTS.index(name)] = x + shift[0], y + shift[1], 1
    return Pose(SKELETON, keypoints, 0.9)


class TestAgreement:
    """Figures whose right values are plain."""

    def test_equal_poses_agree_wholly(self) -> None:
        figures = compare_poses([([pose()], [pose()])])
        assert (figures.within_pixels, figures.within_torso, figures.mean_pixels) == (1, 1, 0)
        assert (figures.frames, figures.keypoints, figures.people_float, figures.people) == (1, len(PERSON), 1, 1)

    def test_keypoints_of_two_skeletons_are_compared_by_their_names(self) -> None:
        own, whole = pose(), pose(shift=(3, 4))
        rows = [KEYPOINTS.index(name) for name in COCO_KEYPOINTS]  # another order, and no neck
        other = Pose(COCO_SKELETON, whole.keypoints[rows], 0.9)
        figures = compare_poses([([own], [other])])
        assert figures.mean_pixels == pytest.approx(5)
        assert figures.within_torso == pytest.approx(1 - ("neck" in PERSON) / len(PERSON))
        assert compare_poses([([other], [own])]).within_torso == 1

    def test_a_skeleton_without_shoulders_has_no_torso(self) -> None:
        thing = Pose(unnamed_skeleton(2), np.array([[1, 2, 1], [9, 9, 1]], np.float32), 0.9)
        figures = compare_poses([([thing], [thing])])
        assert (figures.within_torso, figures.pck) == (None, 1)

    def test_torso_is_from_the_neck_to_the_middle_of_the_hips(self) -> None:
        assert torso_length(pose()) == pytest.approx(TORSO)
        assert torso_length(pose(without=["left_hip"])) == pytest.approx(np.hypot(TORSO, 16))
        assert np.isnan(torso_length(pose(without=["left_hip", "right_hip"])))
        assert np.isnan(torso_length(pose(without=["neck"])))

    @pytest.mark.parametrize("shift", [(3, 4), (0, 5.5), (10, 10), (-15, 0)])
    def test_moved_pose_is_as_far_as_it_was_moved(self, shift: tuple[float, float]) -> None:
        figures = compare_poses([([pose()], [pose(shift)])])
        distance = np.hypot(*shift)
        assert figures.mean_pixels == pytest.approx(distance, abs=1e-4)
        assert figures.within_pixels == (distance <= NEAR_PIXELS)
        assert figures.within_torso == (distance <= NEAR_TORSO * TORSO)

    def test_keypoint_that_is_gone_is_not_found_again(self) -> None:
        figures = compare_poses([([pose()], [pose(without=["nose", "left_wrist"])])])
        assert figures.within_pixels == figures.within_torso == pytest.approx(1 - 2 / len(PERSON))
        assert figures.mean_pixels == 0

    def test_additional_keypoint_loses_nothing(self) -> None:
        assert compare_poses([([pose(without=["nose"])], [pose()])]).within_pixels == 1

    def test_nobody_found(self) -> None:
        figures = compare_poses([([pose()], [])])
        assert (figures.within_pixels, figures.within_torso, figures.mean_pixels, figures.people) == (0, 0, None, 0)

    def test_people_are_matched_by_their_place_not_their_order(self) -> None:
        here, there = pose(), pose((150, 0))
        assert match([here, there], [there, here]) == {0: 1, 1: 0}
        assert compare_poses([([here, there], [there, here])]).within_pixels == 1

    def test_a_person_stands_for_one_only(self) -> None:
        assert match([pose(), pose((20, 0))], [pose((19, 0))]) == {1: 0}
        assert compare_poses([([pose(), pose((20, 0))], [pose((19, 0))])]).within_pixels == 0.5

    def test_people_far_apart_are_not_matched(self) -> None:
        assert match([pose()], [pose((2000, 0))]) == {}

    def test_without_a_torso_the_pixels_judge(self) -> None:
        figures = compare_poses([([pose(without=["neck"])], [pose((1, 0))])])
        assert figures.within_torso is None
        assert figures.pck == figures.within_pixels == 1

    def test_no_frames(self) -> None:
        figures = compare_poses([])
        assert (figures.frames, figures.keypoints, figures.within_torso) == (0, 0, None)

    def test_error_of_maps_is_relative_to_the_signal(self) -> None:
        signal = [np.full((2, 3), 2, np.float32)]
        assert relative_error(signal, signal) == 0
        assert relative_error(signal, [signal[0] * 1.5]) == pytest.approx(0.5)
        assert relative_error(signal, [signal[0] * 0]) == 1


class TestSamples:
    """Frames spread over the source, some of them held out."""

    def test_frames_are_spread_over_the_source(self, tmp_path: Path) -> None:
        for number in range(21):
            cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((64, 96, 3), number, np.uint8))
        samples = read_samples(open_source(str(tmp_path)), 5, 64, PREPROCESSING)
        assert [int(sample[0, 0, 0, 0]) for sample in samples] == [0, 5, 10, 15, 20]
        assert {sample.shape for sample in samples} == {(1, 64, 96, 3)}

    def test_fewer_frames_than_asked_for_are_all_taken(self, people: Path) -> None:
        assert len(read_samples(open_source(str(people)), 300, HEIGHT, PREPROCESSING)) == 12

    def test_images_of_another_shape_are_fitted_in(self, tmp_path: Path) -> None:
        for number, size in enumerate([(64, 96), (64, 96), (128, 64), (50, 200)]):
            cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((*size, 3), 255, np.uint8))
        samples = read_samples(open_source(str(tmp_path)), 4, 64, PREPROCESSING)
        assert {sample.shape for sample in samples} == {(1, 64, 96, 3)}
        assert samples[2][0, :, :32].min() == 255
        assert samples[2][0, :, 32:].max() == 0

    @pytest.mark.parametrize("is_nchw", [True, False])
    def test_inputs_are_the_frames_as_floats(self, is_nchw: bool) -> None:
        frames = [np.random.default_rng(number).integers(0, 256, (1, 4, 6, 3), np.uint8) for number in range(3)]
        inputs = Inputs(frames, is_nchw, PREPROCESSING)
        assert (len(inputs), len(list(inputs)), len(inputs[1:])) == (3, 3, 2)
        expected = frames[2].transpose(0, 3, 1, 2) if is_nchw else frames[2]
        assert inputs[2].dtype == np.float32
        np.testing.assert_array_equal(inputs[1:][1], expected)

    def test_held_out_frames_calibrate_nothing(self) -> None:
        calibration, held_out = split([np.full(1, number) for number in range(10)])
        assert [int(sample[0]) for sample in held_out] == [3, 7]
        assert [int(sample[0]) for sample in calibration] == [0, 1, 2, 4, 5, 6, 8, 9]

    def test_too_few_frames_are_refused(self, tmp_path: Path) -> None:
        cv2.imwrite(str(tmp_path / "one.png"), blank())
        with pytest.raises(UsageError, match="gave 1 frames"):
            read_samples(open_source(str(tmp_path)), 300, HEIGHT, PREPROCESSING)


def separable(spread: float, seed: int = 5) -> ov.Model:
    """A depthwise and a pointwise convolution; the first makes one channel `spread` times the others."""
    random = np.random.default_rng(seed)
    image = ops.parameter([1, 3, 16, 24], ov.Type.f32, name="image")
    filters = random.uniform(0.5, 1, (3, 1, 1, 3, 3)).astype(np.float32)
    filters[1] *= spread
    depthwise = ops.group_convolution(image, ops.constant(filters), [1, 1], [1, 1], [1, 1], [1, 1], name="depthwise")
    weights = random.uniform(-1, 1, (57, 3, 1, 1)).astype(np.float32)
    weights[:, 1] /= spread
    pointwise = ops.convolution(depthwise, ops.constant(weights), [1, 1], [0, 0], [0, 0], [1, 1], name="pointwise")
    return ov.Model([ops.result(pointwise)], [image], "separable")


def infer(model: ov.Model, image: np.ndarray) -> np.ndarray:
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    output: np.ndarray = compiled(image)[0].copy()
    return output


class TestEqualize:
    """The network computes the same, its channels are of like size."""

    def test_network_computes_the_same(self) -> None:
        model = separable(1000)
        image = np.random.default_rng(6).uniform(0, 255, (1, 3, 16, 24)).astype(np.float32)
        before = infer(model, image)
        assert equalize(ov.Core(), model, [image]) == 1
        np.testing.assert_allclose(infer(model, image), before, rtol=1e-4, atol=1e-2)

    def test_channels_are_of_like_size(self) -> None:
        model = separable(1000)
        image = np.random.default_rng(6).uniform(0, 255, (1, 3, 16, 24)).astype(np.float32)
        equalize(ov.Core(), model, [image])
        between = next(node for node in model.get_ops() if node.get_friendly_name() == "depthwise")
        largest = infer(ov.Model([ops.result(between.output(0))], model.get_parameters(), "between"), image)
        channels = np.abs(largest).max(axis=(0, 2, 3))
        assert channels.max() < 4 * channels.min()

    def test_network_without_such_layers_is_left_alone(self, painted_xml: Path) -> None:
        model = ov.Core().read_model(painted_xml)
        assert equalize(ov.Core(), model, []) == 0


def test_weights_are_rounded_to_what_int8_can_say() -> None:
    weights = np.random.default_rng(7).normal(size=(4, 3, 2, 2)).astype(np.float32)
    weights[2] = 0
    steps = np.abs(weights).max(axis=(1, 2, 3), keepdims=True) / 127
    found = rounded(weights)
    assert (np.abs(found - weights) <= steps / 2 * 1.001).all()
    assert max(len(np.unique(found[output])) for output in range(4)) <= 255


def test_what_follows_the_last_layers_is_decoding() -> None:
    # YOLO's: a convolution gives a distribution for each side, whose mean is a distance, in steps of 8 pixels.
    image = ops.parameter([1, 3, 8, 8], ov.Type.f32, name="image")
    weights = np.ones((8, 3, 1, 1), np.float32)
    same: tuple[list[int], ...] = ([1, 1], [0, 0], [0, 0], [1, 1])
    body = ops.relu(ops.convolution(image, ops.constant(weights), *same, name="body"), name="relu")
    head = ops.convolution(body, ops.constant(np.ones((8, 8, 1, 1), np.float32)), *same, name="head")
    biased = ops.add(head, ops.constant(np.ones((1, 8, 1, 1), np.float32)), name="bias")
    parts = ops.softmax(biased, 1, name="distribution")
    places = ops.constant(np.arange(8, dtype=np.float32).reshape(1, 8, 1, 1))
    distance = ops.convolution(parts, places, *same, name="mean")
    pixels_ = ops.multiply(distance, ops.constant(np.float32(8)), name="pixels")
    model = ov.Model([ops.result(pixels_)], [image], "head")
    assert sorted(decoding_layers(model)) == ["distribution", "mean", "pixels"]


def test_layer_that_rounding_spoils_comes_first() -> None:
    # In the pointwise weights a channel is 1000 times smaller than the others, and what it reads 1000 times larger.
    image = np.random.default_rng(6).uniform(0, 255, (1, 3, 16, 24)).astype(np.float32)
    told: list[str] = []

    def outputs_of(model: ov.Model) -> list[Outputs]:
        return [{"values": infer(model, image)}]

    assert sensitive_layers(separable(1000), outputs_of, told.append) == ["pointwise", "depthwise"]
    assert told == ["measuring layer 1 of 2", "measuring layer 2 of 2"]


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures of a painted person."""
    folder = tmp_path_factory.mktemp("people")
    for number in range(12):
        cv2.imwrite(str(folder / f"{number}.png"), paint_person(blank(), shift=(number, 0)))
    return folder


@pytest.fixture(scope="module")
def whole_people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures of a person for one-stage networks; the first keypoint is in the place of the name."""
    folder = tmp_path_factory.mktemp("whole")
    for number in range(12):
        cv2.imwrite(str(folder / f"{number:02}.png"), paint([(230, 10 + number, 20)]))
    return folder


def levels(count: int, highest: float = 255) -> Quantizer:
    """Stands in for NNCF: quantizes the image only, of 0 to `highest`, to so many levels; 256 change nothing."""

    def quantizer(
        model: ov.Model, inputs: Sequence[np.ndarray], bits: int, kept: Collection[str], progress: Callable[[str], None]
    ) -> ov.Model:
        image = model.get_parameters()[0]
        readers = list(image.output(0).get_target_inputs())
        low, high = ops.constant(np.float32(0)), ops.constant(np.float32(highest))
        coarse = ops.fake_quantize(image, low, high, low, high, count)
        for reader in readers:
            reader.replace_source_output(coarse.output(0))
        model.validate_nodes_and_infer_types()
        return model

    return quantizer


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time an inference once, not fifteen times: no test asks how fast a network is."""
    monkeypatch.setattr("human_pose.quantization.comparison.WARM_UP_TURNS", 0)
    monkeypatch.setattr("human_pose.quantization.comparison.TIMED_TURNS", 1)


@pytest.fixture
def one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try 8 bits for weights and no fewer, for tests of what is done with a result."""
    monkeypatch.setattr("human_pose.quantization.quantize.WEIGHT_BITS", (8,))


@pytest.mark.usefixtures("quick")
class TestQuantize:
    """A model and its figures are installed together, or nothing is."""

    @pytest.mark.parametrize("shape", [{}, {"height": -1, "width": -1}, {"layout": "NHWC", "outputs": 1}])
    def test_model_that_lost_nothing_is_installed(
        self, tmp_path: Path, people: Path, shape: dict[str, int | str]
    ) -> None:
        xml = save_network(tmp_path, **shape)
        models = tmp_path / "models"
        wish = Options(str(xml), str(people), "tiny", HEIGHT)
        installed, figures = quantize(wish, models, levels(256))
        assert installed == models / "tiny" / INT8 / "tiny.xml"
        assert "100.0% were found again" in figures
        assert sorted(path.name for path in installed.parent.iterdir()) == ["tiny.bin", "tiny.json", "tiny.xml"]
        assert [path.name for path in models.iterdir()] == ["tiny"]

        facts = json.loads(installed.with_suffix(".json").read_text())
        assert facts["agreement"]["within_torso"] == facts["agreement"]["within_pixels"] == 1
        assert facts["agreement"]["frames"] == 1  # of twelve, three are held out: two choose, one judges
        assert facts["agreement"]["keypoints"] == len(PERSON)
        assert facts["calibrated_on_frames"] == 9
        assert facts["input"] == [WIDTH, HEIGHT]
        assert set(facts["output_errors"]) == {"heatmaps", "pafs"}
        assert facts["output_errors"]["heatmaps"] < 1e-3
        assert facts["frames_of"] == people.name

        file = choose_model("tiny", INT8, models)
        assert choose_model(str(installed), None).precision == INT8
        network = load_model(ov.Core(), file)
        own = ov.Core().read_model(xml).input().partial_shape
        assert ov.Core().read_model(installed).input().partial_shape == own
        network.reshape(WIDTH, HEIGHT)

    @pytest.mark.parametrize("layout", ["candidates", "people", "boxes", "sizes"])
    def test_one_stage_network_keeps_its_outputs_and_what_is_said_beside_it(
        self, tmp_path: Path, whole_people: Path, layout: str
    ) -> None:
        xml = save_one_stage(tmp_path, layout=layout, keypoints=3, values=2 if layout == "sizes" else 3)
        beside = {"keypoints": ["head", "middle", "tail"], "colours": "RGB", "scale": 255}
        xml.with_suffix(".pose.json").write_text(json.dumps(beside))
        installed, figures = quantize(
            Options(str(xml), str(whole_people), "tiny", SIDE), tmp_path / "models", levels(256, 1)
        )
        assert "100.0% within 5 pixels" in figures
        facts = json.loads(installed.with_suffix(".json").read_text())
        assert (facts["agreement"]["keypoints"], facts["agreement"]["within_torso"]) == (3, None)
        network = load_model(ov.Core(), choose_model("tiny", INT8, tmp_path / "models"))
        assert set(facts["output_errors"]) == set(network.decoder.output_names)
        assert network.decoder.skeleton.keypoints == ("head", "middle", "tail")
        assert [port.get_any_name() for port in ov.Core().read_model(installed).inputs] == ["images"]

    def test_one_stage_network_that_lost_too_much_is_refused(self, tmp_path: Path, whole_people: Path) -> None:
        with pytest.raises(DemoError, match=r"whole is refused.* 0\.0% were found again"):
            quantize(Options(str(save_one_stage(tmp_path)), str(whole_people)), tmp_path / "models", levels(2, 1))

    @pytest.mark.usefixtures("one_try")
    def test_model_that_lost_too_much_is_refused_with_numbers(self, tmp_path: Path, people: Path) -> None:
        models = tmp_path / "models"
        with pytest.raises(DemoError, match=r"tiny is refused.* 0\.0% were found again.*people 1 -> 0.*90%") as caught:
            quantize(Options(str(save_network(tmp_path)), str(people), "tiny", HEIGHT), models, levels(2))
        assert caught.value.exit_code == 1
        assert "\n" not in str(caught.value)
        assert list(models.iterdir()) == []

    @pytest.mark.usefixtures("one_try")
    @pytest.mark.parametrize("wish", [{"force": True}, {"bound": 0.0}])
    def test_refused_model_is_kept_if_the_user_insists(
        self, tmp_path: Path, people: Path, wish: dict[str, float]
    ) -> None:
        asked = Options(str(save_network(tmp_path)), str(people), "tiny", HEIGHT, **wish)  # type: ignore[arg-type]
        installed, _ = quantize(asked, tmp_path / "models", levels(2))
        assert json.loads(installed.with_suffix(".json").read_text())["agreement"]["within_pixels"] == 0

    @pytest.mark.usefixtures("one_try")
    def test_refusal_leaves_the_former_model(self, tmp_path: Path, people: Path) -> None:
        models = tmp_path / "models"
        wish = Options(str(save_network(tmp_path)), str(people), "tiny", HEIGHT)
        quantize(wish, models, levels(256))
        before = {path: path.read_bytes() for path in models.rglob("*.*") if path.is_file()}
        with pytest.raises(DemoError, match="refused"):
            quantize(wish, models, levels(2))
        assert {path: path.read_bytes() for path in models.rglob("*.*") if path.is_file()} == before
        quantize(wish, models, levels(256))  # what the command made, it may replace

    def test_the_first_try_that_is_good_enough_is_kept(self, tmp_path: Path, people: Path) -> None:
        tried: list[int] = []

        def quantizer(model: ov.Model, inputs: Sequence[np.ndarray], bits: int, *rest: object) -> ov.Model:
            tried.append(bits)
            return levels(2 if bits == 8 else 256)(model, inputs, bits, [], print)

        wish = Options(str(save_network(tmp_path)), str(people), "tiny", HEIGHT)
        installed, _ = quantize(wish, tmp_path / "models", quantizer)
        assert tried == [8, 7]
        assert json.loads(installed.with_suffix(".json").read_text())["weight_bits"] == 7

    @pytest.fixture
    def few_float_layers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """2, 4 and 8 instead of 8 to 64: each layer is measured, which takes its time."""
        monkeypatch.setattr("human_pose.quantization.quantize.FLOAT_LAYERS", (2, 4, 8))

    @pytest.mark.usefixtures("few_float_layers")
    def test_accuracy_control_leaves_more_and_more_layers_in_float(self, tmp_path: Path, people: Path) -> None:
        tried: list[tuple[int, int]] = []

        def quantizer(
            model: ov.Model, inputs: Sequence[np.ndarray], bits: int, kept: Collection[str], *rest: object
        ) -> ov.Model:
            tried.append((bits, len(kept)))
            return levels(256 if len(kept) == 4 else 2)(model, inputs, bits, [], print)

        xml = save_with_convolutions(tmp_path, 5)
        wish = Options(str(xml), str(people), "tiny", HEIGHT, accuracy_control=True)
        installed, _ = quantize(wish, tmp_path / "models", quantizer)
        assert tried == [(8, 0), (7, 0), (8, 2), (7, 2), (8, 4)]
        facts = json.loads(installed.with_suffix(".json").read_text())
        assert len(set(facts["float_layers"]) & {f"same{number}" for number in range(5)}) == 4

    @pytest.mark.usefixtures("few_float_layers")
    def test_some_layer_is_left_to_quantize(self, tmp_path: Path, people: Path) -> None:
        tried: list[int] = []

        def quantizer(
            model: ov.Model, inputs: Sequence[np.ndarray], bits: int, kept: Collection[str], *rest: object
        ) -> ov.Model:
            tried.append(len(kept))
            return levels(2)(model, inputs, bits, [], print)

        wish = Options(str(save_with_convolutions(tmp_path, 4)), str(people), "tiny", HEIGHT, accuracy_control=True)
        with pytest.raises(DemoError, match="refused"):
            quantize(wish, tmp_path / "models", quantizer)
        assert tried == [0, 0, 2, 2]

    def test_source_without_people_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        for number in range(5):
            cv2.imwrite(str(tmp_path / "empty" / f"{number}.png"), blank())
        with pytest.raises(UsageError, match="finds nobody"):
            quantize(Options(str(save_network(tmp_path)), str(tmp_path / "empty")), tmp_path / "models", levels(256))

    def test_quantized_model_is_refused(self, tmp_path: Path, people: Path) -> None:
        models = tmp_path / "models"
        installed, _ = quantize(Options(str(save_network(tmp_path)), str(people), "tiny", HEIGHT), models, levels(256))
        with pytest.raises(UsageError, match="is quantized already"):
            quantize(Options(str(installed), str(people), "other"), models, levels(256))
        with pytest.raises(UsageError, match="is quantized already"):
            quantize(Options(str(installed.parent), str(people), "other"), models, levels(256))

    @pytest.mark.parametrize("name", ["a/b", "..", ".hidden", DEFAULT_MODEL])
    def test_name_that_cannot_be_is_refused(self, tmp_path: Path, people: Path, name: str) -> None:
        with pytest.raises(UsageError, match=r"Give (another )?--name"):
            quantize(Options(str(save_network(tmp_path)), str(people), name), tmp_path / "models", levels(256))

    def test_model_of_other_making_is_not_replaced(self, tmp_path: Path, people: Path) -> None:
        folder = tmp_path / "models" / "tiny" / INT8
        folder.mkdir(parents=True)
        with pytest.raises(UsageError, match="was not made by this command"):
            quantize(Options(str(save_network(tmp_path)), str(people), "tiny"), tmp_path / "models", levels(256))


def test_without_nncf_one_line_says_what_to_install(
    tmp_path: Path, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    monkeypatch.setattr("human_pose.quantization.nncf_quantizer.importlib.import_module", missing)
    with pytest.raises(QuantizerMissingError, match=r"pip install '\.\[quantize\]'") as caught:
        quantize(Options("mobilenet-thin", str(people)), tmp_path)
    assert (caught.value.exit_code, "\n" in str(caught.value)) == (2, False)


@pytest.mark.skipif(importlib.util.find_spec("nncf") is None, reason="NNCF is not installed: pip install nncf")
def test_nncf_quantizes_a_network(tmp_path: Path, people: Path) -> None:
    import_nncf()
    installed, _ = quantize(
        Options(str(save_with_convolutions(tmp_path, 2)), str(people), "tiny", HEIGHT), tmp_path / "models"
    )
    assert "FakeQuantize" in installed.read_text()
    assert json.loads(installed.with_suffix(".json").read_text())["agreement"]["within_torso"] >= 0.9


@pytest.mark.skipif(importlib.util.find_spec("nncf") is None, reason="NNCF is not installed: pip install nncf")
@pytest.mark.parametrize("layout", ["candidates", "sizes"])
def test_nncf_quantizes_a_one_stage_network_but_not_its_decoding(
    tmp_path: Path, whole_people: Path, layout: str
) -> None:
    xml = tmp_path / "whole.xml"
    ov.save_model(
        behind_convolutions(one_stage_network(layout, values=2 if layout == "sizes" else 3), 2),
        xml,
        compress_to_fp16=False,
    )
    installed, _ = quantize(Options(str(xml), str(whole_people), "tiny", SIDE), tmp_path / "models")
    facts = json.loads(installed.with_suffix(".json").read_text())
    assert facts["agreement"]["within_torso"] >= 0.9
    assert facts["agreement"]["mean_pixels"] < 1  # a step of 8 bits
    model = ov.Core().read_model(installed)
    rounded_ones = [
        node.input_value(0).get_node() for node in model.get_ordered_ops() if node.get_type_name() == "FakeQuantize"
    ]
    assert rounded_ones
    assert {node.get_type_name() for node in rounded_ones} <= {"Parameter", "Relu", "Constant", "Convert", "Multiply"}

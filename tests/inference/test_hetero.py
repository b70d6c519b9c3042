"""HETERO by hand, on the CPU and its stand-in."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from human_pose.decoders.openpose import OpenPoseDecoder
from human_pose.errors import UsageError
from human_pose.folders import BUNDLED_VIDEO as VIDEO
from human_pose.inference import hetero as affinity
from human_pose.inference.backend import DeviceError
from human_pose.inference.model import PoseModel, load_model
from human_pose.inference.openvino_backend import OpenVinoCompiledModel, compile_model
from human_pose.inference.preprocess import fill_input, new_input
from human_pose.inference.settings import Settings, configure
from human_pose.measurement.stand_ins import HETERO, write_plugins
from human_pose.zoo.resolve import choose_model
from tests.helpers.openpose import estimator_on
from tests.helpers.painted import save_with_convolutions
from tests.helpers.pictures import frames_of


@pytest.fixture(scope="module")
def core(stand_in_core: ov.Core) -> ov.Core:
    return stand_in_core


@pytest.fixture(scope="module")
def bundled(core: ov.Core, first_maps_xml: Path) -> PoseModel:
    network = load_model(core, choose_model(str(first_maps_xml), None))
    network.reshape(88, 64)
    return network


def convolutions_in(network: PoseModel) -> int:
    types = [node.get_type_name() for node in network.model.get_ops()]
    return types.count("Convolution") + types.count("GroupConvolution")


@pytest.fixture(scope="module")
def small(core: ov.Core, tmp_path_factory: pytest.TempPathFactory) -> PoseModel:
    """Two convolutions and what finds the painted: the study's split makes five subgraphs of it."""
    return load_model(core, choose_model(str(save_with_convolutions(tmp_path_factory.mktemp("small"), 2)), None))


SMALL_SUBGRAPHS = 2 * 2 + 1


def two_convolutions() -> ov.Model:
    """convolution -> relu -> convolution, the weights of the second behind a conversion."""
    image = ops.parameter([1, 3, 8, 8], np.float32, name="image")
    first = ops.convolution(
        image, ops.constant(np.ones((4, 3, 1, 1), np.float32), name="w1"), [1, 1], [0, 0], [0, 0], [1, 1]
    )
    first.set_friendly_name("first")
    middle = ops.relu(first)
    middle.set_friendly_name("middle")
    stored = ops.constant(np.ones((2, 4, 1, 1), np.float16), name="w2")
    weights = ops.convert(stored, "f32")
    weights.set_friendly_name("w2_converted")
    second = ops.convolution(middle, weights, [1, 1], [0, 0], [0, 0], [1, 1])
    second.set_friendly_name("second")
    result = ops.result(second, name="end")
    return ov.Model([result], [image], "two")


def write(path: Path, rules: object) -> Path:
    path.write_text(json.dumps(rules))
    return path


def test_convolutions_go_first_and_constants_with_their_readers() -> None:
    assert affinity.convolutions_first(two_convolutions(), ["GPU", "CPU"]) == {
        "image": "GPU", "w1": "GPU", "first": "GPU", "middle": "CPU",
        "w2": "GPU", "w2_converted": "GPU", "second": "GPU", "end": "GPU",
    }  # fmt: skip


def test_a_name_goes_before_a_type_and_a_type_before_an_expression(tmp_path: Path) -> None:
    rules = {".*": "CPU", "Convolution": "GPU", "second": "CPU"}
    found = affinity.from_file(two_convolutions(), ["GPU", "CPU"], write(tmp_path / "a.json", rules))
    assert {name: found[name] for name in ("first", "middle", "second", "w2", "image")} == {
        "first": "GPU", "middle": "CPU", "second": "CPU", "w2": "CPU", "image": "GPU",
    }  # fmt: skip


def test_what_no_rule_matches_goes_to_the_last_device(tmp_path: Path) -> None:
    found = affinity.from_file(two_convolutions(), ["GPU", "CPU"], write(tmp_path / "a.json", {"f.*t": "GPU"}))
    assert [found[name] for name in ("first", "middle", "second")] == ["GPU", "CPU", "CPU"]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"Relu": "NPU"}, "puts 'Relu' on NPU, which is none of GPU, CPU"),
        ({"third": "GPU"}, "'third' .* matches no node"),
        ({"(": "GPU"}, "neither a node, a type nor a regular expression"),
        ([1], "must hold an object"),
        ({"Relu": 1}, "must hold an object"),
    ],
)
def test_a_wrong_rule_is_named(rules: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        affinity.from_file(two_convolutions(), ["GPU", "CPU"], write(tmp_path / "a.json", rules))


def test_a_file_that_is_no_json_or_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(UsageError, match="is not JSON"):
        affinity.read_rules(tmp_path / "a.json")
    with pytest.raises(UsageError, match="Cannot read the affinity file"):
        affinity.read_rules(tmp_path / "b.json")


def test_a_file_that_json_cannot_stand_or_that_is_a_pipe_is_named(tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text("[" * 200_000)
    with pytest.raises(UsageError, match=r"deep.json' is not JSON"):
        affinity.read_rules(tmp_path / "deep.json")
    with pytest.raises(UsageError, match="is a folder, a pipe or a device"):
        affinity.read_rules(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(UsageError, match="is a folder, a pipe or a device"):
            affinity.read_rules(tmp_path / "pipe")


def test_an_expression_that_takes_for_ever_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.json", {"((((((.*)*)*)*)*)*)!": "GPU"})
    model = two_convolutions()
    model.get_ordered_ops()[0].set_friendly_name("Mconv7_stage2_L2/WithoutBiases/Mconv7_stage2_L2")
    with monkeypatch.context() as patch:
        patch.setattr(affinity, "MATCHING_S", 0.5)
        with pytest.raises(UsageError, match=r"a.json' take longer than 0 s\. Give simpler ones"):
            affinity.from_file(model, ["GPU", "CPU"], path)
    path = write(tmp_path / "b.json", {"(" * 5000 + ")" * 5000: "GPU"})
    with pytest.raises(UsageError, match="neither a node, a type nor a regular expression"):
        affinity.from_file(model, ["GPU", "CPU"], path)


def test_a_wrong_rule_is_wrong_use(core: ov.Core, bundled: PoseModel, tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"'third' in .* matches no node") as caught:
        compiled_with(core, bundled, str(write(tmp_path / "a.json", {"third": "GPU"})))
    assert caught.value.exit_code == 2


def compiled_with(core: ov.Core, network: PoseModel, split: str, **settings: Any) -> OpenVinoCompiledModel:
    return compile_model(core, network.model, HETERO, Settings("FP32", affinity=split, **settings))


def test_openvinos_own_split_leaves_all_to_a_device_that_can_do_all(core: ov.Core, bundled: PoseModel) -> None:
    compiled = compiled_with(core, bundled, "auto")
    assert compiled.subgraphs == 1
    assert list(compiled.operations) == ["GPU"]


def test_the_studys_split_runs_on_both_and_gives_the_same(core: ov.Core, bundled: PoseModel) -> None:
    compiled = compiled_with(core, bundled, "conv")
    assert set(compiled.executed_on) == {"GPU", "CPU"}
    assert compiled.subgraphs is not None
    assert compiled.subgraphs > 30
    assert compiled.operations["GPU"] >= convolutions_in(bundled) > 40  # and what prepares their weights
    reference = compile_model(core, bundled.model, "CPU", Settings("FP32"))
    image = np.random.default_rng(1).integers(0, 256, (1, 64, 88, 3)).astype(np.uint8)
    assert max(affinity.differences(compiled.network, reference.network, image, OpenPoseDecoder()).values()) < 1e-4


def test_the_studys_split_passes_the_check_whatever_the_cpu_executes_in(bundled: PoseModel, tmp_path: Path) -> None:
    """A CPU with bf16 rounds differently where a split ends, and no split is wrong because of that."""
    core = ov.Core(str(write_plugins(tmp_path)))
    settings = Settings("FP16", affinity="conv")
    estimator = estimator_on(core, bundled, HETERO, settings)
    assert estimator.compiled.difference is not None
    assert estimator.compiled.difference < affinity.TOLERANCE


def test_maps_of_another_picture_do_not_pass_the_check(core: ov.Core) -> None:
    """What a split that breaks the outputs must not give, on a picture of two people."""

    class Swapped:
        """Infers the mirrored picture instead of the one that it is given."""

        def __init__(self, network: ov.CompiledModel) -> None:
            self.network = network

        def create_infer_request(self) -> "Swapped":
            self.request = self.network.create_infer_request()
            return self

        def infer(self, images: list[np.ndarray]) -> None:
            self.request.infer([np.ascontiguousarray(images[0][:, :, ::-1])])

        def get_tensor(self, name: str) -> ov.Tensor:
            return self.request.get_tensor(name)

    network = load_model(core, choose_model("mobilenet-thin", None))
    network.reshape(344, 256)
    compiled = compile_model(core, network.model, "CPU", Settings("FP32"))
    [frame] = frames_of(VIDEO, [100])
    image = new_input(compiled.network, frame.shape[1::-1], network.preprocessing)
    fill_input(frame, image, network.preprocessing)
    same = affinity.differences(compiled.network, compiled.network, image, OpenPoseDecoder())
    other = affinity.differences(Swapped(compiled.network), compiled.network, image, OpenPoseDecoder())
    assert max(same.values()) == 0
    assert max(other.values()) > affinity.TOLERANCE


def test_the_map_in_force_is_written_and_can_be_given_back(core: ov.Core, small: PoseModel, tmp_path: Path) -> None:
    first = compiled_with(core, small, "conv", affinity_map=tmp_path / "map.json")
    written = json.loads((tmp_path / "map.json").read_text())
    assert written["subgraphs"] == first.subgraphs == SMALL_SUBGRAPHS
    assert written["operations"] == first.operations
    assert set(written["nodes"]) == {node.get_friendly_name() for node in small.model.get_ops()}
    again = compiled_with(core, small, str(tmp_path / "map.json"))
    assert (again.subgraphs, again.operations) == (first.subgraphs, first.operations)


def test_the_cache_tells_one_split_from_another(small: PoseModel, tmp_path: Path) -> None:
    core = ov.Core(str(write_plugins(tmp_path)))
    configure(core, Settings("FP32", cache=tmp_path))
    subgraphs = [compiled_with(core, small, split).subgraphs for split in ("auto", "conv", "auto", "conv")]
    assert subgraphs == [1, SMALL_SUBGRAPHS, 1, SMALL_SUBGRAPHS]


def test_a_split_that_breaks_the_outputs_is_refused_with_the_numbers(
    core: ov.Core, small: PoseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("human_pose.inference.hetero.differences", lambda *_: {"heatmaps": 0.01, "pafs": 0.31})
    with pytest.raises(
        DeviceError, match=r"refused: .* differ from CPU's \(heatmaps by 0.01, pafs by 0.31, root mean square; allowed"
    ):
        estimator_on(core, small, HETERO)


def test_a_good_split_is_used_and_its_difference_known(core: ov.Core, small: PoseModel) -> None:
    estimator = estimator_on(core, small, HETERO, Settings("FP32", affinity="conv"))
    assert estimator.compiled.difference is not None
    assert estimator.compiled.difference < 1e-4


def test_the_picture_of_the_map_shows_every_operation_in_its_devices_colour(tmp_path: Path) -> None:
    if shutil.which("dot") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Graphviz is not installed")
        pytest.skip("Graphviz is not installed: sudo apt-get install -y graphviz")
    model = two_convolutions()
    affinity.draw_map(tmp_path / "map.svg", model, affinity.convolutions_first(model, ["GPU", "CPU"]))
    picture = (tmp_path / "map.svg").read_text()
    assert picture.count(">Convolution<") == 2
    assert picture.count(">Relu<") == 1
    assert (picture.count(">GPU<"), picture.count(">CPU<")) == (4, 1)  # the input and the end, too


def test_without_graphviz_the_map_is_written_and_the_picture_is_not(
    core: ov.Core,
    bundled: PoseModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", "")
    compiled_with(core, bundled, "auto", affinity_map=tmp_path / "map.json")
    assert [path.name for path in tmp_path.iterdir()] == ["map.json"]
    assert (
        capsys.readouterr().err == "For the picture of the graph, install Graphviz: sudo apt-get install -y graphviz\n"
    )


@pytest.mark.slow
def test_the_zoos_network_falls_into_116_subgraphs_and_runs(core: ov.Core) -> None:
    """OpenVINO shows no runtime graph of so many subgraphs; the network runs all the same."""
    network = load_model(core, choose_model("human-pose-estimation-0001", None))
    network.reshape(88, 64)
    compiled = compiled_with(core, network, "conv")
    assert compiled.subgraphs == 116
    assert compiled.execution_precision == "f32 (hint)"


def test_a_shape_that_is_computed_of_known_shapes_is_a_constant_in_a_split(core: ov.Core) -> None:
    image = ops.parameter([1, 3, 8, 8], ov.Type.f32)
    shape = ops.gather(ops.shape_of(image, "i64"), ops.constant([0, 1]), ops.constant(0))
    flat = ops.concat([shape, ops.constant(np.array([-1]))], 0)
    model = ov.Model([ops.result(ops.reshape(ops.relu(image), flat, False))], [image], "flat")
    known = affinity.with_known_shapes(model)
    assert {node.get_type_name() for node in known.get_ops()} == {"Parameter", "Constant", "Relu", "Reshape", "Result"}
    assert "ShapeOf" in {node.get_type_name() for node in model.get_ops()}  # which may be reshaped later
    values = np.random.default_rng(1).random((1, 3, 8, 8), np.float32)
    assert np.array_equal(core.compile_model(known, "CPU")(values)[0], values.reshape(1, 3, 64))


@pytest.mark.measurement_data
@pytest.mark.slow
@pytest.mark.parametrize("precision", ["FP16-INT8", "FP32"])
def test_a_one_stage_network_is_split_and_another_picture_is_noticed(
    precision: str, core: ov.Core, measurement_data: Path
) -> None:
    xml = measurement_data / "models/yolov8n-pose/FP16-INT8/yolov8n-pose.xml"
    network = load_model(core, choose_model(str(xml), precision))
    network.reshape(256, 192)
    compiled = compiled_with(core, network, "conv")
    reference = compile_model(core, network.model, "CPU", Settings("FP32"))
    [frame] = frames_of(VIDEO, [30])
    image = new_input(compiled.network, frame.shape[1::-1], network.preprocessing)
    fill_input(frame, image, network.preprocessing)
    same = affinity.differences(compiled.network, reference.network, image, network.decoder)
    assert max(same.values()) < affinity.TOLERANCE
    request = reference.network.create_infer_request()
    quantities = []
    for picture in (image, np.ascontiguousarray(image[:, :, ::-1])):
        request.infer([picture])
        quantities.append(network.decoder.quantities({"candidates": request.get_tensor("candidates").data[0].copy()}))
    true, other = quantities
    changes = {
        name: np.sqrt(np.square(other[name] - values).mean()) / max(1, np.sqrt(np.square(values).mean()))
        for name, values in true.items()
    }
    assert changes["pixels"] > affinity.TOLERANCE

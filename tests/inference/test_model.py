"""Which IR a name and a precision stand for, and that a network of any layout becomes the uniform one."""

import hashlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from human_pose.errors import UsageError
from human_pose.inference.model import ModelFile, PoseModel, load_model
from human_pose.inference.openpose_outputs import PREPROCESSING
from human_pose.inference.preprocess import named_side
from human_pose.zoo.catalog import BUNDLED, CATALOG, DEFAULT_MODEL, ORIGINAL_MODEL, PRECISIONS, RemoteFile
from human_pose.zoo.resolve import ZOO_VARIABLE, ModelUnavailableError, choose_model
from tests.helpers.onnx_models import write_people
from tests.helpers.painted import CELL, HEIGHT, WIDTH, blank, paint_person, painted_network, save_network


@pytest.fixture(scope="module")
def core() -> ov.Core:
    return ov.Core()


@pytest.fixture
def models_folder(tmp_path: Path, root: Path) -> Path:
    """A models folder as the project has it when nothing was downloaded yet."""
    folder = tmp_path / "models"
    for name, precision in BUNDLED.items():
        (folder / name).mkdir(parents=True)
        (folder / name / precision).symlink_to(root / "models" / name / precision)
    return folder


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The zoo's address leads to a port where nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setenv(ZOO_VARIABLE, f"http://127.0.0.1:{closed.getsockname()[1]}")
        yield


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[bytes, bytes]:
    """A zoo that has the default model in FP16, made of these two files, .xml and .bin."""
    contents = b"<net/>", b"weights"
    remote = []
    for suffix, content in zip((".xml", ".bin"), contents, strict=True):
        path = tmp_path / f"{DEFAULT_MODEL}{suffix}"
        path.write_bytes(content)
        remote.append(RemoteFile(path.name, len(content), hashlib.sha384(content).hexdigest()))
    monkeypatch.setitem(CATALOG[DEFAULT_MODEL], "FP16", (remote[0], remote[1]))
    monkeypatch.setenv(ZOO_VARIABLE, tmp_path.as_uri())
    return contents


@pytest.fixture(scope="module")
def quantized_xml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """IR with a FakeQuantize layer."""
    image = ops.parameter([1, 3, 64, 64], ov.Type.f32)
    low, high = ops.constant(np.float32(0)), ops.constant(np.float32(255))
    xml = tmp_path_factory.mktemp("quantized") / "tiny.xml"
    ov.save_model(ov.Model([ops.result(ops.fake_quantize(image, low, high, low, high, 256))], [image], "tiny"), xml)
    return xml


def put_ir(models_folder: Path, name: str, precision: str) -> Path:
    """Two files in the place of an IR; choosing does not read them."""
    xml = models_folder / name / precision / f"{name}.xml"
    xml.parent.mkdir(parents=True)
    xml.write_text("<net/>")
    xml.with_suffix(".bin").touch()
    return xml


# ---- choose_model ----


def test_bundled_model_is_found_without_a_word(models_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = choose_model(ORIGINAL_MODEL, None, models_folder)
    assert file == ModelFile(ORIGINAL_MODEL, "FP16", models_folder / ORIGINAL_MODEL / "FP16" / f"{ORIGINAL_MODEL}.xml")
    assert capsys.readouterr().err == ""


def test_fp32_of_bundled_model_executes_its_fp16_file_and_says_so(
    models_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = choose_model(ORIGINAL_MODEL, "FP32", models_folder)
    assert file.precision == "FP32"
    assert file.path.parent.name == "FP16"
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert all(word in output.err for word in (ORIGINAL_MODEL, "FP16", "FP32"))


def test_bundled_model_has_no_int8_and_the_error_says_why(models_folder: Path) -> None:
    with pytest.raises(UsageError, match=r"no FP16-INT8: .*3 % of its keypoints.*-p FP16 .*models quantize") as caught:
        choose_model(ORIGINAL_MODEL, "FP16-INT8", models_folder)
    assert "\n" not in str(caught.value)


def test_int8_that_the_user_made_of_the_bundled_model_is_taken(tmp_path: Path) -> None:
    xml = put_ir(tmp_path, ORIGINAL_MODEL, "FP16-INT8")
    assert choose_model(ORIGINAL_MODEL, "FP16-INT8", tmp_path) == ModelFile(ORIGINAL_MODEL, "FP16-INT8", xml)


def test_unknown_name_is_answered_with_the_known_ones(models_folder: Path) -> None:
    with pytest.raises(UsageError, match=f"'yolo'.*{DEFAULT_MODEL}.*{ORIGINAL_MODEL}"):
        choose_model("yolo", None, models_folder)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_catalog_model_on_disk_needs_no_network(
    tmp_path: Path, precision: str, capsys: pytest.CaptureFixture[str]
) -> None:
    xml = put_ir(tmp_path, DEFAULT_MODEL, precision)
    for name in (DEFAULT_MODEL, None):
        assert choose_model(name, precision, tmp_path) == ModelFile(DEFAULT_MODEL, precision, xml)
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(("asked", "present"), [("FP16", "FP32"), ("FP32", "FP16")])
def test_without_network_the_other_float_file_is_executed(
    models_folder: Path, asked: str, present: str, capsys: pytest.CaptureFixture[str]
) -> None:
    xml = put_ir(models_folder, DEFAULT_MODEL, present)
    assert choose_model(None, asked, models_folder) == ModelFile(DEFAULT_MODEL, asked, xml)
    assert capsys.readouterr().err.count("\n") == 1


SHA256 = {  # of the zoo's own files, from its model.yml of release 2020.2
    ".xml": "2ea05c99126a7536622828586837dcde962a12dc8b427c0a847876ce9b2f2506",
    ".bin": "47ae11b12bf8ce8c27f20cf902c9b665aae25a44513787d36a9a755fccdd2a47",
}


@pytest.mark.usefixtures("no_network")
def test_the_default_is_the_bundled_network_as_the_zoo_published_it(
    models_folder: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    xml = models_folder / DEFAULT_MODEL / "FP16-INT8" / f"{DEFAULT_MODEL}.xml"
    for name, precision in ((None, None), (DEFAULT_MODEL, None), (None, "FP16-INT8")):
        assert choose_model(name, precision, models_folder) == ModelFile(DEFAULT_MODEL, "FP16-INT8", xml)
    assert capsys.readouterr() == ("", "")
    for suffix, checksum in SHA256.items():
        assert hashlib.sha256(xml.with_suffix(suffix).read_bytes()).hexdigest() == checksum
        assert checksum in (root / "models" / "README.md").read_text()


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("precision", ["FP16", "FP32"])
def test_in_float_without_network_it_is_the_float_twin_and_says_so(
    models_folder: Path, precision: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = choose_model(None, precision, models_folder)
    assert file.path.parent.name == "FP16-INT8"
    assert file.title == f"{DEFAULT_MODEL} {precision} (float twin of FP16-INT8)"
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert output.err.startswith(f"{DEFAULT_MODEL} has no {precision} file here (Cannot reach 127.0.0.1")
    assert output.err.endswith(f"executing the float twin of FP16-INT8 in {precision}.\n")


@pytest.mark.usefixtures("no_network")
def test_who_needs_the_makers_weights_gets_no_twin(models_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelUnavailableError, match=f"{DEFAULT_MODEL} FP16 is not on this machine. Cannot reach"):
        choose_model(DEFAULT_MODEL, "FP16", models_folder, allows_twin=False)
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("no_network")
def test_a_float_file_on_disk_does_not_replace_the_faster_default(models_folder: Path) -> None:
    put_ir(models_folder, DEFAULT_MODEL, "FP16")
    assert choose_model(None, None, models_folder).precision == "FP16-INT8"


def test_a_model_that_was_quantized_here_runs_in_float_unless_asked_for(tmp_path: Path) -> None:
    put_ir(tmp_path, "mine", "FP16-INT8")
    assert choose_model("mine", None, tmp_path).precision == "FP16-INT8"  # there is nothing else
    put_ir(tmp_path, "mine", "FP32")
    file = choose_model("mine", None, tmp_path)
    assert (file.precision, file.path.parent.name, file.note) == ("FP16", "FP32", "")


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("precision", ["FP16", "FP32"])
def test_model_that_is_nowhere_is_a_failed_run(tmp_path: Path, precision: str) -> None:
    with pytest.raises(ModelUnavailableError, match=DEFAULT_MODEL) as caught:
        choose_model(DEFAULT_MODEL, precision, tmp_path)
    assert caught.value.exit_code == 1
    assert "\n" not in str(caught.value)


def test_bundled_files_that_are_gone_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"FP16-INT8 file of {DEFAULT_MODEL}, which comes with the project, is gone"):
        choose_model(None, None, tmp_path)


def test_missing_model_comes_from_the_mirror_that_the_environment_names(
    models_folder: Path, mirror: tuple[bytes, bytes]
) -> None:
    file = choose_model(None, "FP16", models_folder)
    assert file == ModelFile(DEFAULT_MODEL, "FP16", models_folder / DEFAULT_MODEL / "FP16" / f"{DEFAULT_MODEL}.xml")
    assert (file.path.read_bytes(), file.path.with_suffix(".bin").read_bytes()) == mirror


def test_half_a_model_on_disk_is_made_whole_by_the_download(models_folder: Path, mirror: tuple[bytes, bytes]) -> None:
    xml = put_ir(models_folder, DEFAULT_MODEL, "FP16")
    xml.with_suffix(".bin").unlink()
    file = choose_model(DEFAULT_MODEL, "FP16", models_folder)
    assert (file.path.read_bytes(), file.path.with_suffix(".bin").read_bytes()) == mirror


@pytest.mark.parametrize(
    ("asked", "chosen"), [(None, "FP16"), ("FP16", "FP16"), ("FP32", "FP32")], ids=["none", "FP16", "FP32"]
)
def test_path_of_a_float_ir_runs_in_the_precision_asked_for(painted_xml: Path, asked: str | None, chosen: str) -> None:
    assert choose_model(str(painted_xml), asked) == ModelFile("painted", chosen, painted_xml)


def test_path_needs_no_folder_in_it(painted_xml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(painted_xml.parent)
    assert choose_model(painted_xml.name, None).path.samefile(painted_xml)


def test_missing_path_is_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        choose_model(str(tmp_path / "absent.xml"), None)


def test_path_without_bin_names_the_missing_file(tmp_path: Path) -> None:
    (tmp_path / "net.xml").write_text("<net/>")
    with pytest.raises(UsageError, match=r"'net\.bin'"):
        choose_model(str(tmp_path / "net.xml"), None)


def test_path_that_is_no_xml_is_no_ir(tmp_path: Path) -> None:
    (tmp_path / "net.bin").touch()
    for path in [tmp_path / "net.bin"]:
        with pytest.raises(UsageError, match="is not an IR"):
            choose_model(str(path), None)


@pytest.mark.parametrize("asked", [None, "FP16-INT8"])
def test_quantized_ir_runs_in_int8(quantized_xml: Path, asked: str | None) -> None:
    assert choose_model(str(quantized_xml), asked).precision == "FP16-INT8"


@pytest.mark.parametrize("asked", ["FP16", "FP32"])
def test_quantized_ir_in_float_is_its_float_twin(
    quantized_xml: Path, asked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert choose_model(str(quantized_xml), asked).title == f"tiny {asked} (float twin of FP16-INT8)"
    assert (
        capsys.readouterr().err
        == f"'{quantized_xml}' is quantized: executing the float twin of FP16-INT8 in {asked}.\n"
    )


def test_float_ir_is_refused_in_int8(painted_xml: Path) -> None:
    with pytest.raises(UsageError, match="not quantized"):
        choose_model(str(painted_xml), "FP16-INT8")


# ---- load_model ----


def load(core: ov.Core, xml: Path) -> PoseModel:
    return load_model(core, ModelFile(xml.stem, "FP32", xml))


def save(folder: Path, model: ov.Model) -> Path:
    xml = folder / "network.xml"
    ov.save_model(model, xml, compress_to_fp16=False)
    return xml


def painted_maps(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the painted network finds: heatmaps (19, h/8, w/8) and pafs (38, h/8, w/8)."""
    height, width = image.shape[0] // CELL, image.shape[1] // CELL
    cells = image.reshape(height, CELL, width, CELL, 3).mean(axis=(1, 3))
    levels = 10.0 * np.arange(1, 20).reshape(-1, 1, 1)
    heatmaps = np.maximum(1 - 0.2 * np.abs(cells[..., 0] - levels), 0)
    components = [np.where(cells[..., c] < 0.5, 0, (cells[..., c] - 128) / 127) for c in (1, 2)]
    return heatmaps, np.stack(components * 19)


def speckled(height: int, width: int) -> np.ndarray:
    """A picture where every cell has a colour of its own."""
    colours = np.random.default_rng(7).integers(0, 256, (height // CELL, width // CELL, 3), np.uint8)
    return np.kron(colours, np.ones((CELL, CELL, 1), np.uint8))


def assert_finds_what_was_painted(core: ov.Core, network: PoseModel, image: np.ndarray) -> None:
    """The network is of the uniform form and gives on `image` what numpy computes."""
    height, width = image.shape[:2]
    network.reshape(width, height)
    assert network.input_size == (width, height)
    data = network.model.input("image")
    assert (list(data.shape), data.element_type) == ([1, height, width, 3], ov.Type.u8)
    assert len(network.model.inputs) == 1
    assert len(network.model.outputs) == 2

    outputs = core.compile_model(network.model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(image[None])
    for name, expected in zip(("heatmaps", "pafs"), painted_maps(image), strict=True):
        assert outputs[name].dtype == np.float32
        assert outputs[name].shape == (1, len(expected), height // CELL, width // CELL)
        np.testing.assert_allclose(outputs[name][0], expected, atol=1e-4)


def with_outputs_of_type(folder: Path, kind: str, outputs: int) -> Path:
    model = painted_network(outputs=outputs)
    results = [ops.result(ops.convert(result.input_value(0), kind)) for result in model.get_results()]
    return save(folder, ov.Model(results, model.get_parameters(), kind))


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("kind", ["f16", "f64"])
def test_every_float_type_of_output_gives_the_same_maps(core: ov.Core, tmp_path: Path, kind: str, outputs: int) -> None:
    network = load(core, with_outputs_of_type(tmp_path, kind, outputs))
    network.reshape(WIDTH, HEIGHT)
    image = paint_person(blank())
    request = core.compile_model(network.model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    request.infer([image[None]])
    for name, expected in zip(("heatmaps", "pafs"), painted_maps(image), strict=True):
        assert request.get_tensor(name).data.dtype == np.float32
        np.testing.assert_allclose(request.get_tensor(name).data[0], expected, atol=1e-3)


@pytest.mark.parametrize("kind", ["i32", "u8", "boolean"])
def test_outputs_that_are_no_floats_are_wrong_use(core: ov.Core, tmp_path: Path, kind: str) -> None:
    with pytest.raises(UsageError, match=rf"network\.xml' gives {kind} where heatmaps and fields are floats"):
        load(core, with_outputs_of_type(tmp_path, kind, 1))


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (-1, -1)], ids=["static", "dynamic"])
def test_every_layout_gives_the_same_maps(
    core: ov.Core, tmp_path: Path, layout: str, outputs: int, size: tuple[int, int]
) -> None:
    xml = save_network(tmp_path, layout=layout, outputs=outputs, height=size[0], width=size[1])
    assert_finds_what_was_painted(core, load(core, xml), paint_person(blank()))


@pytest.mark.parametrize("element_type", ["u8", "f16", "i32"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_every_type_of_input_gives_the_same_maps(core: ov.Core, tmp_path: Path, layout: str, element_type: str) -> None:
    xml = save_network(tmp_path, layout=layout, element_type=element_type)
    assert_finds_what_was_painted(core, load(core, xml), paint_person(blank()))


def test_a_size_left_open_takes_every_shape(core: ov.Core, painted_xml: Path) -> None:
    network = load(core, painted_xml)
    network.reshape_open(128)
    assert network.input_size is None
    assert network.size == 128
    compiled = core.compile_model(network.model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    assert named_side(compiled, network.preprocessing) == 128
    for width, height in ((128, 128), (176, 128), (512, 128), (128, 176), (128, 512)):
        outputs = compiled(speckled(height, width)[None])
        assert outputs["heatmaps"].shape == (1, 19, height // CELL, width // CELL)
        np.testing.assert_allclose(outputs["heatmaps"][0], painted_maps(speckled(height, width))[0], atol=1e-4)


def test_an_input_that_is_too_large_is_refused(core: ov.Core, tmp_path: Path) -> None:
    """OpenVINO would end in a segmentation fault."""
    for size in (100_000, 2056):
        with pytest.raises(UsageError, match=rf"painted\.xml' is too large: {size}x{size}\. Give a model"):
            load(core, save_network(tmp_path, height=size, width=size))


def test_two_outputs_are_told_apart_in_either_order_and_layout(core: ov.Core, tmp_path: Path) -> None:
    model = painted_network()
    pafs, heatmaps = (result.input_value(0) for result in model.get_results())
    outputs = {
        "reversed": (heatmaps, pafs),
        "NHWC": (ops.transpose(pafs, [0, 2, 3, 1]), ops.transpose(heatmaps, [0, 2, 3, 1])),
    }
    for name, maps in outputs.items():
        (tmp_path / name).mkdir()
        xml = save(tmp_path / name, ov.Model([ops.result(part) for part in maps], model.get_parameters(), name))
        assert_finds_what_was_painted(core, load(core, xml), speckled(HEIGHT, WIDTH))


def test_one_output_nchw_is_split(core: ov.Core, tmp_path: Path) -> None:
    model = painted_network()
    pafs, heatmaps = (result.input_value(0) for result in model.get_results())
    result = ops.result(ops.concat([heatmaps, pafs], 1))
    xml = save(tmp_path, ov.Model([result], model.get_parameters(), "one"))
    assert_finds_what_was_painted(core, load(core, xml), speckled(HEIGHT, WIDTH))


@pytest.mark.parametrize(("layout", "outputs"), [("NCHW", 2), ("NHWC", 1), ("NCHW", 1)])
@pytest.mark.parametrize("cells", [19, 38, 57])
@pytest.mark.parametrize("side", ["height", "width"])
def test_maps_as_long_as_they_have_channels_do_not_confuse_the_layouts(
    core: ov.Core, tmp_path: Path, layout: str, outputs: int, cells: int, side: str
) -> None:
    height, width = (cells * CELL, 80) if side == "height" else (80, cells * CELL)
    xml = save_network(tmp_path, layout=layout, outputs=outputs, height=height, width=width)
    assert_finds_what_was_painted(core, load(core, xml), speckled(height, width))


def test_network_takes_another_size_than_its_file_has(core: ov.Core, painted_xml: Path) -> None:
    network = load(core, painted_xml)
    assert_finds_what_was_painted(core, network, speckled(128, 200))
    assert_finds_what_was_painted(core, network, speckled(304, 152))


def test_own_size_is_the_files_shorter_side_or_the_default(core: ov.Core, tmp_path: Path) -> None:
    assert load(core, save_network(tmp_path, height=432, width=368)).own_size == 368
    assert load(core, save_network(tmp_path, height=368, width=432)).own_size == 368
    assert load(core, save_network(tmp_path, layout="NHWC", height=184, width=432)).own_size == 184
    assert load(core, save_network(tmp_path, height=-1, width=-1)).own_size == PREPROCESSING.default_size == 368


def maps_of(image: ov.Node, channels: int, pixels: int = CELL) -> ov.Node:
    """`channels` maps of an NCHW image, one cell for every `pixels` x `pixels`."""
    grey = ops.reduce_mean(ops.avg_pool(image, [pixels] * 2, [0, 0], [0, 0], [pixels] * 2, True), [1], keep_dims=True)
    return ops.concat([grey] * channels, 1)


def classification() -> ov.Model:
    image = ops.parameter([1, 3, 64, 64], ov.Type.f32)
    classes = ops.matmul(ops.reduce_mean(image, [2, 3]), ops.constant(np.ones((3, 10), np.float32)), False, False)
    return ov.Model([ops.result(classes)], [image], "classification")


def two_inputs() -> ov.Model:
    images = [ops.parameter([1, 3, 64, 64], ov.Type.f32) for _ in range(2)]
    return ov.Model([ops.result(maps_of(ops.add(*images), 57))], images, "two inputs")


def with_maps(*channels: int, shape: tuple[int, ...] = (1, 3, 64, 64), pixels: int = CELL) -> Callable[[], ov.Model]:
    def build() -> ov.Model:
        image = ops.parameter(list(shape), ov.Type.f32)
        return ov.Model([ops.result(maps_of(image, count, pixels)) for count in channels], [image], "maps")

    return build


@pytest.mark.parametrize(
    ("build", "found"),
    [
        (classification, ["input [1,3,64,64]", "output [1,10]"]),
        (two_inputs, ["input [1,3,64,64], input [1,3,64,64]", "output [1,57,8,8]"]),
        (with_maps(21), ["output [1,21,8,8]"]),
        (with_maps(19), ["output [1,19,8,8]"]),
        (with_maps(38, 20), ["output [1,38,8,8]", "output [1,20,8,8]"]),
        (with_maps(19, 38, 5), ["output [1,5,8,8]"]),
        (with_maps(57, shape=(1, 4, 64, 64)), ["input [1,4,64,64]"]),
        (with_maps(57, pixels=4), ["output [1,57,16,16]"]),
    ],
    ids=["classification", "two inputs", "21", "19", "38+20", "19+38+5", "four colours", "quarter size"],
)
def test_other_network_is_refused_with_what_was_expected_and_found(
    core: ov.Core, tmp_path: Path, build: Callable[[], ov.Model], found: list[str]
) -> None:
    xml = save(tmp_path, build())
    with pytest.raises(UsageError) as caught:
        load(core, xml)
    expected, _, told = str(caught.value).partition("Found: ")
    assert all(word in expected for word in (str(xml), "3 channels", "19", "38", "57", "18 keypoints"))
    assert all(word in told for word in found)
    assert "\n" not in str(caught.value)


def test_network_that_takes_no_other_size_is_refused(core: ov.Core, tmp_path: Path) -> None:
    image = ops.parameter([1, 3, 64, 64], ov.Type.f32)
    fixed = maps_of(image, 57)
    for shape in ([1, 57, 64], [1, 57, 8, 8]):
        fixed = ops.reshape(fixed, ops.constant(np.array(shape)), False)
    xml = save(tmp_path, ov.Model([ops.result(fixed)], [image], "fixed"))
    with pytest.raises(UsageError):
        load(core, xml).reshape(128, 64)


@pytest.mark.parametrize("text", ["", "hello", "<net", "<html><body/></html>", '<net name="x" version="11"></net>'])
def test_file_that_holds_no_network_is_refused(core: ov.Core, tmp_path: Path, text: str) -> None:
    (tmp_path / "net.xml").write_text(text)
    (tmp_path / "net.bin").touch()
    with pytest.raises(UsageError, match=r"net\.xml") as caught:
        load(core, tmp_path / "net.xml")
    assert "\n" not in str(caught.value)


def test_weights_cut_short_are_refused(core: ov.Core, tmp_path: Path) -> None:
    bundled = choose_model(ORIGINAL_MODEL, None).path
    (tmp_path / "net.xml").write_bytes(bundled.read_bytes())
    weights = bundled.with_suffix(".bin").read_bytes()
    (tmp_path / "net.bin").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(UsageError, match=r"net\.xml"):
        load(core, tmp_path / "net.xml")


def test_mobilenet_thin_is_a_pose_network_of_the_size_it_was_trained_at(core: ov.Core) -> None:
    network = load_model(core, choose_model(ORIGINAL_MODEL, None))
    assert network.own_size == 368
    network.reshape(320, 256)
    shapes = {output.any_name: list(output.shape) for output in network.model.outputs}
    assert shapes == {"heatmaps": [1, 19, 32, 40], "pafs": [1, 38, 32, 40]}


def test_sha256_is_that_of_the_weights(core: ov.Core, painted_xml: Path) -> None:
    for xml in (choose_model(ORIGINAL_MODEL, None).path, painted_xml):
        assert load(core, xml).sha256() == hashlib.sha256(xml.with_suffix(".bin").read_bytes()).hexdigest()


# ---- paths of ONNX files and of folders ----


def put_files(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).write_text("<net/>")
    return folder


def test_an_onnx_file_is_run_as_it_is_and_hashed(core: ov.Core, tmp_path: Path) -> None:
    path = write_people(tmp_path / "net.onnx", task="pose", stride="32", license="AGPL-3.0")
    file = choose_model(str(path), None)
    assert file == ModelFile("net", "FP16", path)
    network = load_model(core, file)
    assert network.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()
    assert network.licence == "AGPL-3.0"


def test_an_exporters_folder_stands_for_the_network_in_it(tmp_path: Path) -> None:
    folder = put_files(
        tmp_path / "yolo11n-pose_openvino_model", "yolo11n-pose.xml", "yolo11n-pose.bin", "metadata.yaml"
    )
    assert choose_model(str(folder), None) == ModelFile("yolo11n-pose", "FP16", folder / "yolo11n-pose.xml")
    folder = put_files(tmp_path / "rtmo-s", "end2end.xml", "end2end.bin", "end2end.onnx", "pipeline.json")
    assert choose_model(str(folder), "FP32") == ModelFile("rtmo-s", "FP32", folder / "end2end.xml")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["a.xml", "a.bin", "b.onnx"],
            r"more than one network in the folder .*: a\.xml, b\.onnx\. Give the path of one",
        ),
        (["notes.txt"], "There is no network in the folder"),
        (["a.xml"], r"lacks its weights: put 'a\.bin' beside it"),
    ],
)
def test_a_folder_that_names_no_network_is_refused(tmp_path: Path, names: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        choose_model(str(put_files(tmp_path / "folder", *names)), None)


def test_an_onnx_file_whose_weights_lie_elsewhere_is_refused_in_one_line(core: ov.Core, tmp_path: Path) -> None:
    path = write_people(tmp_path / "net.onnx", weights="weights.data")
    load_model(core, choose_model(str(path), None))
    (tmp_path / "weights.data").unlink()
    with pytest.raises(UsageError, match=r"its weights are in 'weights\.data', which is not there") as caught:
        load_model(core, choose_model(str(path), None))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_onnx_network_is_refused_in_one_line(core: ov.Core, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_text("hello")
    with pytest.raises(UsageError, match=r"Cannot read .*net\.onnx' as an ONNX network") as caught:
        load_model(core, choose_model(str(tmp_path / "net.onnx"), None))
    assert "\n" not in str(caught.value)

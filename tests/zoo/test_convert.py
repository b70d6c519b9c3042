"""A network of another framework becomes an IR that the demo runs, or is refused without a trace."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from human_pose import models
from human_pose.errors import UsageError
from human_pose.inference.model import ModelFile, load_model
from human_pose.zoo.catalog import CATALOG
from human_pose.zoo.convert import convert
from tests.helpers.onnx_models import HEIGHT, WIDTH, write_onnx


@pytest.fixture(autouse=True)
def no_telemetry(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever converts here has told OpenVINO to report to nobody; else every conversion would ask for the network."""
    home = tmp_path_factory.mktemp("home")
    (home / "intel").mkdir()
    (home / "intel" / "openvino_telemetry").write_text("0")
    monkeypatch.setenv("HOME", str(home))


@pytest.fixture
def models_folder(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def infer(model: ov.Model, image: np.ndarray) -> list[np.ndarray]:
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return list(compiled(image).values())


@pytest.mark.parametrize("precision", ["FP16", "FP32"])
@pytest.mark.parametrize(
    ("channels", "is_nhwc"),
    [((57,), True), ((57,), False), ((38, 19), False), ((19, 38), True)],
    ids=["one NHWC", "one NCHW", "two NCHW", "two NHWC"],
)
def test_converted_network_gives_what_the_onnx_gives(
    tmp_path: Path, models_folder: Path, channels: tuple[int, ...], is_nhwc: bool, precision: str
) -> None:
    source = write_onnx(tmp_path / "tiny.onnx", channels, is_nhwc)
    xml = convert(source, "tiny", precision, models_folder)
    network = load_model(ov.Core(), ModelFile("tiny", precision, xml))
    network.reshape(WIDTH, HEIGHT)

    image = np.random.default_rng(4).integers(0, 256, (1, HEIGHT, WIDTH, 3), np.uint8)
    maps = infer(ov.Core().read_model(source), image.transpose(0, 3, 1, 2).astype(np.float32))
    if is_nhwc:
        maps = [part.transpose(0, 3, 1, 2) for part in maps]
    expected = {part.shape[1]: part for part in maps}
    if 57 in expected:
        expected = {19: expected[57][:, :19], 38: expected[57][:, 19:]}
    for part in infer(network.model, image):
        np.testing.assert_allclose(part, expected.pop(part.shape[1]), rtol=1e-4, atol=1e-3)
    assert expected == {}


def test_ir_is_where_the_models_are_looked_for_and_nothing_beside_it(tmp_path: Path, models_folder: Path) -> None:
    xml = convert(write_onnx(tmp_path / "tiny.onnx"), "pose", "FP32", models_folder)
    assert xml == models_folder / "pose" / "FP32" / "pose.xml"
    files = {path for path in models_folder.rglob("*") if path.is_file()}
    assert files == {xml, xml.with_suffix(".bin")}
    assert list(models_folder.iterdir()) == [models_folder / "pose"]


def test_models_folder_is_made(tmp_path: Path) -> None:
    assert convert(write_onnx(tmp_path / "tiny.onnx"), "pose", "FP16", tmp_path / "a" / "models").is_file()


def test_fp16_stores_the_weights_in_half_the_space(tmp_path: Path, models_folder: Path) -> None:
    source = write_onnx(tmp_path / "tiny.onnx")
    sizes = [
        convert(source, "tiny", precision, models_folder).with_suffix(".bin").stat().st_size
        for precision in ("FP16", "FP32")
    ]
    assert sizes[0] < 0.6 * sizes[1]


def test_second_conversion_replaces_the_first(tmp_path: Path, models_folder: Path) -> None:
    xml = convert(write_onnx(tmp_path / "one.onnx", (57,)), "tiny", "FP32", models_folder)
    first = xml.read_bytes()
    assert convert(write_onnx(tmp_path / "two.onnx", (19, 38)), "tiny", "FP32", models_folder) == xml
    assert xml.read_bytes() != first
    load_model(ov.Core(), ModelFile("tiny", "FP32", xml))


@pytest.mark.parametrize("channels", [(56,), (19,), (19, 37), (19, 38, 3)])
def test_other_network_is_refused_and_leaves_nothing(
    tmp_path: Path, models_folder: Path, channels: tuple[int, ...]
) -> None:
    with pytest.raises(UsageError, match=rf"^'{tmp_path}/tiny\.onnx' is not a .*Expected.*Found.*{channels[-1]}"):
        convert(write_onnx(tmp_path / "tiny.onnx", channels), "tiny", "FP16", models_folder)
    assert list(models_folder.iterdir()) == []


def test_refused_network_leaves_the_former_ir(tmp_path: Path, models_folder: Path) -> None:
    xml = convert(write_onnx(tmp_path / "tiny.onnx"), "tiny", "FP16", models_folder)
    before = {path: path.read_bytes() for path in models_folder.rglob("*") if path.is_file()}
    with pytest.raises(UsageError):
        convert(write_onnx(tmp_path / "bad.onnx", (5,)), "tiny", "FP16", models_folder)
    assert {path: path.read_bytes() for path in models_folder.rglob("*") if path.is_file()} == before
    assert xml in before


def test_missing_file_is_refused(tmp_path: Path, models_folder: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.onnx.*no such file"):
        convert(tmp_path / "absent.onnx", "tiny", "FP16", models_folder)
    assert list(models_folder.iterdir()) == []


@pytest.mark.parametrize("name", ["model.onnx", "model.pb", "model.txt"])
@pytest.mark.parametrize("content", [b"", b"no model", bytes(range(256)) * 20], ids=["empty", "text", "bytes"])
def test_garbage_is_refused(tmp_path: Path, models_folder: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=f"Cannot convert.*{name}") as caught:
        convert(tmp_path / name, "tiny", "FP16", models_folder)
    assert "\n" not in str(caught.value)
    assert list(models_folder.iterdir()) == []


NO_NAMES = ["", "..", ".", "/abs", "../../../x", "a/b", ".hidden", "x" * 300, "a\udcffb", "two words", *CATALOG]


@pytest.mark.parametrize("name", NO_NAMES)
def test_name_that_is_none_or_the_catalogs_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, '..' and '/abs' wrote outside of models/, and a bundled model was overwritten."""
    monkeypatch.setattr(models, "convert", lambda *arguments: pytest.fail(f"converted to {arguments}"))
    assert models.main(["convert", str(tmp_path / "tiny.onnx"), "--name", name]) == 2
    output = capsys.readouterr()
    assert (output.out, output.err.count("\n")) == ("", 1)
    assert "Give --name letters, digits and dashes" in output.err or f"Give another --name: {name}-own." in output.err


@pytest.fixture
def project(tmp_path: Path, root: Path) -> Path:
    """A copy of the package, whose models folder is its own."""
    project = tmp_path / "project"
    shutil.copytree(root / "human_pose", project / "human_pose", ignore=shutil.ignore_patterns("__pycache__"))
    return project


def run(project: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "human_pose.models", "convert", *map(str, arguments)]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=60, check=False)


def test_program_prints_the_ir_and_ends_with_0(project: Path, tmp_path: Path) -> None:
    outcome = run(project, write_onnx(tmp_path / "tiny.onnx"), "--name", "tiny")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    xml = project / "models" / "tiny" / "FP16" / "tiny.xml"
    assert outcome.stdout == f"{xml}\n"
    assert xml.is_file()


def test_program_ends_with_2_where_the_source_cannot_be_used(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.pb").write_text("no model")  # OpenVINO's TensorFlow frontend would say three lines more
    for source in (tmp_path / "absent.onnx", write_onnx(tmp_path / "tiny.onnx", (5,)), tmp_path / "text.pb"):
        assert models.main(["convert", str(source), "--name", "tiny"]) == 2
        output, errors = capfd.readouterr()
        assert output == ""
        assert errors.startswith("error: ")
        assert errors.count("\n") == 1


@pytest.mark.parametrize("arguments", [["tiny.onnx"], ["tiny.onnx", "--name", "tiny", "--precision", "FP16-INT8"]])
def test_program_ends_with_2_for_wrong_options(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        models.main(["convert", *arguments])
    assert caught.value.code == 2


def test_ir_becomes_a_model_of_another_name_and_precision(tmp_path: Path, models_folder: Path) -> None:
    first = convert(write_onnx(tmp_path / "tiny.onnx"), "first", "FP32", models_folder)
    second = convert(first, "second", "FP16", models_folder)
    assert second == models_folder / "second" / "FP16" / "second.xml"
    assert second.with_suffix(".bin").stat().st_size < 0.6 * first.with_suffix(".bin").stat().st_size


def test_quantized_ir_is_refused(tmp_path: Path, models_folder: Path) -> None:
    image = ops.parameter([1, 57, 8, 8], ov.Type.f32)
    low, high = ops.constant(np.float32(0)), ops.constant(np.float32(255))
    xml = tmp_path / "quantized.xml"
    ov.save_model(ov.Model([ops.result(ops.fake_quantize(image, low, high, low, high, 256))], [image], "tiny"), xml)
    with pytest.raises(UsageError, match="is quantized and cannot become FP16"):
        convert(xml, "tiny", "FP16", models_folder)
    assert list(models_folder.iterdir()) == []

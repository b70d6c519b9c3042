"""`python -m human_pose.models serve-layout`: what it writes, keeps and refuses, and what it leaves where it fails."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from human_pose import models
from human_pose.errors import DemoError
from human_pose.inference.model import load_model
from human_pose.zoo import serve_layout as module
from human_pose.zoo.resolve import choose_model
from human_pose.zoo.serve_layout import CONFIG, TRITON_CONFIG
from tests.conftest import room_for
from tests.helpers.one_stage import paint, save_one_stage
from tests.helpers.painted import blank

INT8 = "human-pose-estimation-0001"
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where to write; it is not there yet."""
    return tmp_path / "served"


def write(folder: Path, *options: object) -> int:
    return models.main(["serve-layout", str(folder), *map(str, options)])


def served(folder: Path) -> dict[str, str]:
    """What OpenVINO Model Server is told: the path of each model by its name."""
    entries = json.loads((folder / CONFIG).read_text())["model_config_list"]
    return {entry["config"]["name"]: entry["config"]["base_path"] for entry in entries}


def triton_config(place: Path) -> Any:
    """config.pbtxt, as Triton's own definition of that format reads it."""
    return text_format.Parse((place / TRITON_CONFIG).read_text(), ModelConfig())


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Every folder and every file with its content."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def infer(model: ov.Model, picture: np.ndarray) -> dict[str, np.ndarray]:
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return {port.get_any_name(): values.copy() for port, values in compiled(picture[np.newaxis]).items()}


def test_both_servers_find_their_files(folder: Path, painted_xml: Path, capsys: Captured) -> None:
    assert write(folder, "-m", painted_xml) == 0
    assert capsys.readouterr().out == f"{folder / 'painted'}\n"
    assert sorted(snapshot(folder)) == [
        CONFIG, "painted", "painted/1", "painted/1/model.bin", "painted/1/model.xml", f"painted/{TRITON_CONFIG}",
    ]  # fmt: skip
    assert served(folder) == {"painted": "painted"}  # below the folder of the file, wherever it is mounted
    config = triton_config(folder / "painted")
    assert (config.name, config.backend, config.max_batch_size) == ("painted", "openvino", 0)
    told = [(one.name, one.data_type, list(one.dims)) for one in (*config.input, *config.output)]
    uint8, fp32 = 2, 11  # of Triton's DataType
    assert told == [
        ("image", uint8, [1, -1, -1, 3]), ("heatmaps", fp32, [1, 19, -1, -1]), ("pafs", fp32, [1, 38, -1, -1]),
    ]  # fmt: skip


def test_a_server_of_another_user_may_read_it(folder: Path, painted_xml: Path) -> None:
    mask = os.umask(0o022)
    try:
        assert write(folder, "-m", painted_xml) == 0
    finally:
        os.umask(mask)
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path


@pytest.mark.parametrize("name", [INT8, "mobilenet-thin"])
def test_what_is_served_gives_what_the_model_gives(name: str, folder: Path) -> None:
    """mobilenet-thin has its maps in one output; the written graph has two."""
    assert write(folder, "-m", name) == 0
    network = load_model(ov.Core(), choose_model(name, None))
    network.reshape(176, 128)
    picture = np.random.default_rng(5).integers(0, 256, (128, 176, 3), np.uint8)
    found, expected = (
        infer(ov.Core().read_model(folder / name / "1" / "model.xml"), picture),
        infer(network.model, picture),
    )
    assert found.keys() == expected.keys() == {"heatmaps", "pafs"}
    for output, values in expected.items():
        np.testing.assert_allclose(found[output], values, atol=1e-3)


def test_the_preprocessing_is_inside(folder: Path, tmp_path: Path) -> None:
    """A network that wants RGB in 0..1 gets bytes in BGR."""
    assert write(folder, "-m", save_one_stage(tmp_path)) == 0
    [found] = infer(ov.Core().read_model(folder / "whole" / "1" / "model.xml"), paint([(255, 10, 20)])).values()
    assert found[0, :2, 0].round().tolist() == [10, 20]  # x and y
    assert found[0, 4, 0] == pytest.approx(1.0, abs=1e-3)  # the score


def test_the_input_is_fixed_for_frames_of_a_size(folder: Path, painted_xml: Path) -> None:
    assert write(folder, "-m", painted_xml, "--frame-size", "1280x720", "--size", 128) == 0
    config = triton_config(folder / "painted")
    assert [list(one.dims) for one in (*config.input, *config.output)] == [
        [1, 128, 232, 3], [1, 19, 16, 29], [1, 38, 16, 29],
    ]  # fmt: skip
    heatmaps = infer(ov.Core().read_model(folder / "painted" / "1" / "model.xml"), blank(128, 232))["heatmaps"]
    assert heatmaps.shape == (1, 19, 16, 29)


def test_a_network_of_a_fixed_size_keeps_it(folder: Path, tmp_path: Path) -> None:
    assert write(folder, "-m", save_one_stage(tmp_path, is_fixed=True)) == 0
    assert list(triton_config(folder / "whole").input[0].dims) == [1, 64, 64, 3]
    assert write(folder, "-m", tmp_path / "whole.xml", "--name", "other", "--frame-size", "64x64", "--size", 32) == 2
    assert list(served(folder)) == ["whole"]


def test_models_are_added_and_settings_of_the_user_stay(folder: Path, painted_xml: Path) -> None:
    assert write(folder, "-m", painted_xml) == 0
    config = json.loads((folder / CONFIG).read_text())
    config["model_config_list"][0]["config"] |= {"target_device": "GPU", "base_path": "/models/painted"}
    config["monitoring"] = {"metrics": {"enable": True}}
    (folder / CONFIG).write_text(json.dumps(config))
    first = snapshot(folder / "painted")
    assert write(folder, "-m", painted_xml, "--name", "second") == 0
    config["model_config_list"].append({"config": {"name": "second", "base_path": "second"}})
    assert json.loads((folder / CONFIG).read_text()) == config
    assert snapshot(folder / "painted") == first
    assert triton_config(folder / "second").name == "second"
    assert write(folder, "-m", painted_xml) == 0  # once more: nothing new
    assert json.loads((folder / CONFIG).read_text()) == config
    assert snapshot(folder / "painted") == first


def test_another_model_of_that_name_is_replaced_only_by_force(
    folder: Path, painted_xml: Path, capsys: Captured
) -> None:
    assert write(folder, "-m", painted_xml) == 0
    before = snapshot(folder)
    options = ["-m", painted_xml, "--frame-size", "320x256"]
    capsys.readouterr()
    assert write(folder, *options) == 2
    told = f"error: '{folder / 'painted'}' holds another model. Give --force to replace it, or another --name.\n"
    assert capsys.readouterr() == ("", told)
    assert snapshot(folder) == before
    assert write(folder, *options, "--force") == 0
    assert list(triton_config(folder / "painted").input[0].dims) == [1, 256, 320, 3]
    assert served(folder) == {"painted": "painted"}
    assert snapshot(folder).keys() == before.keys()


def test_a_broken_model_is_not_the_same(folder: Path, painted_xml: Path) -> None:
    assert write(folder, "-m", painted_xml) == 0
    xml = folder / "painted" / "1" / "model.xml"
    xml.write_bytes(xml.read_bytes()[:1000])
    assert write(folder, "-m", painted_xml) == 2
    assert write(folder, "-m", painted_xml, "--force") == 0
    ov.Core().read_model(xml)


def test_force_replaces_nothing_that_the_command_did_not_write(
    folder: Path, painted_xml: Path, capsys: Captured
) -> None:
    assert write(folder, "-m", painted_xml) == 0
    (folder / "painted" / "2").mkdir()
    before = snapshot(folder)
    capsys.readouterr()
    assert write(folder, "-m", painted_xml, "--frame-size", "320x256", "--force") == 2
    assert f"'{folder / 'painted' / '2'}' was not written by this command" in capsys.readouterr().err
    assert snapshot(folder) == before


def test_a_name_that_stands_for_another_place_is_replaced_only_by_force(folder: Path, painted_xml: Path) -> None:
    folder.mkdir()
    entry = {"config": {"name": "painted", "base_path": "/elsewhere/model"}}
    (folder / CONFIG).write_text(json.dumps({"model_config_list": [entry]}))
    before = snapshot(folder)
    assert write(folder, "-m", painted_xml) == 2
    assert snapshot(folder) == before
    assert write(folder, "-m", painted_xml, "--force") == 0
    assert served(folder) == {"painted": "painted"}


@pytest.mark.parametrize("content", ["", "[", "[]", "{}", '{"model_config_list": [{"name": "a"}]}'])
def test_a_configuration_that_cannot_be_read_is_left_alone(
    content: str, folder: Path, painted_xml: Path, capsys: Captured
) -> None:
    folder.mkdir()
    (folder / CONFIG).write_text(content)
    assert write(folder, "-m", painted_xml) == 2
    told = f"error: '{folder / CONFIG}' is not a configuration of OpenVINO Model Server. Move it away, or give another"
    assert capsys.readouterr() == ("", f"{told} folder.\n")
    assert snapshot(folder) == {CONFIG: content.encode()}


@pytest.mark.parametrize("room", [1_000, 1_000_000])  # bytes: less than the .xml, than the .bin
@pytest.mark.parametrize("is_there", [False, True])
def test_a_full_disk_leaves_what_was_there(room: int, is_there: bool, folder: Path, capsys: Captured) -> None:
    if is_there:
        assert write(folder, "-m", INT8, "--frame-size", "320x256") == 0
    before = snapshot(folder)
    capsys.readouterr()
    with room_for(room):
        assert write(folder, "-m", INT8, "--force") == 1
    output = capsys.readouterr()
    assert (output.out, output.err.count("\n")) == ("", 1)
    assert output.err.startswith(f"error: Cannot write to '{folder}': ")
    assert folder.exists() == is_there
    assert snapshot(folder) == before


@pytest.mark.parametrize("is_there", [False, True])
def test_a_configuration_that_cannot_be_written_takes_the_model_back(
    is_there: bool, folder: Path, painted_xml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_there:
        assert write(folder, "-m", painted_xml, "--frame-size", "320x256") == 0
    before = snapshot(folder)

    def fail(path: Path, data: bytes) -> None:
        raise DemoError(f"Cannot write '{path}': no room")

    monkeypatch.setattr(module, "write_whole", fail)
    assert write(folder, "-m", painted_xml, "--force") == 1
    assert folder.exists() == is_there
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    ("place", "options", "reason"),
    [
        ("served", ["-m", "nobody"], "Unknown model 'nobody'"),
        ("served", ["--name", "a b"], "'a b' is not a name in an address grpc://host:port/NAME. Give --name letters"),
        ("served", ["--name", "../up"], "'../up' is not a name"),
        ("file", [], "file' is a file. Give a folder"),
        ("file/served", [], "there is no folder"),
        ("none/served", [], "there is no folder"),
        ("served-\udcff", [], "whose name is not UTF-8"),
    ],
)
def test_wrong_use_is_one_line_and_leaves_nothing(
    place: str, options: list[str], reason: str, tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "file").touch()
    assert write(tmp_path / place, *options) == 2
    output = capsys.readouterr()
    assert (output.out, output.err.count("\n")) == ("", 1)
    assert reason in output.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]

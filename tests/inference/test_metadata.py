"""What exporters write about a network, in the forms in which they write it."""

import json
from pathlib import Path

import openvino as ov
import pytest
from openvino import opset13 as ops

from human_pose.errors import UsageError
from human_pose.inference.metadata import copy_sidecars, licence_of, read_metadata
from human_pose.inference.metadata_formats import Metadata, of_mmdeploy
from human_pose.inference.yaml_subset import read_yaml
from tests.helpers.onnx_models import write_people

ULTRALYTICS = """description: Ultralytics YOLO11n-pose model trained on
  /usr/src/app/coco-pose.yaml
author: Ultralytics
date: '2026-02-01T10:00:00.123456'
version: 8.4.2
license: AGPL-3.0 License (https://ultralytics.com/license)
docs: https://docs.ultralytics.com
stride: 32
task: pose
batch: 1
imgsz:
- 480
- 640
names:
  0: person
args:
  batch: 1
  half: false
  nms: false
channels: 3
kpt_shape:
- 3
- 2
kpt_names:
  0:
  - nose
  - left_eye
  - right_eye
"""

MMDEPLOY = {
    "pipeline": {
        "input": ["img"],
        "tasks": [
            {
                "name": "Preprocess",
                "transforms": [
                    {"type": "LoadImageFromFile"},
                    {"type": "Resize", "size": [640, 640], "keep_ratio": True},
                    {"type": "Pad", "size": [640, 640], "pad_val": {"img": [114, 114, 114]}},
                    {"type": "Normalize", "mean": [1, 2, 3], "std": [4.0, 5.0, 6.0], "to_rgb": True},
                ],
            }
        ],
    }
}


def empty_model() -> ov.Model:
    image = ops.parameter([1, 3, 8, 8], ov.Type.f32)
    return ov.Model([ops.result(ops.relu(image))], [image], "empty")


def test_the_yaml_of_an_exporter_is_read_as_it_means_it() -> None:
    values = read_yaml(ULTRALYTICS)
    assert values["description"] == "Ultralytics YOLO11n-pose model trained on /usr/src/app/coco-pose.yaml"
    assert values["date"] == "2026-02-01T10:00:00.123456"
    assert (values["version"], values["stride"], values["imgsz"]) == ("8.4.2", 32, [480, 640])
    assert (values["names"], values["args"]) == ({0: "person"}, {"batch": 1, "half": False, "nms": False})
    assert values["kpt_names"] == {0: ["nose", "left_eye", "right_eye"]}
    assert values["docs"] == "https://docs.ultralytics.com"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("- 1\n- 2\n", {}),
        ("no map at all", {}),
        ("a: [1, 2.5, x]\nb: \"c: d\"\nc: 'it''s'\n", {"a": [1, 2.5, "x"], "b": "c: d", "c": "it's"}),
        ("# note\n---\na: ~\nb:\nc: true\n", {"a": None, "b": None, "c": True}),
        ("a:\n  - 1\n  - 2\nb: -3\n", {"a": [1, 2], "b": -3}),
        ("names:\n  0: person\n  1: dog: big\nx: 1\n", {"names": {0: "person", 1: "dog: big"}, "x": 1}),
        ("\n".join(" " * depth + "a:" for depth in range(5000)), {}),
    ],
)
def test_other_yaml_is_read_or_left_out(text: str, values: dict[str, object]) -> None:
    assert read_yaml(text) == values


def test_ultralytics_file_beside_a_network(tmp_path: Path) -> None:
    (tmp_path / "metadata.yaml").write_text(ULTRALYTICS)
    assert read_metadata(empty_model(), tmp_path / "net.xml") == Metadata(
        task="pose", keypoint_count=3, keypoint_values=2, keypoints=("nose", "left_eye", "right_eye"), classes=1,
        is_rgb=True, mean=(0, 0, 0), scale=(255, 255, 255), padding=114, step=32, size=640,
        licence="AGPL-3.0 License (https://ultralytics.com/license)",
    )  # fmt: skip
    assert licence_of(tmp_path / "net.xml") == "AGPL-3.0 License (https://ultralytics.com/license)"


def test_metadata_inside_an_ir(tmp_path: Path) -> None:
    model = empty_model()
    for keys, value in (
        (["model_info", "reverse_input_channels"], "YES"), (["model_info", "scale_values"], "[58.4 57.1 57.4]"),
        (["model_info", "mean_values"], "123.7 116.3 103.5"), (["model_info", "pad_value"], "7"),
        (["model_info", "resize_type"], "standard"), (["framework", "license"], "MIT"),
        (["framework", "kpt_shape"], "[4, 3]"), (["framework", "names"], "{0: 'cat', 1: 'dog'}"),
    ):  # fmt: skip
        model.set_rt_info(value, keys)
    ov.save_model(model, tmp_path / "net.xml")
    found = read_metadata(ov.Core().read_model(tmp_path / "net.xml"), tmp_path / "net.xml")
    assert (found.is_rgb, found.mean, found.scale) == (True, (123.7, 116.3, 103.5), (58.4, 57.1, 57.4))
    assert (found.padding, found.keeps_aspect, found.keypoint_count, found.classes) == (7, False, 4, 2)
    assert found.licence == licence_of(tmp_path / "net.xml") == "MIT"


def test_metadata_inside_an_onnx_file(tmp_path: Path) -> None:
    path = write_people(tmp_path / "net.onnx", task="pose", stride="32", kpt_shape="[17, 3]", license="AGPL-3.0")
    found = read_metadata(ov.Core().read_model(path), path)
    assert (found.task, found.keypoint_count, found.is_rgb, found.step) == ("pose", 17, True, 32)
    assert found.licence == "AGPL-3.0"


def test_mmdeploys_file_has_colours_and_padding(tmp_path: Path) -> None:
    (tmp_path / "pipeline.json").write_text(json.dumps(MMDEPLOY))
    found = read_metadata(empty_model(), tmp_path / "end2end.xml")
    assert (found.is_rgb, found.mean, found.scale) == (True, (1, 2, 3), (4, 5, 6))
    assert (found.padding, found.keeps_aspect) == (114, True)
    assert of_mmdeploy([1, "x", {"mean": "?", "std": None}]).mean is None


def test_the_users_file_comes_before_all_others(tmp_path: Path) -> None:
    (tmp_path / "metadata.yaml").write_text(ULTRALYTICS)
    (tmp_path / "pipeline.json").write_text(json.dumps(MMDEPLOY))
    (tmp_path / "net.pose.json").write_text('{"scale": 2, "keypoints": ["a", "b"], "licence": "mine"}')
    found = read_metadata(empty_model(), tmp_path / "net.xml")
    assert (found.scale, found.mean, found.keypoints, found.licence) == ((2, 2, 2), (1, 2, 3), ("a", "b"), "mine")
    assert licence_of(tmp_path / "net.xml") == "mine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"), ("[1]", "must hold a JSON object"), ('{"keypoint": []}', "no other keys than keypoints"),
        ('{"keypoints": ["a", "a"]}', "different names"), ('{"keypoints": [1]}', "different names"),
        ('{"keypoints": ["a", "b"], "limbs": [["a", "c"]]}', "pairs of names that are in 'keypoints'"),
        ('{"colours": "rgb"}', "must be RGB or BGR"), ('{"scale": 0}', "none of them 0"), ('{"mean": [1, 2]}', "three"),
        ('{"padding": 300}', "0 to 255"), ('{"step": 0}', "1 to 256"), ('{"keeps_aspect": 1}', "true or false"),
        ('{"licence": 1}', "a text"),
    ],
)  # fmt: skip
def test_a_wrong_file_of_the_user_is_said_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "net.pose.json").write_text(text)
    with pytest.raises(UsageError, match=message) as caught:
        read_metadata(empty_model(), tmp_path / "net.xml")
    assert "net.pose.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_must_be_there(tmp_path: Path) -> None:
    assert read_metadata(empty_model(), tmp_path / "net.xml") == Metadata()
    assert licence_of(tmp_path / "net.xml") is None


def test_what_lies_beside_a_network_goes_with_it(tmp_path: Path) -> None:
    for name in ("metadata.yaml", "pipeline.json", "net.pose.json"):
        (tmp_path / name).write_text(name)
    (tmp_path / "to").mkdir()
    copy_sidecars(tmp_path / "net.xml", tmp_path / "to" / "other.xml")
    copied = {path.name: path.read_text() for path in (tmp_path / "to").iterdir()}
    assert copied == {
        "metadata.yaml": "metadata.yaml", "pipeline.json": "pipeline.json", "other.pose.json": "net.pose.json",
    }  # fmt: skip

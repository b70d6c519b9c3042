"""Average precision: painted people that are found to the pixel, the same poses as the demo's, and wrong input."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from human_pose.evaluate import main
from human_pose.poses.skeleton import COCO_KEYPOINTS
from tests.conftest import Program
from tests.helpers.inference_server import PoseServer
from tests.helpers.painted import PERSON, blank, paint_person, painted_network, pixels, save_network

SIZES = {"7.png": (40, 32), "12.png": (32, 57), "30.png": (60, 32)}  # columns and rows of cells; one is upright


@pytest.fixture(scope="module")
def open_xml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The painted network with its size left open."""
    return save_network(tmp_path_factory.mktemp("open"), height=-1, width=-1)


@pytest.fixture
def painted_set(tmp_path: Path) -> tuple[Path, Path]:
    """A folder of images with a painted person each, and their annotations."""
    folder = tmp_path / "images"
    folder.mkdir()
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for name, (columns, rows) in SIZES.items():
        cv2.imwrite(str(folder / name), paint_person(blank(8 * rows, 8 * columns)))
        images.append({"id": int(Path(name).stem), "file_name": name, "width": 8 * columns, "height": 8 * rows})
        annotations.append(annotation(len(annotations) + 1, int(Path(name).stem)))
    file = tmp_path / "annotations.json"
    file.write_text(json.dumps(dataset(images, annotations)))
    return folder, file


def dataset(images: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> dict[str, Any]:
    return {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}


def annotation(number: int, image_id: int) -> dict[str, Any]:
    places = pixels()
    keypoints = [[*places[name], 2] if name in places else [0, 0, 0] for name in COCO_KEYPOINTS]
    xs, ys = zip(*places.values(), strict=True)
    box = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
    return {
        "id": number, "image_id": image_id, "category_id": 1, "iscrowd": 0, "bbox": box, "area": box[2] * box[3],
        "keypoints": np.ravel(keypoints).tolist(), "num_keypoints": len(PERSON) - 1,
    }  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as stop:
        code = int(stop.code or 0)
    output, errors = capsys.readouterr()
    return code, output, errors


def test_a_server_gives_the_same_ap_and_is_used_as_the_options_say(
    open_xml: Path, painted_set: tuple[Path, Path], serve: Callable[..., PoseServer], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, file = painted_set
    server = serve(painted_network(height=-1, width=-1))
    there = ["--images", folder, "--annotations", file, "-m", open_xml, "--size", 256, "-d", server.device_string]
    code, output, errors = run(capsys, *there)
    assert code == 0, errors
    assert "AP 100.0" in output
    server.pause_s = 1.0
    code, _, errors = run(capsys, *there, "--remote-timeout", "0.3")
    assert code == 1
    assert errors.endswith("no answer within 0.3 s (--remote-timeout)\n")
    assert run(capsys, *there, "--remote-ca", "none.pem")[0] == 2


def test_people_found_to_the_pixel_are_a_hundred_percent(
    painted_set: tuple[Path, Path], open_xml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, file = painted_set
    code, output, errors = run(capsys, "--images", folder, "--annotations", file, "-m", open_xml, "--size", 256)
    assert code == 0, errors
    assert "3 images\n" in output
    for metric in ("AP 100.0", "AP50 100.0", "AP75 100.0", "AR 100.0"):
        assert metric in output
    assert "ms an image" in output


def test_a_person_not_found_halves_the_recall(
    painted_set: tuple[Path, Path], open_xml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, file = painted_set
    cv2.imwrite(str(folder / "7.png"), blank())
    _, output, _ = run(capsys, "--images", folder, "--annotations", file, "-m", open_xml, "--size", 256)
    assert "AR 66.7" in output


def test_missing_and_broken_images_are_named_and_counted(
    painted_set: tuple[Path, Path], open_xml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, file = painted_set
    (folder / "7.png").unlink()
    (folder / "12.png").write_text("no image")
    _, output, errors = run(capsys, "--images", folder, "--annotations", file, "-m", open_xml, "--size", 256)
    assert "1 images (2 left out: missing or broken)" in output
    assert "AP 100.0" in output
    assert "7.png' is missing" in errors
    assert "12.png'" in errors


def test_evaluation_and_the_demo_find_the_same_poses(
    painted_set: tuple[Path, Path], open_xml: Path, call: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, file = painted_set
    common = ["-m", open_xml, "--size", 256, "--threshold", 0.1, "--min-keypoints", 3]
    run(capsys, "--images", folder, "--annotations", file, "--results", tmp_path / "r.json", *common)
    done = call("-i", folder, "--keypoints", tmp_path / "k.json", *common)
    assert done.returncode == 0, done.stderr
    results, keypoints = (json.loads((tmp_path / name).read_text()) for name in ("r.json", "k.json"))
    assert len(results) == 3
    assert results == keypoints


@pytest.mark.measurement_data
def test_evaluation_and_the_demo_find_the_same_poses_on_photos(
    measurement_data: Path, call: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = measurement_data / "data" / "coco_dev"
    names = sorted(path.name for path in (data / "images").iterdir())[:4]
    (tmp_path / "images").mkdir()
    for name in names:
        (tmp_path / "images" / name).symlink_to(data / "images" / name)
    whole = json.loads((data / "annotations.json").read_text())
    images = [image for image in whole["images"] if image["file_name"] in names]
    ids = {image["id"] for image in images}
    some = [entry for entry in whole["annotations"] if entry["image_id"] in ids]
    (tmp_path / "some.json").write_text(json.dumps(whole | {"images": images, "annotations": some}))
    common = ["-m", "mobilenet-thin", "--size", 192, "--min-keypoints", 2]
    code, _, errors = run(
        capsys, "--images", tmp_path / "images", "--annotations", tmp_path / "some.json",
        "--results", tmp_path / "r.json", *common,
    )  # fmt: skip
    assert code == 0, errors
    done = call("-i", tmp_path / "images", "--keypoints", tmp_path / "k.json", *common)
    assert done.returncode == 0, done.stderr
    results, keypoints = (
        sorted(json.loads((tmp_path / name).read_text()), key=json.dumps) for name in ("r.json", "k.json")
    )
    assert len(results) > 4
    assert results == keypoints


@pytest.mark.parametrize(
    ("content", "message"),
    [("no json", "holds no annotations"), ("{}", "holds no annotations"), ('{"images": []}', "holds no annotations"),
     (json.dumps(dataset([{"id": 1, "file_name": "1.png"}], [annotation(1, 1)])), "None of the 1 images")],
)  # fmt: skip
def test_annotations_that_are_none_are_said_in_one_line(
    tmp_path: Path, open_xml: Path, capsys: pytest.CaptureFixture[str], content: str, message: str
) -> None:
    (tmp_path / "a.json").write_text(content)
    code, output, errors = run(capsys, "--images", tmp_path, "--annotations", tmp_path / "a.json", "-m", open_xml)
    assert (code, output) == (2, "")
    assert message in errors.splitlines()[-1]


def test_missing_annotations_are_said_in_one_line(
    tmp_path: Path, open_xml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, errors = run(capsys, "--images", tmp_path, "--annotations", tmp_path / "none.json", "-m", open_xml)
    assert code == 2
    assert "no such file" in errors


def test_a_network_of_a_fixed_size_is_refused_where_another_is_wanted(
    painted_set: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, errors = run(
        capsys, "--images", painted_set[0], "--annotations", painted_set[1], "-m", "nowhere.xml", "--size", 256
    )
    assert code == 2
    assert "no such file" in errors


@pytest.mark.measurement_data
@pytest.mark.slow
def test_a_one_stage_network_has_the_ap_of_its_makers_letterbox(
    measurement_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """200 images of COCO at 416: 44.5 with non-maximum suppression at 0.65 and scores from 0.01; the first 60: 41.7.

    41.0 with black padding instead of grey.
    """
    data = measurement_data / "data" / "coco_dev"
    code, output, errors = run(
        capsys, "--images", data / "images", "--annotations", data / "annotations.json", "--size", 416, "--limit", 60,
        "-m", measurement_data / "models/yolov8n-pose/FP16-INT8", "-p", "FP16-INT8",
    )  # fmt: skip
    assert code == 0, errors
    assert float(output.split("AP ")[1].split()[0]) >= 41.4

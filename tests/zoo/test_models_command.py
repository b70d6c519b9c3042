"""`python -m human_pose.models`: what it lists, downloads and refuses, and with which exit code."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import openvino as ov
import pytest

from human_pose import models
from human_pose.errors import DemoError
from human_pose.quantization.quantize import INT8, Options
from human_pose.zoo.catalog import BUNDLED, CATALOG, DEFAULT_MODEL, ORIGINAL_MODEL, PRECISIONS, RemoteFile
from human_pose.zoo.listing import as_table, entries
from human_pose.zoo.resolve import ZOO_VARIABLE
from tests.helpers.painted import blank, paint_person, save_network


def put_ir(models_folder: Path, name: str, precision: str, size: int = 1_000_000) -> Path:
    """Two files in the place of an IR, of so many bytes together."""
    xml = models_folder / name / precision / f"{name}.xml"
    xml.parent.mkdir(parents=True)
    xml.write_bytes(b"<net/>")
    xml.with_suffix(".bin").write_bytes(bytes(size - 6))
    return xml


class TestList:
    """The catalog, and what is on disk beside it."""

    def test_catalog_is_to_be_downloaded(self, tmp_path: Path) -> None:
        rows = [row for row in entries(tmp_path) if row.name == DEFAULT_MODEL]
        assert [row.precision for row in rows] == list(PRECISIONS)
        assert [row.state for row in rows] == ["to be downloaded", "to be downloaded", "incomplete"]
        assert rows[0].note == "until then: float twin of FP16-INT8"
        assert rows[0].size == sum(file.size for file in CATALOG[DEFAULT_MODEL]["FP16"])

    def test_bundled_models_are_called_so(self, root: Path) -> None:
        states = {(row.name, row.precision): row.state for row in entries(root / "models")}
        for name, precision in BUNDLED.items():
            assert states[name, precision] == "bundled"

    def test_models_on_disk_are_listed_also_those_of_no_catalog(self, tmp_path: Path) -> None:
        put_ir(tmp_path, DEFAULT_MODEL, "FP16")
        put_ir(tmp_path, "mine", "FP32", 2_500_000)
        (tmp_path / ".quantize-x").mkdir()
        (tmp_path / "README.md").touch()
        rows = {(row.name, row.precision): row for row in entries(tmp_path)}
        assert rows[DEFAULT_MODEL, "FP16"].state == "on disk"
        assert (rows["mine", "FP32"].state, rows["mine", "FP32"].size) == ("on disk", 2_500_000)
        assert {name for name, _ in rows} == {DEFAULT_MODEL, ORIGINAL_MODEL, "mine"}
        assert "mine                        FP32       on disk            2.5" in as_table(list(rows.values()))

    def test_half_a_model_is_called_incomplete(self, tmp_path: Path) -> None:
        put_ir(tmp_path, "mine", "FP32").with_suffix(".bin").unlink()
        row = entries(tmp_path)[-1]
        assert (row.name, row.state, row.note) == ("mine", "incomplete", "needs mine.xml and mine.bin")

    @pytest.mark.parametrize(("torso", "told"), [(0.934, "93.4%"), (None, "91.0%")])
    def test_figures_beside_a_quantized_model_are_told(self, tmp_path: Path, torso: float | None, told: str) -> None:
        facts = {"agreement": {"within_torso": torso, "within_pixels": 0.91}, "frames_of": "a.mp4"}
        put_ir(tmp_path, "mine", INT8).with_suffix(".json").write_text(json.dumps(facts))
        note = f"{told} of the float model's keypoints found again on a.mp4 (mine.json)"
        assert entries(tmp_path)[-1].note == note

    @pytest.mark.parametrize("content", ["", "{}", "[]", "{broken"])
    def test_figures_that_cannot_be_read_are_no_failure(self, tmp_path: Path, content: str) -> None:
        put_ir(tmp_path, "mine", INT8).with_suffix(".json").write_text(content)
        assert entries(tmp_path)[-1].note == "mine.json cannot be read"

    def test_folder_that_is_not_there_holds_nothing(self, tmp_path: Path) -> None:
        assert {row.state for row in entries(tmp_path / "none")} == {"to be downloaded", "incomplete"}


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A zoo that has the default model in FP16 and FP32, of two small files each; the models folder is `models`."""
    zoo = tmp_path / "zoo"
    remote = {}
    for precision in ("FP16", "FP32"):
        files = []
        for suffix in (".xml", ".bin"):
            path = zoo / precision / f"{DEFAULT_MODEL}{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(precision)
            checksum = hashlib.sha384(path.read_bytes()).hexdigest()
            files.append(RemoteFile(f"{precision}/{path.name}", path.stat().st_size, checksum))
        remote[precision] = (files[0], files[1])
    monkeypatch.setitem(CATALOG, DEFAULT_MODEL, remote)
    monkeypatch.setenv(ZOO_VARIABLE, zoo.as_uri())
    monkeypatch.setattr(models, "MODELS_FOLDER", tmp_path / "models")
    return tmp_path / "models"


class TestFetch:
    """Files come once, whole, and the command says what it did."""

    def test_all_precisions_are_downloaded(self, mirror: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert models.main(["fetch", DEFAULT_MODEL]) == 0
        for precision in ("FP16", "FP32"):
            assert (mirror / DEFAULT_MODEL / precision / f"{DEFAULT_MODEL}.bin").read_text() == precision
        lines = [line.split()[1].rstrip(",") for line in capsys.readouterr().out.splitlines()]
        assert lines == ["FP16-INT8", "FP16", "FP32"]  # the first comes with the project
        assert not (mirror / DEFAULT_MODEL / "FP16-INT8").exists()

    def test_one_precision_can_be_asked_for(self, mirror: Path) -> None:
        assert models.main(["fetch", DEFAULT_MODEL, "-p", "FP32"]) == 0
        assert [path.name for path in (mirror / DEFAULT_MODEL).iterdir()] == ["FP32"]

    def test_what_is_there_is_not_downloaded_again(
        self, mirror: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        models.main(["fetch", DEFAULT_MODEL])
        capsys.readouterr()
        monkeypatch.setenv(ZOO_VARIABLE, (mirror / "nowhere").as_uri())
        assert models.main(["fetch", DEFAULT_MODEL]) == 0
        assert capsys.readouterr().out.count("already there") == 2

    def test_bundled_models_need_no_download(self, mirror: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for name, precision in BUNDLED.items():
            assert models.main(["fetch", name, "-p", precision]) == 0
            assert f"{name} {precision} comes with the project" in capsys.readouterr().out
        assert not mirror.exists()

    def test_broken_download_is_a_failed_run(
        self, mirror: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv(ZOO_VARIABLE, (mirror / "nowhere").as_uri())
        assert models.main(["fetch", DEFAULT_MODEL]) == 1
        output = capsys.readouterr()
        assert (output.out.count("\n"), output.err.count("\n")) == (1, 1)  # what comes with the project is there
        assert output.err.startswith("error: Cannot reach")

    def test_unknown_name_is_answered_with_the_known_ones(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert models.main(["fetch", "yolo"]) == 2
        assert f"Give {DEFAULT_MODEL} or {ORIGINAL_MODEL}" in capsys.readouterr().err

    @pytest.mark.usefixtures("mirror")
    def test_precision_that_is_not_on_offer_is_wrong_use(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as caught:
            models.main(["fetch", ORIGINAL_MODEL, "-p", INT8])
        assert caught.value.code == 2
        assert f"{ORIGINAL_MODEL} has no {INT8}" in capsys.readouterr().err


class TestQuantizeCommand:
    """The options reach the quantization, its refusal ends the program with 1."""

    @pytest.fixture
    def asked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Options]:
        wishes: list[Options] = []

        def stand_in(wish: Options) -> tuple[Path, str]:
            wishes.append(wish)
            return tmp_path / "a.xml", "of 9 keypoints"

        monkeypatch.setattr(models, "quantize", stand_in)
        return wishes

    def test_defaults(self, asked: list[Options], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert models.main(["quantize", "mine", "--calibration", "a.mp4"]) == 0
        assert asked == [Options("mine", "a.mp4", None, None, 300, 0.9, False, False)]
        assert capsys.readouterr() == (f"{tmp_path / 'a.xml'}\n", "Of 9 keypoints.\n")

    def test_every_option(self, asked: list[Options]) -> None:
        options = "--name n --size 184 --samples 20 --bound 0.5 --force --accuracy-control"
        assert models.main(["quantize", "mine", "--calibration", "a.mp4", *options.split()]) == 0
        assert asked == [Options("mine", "a.mp4", "n", 184, 20, 0.5, True, True)]

    def test_refusal_ends_with_1_and_one_line(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def refuse(wish: Options) -> None:
            raise DemoError(f"{wish.model} is refused in INT8: of 9 keypoints ...")

        monkeypatch.setattr(models, "quantize", refuse)
        assert models.main(["quantize", "mine", "--calibration", "a.mp4"]) == 1
        assert capsys.readouterr() == ("", "error: mine is refused in INT8: of 9 keypoints ...\n")


WRONG: dict[str, list[str]] = {
    "no command": [],
    "an unknown command": ["burn"],
    "no name to fetch": ["fetch"],
    "an unknown precision": ["fetch", DEFAULT_MODEL, "-p", "FP8"],
    "no name to convert to": ["convert", "a.onnx"],
    "no frames to calibrate on": ["quantize", "mine"],
    "a height that is no multiple of 8": ["quantize", "mine", "--calibration", "a.mp4", "--height", "100"],
    "too few samples": ["quantize", "mine", "--calibration", "a.mp4", "--samples", "3"],
    "no folder to serve": ["serve-layout"],
    "a size without frames": ["serve-layout", "served", "--size", "128"],
    "no size of a frame": ["serve-layout", "served", "--frame-size", "1280"],
    "a bound that is no share": ["quantize", "mine", "--calibration", "a.mp4", "--bound", "90"],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG.keys())
def test_wrong_use_ends_with_2_and_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        models.main(arguments)
    assert caught.value.code == 2
    output = capsys.readouterr()
    assert (output.out, output.err.count("\n")) == ("", 1)


@pytest.mark.parametrize("arguments", [[], ["list"], ["fetch"], ["convert"], ["quantize"], ["serve-layout"]])
def test_help_is_there(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        models.main([*arguments, "--help"])
    assert caught.value.code == 0
    assert "python -m human_pose.models" in capsys.readouterr().out


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path, root: Path) -> Path:
    """A copy of the package, whose models folder is its own."""
    project = tmp_path / "project"
    shutil.copytree(root / "human_pose", project / "human_pose", ignore=shutil.ignore_patterns("__pycache__"))
    return project


@pytest.fixture
def run(project: Path) -> Run:
    """Runs the program in that copy."""

    def run_it(*arguments: object, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "human_pose.models", *map(str, arguments)]
        return subprocess.run(
            command,
            cwd=project,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run_it


def test_program_lists_without_models(run: Run) -> None:
    outcome = run("list")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout.count("to be downloaded") == 2


def test_program_lists_a_model_whose_name_the_terminal_cannot_write(run: Run, project: Path) -> None:
    put_ir(project / "models", "модель", "FP32")
    outcome = run("list", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "\\u043c\\u043e\\u0434" in outcome.stdout


def test_without_nncf_one_line_says_what_to_install(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    for number in range(4):
        cv2.imwrite(str(tmp_path / f"{number}.png"), paint_person(blank()))
    code = models.main(["quantize", str(save_network(tmp_path)), "--calibration", str(tmp_path)])
    output, errors = capfd.readouterr()
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert "pip install '.[quantize]'" in errors


def test_one_line_says_that_there_is_no_camera(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", SimpleNamespace(set_log_level=lambda level: None))
    code = models.main(["quantize", str(save_network(tmp_path)), "--calibration", "999"])
    output, errors = capfd.readouterr()
    assert (code, output, errors.count("\n")) == (1, "", 1)
    assert "There is no camera 999" in errors


def test_program_converts_an_ir_and_lists_it(run: Run, tmp_path: Path) -> None:
    outcome = run("convert", save_network(tmp_path), "--name", "mine", "--precision", "FP32")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert ov.Core().read_model(outcome.stdout.strip()).get_friendly_name() == "mine"
    assert "mine" in run("list").stdout


def test_shelf_and_command_look_into_the_same_folder() -> None:
    assert entries.__defaults__ == (vars(models)["MODELS_FOLDER"],)

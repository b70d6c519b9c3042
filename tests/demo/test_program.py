"""The whole program as a process without a window: what it gives, and what it says when it is given nonsense."""

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

import human_pose_est
from human_pose.decoders.openpose import OpenPoseDecoder
from human_pose.measurement.stand_ins import write_plugins
from human_pose.media.writer import LIST_OF_IMAGES
from human_pose.poses.pose import Pose
from tests.conftest import Program
from tests.helpers.painted import blank, pixels

CLOSED = "http://127.0.0.1:9/"  # nobody listens on the discard port
NO_NETWORK = {"HUMAN_POSE_ZOO": CLOSED}


@pytest.fixture
def video(painted_clip: Path) -> Path:
    return painted_clip


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text.strip() else ""


def frames_of(path: Path) -> list[np.ndarray]:
    video = cv2.VideoCapture(str(path))
    images: list[np.ndarray] = []
    while True:
        is_read, image = video.read()
        if not is_read:
            return images
        images.append(image)


def test_an_output_has_its_inputs_size_with_and_without_a_panel(
    call: Program, painted_xml: Path, video: Path, tmp_path: Path
) -> None:
    for name, options in {"with": [], "without": ["--no-panel"]}.items():
        done = call("-m", painted_xml, "-i", video, "-o", f"{name}.avi", "--frames", 3, *options)
        assert done.returncode == 0, done.stderr
    plain = frames_of(video)[1]
    corners = {}
    for name in ("with", "without"):
        picture = frames_of(tmp_path / f"{name}.avi")[1]
        assert picture.shape == plain.shape == (256, 320, 3)
        # The person is in the middle of the picture, the panel in a corner.
        left, right = (np.abs(picture[:60, part].astype(int) - plain[:60, part]).mean() for part in np.s_[:20, -20:])
        corners[name] = max(left, right)
    assert corners["with"] > 20
    assert corners["without"] < 5


@pytest.mark.slow
def test_left_to_itself_it_runs_the_bundled_video_and_prints_the_averages(
    program: Program, fresh_project: Path, tmp_path: Path
) -> None:
    done = program("--size", 64, "--report", "r.json", env=NO_NETWORK, project=fresh_project)
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["model"], report["precision"], report["model_note"]) == (
        "human-pose-estimation-0001",
        "FP16-INT8",
        "",
    )
    assert report["devices"][0]["execution_precision"].startswith("INT8")
    assert report["input"]["network_size"] == [88, 64]
    header, row = done.stdout.splitlines()[:2]
    assert header.split()[:3] == ["device", "frames", "FPS"]
    assert row.split()[0] == "CPU"
    assert sum(int(row.split()[column]) for column in (1, -2, -1)) == 140


def test_in_float_without_network_it_runs_the_float_twin_and_the_report_says_so(
    program: Program, fresh_project: Path, tmp_path: Path
) -> None:
    wanted = ("-p", "FP32", "--height", 64, "--frames", 5, "--report", "r.json")
    done = program(*wanted, env=NO_NETWORK, project=fresh_project)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 1
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["precision"], report["model_note"]) == ("FP32", "float twin of FP16-INT8")
    assert report["model_sha256"].startswith("47ae11b12bf8")
    assert report["devices"][0]["execution_precision"] == "f32"


def test_report_agrees_with_the_table(call: Program, painted_xml: Path, video: Path, tmp_path: Path) -> None:
    done = call("-m", painted_xml, "-i", video, "--report", "r.json")
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["model"] == "painted"
    assert report["precision"] == "FP16"
    assert report["input"]["frame_size"] == [320, 256]
    assert report["input"]["network_size"] == [320, 256]
    assert report["openvino"] == ov.get_version()
    assert report["machine"]["logical_cores"] == os.cpu_count()
    [device] = report["devices"]
    assert device["device"] == "CPU"
    assert device["executed_on"] == ["CPU"]
    assert device["execution_precision"] in ("f32", "f16", "bf16")
    assert device["frames"] + device["warmup_frames"] == 30
    assert device["warmup_frames"] == device["requests"]
    latency = device["latency_ms"]
    assert latency["min"] <= latency["p50"] <= latency["p95"] <= latency["p99"] <= round(latency["max"], 2)
    row = done.stdout.splitlines()[1].split()
    assert [int(row[1]), float(row[2])] == [device["frames"], round(device["fps"]["mean"], 1)]
    assert float(row[5]) == round(latency["mean"], 1)


def test_precision_is_what_executes(call: Program, painted_xml: Path, video: Path, tmp_path: Path) -> None:
    call("-m", painted_xml, "-i", video, "-p", "FP32", "--report", "r.json")
    [device] = json.loads((tmp_path / "r.json").read_text())["devices"]
    assert device["execution_precision"] == "f32"


def test_output_video_has_every_frame_and_skeletons(
    call: Program, painted_xml: Path, video: Path, tmp_path: Path
) -> None:
    done = call("-m", painted_xml, "-i", video, "-o", "out.mp4", "--frames", 20)
    assert done.returncode == 0
    images = frames_of(tmp_path / "out.mp4")
    assert len(images) == 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mp4"]
    orange = [(np.abs(image.astype(int) - (64, 140, 255)).max(axis=2) < 60).sum() for image in images]
    assert min(orange) > 100


def test_loop_goes_on_after_the_end(call: Program, painted_xml: Path, video: Path) -> None:
    done = call("-m", painted_xml, "-i", video, "--loop", "--frames", 75)
    row = done.stdout.splitlines()[1].split()
    assert sum(int(row[column]) for column in (1, -2, -1)) == 75


def test_images_are_annotated_under_their_names(call: Program, painted_xml: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, image in {"2.png": blank(), "10.png": blank(500, 300), "one.png": blank(1, 1)}.items():
        cv2.imwrite(str(folder / name), image)
    (folder / "broken.jpg").write_bytes(b"no image")
    cv2.imwrite(str(folder / "grey.png"), np.zeros((256, 320), np.uint8))
    cv2.imwrite(str(folder / "alpha.png"), np.zeros((256, 320, 4), np.uint8))
    done = call("-m", painted_xml, "-i", "in", "-o", "out")
    assert done.returncode == 0, done.stderr
    assert "Skipping 'in/broken.jpg'" in done.stderr
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written - {LIST_OF_IMAGES} == {"2.png", "10.png", "one.png", "grey.png", "alpha.png"}
    assert done.stdout.endswith("Wrote out (5 images)\n")
    again = call("-m", painted_xml, "-i", "in", "-o", "out")  # the images of an earlier run may be replaced
    assert again.returncode == 0, again.stderr


def test_nobody_in_the_picture_is_no_error(call: Program, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "sky.png"), np.full((480, 640, 3), 200, np.uint8))
    done = call("-m", "mobilenet-thin", "-i", "sky.png", "-o", "out.png")
    assert done.returncode == 0
    assert (tmp_path / "out.png").is_file()


def test_realtime_drops_and_counts_what_comes_too_fast(
    call: Program, painted_xml: Path, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = OpenPoseDecoder.decode

    def decode_slowly(*arguments: Any) -> list[Pose]:
        time.sleep(0.1)  # three frames come meanwhile
        return decode(*arguments)

    monkeypatch.setattr(OpenPoseDecoder, "decode", decode_slowly)
    done = call("-m", painted_xml, "-i", video, "--realtime", "--report", "r.json")
    input_report = json.loads((tmp_path / "r.json").read_text())
    [device] = input_report["devices"]
    left_out = input_report["input"]["dropped_frames"] + input_report["input"]["late_frames"]
    assert device["frames"] + device["warmup_frames"] + left_out == 30
    assert input_report["input"]["dropped_frames"] >= 5
    assert "Dropped:" in done.stdout


def test_without_a_display_it_runs_without_a_window(program: Program, painted_xml: Path, video: Path) -> None:
    done = program("-m", painted_xml, "-i", video, show=True, env={"DISPLAY": "", "WAYLAND_DISPLAY": ""})
    assert done.returncode == 0
    assert done.stderr == "No window, because there is no display: running without one, as with --no-show.\n"
    assert done.stdout.splitlines()[1].startswith("CPU")


def test_help_names_every_option_and_key(call: Program) -> None:
    done = call("--help")
    assert done.returncode == 0
    words = (
        "--input --model --precision --device --output --no-show --loop --realtime --frames --size --height "
        "--threshold --report TAB SPACE ESC"
    )
    for word in words.split():
        assert word in done.stdout


def no_pose_network(folder: Path) -> Path:
    image = ops.parameter([1, 3, 64, 64], ov.Type.f32, name="data")
    model = ov.Model([ops.reduce_mean(image, [2, 3], False)], [image], "mean")
    ov.save_model(model, folder / "mean.xml")
    return folder / "mean.xml"


WRONG_USE = {
    "no such file": (["-i", "none.mp4"], "Cannot open 'none.mp4': no such file."),
    "no video": (["-i", "text.txt"], "'text.txt' is not a video that can be read."),
    "an empty folder": (["-i", "empty"], "There is no image in 'empty'."),
    "only broken images": (["-i", "broken.png"], "'broken.png' is not an image that can be read."),
    "a model that is not there": (["-m", "none.xml"], "Cannot open 'none.xml': no such file."),
    "a model without weights": (["-m", "no_bin.xml"], "'no_bin.xml' lacks its weights: put 'no_bin.bin' beside it."),
    "an unknown model": (["-m", "yolo"], "Unknown model 'yolo'. Give 'human-pose-estimation-0001' or 'mobilenet-thin'"),
    "no pose network": (["-m", "mean.xml"], "'mean.xml' is not a network of this kind. Expected:"),
    "a precision that is not there": (["-m", "mobilenet-thin", "-p", "FP16-INT8"], "mobilenet-thin has no FP16-INT8: "),
    "an unknown device": (["-d", "TPU"], "There is no device 'TPU'. This machine has CPU"),
    "a member that is not there": (["-d", "MULTI:TPU,CPU"], "'MULTI:TPU,CPU' names 'TPU', which is not here."),
    "a join that is none": (["-d", "BOTH:CPU"], "'BOTH' of 'BOTH:CPU' joins no devices."),
    "a size that is no multiple of 8": (["--size", "250"], "'250' is not a multiple of 8"),
    "a threshold outside 0 to 1": (["--threshold", "1.5"], "'1.5' is not a score; give a number from 0 to 1"),
    "no number of frames": (["--frames", "0"], "'0' is not a count; give 1 or more"),
    "an output in no folder": (["-o", "none/out.mp4"], "Cannot write 'none/out.mp4': there is no folder 'none'."),
    "an output of no kind": (["-o", "out.xyz"], "Cannot write a video to 'out.xyz'"),
    "the input as output": (
        ["-i", "good.png", "-o", "good.png"],
        "The output 'good.png' is the input itself, which it would overwrite.",
    ),
    "a report in no folder": (["--report", "none/r.json"], "Cannot write 'none/r.json': there is no folder 'none'."),
    "too many requests": (["--requests", "100000"], "requests are more than any device can use; give up to 256"),
    "a report over the input": (
        ["-i", "good.png", "--report", "good.png"],
        "The output 'good.png' is the input itself",
    ),
    "a report that is a device": (["--report", "/dev/null"], "Cannot write '/dev/null': it is a device or a pipe"),
    "the model as output": (["-m", "mean.xml", "--report", "./mean.bin"], "'mean.bin' is the model"),
    "two outputs of one name": (["-o", "r.mp4", "--report", "r.mp4"], "name the same file"),
    "an unknown option": (["--fast"], "unrecognized arguments: --fast."),
}


@pytest.mark.parametrize("case", WRONG_USE)
def test_wrong_use_is_one_line_and_exit_code_2(case: str, call: Program, tmp_path: Path) -> None:
    arguments, message = WRONG_USE[case]
    (tmp_path / "text.txt").write_text("no video")
    (tmp_path / "broken.png").write_bytes(b"no image")
    (tmp_path / "empty").mkdir()
    (tmp_path / "no_bin.xml").write_text("<net/>")
    cv2.imwrite(str(tmp_path / "good.png"), blank())
    no_pose_network(tmp_path)
    before = sorted(tmp_path.iterdir())
    model = [] if "-m" in arguments else ["-m", "mobilenet-thin"]
    done = call(*arguments, *model)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("case", ["no such file", "an unknown option"])
def test_wrong_use_ends_the_process_with_the_same(case: str, program: Program) -> None:
    arguments, message = WRONG_USE[case]
    done = program(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert message in done.stderr


def test_options_that_contradict_each_other_are_wrong_use(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And so is what OpenVINO would refuse only when it compiles; in this process, to be quick."""
    for arguments, message in (
        (["--streams", "3", "-c", "NUM_STREAMS=2"], "--streams 3 and -c NUM_STREAMS=2 contradict each other"),
        (["--threads", "1", "-c", "INFERENCE_NUM_THREADS=2"], "--threads 1 and -c INFERENCE_NUM_THREADS=2 contradict"),
        (["-c", "NUM_STREAMS=1", "-c", "NUM_STREAMS=2"], "-c NUM_STREAMS=1 and -c NUM_STREAMS=2 contradict each other"),
        (["-c", "ALLOW_AUTO_BATCHING=perhaps"], "There is no ALLOW_AUTO_BATCHING=perhaps. Give YES or NO."),
        (["-c", "CACHE_DIR=here"], "-c CACHE_DIR is not supported"),
        (["-d", "CPU.0"], "There is no device 'CPU.0'. Give 'CPU', without a number."),
        (["-d", "MULTI:CPU(0)"], "'(0)' in 'MULTI:CPU(0)' is wrong"),
    ):
        code = human_pose_est.main(["--no-show", "-m", "mobilenet-thin", "-i", str(video), *arguments])
        output, errors = capsys.readouterr()
        assert (code, output, errors.count("\n")) == (2, "", 1), errors
        assert message in errors


def test_a_source_that_broke_off_is_a_failed_run_with_whole_outputs(
    video: Path, painted_xml: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = video.read_bytes()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    arguments = ["--no-show", "-m", str(painted_xml), "-i", str(cut)]
    outputs = ["-o", str(tmp_path / "out.avi"), "--keypoints", str(tmp_path / "k.jsonl")]
    assert human_pose_est.main([*arguments, *outputs]) == 1
    output, errors = capsys.readouterr()
    [line] = [line for line in errors.splitlines() if "broke off" in line]
    found = re.search(r"cut.avi' broke off after (\d+) of 30 frames: it is truncated or damaged", line)
    assert found is not None
    count = int(found[1])
    assert 10 < count < 30
    assert output.startswith("device")
    assert len(frames_of(tmp_path / "out.avi")) == len((tmp_path / "k.jsonl").read_text().splitlines()) == count
    assert human_pose_est.main([*arguments, "--frames", "5"]) == 0  # what was asked for is there


@pytest.mark.skipif(sys.platform == "win32", reason="Windows deletes no folder that is in use")
def test_a_working_folder_that_is_gone_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert human_pose_est.main(["--no-show", "-m", "mobilenet-thin", "-o", "x.mp4"]) == 2
    assert capsys.readouterr().err == "error: The working folder is gone. Change to one that exists.\n"


def test_the_table_marks_stand_ins(
    video: Path, painted_xml: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--no-show", "-m", str(painted_xml), "-i", str(video), "--plugins", str(write_plugins(tmp_path))]
    assert human_pose_est.main([*arguments, "-d", "GPU", "--no-cache"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("GPU (stand-in)  ")


FAILED_RUNS = {
    "a camera that is not there": (["-i", "63"], "There is no camera 63"),
    "a stream that is not there": (["-i", CLOSED], f"Cannot open the stream '{CLOSED}'"),
}


@pytest.mark.parametrize("case", FAILED_RUNS)
def test_a_failed_run_is_one_line_and_exit_code_1(case: str, program: Program, fresh_project: Path) -> None:
    arguments, message = FAILED_RUNS[case]
    model = [] if "-m" in arguments else ["-m", "mobilenet-thin"]
    done = program(*arguments, *model, env=NO_NETWORK, project=fresh_project)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: " + message)


@pytest.mark.parametrize(
    ("library", "package"),
    [("libGL.so.1", "libgl1"), ("libgthread-2.0.so.0", "libglib2.0-0"), ("libxcb.so.1", "libxcb1")],
)
def test_a_missing_system_library_is_named_with_its_package(
    library: str, package: str, program: Program, tmp_path: Path
) -> None:
    (tmp_path / "cv2.py").write_text(
        f"raise ImportError('{library}: cannot open shared object file: No such file or directory', name='cv2')"
    )
    done = program("--help", env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"opencv-python misses the system library {library}." in done.stderr
    assert f"apt-get install -y {package}" in done.stderr


def test_a_missing_package_is_named(program: Program, tmp_path: Path) -> None:
    (tmp_path / "openvino.py").write_text("raise ModuleNotFoundError(\"No module named 'openvino'\", name='openvino')")
    done = program("--help", env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr == (
        "error: The Python package 'openvino' is missing. Install it with: pip install -r requirements.txt\n"
    )


def test_devices_are_listed_with_what_they_can_do(call: Program) -> None:
    done = call("--list-devices")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    cpu = next(line.split() for line in lines if line.startswith("CPU "))
    assert "f32" in cpu
    assert lines[-2].startswith("TAB walks through: CPU")
    assert lines[-1].endswith("python -m human_pose.doctor")


def test_the_fastest_way_finds_what_the_synchronous_one_finds_on_every_frame(
    call: Program, painted_xml: Path, video: Path, tmp_path: Path
) -> None:
    """One request after the other, and as many at once as there may be: the same poses, in the same order."""
    lines = []
    for way in (["--hint", "latency"], ["--requests", 4, "--streams", 2]):
        done = call("-m", painted_xml, "-i", video, "--keypoints", tmp_path / "k.jsonl", *way)
        assert done.returncode == 0, done.stderr
        lines.append([json.loads(line) for line in (tmp_path / "k.jsonl").read_text().splitlines()])
    synchronous, fastest = lines
    assert [line["frame"] for line in fastest] == list(range(30))
    for index, (one, other) in enumerate(zip(synchronous, fastest, strict=True)):
        [person], [same] = one["people"], other["people"]
        assert person["keypoints"]["nose"][:2] == pytest.approx(pixels(shift=(index % 19, 0))["nose"], abs=0.01)
        assert person["keypoints"].keys() == same["keypoints"].keys()
        for name, place in person["keypoints"].items():
            assert place == (same["keypoints"][name] and pytest.approx(same["keypoints"][name], abs=0.01))

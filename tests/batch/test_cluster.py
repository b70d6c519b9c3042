"""Several workers: the demo's poses, whoever is killed meanwhile, and nobody of another version."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import psutil
import pytest

import human_pose_est
from human_pose.batch import piece_files, work
from human_pose.batch.__main__ import main
from human_pose.batch.ledger import WORK_FOLDER
from tests.conftest import ROOT

distributed = pytest.importorskip("distributed", reason="pip install 'human-pose-demo[batch]'")
pytestmark = pytest.mark.xdist_group("batch-cluster")

OPTIONS = ["--format", "jsonl", "--size", "192", "--piece", "0.3", "--threads", "1"]
FRAMES = 48  # in four pieces
PATIENCE_S = 60


@pytest.fixture(scope="module")
def walkers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first frames of the bundled clip, smaller, with a key frame every twelve."""
    path = tmp_path_factory.mktemp("walkers") / "walkers.mp4"
    clip = cv2.VideoCapture(str(ROOT / "videos" / "park.mp4"), cv2.CAP_FFMPEG)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 30, (320, 240))
    for _ in range(FRAMES):
        writer.write(cv2.resize(clip.read()[1], (320, 240)))
    writer.release()
    return path


@pytest.fixture(scope="module")
def expected(walkers: Path) -> bytes:
    """What the demo itself writes."""
    path = walkers.with_suffix(".jsonl")
    assert human_pose_est.main(["--no-show", "-i", str(walkers), "--size", "192", "--keypoints", str(path)]) == 0
    content = path.read_bytes()
    assert content.count(b'"id": 1') > FRAMES / 4  # one number in more than one piece
    return content


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a Python program; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def run(*words: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", *map(str, words)]
        process = subprocess.Popen(
            command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
        process.communicate()


def pieces_in(output: Path) -> list[str]:
    return sorted(path.name for path in (output / WORK_FOLDER).glob("*/*.npz"))


def wait_for(is_so: Callable[[], object], process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.slow
def test_a_killed_worker_loses_nothing(walkers: Path, expected: bytes, start: Start, tmp_path: Path) -> None:
    output = tmp_path / "out"
    batch = start("human_pose.batch", walkers, "-o", output, *OPTIONS, "--workers", 2)
    wait_for(lambda: pieces_in(output), batch)
    workers = [child for child in psutil.Process(batch.pid).children() if "spawn_main" in " ".join(child.cmdline())]
    assert len(workers) == 2
    own = [batch.pid, *(worker.pid for worker in workers)]
    addresses = {
        connection.laddr.ip
        for connection in psutil.net_connections("inet")
        if connection.pid in own and connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}
    workers[0].send_signal(signal.SIGKILL)
    text, errors = batch.communicate(timeout=PATIENCE_S)
    assert (batch.returncode, errors) == (0, "")
    assert f"1 done with {FRAMES} frames" in text
    assert (output / "walkers.jsonl").read_bytes() == expected
    assert not pieces_in(output)


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(
    walkers: Path, expected: bytes, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out"
    batch = start("human_pose.batch", walkers, "-o", output, *OPTIONS, "--workers", 2)
    wait_for(lambda: pieces_in(output), batch)
    batch.kill()
    batch.communicate()
    time.sleep(0.5)  # its workers end by themselves
    before = pieces_in(output)
    written: list[str] = []

    def write(path: Path, piece: piece_files.PiecePoses) -> None:
        written.append(path.name)
        piece_files.write_piece(path, piece)

    monkeypatch.setattr(work, "write_piece", write)
    assert main([str(walkers), "-o", str(output), *OPTIONS]) == 0
    assert len(before) + len(written) == 4
    assert not {*before} & {*written}
    assert (output / "walkers.jsonl").read_bytes() == expected


@pytest.mark.slow
def test_a_scheduler_of_its_own(
    walkers: Path, expected: bytes, start: Start, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Over TLS, with a worker of another version, which is refused; then the scheduler is killed."""
    made = distributed.Security.temporary()
    files = [tmp_path / "ca.pem", tmp_path / "me.pem", tmp_path / "me.key"]
    for path, content in zip(files, (made.tls_ca_file, made.tls_client_cert, made.tls_client_key), strict=True):
        path.write_text(content)
    certificates = ["--tls-ca-file", files[0], "--tls-cert", files[1], "--tls-key", files[2]]
    (tmp_path / "old.py").write_text("import human_pose\nhuman_pose.__version__ = '0.9'\n")
    scheduler = start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", 0, "--no-dashboard",
                      "--protocol", "tls", "--scheduler-file", "scheduler.json", *certificates)  # fmt: skip
    wait_for((tmp_path / "scheduler.json").exists, scheduler)
    address = next(
        f"tls://127.0.0.1:{connection.laddr.port}"
        for connection in psutil.net_connections("inet")
        if connection.pid == scheduler.pid
        and connection.status == psutil.CONN_LISTEN
        and f':{connection.laddr.port}"' in (tmp_path / "scheduler.json").read_text()
    )
    worker = ("distributed.cli.dask_worker", address, "--host", "127.0.0.1", "--nthreads", 1, "--no-nanny",
              "--no-dashboard", "--death-timeout", 5, *certificates)  # fmt: skip
    old = start(*worker, "--preload", "old.py", "--name", "old")
    good = start(*worker)
    assert old.stderr is not None
    assert good.stderr is not None
    for process in (old, good):
        assert process.stderr is not None
        next(line for line in process.stderr if "Registered to" in line)
    words = [str(walkers), *OPTIONS, "--scheduler", address]
    assert main([*words, "-o", str(tmp_path / "out")]) == 2
    assert capfd.readouterr().err == f"error: {address} needs certificates: add --tls CA.pem CERTIFICATE.pem KEY.pem.\n"
    words += ["--tls", *map(str, files)]
    assert main([*words, "-o", str(tmp_path / "out")]) == 0
    errors = capfd.readouterr().err
    assert errors.count("\n") == 1
    assert "is refused. This is version 0.9 of the program" in errors
    assert (tmp_path / "out" / "walkers.jsonl").read_bytes() == expected

    batch = start("human_pose.batch", *words, "-o", tmp_path / "other")
    wait_for(lambda: pieces_in(tmp_path / "other"), batch)
    scheduler.kill()
    _, errors = batch.communicate(timeout=PATIENCE_S)
    assert batch.returncode == 1
    assert errors.splitlines()[1:] == [
        f"error: The scheduler {address} is gone. Start it and its workers, and then the same command again: "
        "what is done is kept."
    ]

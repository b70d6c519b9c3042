"""The program on a server alone that dies in the middle: it ends with the reason, or waits where the user says so."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Program
from tests.helpers.inference_server import PoseServer
from tests.helpers.painted import painted_network


def die_after(server: PoseServer, answers: int, then: Callable[[], object] = lambda: None) -> None:
    """Stop the server after some answers, and do something else a moment later."""

    def stop() -> None:
        server.stop()
        threading.Timer(0.5, then).start()

    def count(outputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        if server.answers == answers:
            threading.Thread(target=stop).start()
        return outputs

    server.spoil = count


@pytest.fixture
def run_on(call: Program, painted_xml: Path, painted_clip: Path, tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    """Runs a clip on a device, one request at a time. Returns the exit code, the errors and the file of keypoints."""

    def run(device: str, *more: object) -> tuple[int, str, str]:
        keypoints = tmp_path / "k.csv"
        words = ["-m", painted_xml, "-i", painted_clip, "-d", device, "--requests", 1, "--keypoints", keypoints, *more]
        done = call(*words)
        return done.returncode, done.stderr, keypoints.read_text()

    return run


def test_a_run_without_its_server_ends_with_1_and_the_reason(
    run_on: Callable[..., tuple[int, str, str]], serve: Callable[..., PoseServer]
) -> None:
    server = serve(painted_network())
    die_after(server, 10)
    code, errors, _ = run_on(server.device_string)
    assert code == 1
    [line] = errors.splitlines()
    assert line.startswith(f"error: {server.device_string} failed while inferring: localhost:{server.port} ")


def test_a_run_waits_for_its_server(
    run_on: Callable[..., tuple[int, str, str]], serve: Callable[..., PoseServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("human_pose.inference.remote_client.RETRY_S", 0.1)
    server = serve(painted_network())
    die_after(server, 10, lambda: serve(painted_network(), port=server.port))
    code, errors, there = run_on(server.device_string, "--remote-wait", 60)
    assert code == 0, errors
    assert f"{server.device_string} failed while inferring" in errors
    assert there.replace(server.device_string, "CPU") == run_on("CPU")[2]

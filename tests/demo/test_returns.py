"""Servers that failed: when TAB offers them again, and which never return."""

import threading
import time
from collections.abc import Callable

import openvino as ov
import pytest

from human_pose.demo.device_cycle import DeviceCycle
from human_pose.demo.returns import Returns
from human_pose.demo.tour import Tour
from human_pose.demo.window import Key
from human_pose.inference.backend import DeviceError
from human_pose.inference.remote_address import RemoteSettings
from tests.helpers.inference_server import PoseServer
from tests.helpers.painted import painted_network
from tests.helpers.window import wait_for


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("human_pose.demo.returns.PROBE_S", 0.05)


def askers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "failed server"]


def test_a_server_that_is_started_again_is_back_once(serve: Callable[..., PoseServer]) -> None:
    server = serve(painted_network())
    server.stop()
    with Returns(RemoteSettings()) as returns:
        for _ in range(2):  # it failed twice, and is asked by one thread
            returns.watch(DeviceError(server.device_string, "it failed"))
        assert len(askers()) == 1
        time.sleep(0.4)
        assert returns.take() == []
        serve(painted_network(), port=server.port)
        found: list[str] = []

        def is_back() -> bool:
            found.extend(returns.take())
            return bool(found)

        wait_for(is_back, "the server")
        assert found == [server.device_string]
        wait_for(lambda: not askers(), "the end of the thread")
        assert returns.take() == []
        returns.watch(DeviceError(server.device_string, "it failed once more"))
        wait_for(lambda: returns.take() == [server.device_string], "the server")


def test_a_server_without_the_model_is_not_back_and_the_asking_ends_with_the_run(
    serve: Callable[..., PoseServer],
) -> None:
    server = serve(painted_network())
    with Returns(RemoteSettings()) as returns:
        returns.watch(DeviceError(server.device_string + "-other", "it failed"))
        time.sleep(0.4)
        assert returns.take() == []
        assert len(askers()) == 1
    wait_for(lambda: not askers(), "the end of the thread")


def test_only_servers_return_and_none_with_another_network() -> None:
    with Returns(RemoteSettings()) as returns:
        returns.watch(DeviceError("CPU", "it failed"))
        returns.watch(DeviceError("grpc://localhost:9/net", "it has another network", exit_code=2))
        assert askers() == []


def test_tab_offers_what_is_back() -> None:
    server = "grpc://localhost:9/net"
    devices = DeviceCycle(ov.Core(), "CPU", ["CPU", server])
    devices.mark_failed(server, back_to="CPU")
    assert devices.next() == "CPU"
    assert devices.mark_returned(server)
    assert not devices.mark_returned(server)
    assert devices.next() == server


def test_a_tour_does_not_wait_for_what_failed() -> None:
    server = "grpc://localhost:9/net"
    devices = DeviceCycle(ov.Core(), "CPU", ["CPU", server])
    tour = Tour(devices, 2.0)
    assert tour.key("CPU", 0.0) is None
    devices.mark_failed(server, back_to="CPU")
    assert tour.key("CPU", 1.0) is None
    devices.mark_returned(server)
    assert tour.key("CPU", 2.0) is Key.QUIT

"""A model on a server as one more device: addresses, how its tensors are read, results, failures."""

import itertools
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest

from human_pose.errors import UsageError
from human_pose.inference.backend import DeviceError, Inference
from human_pose.inference.backends import check_device, open_backend, waits_for
from human_pose.inference.configuration import Configuration
from human_pose.inference.estimator import Estimator
from human_pose.inference.input_size import Preprocessing
from human_pose.inference.model import PoseModel, load_model
from human_pose.inference.remote_address import TOKEN_VARIABLE, RemoteAddress, RemoteSettings, parse_address
from human_pose.inference.remote_check import MOST_DIFFERENT, picture_of_people
from human_pose.inference.remote_client import Client
from human_pose.inference.remote_figures import RECENT_S, LatencyParts, Served
from human_pose.inference.remote_signature import TensorInfo, checked, signature_of
from human_pose.inference.request_tuner import AGAIN_AFTER_S, RequestTuner
from human_pose.inference.settings import Settings
from human_pose.media.capture import Frame
from human_pose.zoo.resolve import choose_model
from tests.helpers.inference_server import PoseServer
from tests.helpers.openpose import infer, poses_of
from tests.helpers.painted import HEIGHT, WIDTH, blank, paint_person, painted_network

PLAIN = Preprocessing(8, 256)
SCALED = Preprocessing(8, 256, is_rgb=True, scale=(255.0, 255.0, 255.0))
MAPS = {"heatmaps": (1, 19, 32, 40), "pafs": (1, 38, 32, 40)}
OUTPUTS = [TensorInfo("out0", "FP32", (1, 38, 32, 40)), TensorInfo("out1", "FP32", (-1, 19, -1, -1))]
PICTURES = [paint_person(blank(), shift=(index % 19, 0)) for index in range(40)]


@pytest.fixture(scope="module")
def network(painted_xml: Path) -> PoseModel:
    network = load_model(ov.Core(), choose_model(str(painted_xml), None))
    network.reshape(WIDTH, HEIGHT)
    return network


def estimator_on(network: PoseModel, device: str, remote: RemoteSettings | None = None, **settings: Any) -> Estimator:
    remote = remote or RemoteSettings()
    backend = open_backend(ov.Core(), network, Settings("FP32", **settings, remote=remote))
    return Estimator(backend, Configuration(device), PICTURES[0], waits_for=lambda device: waits_for(device, remote))


def same_as_here(network: PoseModel, found: list[Inference]) -> None:
    expected = list(infer(estimator_on(network, "CPU"), PICTURES))
    assert [inference.frame.index for inference in found] == list(range(len(PICTURES)))
    for there, here in zip(found, expected, strict=True):
        [found_pose], [expected_pose] = poses_of(there), poses_of(here)
        np.testing.assert_array_equal(found_pose.keypoints, expected_pose.keypoints)


@pytest.mark.parametrize(
    ("device", "address"),
    [
        ("grpc://edge:9000/hpe", RemoteAddress("edge:9000", "hpe", "", False)),
        ("grpcs://10.0.0.7:443/a.b-c/2", RemoteAddress("10.0.0.7:443", "a.b-c", "2", True)),
        ("grpc://[::1]:9000/hpe", RemoteAddress("[::1]:9000", "hpe", "", False)),
    ],
)
def test_an_address_is_read(device: str, address: RemoteAddress) -> None:
    assert parse_address(device) == address


@pytest.mark.parametrize(
    "device",
    ["grpc://", "grpc://edge/hpe", "grpc://edge:9000", "grpc://edge:70000/m", "grpc://edge:9000/m/x", "grpc:edge", "GRPC://e:1/m"],
)  # fmt: skip
def test_a_wrong_address_is_named_with_an_example(device: str) -> None:
    with pytest.raises(UsageError, match=r"is not the address of a model on a server. Give grpc://host:9000/"):
        check_device(ov.Core(), device)


def test_a_token_is_never_sent_in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "secret")
    assert parse_address("grpcs://edge:9000/m").headers == {"authorization": "Bearer secret"}
    assert parse_address("grpc://127.0.0.1:9000/m").headers == {"authorization": "Bearer secret"}
    with pytest.raises(UsageError, match=f"{TOKEN_VARIABLE} would be sent to edge:9000 in clear. Give grpcs://"):
        check_device(ov.Core(), "grpc://edge:9000/m")


def test_without_the_client_one_line_says_what_to_install(root: Path) -> None:
    code = "import sys; sys.modules['tritonclient'] = None; import human_pose_est as demo; sys.exit(demo.main())"
    command = [sys.executable, "-c", code, "--no-show", "-d", "grpc://localhost:9000/m"]
    done = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "error: For a device grpc://, install its client: pip install '.[remote]'\n"


def test_bytes_go_as_they_are() -> None:
    picture = np.arange(24, dtype=np.uint8).reshape(1, 2, 4, 3)
    signature = signature_of([TensorInfo("image", "UINT8", (1, -1, -1, 3))], OUTPUTS, MAPS, PLAIN)
    assert (signature.fixed_size, dict(signature.outputs)) == (None, {"heatmaps": "out1", "pafs": "out0"})
    assert list(signature.encodings) == ["BGR"]
    assert signature.encodings["BGR"](picture).tolist() == picture.tolist()


def test_a_float_input_may_have_its_preprocessing_inside_or_not() -> None:
    picture = np.full((1, 2, 4, 3), (51, 102, 255), np.uint8)
    signature = signature_of([TensorInfo("x", "FP32", (-1, 3, 256, 320))], OUTPUTS, MAPS, SCALED)
    assert signature.fixed_size == (320, 256)
    sent = {way: encode(picture) for way, encode in signature.encodings.items()}
    assert {way: values[0, :, 0, 0].astype(float).round(3).tolist() for way, values in sent.items()} == {
        "BGR": [51, 102, 255], "RGB": [255, 102, 51], "preprocessed": [1.0, 0.4, 0.2],
    }  # fmt: skip
    assert all(values.shape == (1, 3, 2, 4) and values.dtype == np.float32 for values in sent.values())


@pytest.mark.parametrize(
    ("inputs", "outputs", "reason"),
    [
        ([], OUTPUTS, "its model takes nothing, not one picture"),
        (
            [TensorInfo("a", "FP32", (1, 4, 8, 8))],
            OUTPUTS,
            r"its model takes a FP32 \[1, 4, 8, 8\], which is no picture",
        ),
        ([TensorInfo("a", "INT64", (1, 3, 8, 8))], OUTPUTS, "which is no picture of 3 colours in UINT8, FP32 or FP16"),
        ([TensorInfo("a", "UINT8", (8, 8, 8, 3))], OUTPUTS, "which is no picture"),
        ([TensorInfo("a", "UINT8", (1, 8, 8, 3))], OUTPUTS[:1], "where this model's decoder reads heatmaps"),
        ([TensorInfo("a", "UINT8", (1, 8, 8, 3))], [*OUTPUTS, OUTPUTS[0]], "serve the same network"),
    ],
)
def test_a_model_that_does_not_fit_is_named(inputs: list[TensorInfo], outputs: list[TensorInfo], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        signature_of(inputs, outputs, MAPS, PLAIN)


def test_an_answer_of_another_shape_is_no_answer() -> None:
    assert checked({"a": np.zeros((2, 3))}, {"a": (2, -1)})
    with pytest.raises(RuntimeError, match=r"the server gives a \[2, 3\] instead of \[2, 4\]"):
        checked({"a": np.zeros((2, 3))}, {"a": (2, 4)})


def limit_of(most: int, rate: Callable[[int], float], seconds: float = 10.0) -> list[int]:
    """The limits that a tuner tries where `rate` tells the results a second for a number of requests."""
    tuner, now, tried = RequestTuner(most), 0.0, [1]
    while now < seconds:
        now += 1 / rate(tuner.limit)
        tuner.add(now)
        if tuner.limit != tried[-1]:
            tried.append(tuner.limit)
    return tried


@pytest.mark.parametrize(
    ("most", "rate", "tried"),
    [
        (8, lambda n: 20.0 * min(n, 4), [1, 2, 4, 8, 4]),  # four streams: the last doubling does not pay
        (8, lambda n: 20.0 * n, [1, 2, 4, 8]),
        (6, lambda n: 20.0 * n, [1, 2, 4, 6]),
        (8, lambda n: 30.0, [1, 2, 1]),  # a camera's rate: more requests do not change it
        (1, lambda n: 30.0, [1]),
    ],
)
def test_as_many_requests_as_pay(most: int, rate: Callable[[int], float], tried: list[int]) -> None:
    assert limit_of(most, rate) == tried


def test_the_search_starts_over() -> None:
    rates = iter([*[20.0] * 100, *[20.0] * 100000])
    assert limit_of(4, lambda n: next(rates), AGAIN_AFTER_S - 5) == [1, 2, 1]
    assert limit_of(4, lambda n: 20.0, AGAIN_AFTER_S + 10) == [1, 2, 1, 2, 1]


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("element_type", ["f32", "u8"])
def test_a_server_gives_what_this_machine_gives(
    network: PoseModel, serve: Callable[..., PoseServer], layout: str, element_type: str
) -> None:
    server = serve(painted_network(layout, element_type=element_type))
    estimator = estimator_on(network, server.device_string, requests=3)
    found = list(infer(estimator, PICTURES))
    same_as_here(network, found)
    assert (estimator.compiled.difference, estimator.compiled.runs_on) == (0.0, "remote")
    assert server.most_at_once <= 3
    assert all(inference.latency_ms > 0 for inference in found)
    [(name, value)] = estimator.compiled.facts
    assert name == "traffic"
    assert float(value.removesuffix(" MB/s")) > 0


def given(parts: LatencyParts, number: int, latency_ms: float) -> None:
    for _ in range(number):
        parts.add(latency_ms / 1000)


def test_the_latency_has_a_part_in_the_server_and_one_in_the_network() -> None:
    parts = LatencyParts()
    parts.connect(2)
    parts.sample(Served(100, 7.0))  # of others, and before
    assert (parts.recent, parts.mean()) == (None, None)
    given(parts, 10, 30.0)
    parts.sample(Served(110, 7.2))
    assert parts.recent == pytest.approx((20.0, 10.0))
    given(parts, 30, 40.0)
    parts.sample(Served(142, 7.2 + 32 * 0.024))  # two are still on their way back
    assert parts.recent == pytest.approx((24.0, 16.0))
    assert parts.mean() == pytest.approx((23.0, 14.5))


def test_other_clients_of_the_server_leave_the_parts_unknown() -> None:
    parts = LatencyParts()
    parts.connect(2)
    parts.sample(Served(0, 0.0))
    for second in range(1, 6):
        given(parts, 10, 30.0)
        parts.sample(Served(12 * second, 0.5 * second))  # two of each twelve are another's
    assert parts.recent is None
    told = parts.mean()
    parts.connect(2)  # chosen anew: the means of before stay
    parts.sample(Served(60, 2.5))
    assert parts.mean() == told


def test_a_server_that_starts_anew_counts_from_0() -> None:
    parts = LatencyParts()
    parts.connect(2)
    parts.sample(Served(1000, 50.0))
    given(parts, 10, 30.0)
    parts.sample(Served(4, 0.1))
    assert parts.mean() is None
    given(parts, 10, 30.0)
    parts.sample(Served(14, 0.3))
    assert parts.mean() == pytest.approx((20.0, 10.0))


def test_the_parts_of_the_latency_are_told_where_the_server_has_statistics(
    network: PoseModel, serve: Callable[..., PoseServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("human_pose.inference.remote_figures.SAMPLE_S", 0.1)
    server = serve(painted_network(), told_ms=20.0)
    server.pause_s = 0.025  # so that no latency is shorter
    estimator = estimator_on(network, server.device_string, requests=2)
    found = list(infer(estimator, PICTURES))
    figures = estimator.compiled.server
    assert figures is not None
    assert figures.server_ms == pytest.approx(20.0)
    assert figures.network_ms is not None
    assert 5 < figures.network_ms < max(inference.latency_ms for inference in found) - 20
    assert figures.sent_bytes == WIDTH * HEIGHT * 3 * 4
    assert figures.received_bytes == found[0].nbytes
    (name, value), (traffic, _) = estimator.compiled.facts
    assert (name, traffic) == ("of latency", "traffic")
    assert re.fullmatch(r"server 20\.0 ms, network \d+\.\d ms", value)


def test_without_statistics_the_parts_are_not_told(network: PoseModel, serve: Callable[..., PoseServer]) -> None:
    estimator = estimator_on(network, serve(painted_network()).device_string)
    list(infer(estimator, PICTURES[:4]))
    figures = estimator.compiled.server
    assert figures is not None
    assert (figures.server_ms, figures.network_ms) == (None, None)
    assert [name for name, _ in estimator.compiled.facts] == ["traffic"]


def test_a_server_takes_frames_of_many_sizes(painted_xml: Path, serve: Callable[..., PoseServer]) -> None:
    network = load_model(ov.Core(), choose_model(str(painted_xml), None))
    network.reshape_open(256)
    server = serve(painted_network(height=-1, width=-1))
    pictures = [paint_person(blank(height, width)) for height, width in ((256, 320), (456, 256), (256, 1024))]
    found = list(infer(estimator_on(network, server.device_string), pictures))
    assert [inference.input_size for inference in found] == [(320, 256), (256, 456), (1024, 256)]
    assert [len(poses_of(inference)) for inference in found] == [1, 1, 1]


def test_a_fixed_size_on_the_server_is_used(network: PoseModel, serve: Callable[..., PoseServer]) -> None:
    server = serve(painted_network(height=256, width=456))
    [inference] = infer(estimator_on(network, server.device_string), PICTURES[:1])
    assert inference.input_size == (456, 256)
    assert len(poses_of(inference)) == 1


def test_what_the_server_tells_of_its_device_is_shown(network: PoseModel, serve: Callable[..., PoseServer]) -> None:
    server = serve(painted_network(), device="GPU")
    assert estimator_on(network, server.device_string).compiled.runs_on == "runs on GPU.0 there"


def test_another_network_is_refused(network: PoseModel, serve: Callable[..., PoseServer]) -> None:
    server = serve(painted_network())
    server.spoil = lambda outputs: {name: values * 0 for name, values in outputs.items()}
    with pytest.raises(DeviceError, match=r"its outputs differ from those of painted .* \(allowed: 40%\)") as raised:
        estimator_on(network, server.device_string)
    assert raised.value.exit_code == 2


def test_an_answer_that_does_not_fit_is_named_before_any_frame_goes_there(
    network: PoseModel, serve: Callable[..., PoseServer]
) -> None:
    server = serve(painted_network())
    give_other_shapes(server)
    with pytest.raises(DeviceError, match=r"cannot run this network: the server gives \w+ \[\d+, 31, 40\] instead of"):
        estimator_on(network, server.device_string)


def test_a_token_opens_the_server(
    network: PoseModel, serve: Callable[..., PoseServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(painted_network(), token="secret")
    with pytest.raises(DeviceError, match=f"the server refuses the token; set {TOKEN_VARIABLE}"):
        estimator_on(network, server.device_string)
    monkeypatch.setenv(TOKEN_VARIABLE, "secret")
    same_as_here(network, list(infer(estimator_on(network, server.device_string), PICTURES)))


def test_what_grpc_says_itself_is_not_shown(serve: Callable[..., PoseServer], root: Path) -> None:
    device = serve(painted_network()).device_string.replace("grpc://", "grpcs://")
    command = [sys.executable, "human_pose_est.py", "--no-show", "-d", device]
    done = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)
    [line] = done.stderr.splitlines()
    assert (done.returncode, line.split(" (")[0]) == (
        1,
        f"error: {device} cannot run this network: {parse_address(device).server} does not answer",
    )


def test_a_closed_connection_is_an_error_in_one_line(serve: Callable[..., PoseServer]) -> None:
    server = serve(painted_network(), told_ms=20.0)
    client = Client(parse_address(server.device_string), RemoteSettings())
    assert client.is_ready()
    assert client.statistics("1") == Served(0, 0.0)
    signature = client.model(MAPS, PLAIN)
    client.close()
    (encode,) = signature.encodings.values()
    for call in (
        client.is_ready,
        lambda: client.statistics("1"),
        lambda: client.infer(signature, encode(PICTURES[0][np.newaxis])),
    ):
        with pytest.raises(RuntimeError, match="the connection was closed"):
            call()


def test_a_server_over_tls(network: PoseModel, serve: Callable[..., PoseServer], tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    files = ["-keyout", str(key), "-out", str(certificate), "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*request, *files], check=True, capture_output=True)
    server = serve(painted_network(), key=key.read_bytes(), certificate=certificate.read_bytes())
    device = server.device_string.replace("grpc://", "grpcs://")
    with pytest.raises(DeviceError, match="does not answer"):
        estimator_on(network, device)  # nobody vouches for it
    settings = RemoteSettings(certificate=certificate)
    same_as_here(network, list(infer(estimator_on(network, device, remote=settings), PICTURES)))
    with pytest.raises(DeviceError, match=r"there is no file '.*none\.pem'; give --remote-ca"):
        estimator_on(network, device, remote=RemoteSettings(certificate=tmp_path / "none.pem"))


def switch(estimator: Estimator, device: str) -> None:
    """Switch to a device and wait until it is there; no frame is in flight."""
    estimator.switch(Configuration(device))
    while estimator.compiled.device != device:
        assert estimator.collect(wait=True) is None
        assert not estimator.take_failures()


def results_with(
    estimator: Estimator, at: dict[int, Callable[[], object]], wanted: range = range(len(PICTURES))
) -> list[Inference]:
    """The results of the wanted pictures; after as many results as a key says, its function is called."""
    found: list[Inference] = []
    frames = iter([Frame(index, PICTURES[index], 0.0) for index in wanted])
    while len(found) < len(wanted):
        inference = estimator.step(lambda _: next(frames, None))
        if inference is not None:
            found.append(inference)
            at.pop(len(found), lambda: None)()
    return found


def break_off(server: PoseServer) -> None:
    server.stop()


def hang(server: PoseServer) -> None:
    server.pause_s = 30.0


def give_other_shapes(server: PoseServer) -> None:
    server.spoil = lambda outputs: {name: values[:, :, 1:] for name, values in outputs.items()}


def give_nothing(server: PoseServer) -> None:
    server.spoil = lambda outputs: {name: values * np.nan for name, values in outputs.items()}


@pytest.mark.parametrize(
    ("failing", "reason"),
    [
        (break_off, r"localhost:\d+ (does not answer|broke off its answer) \("),
        (hang, r"no answer within 3 s \(--remote-timeout\)"),
        (give_other_shapes, r"the server gives \w+ \[\d+, 31, 40\] instead of \[\d+, 32, 40\]"),
        (give_nothing, "NaN or infinity"),
    ],
)
def test_no_frame_is_lost_with_a_server_that_fails(
    network: PoseModel, serve: Callable[..., PoseServer], failing: Callable[[PoseServer], None], reason: str
) -> None:
    server = serve(painted_network())
    estimator = estimator_on(network, "CPU", remote=RemoteSettings(timeout_s=3.0))
    switch(estimator, server.device_string)
    found = results_with(estimator, {10: lambda: failing(server)})
    same_as_here(network, found)
    devices = [inference.compiled.device for inference in found]
    assert (devices[0], devices[-1]) == (server.device_string, "CPU")
    [(_, failure)] = estimator.take_failures()
    assert failure.device == server.device_string
    assert str(failure).startswith(f"{server.device_string} failed while inferring: ")
    assert re.search(reason, str(failure))


def test_a_server_that_is_back_can_be_chosen_again(network: PoseModel, serve: Callable[..., PoseServer]) -> None:
    server = serve(painted_network())
    device = server.device_string
    estimator = estimator_on(network, "CPU")
    switch(estimator, device)
    found = results_with(estimator, {8: server.stop}, range(20))
    assert found[-1].compiled.device == "CPU"
    assert len(estimator.take_failures()) == 1
    serve(painted_network(), port=server.port)
    switch(estimator, device)
    found += results_with(estimator, {}, range(20, len(PICTURES)))
    same_as_here(network, found)
    assert found[-1].compiled.device == device


def test_a_server_that_is_back_answers_at_once(network: PoseModel, serve: Callable[..., PoseServer]) -> None:
    """A client from before goes on trying, at longer and longer intervals; a new one must not wait with it."""
    server = serve(painted_network())
    wanted = {name: (1, count, -1, -1) for name, count in (("heatmaps", 19), ("pafs", 38))}
    address = parse_address(server.device_string)
    before = Client(address, RemoteSettings())
    before.model(wanted, network.preprocessing)
    server.stop()
    for _ in range(3):
        with pytest.raises(RuntimeError, match="does not answer"):
            before.model(wanted, network.preprocessing)
    serve(painted_network(), port=server.port)
    assert Client(address, RemoteSettings()).model(wanted, network.preprocessing).fixed_size == (WIDTH, HEIGHT)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is waited for is asked often."""
    monkeypatch.setattr("human_pose.inference.remote_client.RETRY_S", 0.1)


@pytest.mark.usefixtures("impatient")
def test_the_only_device_is_waited_for_where_the_user_wants_it(
    network: PoseModel, serve: Callable[..., PoseServer]
) -> None:
    server = serve(painted_network())
    estimator = estimator_on(network, server.device_string, RemoteSettings(wait_s=60.0))

    def restart() -> None:
        server.stop()
        threading.Timer(0.7, lambda: serve(painted_network(), port=server.port)).start()

    same_as_here(network, results_with(estimator, {10: restart}))
    [(failed, _)] = estimator.take_failures()
    assert failed == estimator.configuration == estimator.target == Configuration(server.device_string)


@pytest.mark.usefixtures("impatient")
def test_a_server_that_is_not_there_yet_is_waited_for(network: PoseModel, serve: Callable[..., PoseServer]) -> None:
    server = serve(painted_network())
    server.stop()
    threading.Timer(0.7, lambda: serve(painted_network(), port=server.port)).start()
    same_as_here(
        network, list(infer(estimator_on(network, server.device_string, RemoteSettings(wait_s=60.0)), PICTURES))
    )


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("wait_s", [0.0, 0.5])
def test_the_only_device_that_does_not_return_is_named(
    network: PoseModel, serve: Callable[..., PoseServer], wait_s: float
) -> None:
    server = serve(painted_network())
    estimator = estimator_on(network, server.device_string, RemoteSettings(wait_s=wait_s))
    with pytest.raises(DeviceError, match=f"localhost:{server.port} (does not answer|broke off its answer)") as raised:
        results_with(estimator, {10: server.stop})
    assert raised.value.exit_code == 1
    assert len(estimator.take_failures()) == (1 if wait_s else 0)


@pytest.mark.usefixtures("impatient")
def test_a_server_that_gives_no_result_after_it_returned_is_not_waited_for_again(
    network: PoseModel, serve: Callable[..., PoseServer]
) -> None:
    server = serve(painted_network())
    estimator = estimator_on(network, server.device_string, RemoteSettings(wait_s=60.0))
    factors = itertools.chain([1.0], itertools.repeat(np.nan))  # the check passes, no frame does

    def spoil(outputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        factor = next(factors)
        return {name: factor * values for name, values in outputs.items()}

    def restart() -> None:
        server.stop()
        serve(painted_network(), port=server.port).spoil = spoil

    with pytest.raises(DeviceError, match="NaN or infinity"):
        results_with(estimator, {10: restart})


def become_another_network(server: PoseServer) -> None:
    server.spoil = lambda outputs: {name: -values for name, values in outputs.items()}


def check_only_after(sign: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("human_pose.inference.remote_check.AGAIN_S", 0.1 if sign == "time" else 1000.0)
    monkeypatch.setattr("human_pose.inference.remote_check.IDLE_S", 0.2 if sign == "pause" else 1000.0)


@pytest.mark.parametrize("sign", ["version", "pause", "time"])
def test_another_network_of_the_same_shapes_is_noticed_while_the_server_runs(
    network: PoseModel, serve: Callable[..., PoseServer], monkeypatch: pytest.MonkeyPatch, sign: str
) -> None:
    check_only_after(sign, monkeypatch)
    server = serve(painted_network())
    estimator = estimator_on(network, "CPU", requests=2)
    switch(estimator, server.device_string)
    found = results_with(estimator, {}, range(8))

    become_another_network(server)
    server.version = "2" if sign == "version" else "1"
    server.pause_s = 0.05
    if sign == "pause":
        time.sleep(0.3)
    found += results_with(estimator, {}, range(8, len(PICTURES)))
    [(_, failure)] = estimator.take_failures()
    assert "checked again, its outputs differ from those of painted" in str(failure)
    assert found[-1].compiled.device == "CPU"
    if sign != "time":  # then no result of the other network counts
        same_as_here(network, found)
        assert {inference.compiled.device for inference in found[8:]} == {"CPU"}


@pytest.mark.parametrize("sign", ["version", "pause", "time"])
def test_a_server_with_the_same_network_goes_on_after_a_check(
    network: PoseModel, serve: Callable[..., PoseServer], monkeypatch: pytest.MonkeyPatch, sign: str
) -> None:
    check_only_after(sign, monkeypatch)
    server = serve(painted_network())
    estimator = estimator_on(network, server.device_string, requests=2)
    found = results_with(estimator, {}, range(8))
    server.version = "2" if sign == "version" else "1"
    server.pause_s = 0.01
    if sign == "pause":
        time.sleep(0.3)
    found += results_with(estimator, {}, range(8, len(PICTURES)))
    same_as_here(network, found)
    checks = server.answers - len(PICTURES)
    assert checks == 2 if sign == "version" else checks >= 2  # the one at the start is the first


def test_jpeg_travels_where_the_server_takes_it(serve: Callable[..., PoseServer]) -> None:
    """A photo's losses are small; a painted network would take every change of a colour for another keypoint."""
    network = load_model(ov.Core(), choose_model(None, None))
    network.reshape(344, 256)
    server = serve(network.model, takes_jpeg=True)
    people = picture_of_people(blank())
    backend = open_backend(ov.Core(), network, Settings("FP16-INT8"))
    [inference] = infer(Estimator(backend, Configuration(server.device_string), people), [people])
    assert inference.compiled.difference is not None
    assert 0 < inference.compiled.difference < MOST_DIFFERENT
    raw_bytes = 344 * 256 * 3 + inference.nbytes
    [(_, traffic)] = inference.compiled.facts
    assert float(traffic.removesuffix(" MB/s")) * 1e6 * RECENT_S < raw_bytes - 40_000


def test_the_same_family_is_not_the_same_network(serve: Callable[..., PoseServer]) -> None:
    core = ov.Core()
    thin, other = (load_model(core, choose_model(name, None)) for name in ("mobilenet-thin", None))
    thin.reshape(176, 128)  # the two are compared at their own size
    other.reshape_open()
    with pytest.raises(DeviceError, match=r"its outputs differ from those of mobilenet-thin FP16 by \d+%"):
        Estimator(open_backend(core, thin, Settings("FP16")), Configuration(serve(other.model).device_string), blank())

"""Devices that fail to compile, die or hang while a viewer presses TAB: no frame is lost or out of order."""

import functools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import openvino as ov
import pytest

import human_pose_est
from human_pose.decoders.openpose_fields import KEYPOINTS
from human_pose.demo.choices import Choices
from human_pose.demo.options import parse_options
from human_pose.demo.people import People
from human_pose.demo.statistics import RunStatistics
from human_pose.demo.viewer import Viewer
from human_pose.demo.window import Key, NullWindow
from human_pose.inference import estimator as inference_module
from human_pose.inference import openvino_backend as backend_module
from human_pose.inference.backend import DeviceError, Inference
from human_pose.inference.configuration import Configuration
from human_pose.inference.estimator import Estimator
from human_pose.inference.model import PoseModel
from human_pose.inference.openvino_backend import OpenVinoCompiledModel, compile_model
from human_pose.inference.settings import Settings
from human_pose.measurement.stand_ins import HETERO, MULTI
from human_pose.media.capture import Capture, Frame
from human_pose.media.sources import Images, Source
from human_pose.media.writer import NullWriter
from human_pose.poses.keypoint_files import NullKeypointWriter
from human_pose.tracking.visit_files import NullVisitWriter
from tests.helpers.openpose import OneNetwork, estimator_on, poses_of
from tests.helpers.painted import PERSON, blank, paint_person, pixels


@pytest.fixture
def core(stand_in_core: ov.Core) -> ov.Core:
    return stand_in_core


@pytest.fixture
def network(painted: PoseModel) -> PoseModel:
    return painted


# ---- devices that break ----


class BreakingRequest:
    """An infer request of a device that dies, or hangs, after a number of results."""

    def __init__(self, request: ov.InferRequest, device: "BreakingDevice") -> None:
        self._request, self._device = request, device

    def wait_for(self, timeout_ms: int) -> bool:
        if self._device.results >= self._device.breaks_after:
            if self._device.hangs:
                inference_module.HANGS_AFTER_S = 0.3  # from now on: before, a slow machine is no device that hangs
                time.sleep(timeout_ms / 1000)
                return False
            raise RuntimeError("Exception from src/plugin.cpp:1:\n[GPU] CL_OUT_OF_RESOURCES\n")
        return bool(self._request.wait_for(timeout_ms))

    def wait(self) -> None:
        self._device.results += 1
        self._request.wait()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)


class BreakingDevice:
    """A compiled network whose device breaks after a number of results."""

    def __init__(self, network: ov.CompiledModel, breaks_after: int, hangs: bool = False) -> None:
        self._network, self.breaks_after, self.hangs = network, breaks_after, hangs
        self.results = 0

    def create_infer_request(self) -> BreakingRequest:
        return BreakingRequest(self._network.create_infer_request(), self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)


Break = Callable[..., None]


@pytest.fixture
def break_device(monkeypatch: pytest.MonkeyPatch) -> Iterator[Break]:
    """Let a device break: at compiling with `after` None, else after so many results."""
    broken: dict[str, tuple[int | None, bool]] = {}

    def compile_broken(core: ov.Core, model: ov.Model, device: str, settings: Settings) -> OpenVinoCompiledModel:
        if device not in broken:
            return compile_model(core, model, device, settings)
        after, hangs = broken[device]
        if after is None:
            raise DeviceError(device, f"{device} cannot run this network: no memory")
        compiled = compile_model(core, model, device, settings)
        return replace(compiled, network=BreakingDevice(compiled.network, after, hangs))

    def break_it(device: str, after: int | None, hangs: bool = False) -> None:
        broken[device] = after, hangs

    monkeypatch.setattr(backend_module, "compile_model", compile_broken)
    monkeypatch.setattr(inference_module, "HANGS_AFTER_S", 60.0)
    yield break_it
    inference_module._given_up.clear()  # of this test: the next failure would ask them whether they are busy


# ---- frames that are numbered ----


def numbered(index: int) -> np.ndarray:
    return numbered_image(index % 19, index % 5)


@functools.cache
def numbered_image(columns: int, rows: int) -> np.ndarray:
    return paint_person(blank(), shift=(columns, rows))


def shows_its_number(inference: Inference) -> bool:
    """Whether a result is of the frame that it says it is of."""
    index = inference.frame.index
    [pose] = poses_of(inference)
    found = {KEYPOINTS[part]: (x, y) for part, (x, y, _) in enumerate(pose.keypoints.tolist()) if np.isfinite(x)}
    return found == pixels(PERSON, (index % 19, index % 5))


def infer(estimator: Estimator, count: int, presses: dict[int, str] | None = None) -> Iterator[Inference]:
    """Infer numbered frames, and ask for a device before the frames of `presses`."""
    index = 0
    while index < count or not estimator.is_idle:
        if index < count and estimator.has_idle_request:
            if presses and index in presses:
                estimator.switch(Configuration(presses[index]))
            estimator.submit(Frame(index, numbered(index), 0.0))
            index += 1
        inference = estimator.collect(wait=True)
        if inference is not None:
            yield inference


def wait_for_switch(estimator: Estimator) -> None:
    while estimator.compiling is not None:
        estimator.collect(wait=False)
        time.sleep(0.005)


# ---- the estimator ----


def test_a_switch_leaves_what_is_in_flight_where_it_is(core: ov.Core, network: PoseModel) -> None:
    estimator = estimator_on(core, network, "CPU")
    submitted = estimator.compiled.request_count
    for index in range(submitted):
        estimator.submit(Frame(index, numbered(index), 0.0))
    estimator.switch(Configuration("GPU"))
    wait_for_switch(estimator)
    results = list(infer(estimator, 0))
    assert estimator.compiled.device == "GPU"
    assert {result.compiled.device for result in results} <= {"CPU"}


def test_a_second_wish_while_compiling_changes_the_target(core: ov.Core, network: PoseModel) -> None:
    estimator = estimator_on(core, network, "CPU")
    estimator.switch(Configuration("GPU"))
    estimator.switch(Configuration(HETERO))
    assert estimator.compiling is not None
    assert estimator.compiling[0].device == HETERO
    wait_for_switch(estimator)
    assert estimator.compiled.device == HETERO


def test_coming_back_to_a_device_compiles_nothing(
    core: ov.Core, network: PoseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimator = estimator_on(core, network, "CPU")
    estimator.switch(Configuration("GPU"))
    wait_for_switch(estimator)
    monkeypatch.setattr(backend_module, "compile_model", None)
    for device in ("CPU", "GPU", "CPU"):
        estimator.switch(Configuration(device))
        assert estimator.compiled.device == device
        assert [result.compiled.device for result in infer(estimator, 3)] == [device] * 3


def test_a_device_that_does_not_compile_leaves_the_present_one(
    core: ov.Core, network: PoseModel, break_device: Break
) -> None:
    break_device("GPU", after=None)
    estimator = estimator_on(core, network, "CPU")
    results = list(infer(estimator, 20, {5: "GPU"}))
    wait_for_switch(estimator)
    assert [str(error) for _, error in estimator.take_failures()] == ["GPU cannot run this network: no memory"]
    assert estimator.take_failures() == []
    assert {result.compiled.device for result in results} == {"CPU"}
    assert estimator.compiled.device == "CPU"


def test_whatever_goes_wrong_at_compiling_the_present_device_goes_on(
    core: ov.Core, network: PoseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimator = estimator_on(core, network, "CPU")

    def fail(*_: object) -> OpenVinoCompiledModel:
        raise ValueError("a driver's surprise")

    monkeypatch.setattr(backend_module, "compile_model", fail)
    estimator.switch(Configuration("GPU"))
    wait_for_switch(estimator)
    assert [str(error) for _, error in estimator.take_failures()] == [
        "GPU cannot run this network: a driver's surprise"
    ]
    assert len(list(infer(estimator, 5))) == 5


@pytest.mark.parametrize("after", [0, 1, 7])
def test_frames_of_a_device_that_dies_are_inferred_again(
    after: int, core: ov.Core, network: PoseModel, break_device: Break
) -> None:
    break_device("GPU", after=after)
    estimator = estimator_on(core, network, "CPU")
    estimator.switch(Configuration("GPU"))
    wait_for_switch(estimator)
    results = list(infer(estimator, 40))
    assert [result.frame.index for result in results] == list(range(40))
    assert all(shows_its_number(result) for result in results)
    assert [result.compiled.device for result in results].count("GPU") == after
    assert [str(error) for _, error in estimator.take_failures()] == [
        "GPU failed while inferring: [GPU] CL_OUT_OF_RESOURCES"
    ]


def test_a_device_that_hangs_is_given_up(core: ov.Core, network: PoseModel, break_device: Break) -> None:
    break_device("GPU", after=3, hangs=True)
    estimator = estimator_on(core, network, "CPU")
    estimator.switch(Configuration("GPU"))
    wait_for_switch(estimator)
    results = list(infer(estimator, 20))
    assert [result.frame.index for result in results] == list(range(20))
    [(_, failure)] = estimator.take_failures()
    assert "GPU failed while inferring: no result within" in str(failure)


def test_a_device_that_hangs_while_another_compiles_is_given_up_for_it(
    core: ov.Core, network: PoseModel, break_device: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_device("CPU", after=3, hangs=True)
    estimator = estimator_on(core, network, "CPU")
    compile_now = backend_module.OpenVinoBackend.compile

    def compile_slowly(self: backend_module.OpenVinoBackend, configuration: Configuration, sample: np.ndarray) -> Any:
        time.sleep(0.7)  # the CPU is given up meanwhile, and no device is left that is ready
        return compile_now(self, configuration, sample)

    monkeypatch.setattr(backend_module.OpenVinoBackend, "compile", compile_slowly)
    results = list(infer(estimator, 20, {2: "GPU"}))
    assert [result.frame.index for result in results] == list(range(20))
    devices = Counter(result.compiled.device for result in results)
    assert devices == {"CPU": 3, "GPU": 17}  # of any frames: two streams do not always end in the order of their start
    assert "CPU failed while inferring: no result within" in str(estimator.take_failures()[0][1])


def test_a_device_that_failed_gets_another_try(core: ov.Core, network: PoseModel, break_device: Break) -> None:
    break_device("GPU", after=2)
    estimator = estimator_on(core, network, "CPU")
    for _ in range(2):
        estimator.switch(Configuration("GPU"))
        wait_for_switch(estimator)
        results = list(infer(estimator, 10))
        assert [result.compiled.device for result in results].count("GPU") == 2
        assert len(estimator.take_failures()) == 1


def test_requests_of_a_device_that_fails_again_and_again_do_not_pile_up(
    core: ov.Core, network: PoseModel, break_device: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up: list[Any] = []
    monkeypatch.setattr(inference_module, "_given_up", given_up)
    break_device("GPU", after=2)
    estimator = estimator_on(core, network, "CPU")
    numbers = []
    for _ in range(6):
        estimator.switch(Configuration("GPU"))
        wait_for_switch(estimator)
        requests = estimator.compiled.request_count
        list(infer(estimator, 10))
        numbers.append(len(given_up))
    assert numbers[0] >= 1
    assert max(numbers) <= requests


def test_when_no_device_is_left_the_error_says_so(core: ov.Core, network: PoseModel, break_device: Break) -> None:
    break_device("CPU", after=3)
    estimator = estimator_on(core, network, "CPU")
    with pytest.raises(DeviceError, match="CPU failed while inferring"):
        list(infer(estimator, 10))


def test_when_the_last_device_hangs_the_error_says_so(core: ov.Core, network: PoseModel, break_device: Break) -> None:
    break_device("CPU", after=2, hangs=True)
    with pytest.raises(DeviceError, match="CPU failed while inferring: no result within"):
        list(infer(estimator_on(core, network, "CPU"), 10))


class _OtherError(Exception):
    """What a backend's library may raise: no RuntimeError."""


@pytest.mark.parametrize("method", ["start", "is_done", "result"])
def test_whatever_a_request_raises_is_a_failure_of_its_device(
    method: str, core: ov.Core, network: PoseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: Any = getattr(backend_module.OpenVinoRequest, method)

    def fail(self: backend_module.OpenVinoRequest, *arguments: Any) -> Any:
        if self.compiled.device == "GPU":
            raise _OtherError("the library's own kind")
        return whole(self, *arguments)

    estimator = estimator_on(core, network, "CPU")
    estimator.switch(Configuration("GPU"))
    wait_for_switch(estimator)
    monkeypatch.setattr(backend_module.OpenVinoRequest, method, fail)
    results = list(infer(estimator, 6))
    assert [result.compiled.device for result in results] == ["CPU"] * 6
    assert all(shows_its_number(result) for result in results)
    assert [str(error) for _, error in estimator.take_failures()] == [
        "GPU failed while inferring: the library's own kind"
    ]


def test_a_first_device_that_does_not_compile_is_an_error(
    core: ov.Core, network: PoseModel, break_device: Break
) -> None:
    break_device("GPU", after=None)
    with pytest.raises(DeviceError, match="GPU cannot run this network: no memory"):
        estimator_on(core, network, "GPU")


# ---- the whole loop ----


class PressingWindow(NullWindow):
    """Presses keys at random moments."""

    is_shown = True

    def __init__(self, moments: set[int], choose: Callable[[], Key | int]) -> None:
        self._moments, self._choose = moments, choose
        self.polls = self.pressed = 0

    def poll_key(self, wait_ms: int = 0) -> Key | int | None:
        self.polls += 1
        if self.polls not in self._moments:
            return None
        self.pressed += 1
        return self._choose()


class RecordingWriter(NullWriter):
    is_open = True

    def __init__(self) -> None:
        self.indices: list[int] = []

    def write(self, frame: Frame, picture: np.ndarray) -> None:
        self.indices.append(frame.index)


@pytest.mark.parametrize("seed", range(3))
def test_twenty_rapid_switches_lose_no_frame(
    seed: int, core: ov.Core, network: PoseModel, break_device: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A numbered video; one device fails to compile, one dies in the middle; TAB, Shift+TAB and digits at random."""
    chance = random.Random(seed)
    break_device("MULTI:CPU", after=None)
    break_device("GPU", after=10)
    count = 120
    wrong: list[int] = []
    checked: list[int] = []

    def check(self: Viewer, inference: Inference, poses: list[Any], show: Any = Viewer.show) -> None:
        checked.append(inference.frame.index)
        if not shows_its_number(inference):
            wrong.append(inference.frame.index)
        show(self, inference, poses)

    monkeypatch.setattr(Viewer, "show", check)

    def images() -> Images:
        for index in range(count):
            yield numbered(index), None

    choices: list[Key | int] = [Key.NEXT_DEVICE, Key.PREVIOUS_DEVICE, 1, 2, 3, 4, 5]
    window = PressingWindow(set(chance.sample(range(5, count * 3 // 4), 20)), lambda: chance.choice(choices))
    writer, statistics = RecordingWriter(), RunStatistics()
    options = parse_options([], None)
    with Capture(Source("numbered", images, frame_count=count)) as capture:
        estimator = estimator_on(core, network, "CPU")
        devices = Choices(core, Configuration("CPU"), ["CPU", "GPU", HETERO, MULTI, "MULTI:CPU"])
        networks: Any = OneNetwork(network)
        viewer = Viewer(window, writer, networks, estimator, capture, devices, statistics, display_fps=1e9)
        people = People(NullVisitWriter())
        human_pose_est.run(
            capture, estimator, networks, people, devices, viewer, NullKeypointWriter(), statistics, options
        )
    assert writer.indices == checked == list(range(count))
    assert wrong == []
    assert statistics.frames == count
    assert window.pressed == 20
    assert len(statistics.used) >= 2  # how many of the wishes came true is a matter of moments

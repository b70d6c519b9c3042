"""What a machine has, the cycle of TAB, and what OpenVINO says of the network on each device."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import openvino as ov
import pytest

from human_pose.demo.choices import Choices
from human_pose.demo.device_table import device_table
from human_pose.demo.window import Key
from human_pose.errors import UsageError
from human_pose.inference.backend import DeviceError, members_of
from human_pose.inference.configuration import Configuration
from human_pose.inference.devices import check_device, full_name, is_stand_in, missing_devices
from human_pose.inference.model import PoseModel, load_model
from human_pose.inference.openvino_backend import OpenVinoCompiledModel, compile_model
from human_pose.inference.settings import Settings, configure, execution_type
from human_pose.measurement.stand_ins import AUTO, HETERO, MULTI, write_plugins
from human_pose.zoo.resolve import choose_model
from tests.helpers.painted import blank, paint_person

FP32 = Settings("FP32")


@pytest.fixture
def core(stand_in_core: ov.Core) -> ov.Core:
    return stand_in_core


@pytest.fixture
def network(painted: PoseModel) -> PoseModel:
    return painted


# ---- names ----


@pytest.mark.parametrize(
    ("device", "members"),
    [
        ("CPU", ["CPU"]),
        ("GPU.1", ["GPU.1"]),
        ("MULTI:GPU,CPU", ["GPU", "CPU"]),
        ("MULTI:GPU(4),CPU(2)", ["GPU", "CPU"]),
        ("AUTO", []),
        ("AUTO:-CPU", []),  # all but the CPU
        ("HETERO:GPU.1,GPU.0,CPU", ["GPU.1", "GPU.0", "CPU"]),
    ],
)
def test_members_of_a_device_string(device: str, members: list[str]) -> None:
    assert members_of(device) == members


@pytest.mark.parametrize("device", ["CPU", "GPU", "AUTO", "AUTO:GPU,CPU", "MULTI:GPUHETERO,CPU", "HETERO:GPU,CPU"])
def test_what_is_here_is_accepted(core: ov.Core, device: str) -> None:
    check_device(core, device)


@pytest.mark.parametrize("device", ["NPU", "GPU.7", "MULTI:NPU,CPU", "MULTI:", "HETERO:GPU,MULTI", "BOTH:CPU", "", ":"])
def test_what_is_not_here_is_refused_with_what_there_is(core: ov.Core, device: str) -> None:
    with pytest.raises(UsageError, match="This machine has CPU, GPU;"):
        check_device(core, device)


def test_a_multi_that_would_silently_run_on_the_cpu_alone_is_refused() -> None:
    with pytest.raises(UsageError, match="'MULTI:GPU,CPU' names 'GPU', which is not here"):
        check_device(ov.Core(), "MULTI:GPU,CPU")


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        ("CPU.0", "There is no device 'CPU.0'. Give 'CPU', without a number"),
        ("MULTI:GPU,CPU.7", "There is no device 'CPU.7'. Give 'CPU', without a number"),
        ("cpu", "There is no device 'cpu'. Write it in capitals: CPU."),
        ("auto:gpu,Cpu", "Write it in capitals: AUTO:GPU,CPU."),
        ("tpu", "There is no device 'tpu'. This machine has CPU, GPU"),
        ("AUTO:-CPU,-GPU", "'AUTO:-CPU,-GPU' leaves no device. This machine has CPU, GPU"),
        ("MULTI:CPU(0)", "MULTI and AUTO 1 or more"),
        ("HETERO:CPU(2)", "HETERO takes no number of requests"),
        ("\udcff", "There is no device '\udcff'"),
        ("MULTI:\udcff,CPU", "There is no device 'MULTI:\udcff,CPU'"),
    ],
)
def test_what_openvino_would_refuse_only_when_compiling_is_refused_before(
    core: ov.Core, device: str, reason: str
) -> None:
    with pytest.raises(UsageError) as caught:
        check_device(core, device)
    assert reason in str(caught.value)


@pytest.mark.parametrize("device", ["GPU.0", "AUTO:-GPU", "AUTO:-GPU.1", "MULTI:CPU(2)", "AUTO:GPU.0,CPU(1)"])
def test_what_openvino_takes_is_accepted(core: ov.Core, device: str) -> None:
    check_device(core, device)


def test_nothing_gets_past_the_check(network: PoseModel, tmp_path: Path) -> None:
    """On a machine without a GPU, OpenVINO would compile this for the CPU alone, and call it MULTI."""
    core = ov.Core(str(write_plugins(tmp_path, is_cpu_alone=True)))
    with pytest.raises(DeviceError, match=r"^'MULTI:GPU,CPU' names 'GPU', which is not here") as caught:
        compile_model(core, network.model, "MULTI:GPU,CPU", FP32)
    assert caught.value.exit_code == 2


def test_a_machine_whose_plugins_do_not_load_is_told_why(tmp_path: Path) -> None:
    (tmp_path / "plugins.xml").write_text('<ie><plugins><plugin name="CPU" location="libabsent.so"/></plugins></ie>')
    core = ov.Core(str(tmp_path / "plugins.xml"))
    with pytest.raises(UsageError, match=r"OpenVINO offers no device on this machine. CPU: .*libabsent.so"):
        Choices(core, Configuration("CPU"))
    assert "\nTAB walks through: no device\n" in device_table(core, lambda _: 1)


class _HalfBrokenCore:
    """A core whose GPU is there by name, and whose driver fails at every question, in bytes that are not UTF-8."""

    def __init__(self, core: ov.Core, answers: dict[str, Any]) -> None:
        self._core, self._answers = core, answers
        self.available_devices = core.available_devices

    def get_property(self, device: str, name: str) -> Any:
        if not device.startswith("GPU"):
            return self._core.get_property(device, name)
        if name in self._answers:
            return self._answers[name]
        return b"Exception from src/plugin.cpp:1:\ndriver \x1b[31m\xff\n".decode()  # raises UnicodeDecodeError

    def set_property(self, device: str, properties: dict[str, Any]) -> None:
        if device.startswith("GPU"):
            raise RuntimeError("not this one, either")
        self._core.set_property(device, properties)


def test_properties_are_set_on_kinds_of_devices_not_on_numbers(core: ov.Core) -> None:
    """On the number of a GPU, they would make OpenVINO list devices that are not here."""
    set_on: list[str] = []

    class TwoGpus(_HalfBrokenCore):
        def set_property(self, device: str, properties: dict[str, Any]) -> None:
            set_on.append(device)

    two: Any = TwoGpus(core, {"OPTIMIZATION_CAPABILITIES": ["FP32", "FP16"], "SUPPORTED_PROPERTIES": ["CACHE_MODE"]})
    two.available_devices = ["CPU", "GPU.0", "GPU.1"]
    configure(two, replace(FP32, properties={"CACHE_MODE": "OPTIMIZE_SPEED"}))
    assert set(set_on) == {"CPU", "GPU"}
    assert set_on.count("GPU") == 2  # this property and the precision


def test_a_gpu_that_fails_at_every_question_leaves_the_cpu_as_it_is(core: ov.Core) -> None:
    broken: Any = _HalfBrokenCore(core, {})
    configure(broken, FP32)
    check_device(broken, "CPU")
    with pytest.raises(UsageError, match="There is no device 'GPU'"):
        check_device(broken, "GPU")
    lines = device_table(broken, lambda _: 4).splitlines()
    assert [line.split()[:3] for line in lines[1:3]] == [["CPU", "f32", "INT8"], ["GPU", "?", "?"]] or "bf16" in lines[
        1
    ]


def test_why_a_device_is_missing_is_one_printable_line(core: ov.Core) -> None:
    broken: Any = _HalfBrokenCore(core, {})
    broken.available_devices = ["CPU"]
    assert missing_devices(broken)["GPU"] == "driver ?[31m\ufffd"


def test_a_name_with_control_characters_is_printed_without_them(core: ov.Core) -> None:
    broken: Any = _HalfBrokenCore(core, {"FULL_DEVICE_NAME": "Arc\x1b[31m\nA770 \u2122"})
    assert full_name(broken, "GPU") == "Arc?[31m?A770 \u2122"


def test_a_device_that_cannot_tell_its_requests_has_a_question_mark(core: ov.Core) -> None:
    def refuse(device: str) -> int:
        raise DeviceError(device, "no memory")

    assert "  ?  " in device_table(core, refuse).splitlines()[1]


def test_a_stand_in_is_known_as_one(core: ov.Core) -> None:
    assert [is_stand_in(core, device) for device in ("GPU", HETERO, MULTI, "CPU", "AUTO:CPU")] == [True] * 3 + [
        False
    ] * 2


def test_the_table_names_what_is_here_and_why_the_rest_is_not(core: ov.Core) -> None:
    def optimal_requests(device: str) -> int:
        assert device == "CPU"  # a GPU would compile for minutes
        return 4

    lines = device_table(core, optimal_requests).splitlines()
    assert lines[0].split() == ["device", "executes", "streams", "requests", "name"]
    assert lines[1].split()[0] == "CPU"
    assert "  4  " in lines[1]
    assert lines[2].split()[0] == "GPU"
    assert "  -  " in lines[2]
    assert lines[2].endswith("(stand-in)")
    assert lines[3].split()[0] == "NPU"
    assert "not here: no such device" in lines[3]
    assert lines[-2] == "TAB walks through: CPU  GPU  MULTI:GPU,CPU  HETERO:GPU,CPU  AUTO:GPU,CPU"


# ---- the cycle ----


def test_a_machine_with_only_a_cpu_is_offered_no_multi() -> None:
    assert Choices(ov.Core(), Configuration("CPU")).devices == ["CPU", "AUTO"]


def test_the_start_comes_first_where_the_cycle_lacks_it(core: ov.Core) -> None:
    assert Choices(core, Configuration("AUTO:CPU")).devices[:2] == ["AUTO:CPU", "CPU"]


def pressed(choices: Choices, key: Key | int) -> str | None:
    """The device that a key leads to."""
    found = choices.press(key)
    return None if found is None else found.device


def test_tab_goes_round_and_back(core: ov.Core) -> None:
    cycle = Choices(core, Configuration("GPU"), ["CPU", "GPU", HETERO])
    assert [pressed(cycle, Key.NEXT_DEVICE) for _ in range(4)] == [HETERO, "CPU", "GPU", HETERO]
    assert [pressed(cycle, Key.PREVIOUS_DEVICE) for _ in range(3)] == ["GPU", "CPU", HETERO]


def test_a_failed_device_is_passed_over_until_its_number_is_pressed(core: ov.Core) -> None:
    cycle = Choices(core, Configuration("CPU"), ["CPU", "GPU", HETERO])
    assert pressed(cycle, Key.NEXT_DEVICE) == "GPU"
    cycle.mark_failed(Configuration("GPU"), back_to=Configuration("CPU"))
    assert cycle.target == Configuration("CPU")
    assert [pressed(cycle, Key.NEXT_DEVICE) for _ in range(3)] == [HETERO, "CPU", HETERO]
    assert pressed(cycle, 2) == "GPU"
    assert cycle.failed == set()
    assert cycle.press(4) is None


def test_where_all_others_failed_tab_stays(core: ov.Core) -> None:
    cycle = Choices(core, Configuration("CPU"), ["CPU", "GPU"])
    cycle.mark_failed(Configuration("GPU"), back_to=Configuration("CPU"))
    assert pressed(cycle, Key.NEXT_DEVICE) == "CPU"


# ---- settings ----


def test_threads_are_not_pinned_where_their_number_is_given() -> None:
    """OpenVINO pins to the first cores: two programs of one thread each would share one."""
    default = ov.Core().get_property("CPU", "ENABLE_CPU_PINNING")
    cases: list[tuple[int | None, dict[str, str], bool]] = [
        (None, {}, default), (1, {}, False), (1, {"ENABLE_CPU_PINNING": "YES"}, True),
    ]  # fmt: skip
    for threads, properties, is_pinned in cases:
        core = ov.Core()
        configure(core, Settings("FP32", threads=threads, properties=properties))
        assert core.get_property("CPU", "ENABLE_CPU_PINNING") == is_pinned


def test_a_property_reaches_the_members_of_multi_hetero_and_auto(network: PoseModel, tmp_path: Path) -> None:
    core = ov.Core(str(write_plugins(tmp_path)))
    configure(core, Settings("FP32", threads=1))
    for device in (HETERO, "AUTO:CPU", "MULTI:CPU"):
        compiled = compile_model(core, network.model, device, FP32).network
        assert [each["INFERENCE_NUM_THREADS"] for each in compiled.get_property("DEVICE_PROPERTIES").values()] == [1]


def test_streams_and_requests_are_what_was_asked_for(network: PoseModel) -> None:
    core = ov.Core()
    settings = Settings("FP32", streams=1, requests=3)
    configure(core, settings)
    compiled = compile_model(core, network.model, "CPU", settings)
    assert (compiled.streams, compiled.request_count) == (1, 3)


def test_the_latency_hint_keeps_one_request_in_flight(network: PoseModel) -> None:
    assert compile_model(ov.Core(), network.model, "CPU", Settings("FP32", hint="latency")).request_count == 1


def test_a_request_more_than_a_device_asks_for_waits_for_a_stream(stand_in_core: ov.Core, network: PoseModel) -> None:
    for device, spare in (("CPU", 1), (MULTI, 2), (HETERO, 1), ("AUTO", 1)):
        compiled = compile_model(stand_in_core, network.model, device, FP32)
        assert compiled.request_count == compiled.network.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS") + spare


def test_batching_is_a_yes_or_no(network: PoseModel) -> None:
    with pytest.raises(UsageError, match=r"There is no ALLOW_AUTO_BATCHING=perhaps. Give YES or NO"):
        configure(ov.Core(), Settings("FP32", properties={"ALLOW_AUTO_BATCHING": "perhaps"}))
    settings = Settings("FP32", properties={"ALLOW_AUTO_BATCHING": "yes"})
    configure(ov.Core(), settings)
    assert compile_model(ov.Core(), network.model, "CPU", settings).request_count > 0


@pytest.mark.parametrize(("name", "value"), [("NUM_STREAMS", "many"), ("INFERENCE_NUM_THREADS", "-5")])
def test_a_rejected_property_is_named(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"CPU rejects {name}={value}: "):
        configure(ov.Core(), Settings("FP32", properties={name: value}))


def test_a_property_that_no_device_takes_is_named() -> None:
    with pytest.raises(UsageError, match="No device of this machine takes the property WARP=9"):
        configure(ov.Core(), Settings("FP32", properties={"WARP": "9"}))


class Capable:
    """Says what it can execute, and nothing else."""

    def __init__(self, *capabilities: str) -> None:
        self.capabilities = list(capabilities)

    def get_property(self, device: str, name: str) -> list[str]:
        assert name == "OPTIMIZATION_CAPABILITIES"
        return self.capabilities


@pytest.mark.parametrize(
    ("precision", "capabilities", "expected"),
    [
        ("FP16", ["FP32", "BF16", "FP16"], "f16"),
        ("FP16", ["BF16", "WINOGRAD", "FP32", "INT8"], "bf16"),
        ("FP16-INT8", ["FP32", "BF16"], "bf16"),
        ("FP16", ["FP32", "INT8"], "f32"),
        ("FP32", ["FP32", "BF16", "FP16"], "f32"),
    ],
)
def test_a_precision_of_16_bits_is_the_devices_own(precision: str, capabilities: list[str], expected: str) -> None:
    assert execution_type(Capable(*capabilities), "CPU", precision) == expected


# ---- what OpenVINO says ----


def outputs(compiled: OpenVinoCompiledModel) -> list[np.ndarray]:
    request = compiled.network.create_infer_request()
    request.infer([paint_person(blank())[None]])
    return [request.get_tensor(name).data.copy() for name in ("heatmaps", "pafs")]


@pytest.mark.parametrize("device", ["GPU", HETERO, MULTI, AUTO])
def test_every_device_gives_what_the_cpu_gives(core: ov.Core, network: PoseModel, device: str) -> None:
    expected = outputs(compile_model(core, network.model, "CPU", FP32))
    for found, wanted in zip(outputs(compile_model(core, network.model, device, FP32)), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize(
    ("device", "executed_on", "runs_on"),
    [
        ("CPU", ["CPU"], ""),
        ("GPU", ["CPUX"], "runs on CPUX (stand-in)"),
        (HETERO, ["GPU"], "runs on GPU (stand-in) alone"),
        (MULTI, ["GPUHETERO", "CPU"], "runs on GPUHETERO (stand-in), CPU"),
        ("AUTO:CPU", ["CPU"], "runs on CPU"),
    ],
)
def test_the_panel_says_where_it_runs(
    core: ov.Core, network: PoseModel, device: str, executed_on: list[str], runs_on: str
) -> None:
    compiled = compile_model(core, network.model, device, FP32)
    assert compiled.executed_on == executed_on
    assert compiled.runs_on == runs_on


def test_the_real_cpu_is_called_no_stand_in() -> None:
    """AUTO:GPU,CPU, whose GPU is a stand-in, while it runs on the CPU."""
    network: Any = SimpleNamespace(get_property=lambda _: ["CPU"])
    compiled = OpenVinoCompiledModel(Configuration("AUTO:GPU,CPU"), "f32", 1, is_stand_in=True, network=network)
    assert compiled.runs_on == "runs on CPU alone"


def test_what_is_emulated_is_called_so() -> None:
    network: Any = SimpleNamespace(get_property=lambda _: ["GPU.0", "CPU"])
    compiled = OpenVinoCompiledModel(Configuration("MULTI:GPU,CPU"), "f32", 1, is_emulated=True, network=network)
    assert (compiled.mark, compiled.runs_on) == ("emulated", "runs on GPU.0 (emulated), CPU")


def test_multi_keeps_requests_in_flight_for_all_its_devices(core: ov.Core, network: PoseModel) -> None:
    alone = compile_model(core, network.model, "CPU", FP32).request_count
    assert compile_model(core, network.model, MULTI, FP32).request_count > alone


def test_fp32_executes_in_f32(core: ov.Core, network: PoseModel) -> None:
    configure(core, FP32)
    for device in ("CPU", "GPU", HETERO, AUTO):
        assert compile_model(core, network.model, device, FP32).execution_precision == "f32"


def test_a_quantized_network_executes_in_int8() -> None:
    core = ov.Core()
    quantized = load_model(core, choose_model(None, None))
    quantized.reshape(168, 128)
    assert compile_model(core, quantized.model, "CPU", FP32).execution_precision.startswith("INT8 + ")


def test_a_device_that_refuses_the_network_is_named_with_its_reason(core: ov.Core, network: PoseModel) -> None:
    with pytest.raises(DeviceError, match="MULTI:GPU,CPU cannot run this network: ") as caught:
        compile_model(core, network.model, "MULTI:GPU,CPU", FP32)  # the proxy of the stand-in GPU cannot be a member
    assert caught.value.device == "MULTI:GPU,CPU"
    assert "\n" not in str(caught.value)
    assert "Exception from" not in str(caught.value)

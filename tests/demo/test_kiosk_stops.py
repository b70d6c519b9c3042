"""The stops of an exhibition: how the list is read, what is explained, and which stop comes next."""

from dataclasses import replace

import openvino as ov
import pytest

from human_pose.demo import explanations
from human_pose.demo.explanations import explain
from human_pose.demo.kiosk_stops import LONGEST_RETRY_S, RETRY_S, Itinerary, Stop, default_stops, stops_of
from human_pose.errors import UsageError
from human_pose.inference.configuration import Configuration
from human_pose.zoo.catalog import DEFAULT_MODEL

START = Configuration("CPU", DEFAULT_MODEL, "FP16-INT8", "throughput")


@pytest.fixture(scope="module")
def core() -> ov.Core:
    return ov.Core()


def test_a_stop_is_a_configuration_or_a_race(core: ov.Core) -> None:
    assert stops_of(["CPU fp16 latency 128", "AUTO", "CPU vs CPU FP16"], START, core) == [
        (Configuration("CPU", DEFAULT_MODEL, "FP16", "latency", 128),),
        (Configuration("AUTO", DEFAULT_MODEL, "FP16-INT8", "throughput"),),
        (START, Configuration("CPU", DEFAULT_MODEL, "FP16", "throughput")),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is no stop of --kiosk: a configuration is empty"),
        ("  ", "a configuration is empty"),
        ("CPU vs", "'CPU vs' is no stop of --kiosk: a configuration is empty"),
        ("vs CPU", "a configuration is empty"),
        ("GPU9", "There is no device 'GPU9'"),
        ("CPU vs GPU9", "There is no device 'GPU9'"),
        ("CPU FP16 vs FP16 CPU", "Both sides of 'CPU FP16 vs FP16 CPU' are the same"),
        ("CPU vs CPU FP16 vs AUTO", "is a race of 3. A race is between two"),
        ("CPU AUTO", "names two of a kind: devices 'CPU' and 'AUTO'"),
    ],
)
def test_a_stop_that_cannot_be_is_named(text: str, said: str, core: ov.Core) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        stops_of(["CPU", text], START, core)
    assert "\n" not in str(raised.value)


def test_without_a_list_every_device_comes_and_then_a_race_of_the_first() -> None:
    gpu = Configuration("GPU", DEFAULT_MODEL, "FP16-INT8", "throughput")
    fp16 = Configuration("CPU", DEFAULT_MODEL, "FP16", "throughput")
    assert default_stops(START, ["CPU", "GPU"], ["FP16-INT8", "FP16"]) == [(START,), (gpu,), (START, fp16)]
    latency = Configuration("CPU", DEFAULT_MODEL, "FP16-INT8", "latency")
    assert default_stops(START, ["CPU"], ["FP16-INT8"]) == [(START,), (START, latency)]


A, B, C = ((Configuration(name),) for name in "ABC")


def test_the_stops_come_round_and_round() -> None:
    itinerary = Itinerary([A, B, C])
    assert [itinerary.next(0.0) for _ in range(7)] == [A, B, C, A, B, C, A]
    assert itinerary.rounds == 2


def test_a_stop_that_failed_is_left_out_and_tried_again_later_and_later() -> None:
    itinerary = Itinerary([A, B])
    assert itinerary.mark_failed(B, 0.0) == RETRY_S
    assert [itinerary.next(RETRY_S - 1) for _ in range(3)] == [A, A, A]
    assert [itinerary.next(RETRY_S) for _ in range(3)] == [B, A, B]
    assert itinerary.mark_failed(B, RETRY_S) == 2 * RETRY_S
    assert [itinerary.next(3 * RETRY_S - 1) for _ in range(2)] == [A, A]
    for _ in range(50):
        assert itinerary.mark_failed(B, 0.0) <= LONGEST_RETRY_S
    itinerary.mark_worked(B)
    assert [itinerary.next(0.0) for _ in range(2)] == [B, A]
    assert itinerary.mark_failed(B, 0.0) == RETRY_S


def test_where_all_are_left_out_there_is_none() -> None:
    itinerary = Itinerary([A])
    itinerary.mark_failed(A, 0.0)
    assert itinerary.next(RETRY_S - 1) is None
    assert itinerary.next(RETRY_S) == A


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("CPU", "CPU: the computer's main processor runs the network."),
        ("GPU.1", "GPU: the graphics processor runs the network."),
        ("NPU", "NPU: a processor made for neural networks runs the network."),
        ("MULTI:GPU,CPU", "MULTI: each device takes the next free frame."),
        ("HETERO:GPU,CPU", "HETERO: the network's layers are split over the devices, one after the other."),
        ("AUTO:GPU,CPU", "AUTO: OpenVINO chooses the device."),
        ("grpc://host:9000/pose", f"{explanations.SERVER}."),
        ("FPGA", "FPGA runs the network."),
    ],
)
def test_each_device_has_its_line(device: str, said: str) -> None:
    stop = (Configuration(device, DEFAULT_MODEL, "FP16-INT8", "throughput"),)
    assert explain(stop, [stop]) == said


def test_hint_and_precision_are_explained_where_the_stops_differ_in_them() -> None:
    latency = Configuration("CPU", DEFAULT_MODEL, "FP16-INT8", "latency")
    fp16 = Configuration("CPU", DEFAULT_MODEL, "FP16", "throughput")
    stops: list[Stop] = [(START,), (latency,)]
    assert explain((latency,), stops).endswith(" Latency hint: one frame at a time, each as fast as possible.")
    assert "Throughput hint: many frames at once" in explain((START,), stops)
    assert "bits" not in explain((START,), stops)
    assert "INT8: numbers of 8 bits" in explain((START,), [(START,), (fp16,)])
    assert explain((START, fp16), [(latency,)]) == (
        "A race on the same frames: numbers of 8 bits against numbers of 16 bits."
    )
    assert (
        explain((START, latency), []) == "A race on the same frames: many frames at once against one frame at a time."
    )
    assert explain((START, replace(START, device="GPU")), []) == "A race on the same frames."

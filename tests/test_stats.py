"""Figures of runs whose times are made up, so that the right figures are known. Times are in s, latencies in ms."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from human_pose.stats import DeviceStatistics, LastSecond, Latencies, RunStatistics, Summary, Throughput


@dataclass(frozen=True)
class Compiled:
    """What the statistics need of a CompiledNetwork."""

    device: str
    request_count: int


CPU = Compiled("CPU", 1)
GPU = Compiled("GPU", 1)


def nearest_rank(values: list[float], percent: int) -> float:
    """The definition, in whole numbers: the value at rank ceil(percent * n / 100) of the sorted list."""
    return sorted(values)[max(1, -(-percent * len(values) // 100)) - 1]


def latencies_of(values: list[float]) -> Latencies:
    latencies = Latencies()
    for value in values:
        latencies.add(value)
    return latencies


def random_latencies(number: int) -> list[float]:
    return [float(value) for value in np.random.default_rng(number).lognormal(3, 1, number)]


def throughput_of(*times: float) -> Throughput:
    """Results at these times, after a spell that starts at 0."""
    throughput = Throughput()
    throughput.start_spell(0)
    for at in times:
        throughput.add(at)
    return throughput


# Latencies


@pytest.mark.parametrize("number", [1, 2, 19, 20, 100, 1234])
def test_mean_min_and_max_are_those_of_the_values(number: int) -> None:
    values = random_latencies(number)
    assert latencies_of(values).summary() == Summary(pytest.approx(sum(values) / number), min(values), max(values))


@pytest.mark.parametrize("percent", [0, 1, 50, 95, 99, 100])
@pytest.mark.parametrize("number", [1, 2, 19, 20, 21, 100, 101, 1000, 1234])
def test_percentile_is_the_nearest_rank_of_the_sorted_values(number: int, percent: int) -> None:
    values = random_latencies(number)
    assert latencies_of(values).percentile(percent) == pytest.approx(nearest_rank(values, percent), abs=0.00501)


def test_every_whole_percentile_of_a_hundred_values_is_its_own_value() -> None:
    latencies = latencies_of([float(value) for value in range(1, 101)])
    assert [latencies.percentile(percent) for percent in range(1, 101)] == list(range(1, 101))


def test_percentiles_do_not_depend_on_the_order_of_the_values() -> None:
    values = random_latencies(100)
    assert latencies_of(values).percentile(95) == latencies_of(sorted(values, reverse=True)).percentile(95)


def test_without_latencies_there_are_no_figures() -> None:
    assert Latencies().summary() is None
    assert Latencies().percentile(50) is None


# Throughput


def test_n_results_after_the_start_of_a_spell_span_n_intervals() -> None:
    assert throughput_of(0.5, 1.0, 1.5).mean() == 2.0


def test_the_first_result_without_a_spell_starts_one() -> None:
    throughput = Throughput()
    for at in (10, 10.5, 11):
        throughput.add(at)
    assert throughput.mean() == 2.0


def test_the_time_between_spells_counts_for_nothing_and_the_mean_is_total_over_total() -> None:
    throughput = throughput_of(0.25, 0.5)
    throughput.end_spell()
    for at in (100, 101, 102):
        throughput.add(at)
    assert throughput.mean() == 4 / 2.5


def test_a_spell_started_anew_forgets_the_time_before() -> None:
    throughput = throughput_of(0.25, 0.5)
    throughput.start_spell(100)
    throughput.add(101)
    assert throughput.mean() == 3 / 1.5


@pytest.mark.parametrize("times", [(), (0,)])
def test_without_an_interval_there_is_no_throughput(times: tuple[float, ...]) -> None:
    assert throughput_of(*times).mean() is None
    assert Throughput().mean() is None


def test_min_and_max_are_the_results_in_whole_seconds() -> None:
    assert throughput_of(0.25, 0.5, 0.75, 1.5, 2.25, 2.75, 3.5).over_whole_seconds() == (1, 3)


def test_a_whole_second_without_a_result_counts_as_none() -> None:
    assert throughput_of(0.5, 3.5).over_whole_seconds() == (0, 1)


def test_a_second_that_is_not_over_does_not_count() -> None:
    assert throughput_of(0.5, 0.75, 1.25, 1.5, 1.75).over_whole_seconds() == (2, 2)


@pytest.mark.parametrize("times", [(), (0.25, 0.5, 0.75)])
def test_less_than_a_second_has_no_min_and_max(times: tuple[float, ...]) -> None:
    assert throughput_of(*times).over_whole_seconds() == (None, None)


def test_seconds_do_not_reach_from_spell_to_spell() -> None:
    throughput = throughput_of(0.25, 0.75)
    throughput.end_spell()
    for at in (100.5, 100.75, 101.25):
        throughput.add(at)
    assert throughput.over_whole_seconds() == (None, None)
    throughput.add(101.75)
    assert throughput.over_whole_seconds() == (2, 2)


def test_a_steady_rate_has_itself_as_mean_min_and_max() -> None:
    throughput = throughput_of(*(number / 4 for number in range(1, 14)))
    assert throughput.mean() == 4
    assert throughput.over_whole_seconds() == (4, 4)


# LastSecond


def last_second_of(*results: tuple[float, float]) -> LastSecond:
    """From results (time, latency)."""
    last = LastSecond()
    for at, latency_ms in results:
        last.add(at, latency_ms)
    return last


def test_before_the_first_result_the_last_second_has_no_figures() -> None:
    assert LastSecond().fps() is None
    assert LastSecond().latency_ms() is None


def test_one_result_has_a_latency_but_no_rate() -> None:
    last = last_second_of((5, 12))
    assert (last.fps(), last.latency_ms()) == (None, 12)


def test_the_rate_is_that_of_the_intervals() -> None:
    last = last_second_of((5, 10), (5.25, 20), (5.5, 60))
    assert (last.fps(), last.latency_ms()) == (4, 30)


def test_what_is_older_than_a_second_is_forgotten() -> None:
    last = last_second_of((0, 1000), (0.25, 1000), (0.5, 10), (1.25, 20), (1.5, 30))
    assert (last.fps(), last.latency_ms()) == (2, 20)


def test_after_an_interruption_the_figures_stand_until_the_next_result() -> None:
    last = last_second_of((5, 10), (5.25, 20))
    last.interrupt()
    assert (last.fps(), last.latency_ms()) == (4, 15)
    last.add(5.5, 50)
    assert (last.fps(), last.latency_ms()) == (None, 50)
    last.add(6, 70)
    assert (last.fps(), last.latency_ms()) == (2, 60)


def test_two_results_at_the_same_moment_have_no_rate() -> None:
    assert last_second_of((5, 10), (5, 20)).fps() is None


# DeviceStatistics


@pytest.mark.parametrize("requests", [1, 3])
def test_the_first_result_of_each_request_warms_up_and_is_counted_nowhere(requests: int) -> None:
    statistics = DeviceStatistics(Compiled("CPU", requests))
    for number in range(requests):
        statistics.add(900, 10 * number)
    assert (statistics.warmup_frames, statistics.frames) == (requests, 0)
    assert statistics.latencies.summary() is None
    assert statistics.throughput.mean() is None
    assert statistics.throughput.over_whole_seconds() == (None, None)


def test_the_throughput_counts_from_the_last_warm_up_result() -> None:
    statistics = DeviceStatistics(Compiled("CPU", 2))
    for latency_ms, at in ((900, 0), (800, 10), (10, 10.5), (30, 11)):
        statistics.add(latency_ms, at)
    assert (statistics.warmup_frames, statistics.frames) == (2, 2)
    assert statistics.throughput.mean() == 2
    assert statistics.latencies.summary() == Summary(20, 10, 30)


def test_the_last_second_shows_the_warm_up_too() -> None:
    statistics = DeviceStatistics(Compiled("CPU", 4))
    for latency_ms, at in ((20, 5), (40, 5.5)):
        statistics.add(latency_ms, at)
    assert (statistics.last_second.fps(), statistics.last_second.latency_ms()) == (2, 30)


def test_an_interrupted_warm_up_goes_on_where_it_was() -> None:
    statistics = DeviceStatistics(Compiled("CPU", 3))
    statistics.add(900, 0)
    statistics.interrupt()
    for at in (50, 51, 51.5):
        statistics.add(10, at)
    assert (statistics.warmup_frames, statistics.frames) == (3, 1)
    assert statistics.throughput.mean() == 2


def test_after_an_interruption_a_result_counts_but_not_the_time_before_it() -> None:
    statistics = DeviceStatistics(CPU)
    for at in (0, 0.5, 1):
        statistics.add(10, at)
    statistics.interrupt()
    for at in (50, 50.25):
        statistics.add(10, at)
    assert statistics.frames == 4
    assert statistics.throughput.mean() == 3 / 1.25


# RunStatistics


def test_devices_are_kept_in_the_order_of_first_use() -> None:
    run = RunStatistics()
    for number, device in enumerate((GPU, CPU, Compiled("AUTO", 1), CPU, GPU)):
        run.add(device, 10, number)
    assert list(run.devices) == ["GPU", "CPU", "AUTO"]


def test_each_result_goes_to_its_device_which_is_returned() -> None:
    run = RunStatistics()
    assert run.add(CPU, 10, 0) is run.devices["CPU"]
    assert run.add(GPU, 20, 1) is run.devices["GPU"]
    assert run.devices["GPU"].compiled is GPU
    assert run.add(CPU, 30, 2) is run.devices["CPU"]
    assert run.devices["CPU"].latencies.summary() == Summary(30, 30, 30)
    assert run.devices["GPU"].latencies.summary() is None


def test_a_device_switched_away_and_back_is_charged_only_its_own_time_and_warms_up_once() -> None:
    run = RunStatistics()
    for device, times in ((CPU, (0, 0.5, 1)), (GPU, (5, 5.25, 5.5)), (CPU, (20, 20.5))):
        for at in times:
            run.add(device, 10, at)
    cpu, gpu = run.devices["CPU"], run.devices["GPU"]
    assert (cpu.warmup_frames, cpu.frames, cpu.throughput.mean()) == (1, 4, 3 / 1.5)
    assert (gpu.warmup_frames, gpu.frames, gpu.throughput.mean()) == (1, 2, 2 / 0.5)
    assert cpu.last_second.fps() == 2


def test_a_pause_counts_for_nothing() -> None:
    run = RunStatistics()
    for at in (0, 0.5, 1):
        run.add(CPU, 10, at)
    run.pause(True)
    run.pause(False)
    for at in (60, 60.5):
        run.add(CPU, 10, at)
    device = run.devices["CPU"]
    assert device.throughput.mean() == 2
    assert device.throughput.over_whole_seconds()[0] != 0


def test_the_figures_of_the_last_second_do_not_reach_over_a_short_pause_or_switch() -> None:
    run = RunStatistics()
    for at in (0, 0.125):
        run.add(CPU, 10, at)
    run.pause(True)
    run.pause(False)
    for at in (0.5, 0.75):
        run.add(CPU, 20, at)
    last = run.devices["CPU"].last_second
    assert (last.fps(), last.latency_ms()) == (4, 20)
    run.add(GPU, 10, 0.875)
    for at in (1, 1.5):
        run.add(CPU, 30, at)
    assert (last.fps(), last.latency_ms()) == (2, 30)


def test_frames_include_the_warm_up() -> None:
    run = RunStatistics()
    assert run.frames == 0
    for number, device in enumerate((CPU, CPU, CPU, GPU, GPU)):
        run.add(device, 10, number)
    assert run.frames == 5


def test_an_interruption_before_the_first_result_is_none() -> None:
    run = RunStatistics()
    run.pause(True)
    run.pause(False)
    for at in (0, 0.5):
        run.add(CPU, 10, at)
    assert run.devices["CPU"].throughput.mean() == 2


def test_a_device_that_is_compiled_for_again_warms_up_again() -> None:
    first, second = (SimpleNamespace(device="GPU", request_count=2) for _ in range(2))
    statistics = RunStatistics()
    for compiled in (first, second):
        for result in range(5):
            statistics.add(compiled, 10.0, float(result))  # type: ignore[arg-type]
    device = statistics.devices["GPU"]
    assert (device.frames, device.warmup_frames) == (6, 4)
    assert device.compiled is second


def test_results_that_were_in_flight_at_a_pause_are_in_no_rate() -> None:
    compiled = SimpleNamespace(device="CPU", request_count=1)
    run = RunStatistics()
    for result in range(11):
        device = run.add(compiled, 50.0, result / 10)  # type: ignore[arg-type]
    run.pause(True)
    for at in (1.0, 1.001):  # back to back
        run.add(compiled, 50.0, at)  # type: ignore[arg-type]
    assert device.last_second.fps() == pytest.approx(10)
    run.pause(False)
    for result in range(11):
        run.add(compiled, 50.0, 60 + result / 10)  # type: ignore[arg-type]
    assert device.throughput.mean() == pytest.approx(10)
    assert device.frames == 23

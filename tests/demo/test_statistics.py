"""Figures of runs whose times are made up, so that the right figures are known. Times are in s, latencies in ms."""

from dataclasses import astuple

import numpy as np
import pytest

from human_pose.demo.statistics import (
    ENOUGH_RESULTS,
    ConfigurationStatistics,
    LastSecond,
    Latencies,
    RunStatistics,
    Summary,
    Throughput,
)
from human_pose.inference.backend import CompiledModel
from human_pose.inference.configuration import Configuration


def compiled_for(device: str, request_count: int = 1) -> CompiledModel:
    return CompiledModel(Configuration(device), "f32", request_count)


CPU = compiled_for("CPU")
GPU = compiled_for("GPU")


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
    """Results at these times, after a stretch that starts at 0."""
    throughput = Throughput()
    throughput.start_stretch(0)
    for at in times:
        throughput.add(at)
    return throughput


def steady(count: int, fps: float, start: float = 0.0) -> list[float]:
    """The times of so many results after `start`, in s."""
    return [start + number / fps for number in range(1, count + 1)]


# Latencies


@pytest.mark.parametrize("number", [1, 2, 19, 20, 100, 1234])
def test_mean_min_and_max_are_those_of_the_values(number: int) -> None:
    values = random_latencies(number)
    summary = latencies_of(values).summary()
    assert summary is not None
    assert astuple(summary) == pytest.approx((sum(values) / number, min(values), max(values)))


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


def test_n_results_after_the_start_of_a_stretch_span_n_intervals() -> None:
    assert throughput_of(*steady(10, 2)).mean() == 2.0


def test_the_first_result_without_a_stretch_starts_one() -> None:
    throughput = Throughput()
    for at in (10, *steady(10, 4, 10)):
        throughput.add(at)
    assert throughput.mean() == 4.0


def test_the_time_between_stretches_counts_for_nothing_and_the_mean_is_total_over_total() -> None:
    throughput = throughput_of(*steady(8, 4))
    throughput.end_stretch()
    for at in (100, 101, 102):
        throughput.add(at)
    assert throughput.mean() == 10 / 4


def test_a_stretch_started_anew_forgets_the_time_before() -> None:
    throughput = throughput_of(*steady(9, 4))
    throughput.start_stretch(100)
    throughput.add(101)
    assert throughput.mean() == 10 / 3.25


def test_fewer_than_ten_results_have_no_rate() -> None:
    """Three frames of a warm device once made 1064 FPS: they had been waiting, and came at once."""
    assert ENOUGH_RESULTS == 10
    assert Throughput().mean() is None
    few = throughput_of(*steady(9, 1))
    assert (few.mean(), few.min_max()) == (None, (None, None))
    assert throughput_of(*[0.0] * 12).mean() is None  # no time, no rate


def test_min_and_max_are_rates_of_spans_of_a_second_and_more() -> None:
    """Five results in the first second, then two in a second, then three that take 1.5 s: 5, 2 and 2 FPS."""
    assert throughput_of(*steady(5, 5), 1.5, 2.0, 2.5, 3.0, 3.5).min_max() == (2, 5)


def test_what_is_left_of_a_second_counts_with_the_second_before() -> None:
    times = [*steady(10, 10), *steady(10, 20, 1.0)]  # 10 FPS for a second, 20 for half a second
    assert throughput_of(*times).min_max() == (20 / 1.5, 20 / 1.5)
    assert throughput_of(*times, 2.0, *steady(10, 10, 2.0)).min_max() == (10, 11)


def test_less_than_a_second_has_a_mean_but_no_min_and_max() -> None:
    short = throughput_of(*steady(12, 16))
    assert (short.mean(), short.min_max()) == (16, (None, None))


def test_spans_go_on_from_stretch_to_stretch() -> None:
    throughput = throughput_of(*steady(10, 16))
    throughput.end_stretch()
    throughput.add(100)
    for at in steady(6, 16, 100):
        throughput.add(at)
    assert throughput.min_max() == (16, 16)


def test_a_steady_rate_has_itself_as_mean_min_and_max() -> None:
    throughput = throughput_of(*steady(45, 4))
    assert (throughput.mean(), throughput.min_max()) == (4, (4, 4))


def test_no_mean_lies_outside_its_min_and_max() -> None:
    random = np.random.default_rng(3)
    for _ in range(300):
        throughput = Throughput()
        at = 0.0
        for interval in random.lognormal(random.uniform(-4, 0), random.uniform(0, 1.5), random.integers(10, 200)):
            at += float(interval)
            if random.random() < 0.05:
                throughput.end_stretch()
            throughput.add(at)
        mean, (lowest, highest) = throughput.mean(), throughput.min_max()
        if mean is not None and lowest is not None and highest is not None:
            assert lowest <= mean <= highest


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


def test_the_headline_rests_on_ten_results() -> None:
    nine = last_second_of(*((5 + at, 12) for at in steady(9, 16)))
    assert (nine.fps(), nine.latency_ms()) == (None, 12)
    nine.add(5 + 10 / 16, 22)
    assert (nine.fps(), nine.latency_ms()) == (16, 13)


def test_what_is_older_than_a_second_is_forgotten() -> None:
    """At 16 FPS a second holds 17 results, and their 16 intervals."""
    last = last_second_of(*((at, 1000) for at in steady(20, 4)), *((at, 10) for at in steady(17, 16, 100)))
    assert (last.fps(), last.latency_ms()) == (16, 10)


def test_of_a_slow_device_ten_results_are_kept() -> None:
    last = last_second_of(*((at, 10 * at) for at in range(1, 30)))
    assert (last.fps(), last.latency_ms()) == (1, 245)


def test_after_an_interruption_the_figures_stand_until_the_next_result() -> None:
    last = last_second_of(*((at, 10) for at in steady(10, 16)))
    last.interrupt()
    assert (last.fps(), last.latency_ms()) == (16, 10)
    last.add(5.5, 50)
    assert (last.fps(), last.latency_ms()) == (None, 50)


def test_results_at_the_same_moment_have_no_rate() -> None:
    assert last_second_of(*[(5, 10)] * 12).fps() is None


# ConfigurationStatistics


@pytest.mark.parametrize("requests", [1, 3])
def test_the_first_result_of_each_request_warms_up_and_is_counted_nowhere(requests: int) -> None:
    statistics = ConfigurationStatistics(compiled_for("CPU", requests))
    for number in range(requests):
        statistics.add(900, 10 * number)
    assert (statistics.warmup_frames, statistics.frames) == (requests, 0)
    assert statistics.latencies.summary() is None
    assert statistics.throughput.mean() is None
    assert statistics.last_second.latency_ms() is None


def test_the_throughput_counts_from_the_last_warm_up_result() -> None:
    statistics = ConfigurationStatistics(compiled_for("CPU", 2))
    for latency_ms, at in ((900, 0), (800, 10), (10, 10.5), *((30, at) for at in steady(9, 2, 10.5))):
        statistics.add(latency_ms, at)
    assert (statistics.warmup_frames, statistics.frames) == (2, 10)
    assert statistics.throughput.mean() == 2
    assert statistics.latencies.summary() == Summary(28, 10, 30)


def test_an_interrupted_warm_up_goes_on_where_it_was() -> None:
    statistics = ConfigurationStatistics(compiled_for("CPU", 3))
    statistics.add(900, 0)
    statistics.interrupt()
    for at in (50, 51, *steady(10, 2, 51)):
        statistics.add(10, at)
    assert (statistics.warmup_frames, statistics.frames) == (3, 10)
    assert statistics.throughput.mean() == 2


def test_after_an_interruption_a_result_counts_but_not_the_time_before_it() -> None:
    statistics = ConfigurationStatistics(CPU)
    for at in (0, *steady(6, 2)):
        statistics.add(10, at)
    statistics.interrupt()
    for at in (50, *steady(4, 4, 50)):
        statistics.add(10, at)
    assert statistics.frames == 11
    assert statistics.throughput.mean() == 10 / 4


def test_results_while_switching_are_in_no_figure_and_break_the_stretch() -> None:
    statistics = ConfigurationStatistics(CPU)
    for at in (0, *steady(10, 2)):
        statistics.add(10, at)
    for at in steady(20, 1, 5):  # half the speed and five times the latency
        assert not statistics.add(50, at, while_switching=True)
    for at in (26, *steady(10, 2, 26)):
        statistics.add(10, at)
    assert (statistics.frames, statistics.warmup_frames, statistics.while_switching) == (21, 1, 20)
    assert statistics.throughput.mean() == 2
    assert statistics.throughput.min_max() == (2, 2)
    assert statistics.latencies.summary() == Summary(10, 10, 10)
    assert (statistics.last_second.fps(), statistics.last_second.latency_ms()) == (2, 10)


def test_a_request_that_warms_up_while_switching_need_not_do_so_again() -> None:
    statistics = ConfigurationStatistics(compiled_for("GPU", 2))
    for number in range(4):
        statistics.add(10, number, while_switching=number < 2)
    assert (statistics.warmup_frames, statistics.while_switching, statistics.frames) == (0, 2, 2)


# RunStatistics


def test_devices_are_kept_in_the_order_of_first_use() -> None:
    run = RunStatistics()
    for number, device in enumerate((GPU, CPU, compiled_for("AUTO"), CPU, GPU)):
        run.add(device, 10, number)
    assert [used.device for used in run.used] == ["GPU", "CPU", "AUTO"]


def test_each_result_goes_to_its_device_which_is_returned() -> None:
    run = RunStatistics()
    assert run.add(CPU, 10, 0) is run.used[Configuration("CPU")]
    assert run.add(GPU, 20, 1) is run.used[Configuration("GPU")]
    assert run.used[Configuration("GPU")].compiled is GPU
    assert run.add(CPU, 30, 2) is run.used[Configuration("CPU")]
    assert run.used[Configuration("CPU")].latencies.summary() == Summary(30, 30, 30)
    assert run.used[Configuration("GPU")].latencies.summary() is None


def test_a_device_switched_away_and_back_is_charged_only_its_own_time_and_warms_up_once() -> None:
    run = RunStatistics()
    for device, times in ((CPU, steady(7, 2)), (GPU, steady(11, 4, 5)), (CPU, steady(11, 2, 20))):
        for at in times:
            run.add(device, 10, at)
    cpu, gpu = run.used[Configuration("CPU")], run.used[Configuration("GPU")]
    assert (cpu.warmup_frames, cpu.frames, cpu.throughput.mean()) == (1, 17, 2)
    assert (gpu.warmup_frames, gpu.frames, gpu.throughput.mean()) == (1, 10, 4)
    assert cpu.last_second.fps() == 2


def test_a_pause_counts_for_nothing() -> None:
    run = RunStatistics()
    for start in (0, 60):
        for at in steady(12, 2, start):
            run.add(CPU, 10, at)
        run.pause(True)
        run.pause(False)
    assert run.used[Configuration("CPU")].throughput.mean() == 2
    assert run.used[Configuration("CPU")].throughput.min_max() == (2, 2)


def test_the_headline_does_not_reach_over_a_short_pause_or_switch() -> None:
    run = RunStatistics()
    for at in steady(12, 16):
        run.add(CPU, 10, at)
    run.pause(True)
    run.pause(False)
    for at in steady(10, 16, 1):
        run.add(CPU, 20, at)
    last = run.used[Configuration("CPU")].last_second
    assert (last.fps(), last.latency_ms()) == (16, 20)
    run.add(GPU, 10, 1.7)
    for at in steady(10, 32, 1.8):
        run.add(CPU, 30, at)
    assert (last.fps(), last.latency_ms()) == (pytest.approx(32), 30)


def test_a_compilation_between_two_results_is_in_no_rate() -> None:
    """A camera of one frame a second: the compilation came and went while no frame was on its way."""
    run = RunStatistics()
    for at in steady(7, 1):
        run.add(CPU, 10, at)
    for at in steady(6, 1, 20):
        run.add(CPU, 10, at, settled_at=19.0)
    assert run.used[Configuration("CPU")].throughput.mean() == 1


def test_the_device_that_is_counting_is_known() -> None:
    run = RunStatistics()
    assert run.counting is None
    run.add(CPU, 10, 0)
    assert run.counting is None  # warming up
    run.add(CPU, 10, 1)
    assert run.counting == Configuration("CPU")
    run.add(CPU, 10, 2, while_switching=True)
    assert run.counting is None


def test_frames_include_the_warm_up_and_those_while_switching() -> None:
    run = RunStatistics()
    assert run.frames == 0
    for number, device in enumerate((CPU, CPU, CPU, GPU, GPU)):
        run.add(device, 10, number, while_switching=number == 2)
    assert run.frames == 5


def test_an_interruption_before_the_first_result_is_none() -> None:
    run = RunStatistics()
    run.pause(True)
    run.pause(False)
    for at in (0, *steady(10, 2)):
        run.add(CPU, 10, at)
    assert run.used[Configuration("CPU")].throughput.mean() == 2


def test_a_device_that_is_compiled_for_again_warms_up_again() -> None:
    first, second = (compiled_for("GPU", 2) for _ in range(2))
    statistics = RunStatistics()
    for compiled in (first, second):
        for result in range(5):
            statistics.add(compiled, 10.0, float(result))
    device = statistics.used[Configuration("GPU")]
    assert (device.frames, device.warmup_frames) == (6, 4)
    assert device.compiled is second


def test_results_that_were_in_flight_at_a_pause_are_in_no_rate() -> None:
    run = RunStatistics()
    for result in range(11):
        device = run.add(CPU, 50.0, result / 10)
    run.pause(True)
    for at in (1.0, 1.001):  # back to back
        run.add(CPU, 50.0, at)
    assert device.last_second.fps() == pytest.approx(10)
    run.pause(False)
    for result in range(11):
        run.add(CPU, 50.0, 60 + result / 10)
    assert device.throughput.mean() == pytest.approx(10)
    assert device.frames == 23

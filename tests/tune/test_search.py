"""The search on a played machine, whose best configuration is known."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from human_pose.measurement.cells import Cell
from human_pose.tune.search import Search
from human_pose.tune.space import Way, in_way
from human_pose.tune.trials import InterruptedTuningError, Trials

INT8, F16, F32 = (Cell("openvino", "n", precision, "n.xml") for precision in ("FP16-INT8", "FP16", "FP32"))
DEFAULT, LATENCY, ONE_STREAM, MANY = WAYS = (
    Way("throughput"), Way("latency"), Way("throughput", 2, 1), Way("throughput", 4, 2)
)  # fmt: skip
OWN = 256
SIZES = (128, 192, 256, 320, 384, 512)


class Machine:
    """Speeds by precision and by way; the work of a size grows with its square. Each run takes a second."""

    def __init__(
        self,
        precisions: dict[str, float],
        ways: dict[Way, float] | None = None,
        noise: float = 0.0,
        drift: Callable[[float], float] = lambda s: 1.0,
        seed: int = 0,
    ) -> None:
        self.precisions, self.ways, self.noise, self.drift = precisions, ways or {}, noise, drift
        self.random, self.now = random.Random(seed), 0.0
        self.runs: list[Cell] = []
        self.interrupted_after: int | None = None

    def measure(self, cell: Cell) -> float | None:
        if len(self.runs) == self.interrupted_after:
            raise InterruptedTuningError
        self.now += 1
        self.runs.append(cell)
        way = Way(cell.hint, cell.requests, cell.streams, cell.threads)
        speed = self.precisions[cell.precision] * self.ways.get(way, 1.0) * (OWN / (cell.size or OWN)) ** 2
        return speed * self.drift(self.now) * self.random.gauss(1, self.noise) or None

    def search(self, until: float = 60, **more: object) -> Search:
        trials = Trials(self.measure, until, lambda: self.now)
        return Search(trials, INT8, lambda device: WAYS, own_size=OWN, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("drift", [lambda s: 1.0, lambda s: 1 - s / 120, lambda s: 0.5 if 10 < s < 30 else 1.0])
def test_the_best_is_found_with_noise_and_drift(seed: int, drift: Callable[[float], float]) -> None:
    machine = Machine({"FP16-INT8": 60, "FP16": 30, "FP32": 15}, {ONE_STREAM: 1.2, MANY: 1.1}, 0.03, drift, seed)
    found = machine.search().run([INT8, F16, F32])
    assert found.best == in_way(INT8, ONE_STREAM)
    assert found.is_final
    assert not found.interrupted


@pytest.mark.parametrize(("f16", "precision"), [(2.4, "FP16"), (0.57, "FP32")])
def test_the_float_precision_that_is_faster_here_is_chosen(f16: float, precision: str) -> None:
    """On one CPU f16 was 2.4 times as fast as f32, on another that offers it, too, 0.57 times."""
    found = Machine({"FP16": 20 * f16, "FP32": 20, "FP16-INT8": 1}).search().run([F16, F32])
    assert found.best is not None
    assert found.best.precision == precision


def test_a_family_far_behind_is_measured_once_and_one_near_in_every_way() -> None:
    machine = Machine({"FP16-INT8": 60, "FP16": 50, "FP32": 15}, {MANY: 1.05})
    machine.search().run([INT8, F16, F32])
    assert [run for run in machine.runs if run.precision == "FP32"] == [F32]
    assert {run for run in machine.runs if run.precision == "FP16"} == {in_way(F16, way) for way in WAYS}


def test_the_default_is_in_the_final_with_its_rival_and_the_order_turns_round() -> None:
    machine = Machine({"FP16-INT8": 60}, {MANY: 1.3, ONE_STREAM: 1.2})
    search = machine.search()
    found = search.run([INT8])
    assert found.ranked[:2] == [in_way(INT8, MANY), in_way(INT8, ONE_STREAM)]
    final = machine.runs[-6:]
    assert final[:3] == final[:2:-1]
    assert set(final) == {INT8, in_way(INT8, MANY), in_way(INT8, ONE_STREAM)}


def test_what_turns_out_to_be_the_same_is_measured_once() -> None:
    machine = Machine({"FP16-INT8": 60}, {MANY: 1.3})
    found = machine.search(same=lambda cell: "latency" if cell.hint == "latency" else "the default").run([INT8])
    assert machine.runs.count(in_way(INT8, MANY)) == machine.runs.count(in_way(INT8, ONE_STREAM)) == 1
    assert set(found.ranked) == {INT8, in_way(INT8, LATENCY)}


def test_what_fails_is_left_out_and_where_all_fail_there_is_no_best() -> None:
    assert Machine({"FP16-INT8": 0, "FP16": 30}).search().run([INT8, F16]).best is not None
    nothing = Machine({"FP16-INT8": 0, "FP16": 0}).search().run([INT8, F16])
    assert nothing.best is None
    assert not nothing.is_final


@pytest.mark.parametrize("after", [0, 1, 5, 9, 14])
def test_an_interruption_leaves_the_best_so_far(after: int) -> None:
    machine = Machine({"FP16-INT8": 60, "FP16": 20}, {MANY: 1.3})
    machine.interrupted_after = after
    found = machine.search().run([INT8, F16])
    assert found.interrupted
    measured = machine.runs
    fastest = in_way(INT8, MANY) if in_way(INT8, MANY) in measured else INT8 if INT8 in measured else None
    if fastest is None:
        assert found.ranked == measured[:1]
    else:
        assert found.best is not None
        assert found.best.precision == "FP16-INT8"
        assert (found.best == in_way(INT8, MANY)) == (in_way(INT8, MANY) in measured)


def test_without_time_the_default_is_still_compared_with() -> None:
    machine = Machine({"FP16-INT8": 20, "FP16": 60})
    found = machine.search(until=0.5).run([INT8, F16])
    assert found.best == F16
    assert found.is_final
    assert len(machine.runs) == 4  # each once, and once again in the final


def test_a_baseline_that_is_not_accurate_enough_cannot_win() -> None:
    machine = Machine({"FP16-INT8": 90, "FP16": 60})
    found = machine.search(may_win=lambda cell: cell.precision != "FP16-INT8").run([F16])
    assert found.best is not None
    assert found.best.precision == "FP16"
    assert INT8 in machine.runs


@pytest.mark.parametrize(
    ("headroom", "size"), [(1.0, 256), (1.6, 320), (2.3, 384), (9.0, 512), (0.9, 192), (0.3, 128)]
)  # fmt: skip
def test_for_a_live_picture_the_largest_size_that_keeps_up(headroom: float, size: int) -> None:
    found = Machine({"FP16-INT8": headroom, "FP16": headroom / 3}).search(sizes=SIZES).run([INT8, F16])
    assert found.keeps_up
    assert found.best is not None
    assert (found.best.size or OWN, found.best.precision) == (size, "FP16-INT8")


def test_for_a_live_picture_the_nearest_where_nothing_keeps_up() -> None:
    found = Machine({"FP16-INT8": 0.1}).search(sizes=SIZES).run([INT8])
    assert not found.keeps_up
    assert found.best == replace(INT8, size=128)


def test_the_networks_own_size_is_the_same_candidate_as_the_default() -> None:
    machine = Machine({"FP16-INT8": 1.0})
    machine.search(sizes=SIZES).run([INT8])
    assert not [run for run in machine.runs if run.size == OWN]

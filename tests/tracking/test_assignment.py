"""The best pairs, against all that are possible."""

from itertools import permutations

import numpy as np
import pytest

from human_pose.tracking.assignment import best_pairs, cheapest_pairs

SHAPES = [(1, 1), (2, 2), (3, 3), (5, 5), (2, 5), (5, 2), (1, 6), (6, 1), (4, 6), (6, 4)]


def least_sum(cost: np.ndarray) -> float:
    """The smallest sum of costs over all ways to pair the smaller side."""
    if cost.shape[0] > cost.shape[1]:
        cost = cost.T
    rows = np.arange(cost.shape[0])
    return min(cost[rows, list(columns)].sum() for columns in permutations(range(cost.shape[1]), len(rows)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ties", [False, True])
def test_no_other_pairs_cost_less(shape: tuple[int, int], ties: bool) -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        cost = random.integers(-2, 3, shape).astype(float) if ties else random.normal(size=shape)
        rows, columns = cheapest_pairs(cost)
        assert len(set(rows.tolist())) == len(set(columns.tolist())) == min(shape)
        assert rows.tolist() == sorted(rows.tolist())
        assert cost[rows, columns].sum() == pytest.approx(least_sum(cost))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_no_other_pairs_gain_more(shape: tuple[int, int], share: float) -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        gain = np.where(random.random(shape) < share, random.random(shape), -random.random(shape))
        rows, columns = best_pairs(gain)
        assert (gain[rows, columns] > 0).all()
        assert gain[rows, columns].sum() == pytest.approx(-least_sum(-np.maximum(gain, 0)))


def test_the_best_pair_is_given_up_for_a_better_sum() -> None:
    rows, columns = best_pairs(np.array([[5.0, 4.0], [4.0, 0.5]]))  # 4 + 4 is more than 5 + 0.5
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [1, 0])


def test_what_gains_nothing_makes_no_pair() -> None:
    rows, columns = best_pairs(np.array([[0.0, -1.0], [np.nan, 2.0]]))
    assert (rows.tolist(), columns.tolist()) == ([1], [1])


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nobody_makes_no_pair(shape: tuple[int, int]) -> None:
    assert [len(side) for side in best_pairs(np.empty(shape))] == [0, 0]
    assert [len(side) for side in cheapest_pairs(np.empty(shape))] == [0, 0]

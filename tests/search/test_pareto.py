"""Against the definitions, by comparing all pairs and by counting unit cubes."""

import itertools

import numpy as np
import pytest

from pnas_search import SearchError, hypervolume, pareto_front
from pnas_search._pareto import crowding_distance, fronts


def dominates(one, other):
    return all(one >= other) and any(one > other)


def naive_fronts(points):
    """All fronts, by the definition."""
    left = list(range(len(points)))
    while left:
        front = [i for i in left if not any(dominates(points[j], points[i]) for j in left)]
        yield front
        left = [i for i in left if i not in front]


def drawn(n_objectives, n_values, seed, n=60):
    """Points with many ties where there are few values."""
    return np.random.default_rng([n_objectives, n_values, seed]).integers(0, n_values, (n, n_objectives)) / 7


kinds = pytest.mark.parametrize(
    ("n_objectives", "n_values"), list(itertools.product([1, 2, 3, 4], [1, 2, 4, 1000])), ids=str
)


@kinds
def test_fronts_are_those_of_the_definition_in_order(n_objectives, n_values):
    for seed in range(5):
        points = drawn(n_objectives, n_values, seed)
        found = [front.tolist() for front in fronts(points)]
        assert found == list(naive_fronts(points))
        assert np.flatnonzero(pareto_front(points)).tolist() == found[0]


def test_of_no_points_there_is_no_front():
    assert list(fronts(np.empty((0, 2)))) == []
    assert pareto_front(np.empty((0, 3))).tolist() == []


def test_only_the_order_of_values_matters():
    points = np.random.default_rng(0).random((40, 3))
    stretched = np.column_stack([points[:, 0] ** 5, 1e9 * points[:, 1], np.exp(points[:, 2]) - 1e6])
    assert [front.tolist() for front in fronts(stretched)] == [front.tolist() for front in fronts(points)]


def test_crowding_distances_are_those_worked_out_by_hand():
    points = np.array([[0.0, 10.0], [1.0, 6.0], [2.0, 5.0], [4.0, 0.0]])
    # Inside, (2 - 0) / 4 + (10 - 5) / 10, and (4 - 1) / 4 + (6 - 0) / 10.
    assert crowding_distance(points).tolist() == [np.inf, 1.0, 1.35, np.inf]
    assert crowding_distance(points[[2, 0, 3, 1]]).tolist() == [1.35, np.inf, np.inf, 1.0]


def test_crowding_is_by_the_range_of_every_objective_and_by_none_in_which_all_are_equal():
    points = np.random.default_rng(0).random((20, 2))
    scaled = np.column_stack([1000 * points[:, 0] - 3, points[:, 1] / 50, np.full(20, 0.1)])
    assert crowding_distance(scaled) == pytest.approx(crowding_distance(points))
    assert crowding_distance(np.ones((3, 2))).tolist() == [0, 0, 0]
    assert crowding_distance(np.array([[0.3, 0.4]])).tolist() == [0]


@pytest.mark.parametrize("n_objectives", [1, 2, 3, 4])
def test_the_hypervolume_is_the_number_of_unit_cubes_that_are_dominated(n_objectives):
    rng = np.random.default_rng(n_objectives)
    reference = np.arange(n_objectives) - 2
    for n in (0, 1, 2, 8, 20):
        points = rng.integers(-1, 6, (n, n_objectives)) + reference
        corners = np.array(list(itertools.product(range(1, 7), repeat=n_objectives))) + reference
        inside = (corners[:, None] <= points).all(axis=2).any(axis=1)
        assert hypervolume(points, reference) == inside.sum()


def test_the_hypervolume_of_fractions_of_two_and_three_objectives():
    assert hypervolume([[0.5, 0.25], [0.25, 0.75]], [0, 0]) == pytest.approx(0.5 * 0.25 + 0.25 * 0.5)
    three = [[0.5, 0.5, 0.5], [0.25, 1.0, 0.25]]
    assert hypervolume(three, [0, 0, 0]) == pytest.approx(0.125 + 0.0625 - 0.25 * 0.5 * 0.25)


def test_what_is_not_better_than_the_reference_in_every_objective_adds_nothing():
    points = [[2.0, 2.0], [9.0, 0.0], [-1.0, 9.0]]
    assert hypervolume(points, [0, 0]) == 4
    assert hypervolume(points[1:], [0, 0]) == 0


def test_what_are_no_points_is_refused():
    with pytest.raises(
        SearchError, match=r"must be finite numbers \(N, n_objectives\), and these are of the shape \(2,\)$"
    ):
        pareto_front([1.0, 2.0])
    with pytest.raises(SearchError, match=r"of the shape \(1, 2\), some not finite"):
        pareto_front([[1.0, np.nan]])
    with pytest.raises(SearchError, match=r"must be 2 finite numbers, one for every objective, not \[0.0\]"):
        hypervolume([[1.0, 2.0]], [0.0])

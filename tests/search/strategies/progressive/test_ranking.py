import numpy as np
import pytest

from pnas_search import SearchError
from pnas_search._pareto import crowding_distance, fronts
from pnas_search._strategies._progressive._ranking import by_fronts, by_score, costs_of, scores_of

CELLS = np.zeros((3, 1, 4), dtype=np.int64)
ZEROS = np.zeros(3)


def test_by_score_are_the_best_and_of_equals_the_first():
    scores = np.array([0.5, 0.9, 0.5, 0.7, 0.9])
    assert by_score(scores, 4).tolist() == [1, 4, 3, 0]
    assert by_score(scores, 9).tolist() == [1, 4, 3, 0, 2]


@pytest.mark.parametrize("n_costs", [1, 2])
@pytest.mark.parametrize("n_values", [3, 1000])
def test_a_round_is_filled_front_by_front_and_the_last_by_crowding_distance(n_costs, n_values):
    rng = np.random.default_rng([n_costs, n_values])
    scores, costs = rng.integers(0, n_values, 60) / n_values, rng.integers(0, n_values, (60, n_costs))
    points = np.column_stack([scores, -costs])
    whole = [front.tolist() for front in fronts(points)]
    for size in (1, 5, 17, 60, 100):
        chosen = by_fronts(scores, costs, size).tolist()
        assert len(set(chosen)) == len(chosen) == min(size, 60)
        for front in whole:
            part, chosen = chosen[: len(front)], chosen[len(front) :]
            assert set(part) <= set(front)
            assert scores[part].tolist() == sorted(scores[part], reverse=True)
            distances = dict(zip(front, crowding_distance(points[front]), strict=True))
            if n_values == 1000:  # otherwise points that are equal stand in each other's stead
                expected = sorted(front, key=lambda place: (-distances[place], -scores[place]))[: len(part)]
                assert set(part) == set(expected)
            if not chosen:
                break


def test_the_ends_of_a_front_come_before_its_middle():
    scores, costs = np.array([0.1, 0.5, 0.6, 0.9]), np.array([[1.0], [5.0], [6.0], [9.0]])
    assert by_fronts(scores, costs, 2).tolist() == [3, 0]
    assert by_fronts(scores, costs, 3).tolist() == [3, 1, 0]
    # Dominated by one of them, however accurate it is.
    assert by_fronts(np.append(scores, 0.8), np.append(costs, [[9.5]], axis=0), 4).tolist() == [3, 2, 1, 0]


def test_costs_and_scores_that_are_none_are_refused():
    with pytest.raises(SearchError, match=r"costs must be finite numbers \(3, n_costs\) for 3 cells, and .* \(3,\)$"):
        costs_of(CELLS, lambda cells: np.zeros(len(cells)))
    with pytest.raises(SearchError, match=r"the shape \(3, 1\), some not finite"):
        costs_of(CELLS, lambda cells: np.full((len(cells), 1), np.nan))
    with pytest.raises(SearchError, match=r"a finite number for each of 3 cells, and .* gave the shape \(\)$"):
        scores_of(ZEROS, ZEROS, 0.5, lambda *said: said[2])
    with pytest.raises(SearchError, match=r"gave the shape \(3,\), some not finite"):
        scores_of(ZEROS, ZEROS, 0.5, lambda *said: said[0] + np.inf)

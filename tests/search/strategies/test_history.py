import dataclasses

import pytest

from pnas_search import Candidate
from pnas_search._strategies._history import History, reward


@pytest.fixture
def cells(space):
    return space.to_cells(space.one_block_cells())


@pytest.fixture
def outcomes(finished, failed):
    """Of which the best are, in order, those of indices 2, 4, 0 and 3; 1 is stopped and 5 has failed."""
    stopped = dataclasses.replace(finished(0.9), status="stopped")
    return [finished(0.5), stopped, finished(0.75), finished(0.25), finished(0.75), failed]


@pytest.fixture
def history(cells, outcomes):
    history = History()
    for start in (0, 2, 4):
        candidates = [Candidate(cell=cell) for cell in cells[start : start + 2]]
        history.add(candidates, outcomes[start : start + 2])
    return history


def test_children_are_kept_in_their_order_and_found_by_their_cells(history, cells, outcomes):
    assert len(history) == 6
    assert (history.cells, history.outcomes) == (cells[:6], outcomes)
    assert [cell in history for cell in cells] == [True] * 6 + [False] * 4
    assert [history.outcome(cell) for cell in cells[:6]] == outcomes


def test_the_best_is_the_most_accurate_that_finished_and_of_equals_the_first(cells, outcomes, failed):
    history, best = History(), []
    for cell, outcome in zip(cells, [failed, *outcomes[1:2], *outcomes], strict=False):
        assert history.best() == (best[-1] if best else None)
        history.add([Candidate(cell=cell)], [outcome])
        best.append(history.best())
    assert best == [
        None,
        *[(cells[1], outcomes[1])],
        *[(cells[2], outcomes[0])] * 2,
        *[(cells[4], outcomes[2])] * 4,
    ]


def test_the_most_accurate_are_in_the_order_of_the_best(history, cells):
    order = [cells[place] for place in (2, 4, 0, 3, 1)]
    for n in range(8):
        assert history.most_accurate(n) == order[:n]


def test_candidates_and_outcomes_are_equally_many(history, cells, outcomes):
    with pytest.raises(ValueError, match="shorter"):
        history.add([Candidate(cell=cell) for cell in cells[6:8]], outcomes[:1])


def test_a_child_is_worth_its_accuracy_and_nothing_if_it_failed(outcomes):
    assert [reward(outcome) for outcome in outcomes] == [0.5, 0.9, 0.75, 0.25, 0.75, 0.0]

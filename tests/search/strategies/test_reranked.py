import copy
import dataclasses
import re

import pytest

from pnas_search import Candidate, Listed, Random, Reranked, SearchError
from pnas_search.testing import StrategySuite


class TestReranked(StrategySuite):
    n_models = 30
    round_size = 8

    def make(self, space, seed):
        strategy = Random(space, n_blocks=2, n_models=24, round_size=8, seed=seed)
        return Reranked(strategy, n_models=6, fidelity=3)


@pytest.fixture
def cells(space):
    return space.to_cells(space.one_block_cells())


@pytest.fixture
def outcomes(finished, failed):
    """Of which the best are, in order, those of indices 2, 4, 0 and 3; 1 is stopped, and the rest have failed."""
    stopped = dataclasses.replace(finished(0.9), status="stopped")
    return [finished(0.5), stopped, finished(0.75), finished(0.25), finished(0.75), *[failed] * 5]


@pytest.fixture
def searched(space):
    """A strategy of ten cells, whose best is the most accurate that finished."""
    return Random(space, n_blocks=1, n_models=10, round_size=5, seed=0)


@pytest.fixture
def make(searched, outcomes):
    """A strategy that is to re-rank what it was told of in two rounds, and the cells."""

    def make(**settings):
        strategy, candidates = Reranked(copy.deepcopy(searched), **settings), []
        for start in (0, 5):
            candidates += strategy.ask()
            assert len(candidates) == start + 5
            strategy.tell(candidates[start:], outcomes[start : start + 5])
        assert {candidate.fidelity for candidate in candidates} == {1}
        return strategy, [candidate.cell for candidate in candidates]

    return make


@pytest.mark.parametrize("n_models", [1, 2, 5, 250])
def test_the_best_are_asked_for_once_more_in_one_round_those_that_finished_first(n_models, make, finished):
    strategy, cells = make(n_models=n_models, fidelity=4)
    best = [Candidate(cell=cells[place], fidelity=4) for place in (2, 4, 0, 3, 1)][:n_models]
    assert strategy.ask() == best
    strategy.tell(best, [finished(0.5)] * len(best))
    assert strategy.ask() == []


def test_250_are_trained_15_times_as_long_by_default(space, finished):
    strategy = Reranked(Random(space, n_blocks=3, n_models=260, round_size=260, seed=0))
    first = strategy.ask()
    strategy.tell(first, [finished(0.5)] * 260)
    assert strategy.ask() == [dataclasses.replace(candidate, fidelity=15) for candidate in first[:250]]


def test_the_best_is_that_of_those_trained_again_once_there_is_one(make, outcomes, finished, failed):
    for again, best, outcome in [
        ([finished(0.1), finished(0.2), finished(0.1)], 4, finished(0.2)),
        ([failed, failed, finished(0.1)], 0, finished(0.1)),
        ([failed, failed, failed], 2, outcomes[2]),
    ]:
        strategy, cells = make(n_models=3, fidelity=2)
        assert strategy.best() == (cells[2], outcomes[2])
        strategy.tell(strategy.ask(), again)
        assert strategy.best() == (cells[best], outcome)


def test_where_all_have_failed_nothing_is_trained_again(cells, failed):
    strategy = Reranked(Listed(cells))
    strategy.tell(strategy.ask(), [failed] * 10)
    assert strategy.ask() == []


def test_predictions_are_those_of_the_strategy_and_none_of_what_is_trained_again(cells, finished):
    class Predicting(Listed):
        def predictions(self):
            return said

    said = object()
    strategy = Reranked(Predicting(cells), n_models=2)
    first = strategy.ask()
    assert strategy.predictions() is said
    strategy.tell(first, [finished(0.5)] * 10)
    strategy.ask()
    assert strategy.predictions() is None


def test_a_strategy_that_trains_longer_itself_is_refused(cells):
    class Longer(Listed):
        def ask(self):
            return [dataclasses.replace(candidate, fidelity=3) for candidate in super().ask()]

    with pytest.raises(SearchError, match=f"asks for {re.escape(str(cells[0]))} at fidelity 3, and cells .* as usual"):
        Reranked(Longer(cells)).ask()


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"n_models": 0}, "n_models must be 1 or more, not 0"), ({"fidelity": 1}, "fidelity must be 2 or more, .* not 1")],
)
def test_numbers_that_are_too_small_are_refused(settings, message, cells):
    with pytest.raises(SearchError, match=message):
        Reranked(Listed(cells), **settings)

import numpy as np
import pytest

from pnas_search import MonteCarloTreeSearch, Random, SearchError
from pnas_search._strategies import _monte_carlo_tree_search
from pnas_search._strategies._monte_carlo_tree_search import _ranks
from pnas_search.testing import StrategySuite
from pnas_searchspace import CellSpace


class TestMonteCarloTreeSearch(StrategySuite):
    n_models = 100
    round_size = 8
    beats_random = True

    def make(self, space, seed):
        return MonteCarloTreeSearch(space, n_blocks=3, n_models=100, round_size=8, seed=seed)


@pytest.fixture
def make(space):
    def make(space=space, **settings):
        usual = {"n_blocks": 3, "n_models": 120, "round_size": 10, "seed": 0}
        return MonteCarloTreeSearch(space, **usual | settings)

    return make


def asked(rounds):
    return [candidate.cell for candidates in rounds for candidate in candidates]


def test_what_is_trained_is_always_of_the_full_size(make, rounds, accuracy_of):
    sizes = [[len(candidate.cell) for candidate in candidates] for candidates in rounds(make(), accuracy_of)]
    assert sizes == [[3] * 10] * 12


def test_only_the_order_of_accuracies_matters(make, rounds, accuracy_of):
    expected = asked(rounds(make(), accuracy_of))
    close_together = asked(rounds(make(), lambda cell: 0.9 + 0.001 * accuracy_of(cell) ** 3))
    assert close_together == expected
    assert asked(rounds(make(), lambda cell: 1 - accuracy_of(cell))) != expected


def test_ranks_are_shares_of_what_is_smaller_and_half_of_what_is_equal():
    assert _ranks([0.3, 0.1, 0.3, 0.8]).tolist() == [0.5, 0.125, 0.5, 0.875]
    assert _ranks([0.0, 0.0]).tolist() == [0.5, 0.5]
    assert _ranks([]).tolist() == []


def test_a_child_that_failed_counts_as_one_without_any_accuracy(make, rounds, accuracy_of):
    def accuracy(cell):
        return accuracy_of(cell) if accuracy_of(cell) > 0.3 else None

    expected = asked(rounds(make(), lambda cell: accuracy(cell) or 0))
    assert asked(rounds(make(), accuracy)) == expected


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_grows_what_was_good_unless_it_only_explores(seed, make, rounds):
    def accuracy(cell):
        return str(cell).count("identity") / 6

    def late_accuracy(exploration):
        strategy = make(CellSpace(), n_models=300, exploration=exploration, seed=seed)
        return np.mean([accuracy(cell) for cell in asked(rounds(strategy, accuracy))[200:]])

    # One operand in eight is it by chance.
    assert late_accuracy(0.1) > 0.45
    assert late_accuracy(100.0) < 0.25


@pytest.mark.parametrize("n_blocks", [1, 2])
def test_all_cells_of_a_small_space_come_once_and_then_the_search_ends(n_blocks, make, space, rounds, accuracy_of):
    cells = asked(rounds(make(n_blocks=n_blocks, n_models=1000), accuracy_of))
    assert len(cells) == len(set(cells)) == space.count(n_blocks)


def test_the_tree_alone_leads_to_every_cell(space, rounds, accuracy_of):
    class OnlyTheTree(MonteCarloTreeSearch):
        def _random(self, size, rng, besides=()):
            return []

    strategy = OnlyTheTree(space, n_blocks=2, n_models=1000, round_size=10, seed=0)
    assert len(set(asked(rounds(strategy, accuracy_of)))) == space.count(2)


def test_after_too_many_dead_ends_cells_are_random(space, make, monkeypatch, rounds, accuracy_of):
    monkeypatch.setattr(_monte_carlo_tree_search, "_MOST_DEAD_ENDS", 0)
    random = Random(space, n_blocks=3, n_models=120, round_size=10, seed=0)
    assert asked(rounds(make(), accuracy_of)) == asked(rounds(random, accuracy_of))


def test_only_cells_that_are_allowed_are_asked_for(make, rounds, accuracy_of):
    strategy = make(n_blocks=2, n_models=1000, allowed=lambda cells: (cells[:, :, 1::2] == 0).all((1, 2)))
    cells = asked(rounds(strategy, accuracy_of))
    assert len(set(cells)) == CellSpace(("conv",)).count(2)
    assert not any("pool" in str(cell) for cell in cells)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"exploration": -0.1}, "exploration must be 0 or more, not -0.1"),
        ({"exploration": float("nan")}, "exploration must be 0 or more, not nan"),
        ({"widening": 0.0}, "widening must be above 0 and at most 1, not 0.0"),
        ({"widening": 1.5}, "widening must be above 0 and at most 1, not 1.5"),
    ],
)
def test_numbers_out_of_range_are_refused(settings, message, make):
    with pytest.raises(SearchError, match=message):
        make(**settings)

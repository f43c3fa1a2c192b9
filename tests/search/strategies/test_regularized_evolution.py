import itertools

import pytest

from pnas_search import RegularizedEvolution, SearchError
from pnas_search.testing import StrategySuite
from pnas_searchspace import CellSpace


class TestRegularizedEvolution(StrategySuite):
    n_models = 60
    round_size = 8
    beats_random = True

    def make(self, space, seed):
        return RegularizedEvolution(space, n_blocks=2, n_models=60, round_size=8, seed=seed, population_size=12)


@pytest.fixture
def make(space):
    def make(space=space, **settings):
        usual = {"n_blocks": 3, "n_models": 100, "round_size": 10, "seed": 0, "population_size": 25}
        return RegularizedEvolution(space, **usual | settings)

    return make


def operations(cell):
    return sorted(name for block in cell for name in (block[1], block[3]))


def test_the_first_population_is_random_and_every_later_child_a_neighbour_of_its_parent(
    make, space, rounds, accuracy_of
):
    asked = list(rounds(make(), accuracy_of))
    assert [len(candidates) for candidates in asked] == [10, 10, 5, *[10] * 7, 5]
    for candidate in itertools.chain(*asked[:3]):
        assert candidate.parent is None
    for candidate in itertools.chain(*asked[3:]):
        assert candidate.cell in space.to_cells(space.neighbors(candidate.parent))


def test_parents_are_in_the_population_and_the_oldest_die_however_good_they_are(make, rounds, accuracy_of):
    trained = []

    def falling_accuracy(cell):
        return 1 - len(trained) / 200

    for candidates in rounds(make(tournament_size=3), falling_accuracy):
        assert {candidate.parent for candidate in candidates} <= {None, *trained[-25:]}
        trained += [candidate.cell for candidate in candidates]


@pytest.mark.parametrize("worst", [0.0, 0.5], ids=["none fails", "half fail"])
def test_the_most_accurate_in_a_tournament_wins_unless_its_neighbors_were_all_trained(
    worst, make, space, rounds, accuracy_of
):
    def accuracy(cell):
        return None if accuracy_of(cell) < worst else accuracy_of(cell)

    trained, n_winners = [], []
    # With so many entrants, all of the population are among them.
    for candidates in rounds(make(tournament_size=1000), accuracy):
        population, known = trained[-25:], set(trained)
        for child in candidates if len(trained) >= 25 else ():
            better = [cell for cell in population if (accuracy(cell) or 0) > (accuracy(child.parent) or 0)]
            for cell in better:
                assert known.issuperset(space.to_cells(space.neighbors(cell)))
            known.add(child.cell)
        trained += [candidate.cell for candidate in candidates]
        n_winners.append(len({candidate.parent for candidate in candidates}))
    assert 1 in n_winners[3:]
    assert max(n_winners[3:]) > 1


def test_in_a_tournament_of_one_everyone_wins_alike(make, rounds, accuracy_of):
    strategy = make(CellSpace(), n_models=225, round_size=200, population_size=25, tournament_size=1)
    *_, children = rounds(strategy, lambda _: 0.5)
    parents = [candidate.parent for candidate in children]
    wins = [parents.count(parent) for parent in set(parents)]
    assert len(children) == 200
    assert len(wins) == 25
    # Chi-square with 24 degrees of freedom is larger once in 1,000 times.
    assert sum((n - 8) ** 2 / 8 for n in wins) < 51.2


def test_operations_and_inputs_are_changed_equally_often(make, rounds):
    # Of the neighbours of these cells, four in five differ by an operation.
    strategy = make(CellSpace(), n_blocks=2, n_models=400, round_size=300, population_size=100, tournament_size=1)
    *_, children = rounds(strategy, lambda _: 0.5)
    assert len(children) == 300
    n_operations = sum(operations(child.cell) != operations(child.parent) for child in children)
    assert 120 < n_operations < 180


def test_where_no_neighbor_is_left_cells_are_random_until_all_were_trained(make, space, rounds, accuracy_of):
    strategy = make(n_blocks=1, n_models=50, round_size=3, population_size=2)
    asked = [candidate.cell for candidates in rounds(strategy, accuracy_of) for candidate in candidates]
    assert len(asked) == len(set(asked)) == space.count(1) == 10


def test_where_no_neighbor_is_allowed_cells_are_random(make, rounds, accuracy_of):
    def of_equal_operands(cells):
        return (cells[:, :, :2] == cells[:, :, 2:]).all(axis=(1, 2))

    strategy = make(n_blocks=1, n_models=10, round_size=1, population_size=1, allowed=of_equal_operands)
    asked = [candidate for candidates in rounds(strategy, accuracy_of) for candidate in candidates]
    assert len({candidate.cell for candidate in asked}) == len(asked) == 4
    assert {candidate.parent for candidate in asked} == {None}


def test_only_cells_that_are_allowed_are_asked_for(make, rounds, accuracy_of):
    strategy = make(n_blocks=2, allowed=lambda cells: (cells[:, :, 1::2] == 0).all((1, 2)), population_size=5)
    asked = {candidate.cell for candidates in rounds(strategy, accuracy_of) for candidate in candidates}
    assert len(asked) == CellSpace(("conv",)).count(2)
    assert not any("pool" in str(cell) for cell in asked)


@pytest.mark.parametrize(("n_models", "population_size", "tournament_size"), [(3, 1, 1), (60, 12, 3), (5000, 100, 25)])
def test_small_budgets_have_small_populations(n_models, population_size, tournament_size, space, accuracy_of, finished):
    usual = {"n_blocks": 5, "n_models": n_models, "round_size": 100, "seed": 0}
    sizes = {"population_size": population_size, "tournament_size": tournament_size}
    searches = []
    for strategy in (RegularizedEvolution(space, **usual), RegularizedEvolution(space, **usual, **sizes)):
        first = strategy.ask()
        strategy.tell(first, [finished(accuracy_of(candidate.cell)) for candidate in first])
        searches.append((len(first), strategy.ask()))
    assert searches[0] == searches[1]
    assert searches[0][0] == population_size


@pytest.mark.parametrize("name", ["population_size", "tournament_size"])
def test_sizes_are_positive(name, make):
    with pytest.raises(SearchError, match=f"{name} must be 1 or more, not 0"):
        make(**{name: 0})

import itertools

import pytest

from pnas_search import LocalSearch
from pnas_search.testing import StrategySuite
from pnas_searchspace import CellSpace


class TestLocalSearch(StrategySuite):
    n_models = 60
    round_size = 8
    beats_random = True

    def make(self, space, seed):
        return LocalSearch(space, n_blocks=2, n_models=60, round_size=8, seed=seed)


@pytest.fixture
def make(space):
    def make(space=space, **settings):
        return LocalSearch(space, **{"n_blocks": 2, "n_models": 1000, "round_size": 4, "seed": 0} | settings)

    return make


class NaiveClimb:
    """What the next round may be, by looking at everything that was trained."""

    def __init__(self, space, accuracy):
        self.space, self.accuracy = space, accuracy
        self.trained, self.here, self.n_free_moves = set(), None, 0

    def told(self, candidates):
        self.trained |= {candidate.cell for candidate in candidates}
        here = self.best([candidates[0].parent, *(candidate.cell for candidate in candidates)])
        while here is not None and (higher := self.best([here, *(self.neighbors(here) & self.trained)])) != here:
            here, self.n_free_moves = higher, self.n_free_moves + 1
        self.here = here if here is not None and self.neighbors(here) - self.trained else None

    def unseen(self):
        every_cell = itertools.chain(*map(self.space.to_cells, self.space.enumerate(2)))
        return (set(every_cell) if self.here is None else self.neighbors(self.here)) - self.trained

    def neighbors(self, cell):
        return set(self.space.to_cells(self.space.neighbors(cell)))

    def best(self, cells):
        return max((c for c in cells if c and self.accuracy(c) is not None), key=self.accuracy, default=None)


@pytest.mark.parametrize("worst", [0.0, 0.25, 0.9], ids=["none fails", "some fail", "most fail"])
@pytest.mark.parametrize("round_size", [1, 4])
def test_rounds_are_those_of_a_naive_climb(round_size, worst, make, space, rounds, accuracy_of):
    def accuracy(cell):
        return None if accuracy_of(cell) < worst else accuracy_of(cell)

    naive, n_climbs = NaiveClimb(space, accuracy), 0
    for candidates in rounds(make(round_size=round_size), accuracy):
        assert {candidate.parent for candidate in candidates} == {naive.here}
        unseen = naive.unseen()
        assert {candidate.cell for candidate in candidates} <= unseen
        assert len(candidates) == min(round_size, len(unseen))
        n_climbs += naive.here is None
        naive.told(candidates)
    assert len(naive.trained) == space.count(2)
    assert n_climbs > 3
    assert worst == 0.9 or naive.n_free_moves > 0


def test_neighbors_come_in_random_order(make, space, finished):
    first = make(space=CellSpace(), round_size=1).ask()
    rounds_of_neighbors = set()
    for seed in range(20):
        strategy = make(space=CellSpace(), round_size=1, seed=seed)
        strategy.tell(first, [finished(0.5)])
        rounds_of_neighbors.add(strategy.ask()[0].cell)
    assert len(rounds_of_neighbors) > 10


def test_equals_are_not_moved_to(make, rounds):
    parents = [candidates[0].parent for candidates in rounds(make(round_size=1), lambda _: 0.5)]
    for parent, next_parent in itertools.pairwise(parents):
        assert None in (parent, next_parent) or parent == next_parent


def test_only_cells_that_are_allowed_are_asked_for(make, rounds, accuracy_of):
    strategy = make(allowed=lambda cells: (cells[:, :, 1::2] == 0).all((1, 2)))
    asked = {candidate.cell for candidates in rounds(strategy, accuracy_of) for candidate in candidates}
    assert len(asked) == CellSpace(("conv",)).count(2)
    assert not any("pool" in str(cell) for cell in asked)

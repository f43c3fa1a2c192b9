import itertools

import pytest

from pnas_search import Random, SearchError
from pnas_search.testing import StrategySuite
from pnas_searchspace import CellSpace


class TestRandom(StrategySuite):
    n_models = 40
    round_size = 16

    def make(self, space, seed):
        return Random(space, n_blocks=2, n_models=40, round_size=16, seed=seed)


def test_rounds_are_of_one_size_until_so_many_were_trained(space, rounds):
    strategy = Random(space, n_blocks=3, n_models=20, round_size=8, seed=0)
    asked = list(rounds(strategy, lambda _: 0.5))
    assert [len(candidates) for candidates in asked] == [8, 8, 4]
    assert {len(candidate.cell) for candidate in itertools.chain(*asked)} == {3}
    assert {candidate.parent for candidate in itertools.chain(*asked)} == {None}


def test_all_cells_of_a_small_space_come_once_and_then_the_search_ends(space, rounds):
    strategy = Random(space, n_blocks=2, n_models=1000, round_size=60, seed=0)
    asked = [candidate.cell for candidates in rounds(strategy, lambda _: None) for candidate in candidates]
    assert len(asked) == len(set(asked)) == space.count(2) == 165


def test_only_cells_that_are_allowed_are_asked_for(space, rounds):
    strategy = Random(
        space,
        n_blocks=2,
        n_models=500,
        round_size=4,
        seed=0,
        allowed=lambda cells: (cells[:, :, 1::2] == 0).all((1, 2)),
    )
    asked = {candidate.cell for candidates in rounds(strategy, lambda _: 0.5) for candidate in candidates}
    assert len(asked) == CellSpace(("conv",)).count(2)
    assert not any("pool" in str(cell) for cell in asked)


def test_every_cell_is_equally_likely(space):
    counts = dict.fromkeys(space.to_cells(space.one_block_cells()), 0)
    for seed in range(1000):
        for candidate in Random(space, n_blocks=1, n_models=2, round_size=2, seed=seed).ask():
            counts[candidate.cell] += 1
    # Chi-square with 9 degrees of freedom is larger once in 1,000 times.
    assert sum((n - 200) ** 2 / 200 for n in counts.values()) < 27.9


@pytest.mark.parametrize("name", ["n_blocks", "n_models", "round_size"])
def test_sizes_are_positive(name, space):
    sizes = {"n_blocks": 1, "n_models": 1, "round_size": 1, name: 0}
    with pytest.raises(SearchError, match=f"{name} must be 1 or more, not 0"):
        Random(space, **sizes, seed=0)


def test_a_seed_is_not_negative(space):
    with pytest.raises(SearchError, match="seed must be 0 or more, not -1"):
        Random(space, n_blocks=1, n_models=1, round_size=1, seed=-1)

from collections import Counter

import numpy as np
import pytest

from pnas_search._strategies._progressive._exploration import Exploration


def pairs(cell):
    return [pair for i1, o1, i2, o2 in cell.tolist() for pair in ((i1, o1), (i2, o2))]


def naive_picks(cells, counts, size):
    """One after the other, by looking through all cells."""
    counts, left = Counter(counts), list(range(len(cells)))
    for _ in range(min(size, len(cells))):
        # The first of the smallest, as `min` gives it.
        pick = min(left, key=lambda place: min(counts[pair] for pair in pairs(cells[place])))
        counts.update(pairs(cells[pick]))
        left.remove(pick)
        yield pick


@pytest.mark.parametrize("size", [0, 1, 7, 40, 1000])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_picks_are_those_of_looking_through_all_cells_for_every_one(space, size, seed):
    rng = np.random.default_rng(seed)
    trained = [space.sample(n_blocks, 5, rng) for n_blocks in (1, 2)]
    children, _ = space.expand(trained[1][:2])
    children = children[rng.permutation(len(children))]
    exploration = Exploration(space, 3)
    exploration.count(trained[0])
    exploration.count_cells(space.to_cells(trained[1]))
    counts = Counter(pair for cells in trained for cell in cells for pair in pairs(cell))
    assert exploration.pick(children, size).tolist() == list(naive_picks(children, counts, size))


def test_cells_of_several_sizes_in_any_order_are_counted(space):
    cells = [cell for n_blocks in (2, 1, 3) for cell in space.to_cells(space.sample(n_blocks, 3, 0))]
    exploration = Exploration(space, 3)
    exploration.count_cells(cells[::-1])
    expected = Counter((block[side], block[side + 1]) for cell in cells for block in cell for side in (0, 2))
    counts = {
        (source, name): int(exploration._counts[(source + 2) * 2 + place])
        for source in (-2, -1, 0, 1)
        for place, name in enumerate(space.operations)
    }
    assert {pair: count for pair, count in counts.items() if count} == expected


def test_what_was_never_tried_comes_first(space):
    cells = space.one_block_cells()
    tried = cells[(cells[:, 0, [1, 3]] == 0).all(axis=1)]
    exploration = Exploration(space, 1)
    exploration.count(np.repeat(tried, 50, axis=0))
    # Of the four pairs of this space two have the operation that nobody has tried.
    first = cells[exploration.pick(cells, 2)]
    assert {pair for cell in first for pair in pairs(cell)} >= {(-2, 1), (-1, 1)}

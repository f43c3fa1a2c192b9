from itertools import combinations_with_replacement
from math import sqrt
from typing import Any

import numpy as np
import pytest

from pnas_searchspace import CellSpace, SearchSpaceError

EXPECTED_PER_CELL = 10


def _deviation(space: CellSpace, n_blocks: int, cells: Any) -> float:
    """Pearson's chi-square over all cells of a size, less its mean, in its standard deviations."""
    n_cells = space.count(n_blocks)
    different, counts = np.unique(cells.reshape(len(cells), -1), axis=0, return_counts=True)
    assert len(different) <= n_cells
    expected = len(cells) / n_cells
    chi_square = ((counts - expected) ** 2).sum() / expected + (n_cells - len(different)) * expected
    return float((chi_square - (n_cells - 1)) / sqrt(2 * (n_cells - 1)))


@pytest.mark.parametrize(
    ("n_operations", "n_cell_inputs", "n_blocks"),
    [(8, 2, 2), (1, 1, 3), (2, 2, 3), (1, 1, 5), (1, 2, 4), (3, 1, 3), (8, 2, 1)],
)
def test_every_cell_is_equally_likely(n_operations: int, n_cell_inputs: int, n_blocks: int) -> None:
    space = CellSpace([f"op{number}" for number in range(n_operations)], n_cell_inputs)
    cells = space.sample(n_blocks, EXPECTED_PER_CELL * space.count(n_blocks), np.random.default_rng(1))
    assert abs(_deviation(space, n_blocks, cells)) < 4


def test_the_test_of_uniformity_notices_draws_that_are_uniform_over_encodings() -> None:
    space = CellSpace()
    rng = np.random.default_rng(0)
    encodings = np.empty((EXPECTED_PER_CELL * space.count(2), 2, 4), dtype=np.int64)
    for block, n_operands in enumerate((16, 24)):
        pairs = np.array(list(combinations_with_replacement(range(n_operands), 2)))
        drawn = pairs[rng.integers(len(pairs), size=len(encodings))]
        encodings[:, block, 0::2], encodings[:, block, 1::2] = drawn // 8 - 2, drawn % 8
    assert _deviation(space, 2, space.canonical(encodings)) > 50


def test_cells_of_every_kind_come_as_often_as_there_are_such_cells() -> None:
    """A few kinds of cells are drawn very often, so that an error in the weight of a kind shows."""
    space = CellSpace()

    def kinds(cells: Any) -> Any:
        twins = (cells[:, 0] == cells[:, 1]).all(1)
        n_read = (cells[:, 1, 0::2] == 0).sum(1)
        symmetric = (cells[:, :, [0, 1]] == cells[:, :, [2, 3]]).all(2).sum(1)
        return twins * 100 + n_read * 10 + symmetric

    kind, n_cells = np.unique(kinds(np.concatenate(list(space.enumerate(2)))), return_counts=True)
    assert (kind >= 100).any()
    size = 400_000
    drawn = kinds(space.sample(2, size, 2))
    counts = np.array([(drawn == one).sum() for one in kind])
    expected = size * n_cells / n_cells.sum()
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert counts.sum() == size
    assert chi_square < len(kind) - 1 + 4 * sqrt(2 * (len(kind) - 1))


def test_what_is_drawn_is_canonical_and_of_the_space() -> None:
    space = CellSpace(("c", "a", "b"), 3)
    cells = space.sample(6, 500, 0)
    assert (cells.shape, cells.dtype) == ((500, 6, 4), np.int64)
    assert np.array_equal(space.canonical(cells), cells)
    assert set(cells[:, :, 1::2].ravel().tolist()) == {0, 1, 2}


def test_the_drawing_order_tells_nothing() -> None:
    """Cells are made in groups of one symmetry, and are mixed before they are returned."""
    space = CellSpace(("a",), 1)
    cells = space.sample(4, 4000, 0)
    first, second = (np.unique(half, axis=0, return_counts=True)[1] for half in (cells[:2000], cells[2000:]))
    assert len(first) == len(second) == space.count(4)
    assert (((first - second) ** 2) / (first + second)).sum() < 2 * space.count(4)


def test_a_seed_draws_the_same_cells_and_a_generator_goes_on() -> None:
    space = CellSpace()
    assert np.array_equal(space.sample(3, 50, 7), space.sample(3, 50, np.random.default_rng(7)))
    assert not np.array_equal(space.sample(3, 50, 7), space.sample(3, 50, 8))
    rng = np.random.default_rng(7)
    assert not np.array_equal(space.sample(3, 50, rng), space.sample(3, 50, rng))


def test_none_can_be_drawn() -> None:
    assert CellSpace().sample(5, 0, 0).shape == (0, 5, 4)


def test_cells_of_many_blocks_can_be_drawn() -> None:
    space = CellSpace(("a", "b"))
    cells = space.sample(9, 50, 0)
    assert len(np.unique(cells, axis=0)) == 50
    assert np.array_equal(space.canonical(cells), cells)


@pytest.mark.parametrize("rng", [-1, "x", 1.5])
def test_what_is_no_generator_and_no_seed_is_refused(rng: Any) -> None:
    with pytest.raises(SearchSpaceError, match=f"^rng must be a numpy.random.Generator, .*, not {rng!r}$"):
        CellSpace().sample(2, 1, rng)


@pytest.mark.parametrize("size", [-1, 1.5, True, None, 10**13])
def test_a_size_that_is_no_number_of_cells_is_refused(size: Any) -> None:
    with pytest.raises(SearchSpaceError, match=f"^size must be an integer from 0 to 1000000000000, not {size!r}$"):
        CellSpace().sample(2, size, 0)

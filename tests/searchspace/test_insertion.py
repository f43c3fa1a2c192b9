from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pnas_searchspace import CellSpace
from pnas_searchspace._canonical_codes import canonical_codes
from pnas_searchspace._codes import Coder, Operands
from pnas_searchspace._insertion import children_by_insertion


def _assert_children_are_those_of_every_cell(parents: Operands, coder: Coder) -> None:
    """Insertion gives what making every child canonical by itself gives."""
    parents = coder.split(canonical_codes(parents, coder))
    blocks = coder.last_blocks()
    n_parents, n_blocks = parents.shape[2], blocks.shape[1]
    children = np.concatenate([np.repeat(parents, n_blocks, axis=2), np.tile(blocks, n_parents)[None]])
    expected = coder.pack(canonical_codes(children, coder)).reshape(-1, n_parents, n_blocks)
    assert np.array_equal(children_by_insertion(parents, blocks, coder), expected)


@given(data=st.data(), n_blocks=st.integers(1, 6))
@settings(max_examples=80, deadline=None)
def test_children_of_cells_full_of_equal_blocks(
    data: st.DataObject, n_blocks: int, encodings: Callable[..., Any]
) -> None:
    cells = np.array(data.draw(st.lists(encodings(n_blocks, operations=(0, 1)), min_size=1, max_size=5)))
    coder = Coder(n_blocks + 1, 2, 2)
    _assert_children_are_those_of_every_cell(coder.operands(cells, np.arange(2)), coder)


@pytest.mark.parametrize(("n_blocks", "n_words"), [(3, 1), (5, 2), (7, 2), (10, 3)])
def test_children_whose_codes_take_several_words(n_blocks: int, n_words: int) -> None:
    space = CellSpace()
    coder = Coder(n_blocks + 1, 2, 8)
    assert coder.n_words == n_words
    parents = coder.operands(space.sample(n_blocks, 10, 0), np.arange(8))
    _assert_children_are_those_of_every_cell(parents, coder)


def test_children_whose_codes_fill_all_bits_of_a_word() -> None:
    space = CellSpace([f"op{number:03}" for number in range(400)], 1)
    coder = Coder(3, 1, 400)
    assert coder.pack(np.full((3, 1), coder.n_operands**2 - 1)).max() > 2**62
    cells = np.concatenate([space.sample(2, 2, 0), [[[-1, 399, -1, 399], [0, 399, 0, 399]]]])
    _assert_children_are_those_of_every_cell(coder.operands(cells, np.arange(400)), coder)


@pytest.mark.parametrize(
    "cell",
    [
        [[-2, 0, -2, 0]] * 4,
        [[-2, 0, -1, 1]] * 3 + [[0, 0, 1, 1]],
        [[-2, 0, -1, 1]] * 3 + [[0, 0, 1, 0]],
        [[-2, 1, -1, 1]] * 2 + [[0, 0, 0, 1], [1, 0, 1, 1]],
        [[-2, 1, -1, 1]] * 2 + [[0, 0, -2, 0], [1, 0, -2, 0]],
        [[-2, 1, -1, 1]] * 2 + [[0, 0, 1, 1], [1, 0, 0, 1]],
        [[-1, 0, -1, 0], [0, 0, 0, 0], [-1, 0, -1, 0], [2, 0, 2, 0]],
    ],
)
def test_children_that_choose_among_equal_blocks(cell: list[list[int]]) -> None:
    coder = Coder(5, 2, 2)
    _assert_children_are_those_of_every_cell(coder.operands(np.array([cell]), np.arange(2)), coder)

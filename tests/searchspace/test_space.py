import re
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pnas_searchspace import PNAS_OPERATIONS, Block, Cell, CellSpace, SearchSpaceError

Blocks = tuple[Block, ...]

# One operation, or one input, is where ties are most frequent; "c" before "a" is where index and name disagree.
SMALL_SPACES = [(("a",), 1, 4), (("a",), 2, 3), (("c", "a"), 1, 3), (("c", "a"), 2, 2), (("b", "c", "a"), 3, 1)]


def _with_one_more_block(blocks: Blocks, space: CellSpace) -> list[Blocks]:
    operands = list(product(range(-space.n_cell_inputs, len(blocks)), space.operations))
    return [(*blocks, Block(*first, *second)) for first in operands for second in operands]


def _without(cell: Cell, removed: int) -> Cell | None:
    """The cell less one block, or None where another block reads it."""
    if len(cell) == 1 or any(removed in (block.input_1, block.input_2) for block in cell):
        return None
    rest = [block for index, block in enumerate(cell) if index != removed]
    return Cell((i - (i > removed), o, j - (j > removed), p) for i, o, j, p in rest)


def _all_cells(space: CellSpace, n_blocks: int) -> NDArray[np.int64]:
    cells = space.one_block_cells()
    for _ in range(n_blocks - 1):
        cells, _ = space.expand(cells)
    return cells


@pytest.mark.parametrize(("operations", "n_cell_inputs", "n_blocks"), SMALL_SPACES)
def test_expanding_from_one_block_on_gives_every_cell_once_and_in_order(
    operations: Sequence[str], n_cell_inputs: int, n_blocks: int, all_encodings: Callable[..., Any]
) -> None:
    space = CellSpace(operations, n_cell_inputs)
    encodings: list[Blocks] = [()]
    for _ in range(n_blocks):
        encodings = [child for blocks in encodings for child in _with_one_more_block(blocks, space)]
    expected = sorted({min(all_encodings(blocks)) for blocks in encodings})
    assert [tuple(cell) for cell in space.to_cells(_all_cells(space, n_blocks))] == expected


def test_the_papers_space_has_136_cells_of_one_block_and_31620_of_two() -> None:
    space = CellSpace()
    one_block = space.one_block_cells()
    two_blocks, parents = space.expand(one_block)
    # A block is an unordered pair of operands: of 2 * 8 in the first block, and of 3 * 8 in one that may read it.
    n_blocks, n_readers = 16 * 17 // 2, 24 * 25 // 2 - 16 * 17 // 2
    assert one_block.shape == (n_blocks, 1, 4) == (136, 1, 4)
    assert two_blocks.shape == (n_blocks * (n_blocks + 1) // 2 + n_blocks * n_readers, 2, 4) == (31_620, 2, 4)
    assert parents.shape == (31_620,)
    assert set(parents.tolist()) == set(range(136))


@given(data=st.data(), n_blocks=st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_expanding_a_beam_gives_the_cells_with_one_more_block_and_their_parents(
    data: st.DataObject, n_blocks: int, encodings: Callable[..., Any]
) -> None:
    space = CellSpace(("b", "a"))
    # Neither canonical nor without duplicates: a beam is what the caller has.
    beam = [Cell(blocks) for blocks in data.draw(st.lists(encodings(n_blocks), min_size=1, max_size=3))]
    array, parents = space.expand(space.to_array(beam))
    children = space.to_cells(array)
    expected = {Cell(child) for cell in beam for child in _with_one_more_block(tuple(cell), space)}
    assert len(children) == len(expected)
    assert set(children) == expected
    for child, parent in zip(children, parents.tolist(), strict=True):
        assert tuple(child) == tuple(child.canonical())
        assert any(_without(child, block) == beam[parent] for block in range(n_blocks + 1))


def test_canonical_forms_do_not_depend_on_the_order_of_the_operations() -> None:
    spaces = [CellSpace(operations) for operations in (("a", "b", "c"), ("c", "a", "b"), ("b", "c", "a"))]
    forms = [[tuple(cell) for cell in space.to_cells(_all_cells(space, 2))] for space in spaces]
    assert forms[0] == forms[1] == forms[2]


def test_no_cells_have_no_children_and_no_tokens() -> None:
    none = np.empty((0, 2, 4), dtype=np.int64)
    children, parents = CellSpace().expand(none)
    assert (children.shape, parents.shape) == ((0, 3, 4), (0,))
    assert CellSpace().encode(none).shape == (0, 8)
    assert CellSpace().to_cells(none) == []


@given(data=st.data(), n_blocks=st.integers(1, 5))
@settings(max_examples=50, deadline=None)
def test_arrays_and_cells_are_the_same_encodings(
    data: st.DataObject, n_blocks: int, encodings: Callable[..., Any]
) -> None:
    space = CellSpace(("b", "a"))
    cells = [Cell(blocks) for blocks in data.draw(st.lists(encodings(n_blocks), min_size=1, max_size=4))]
    array = space.to_array(cells)
    assert (array.shape, array.dtype) == ((len(cells), n_blocks, 4), np.int64)
    assert [tuple(cell) for cell in space.to_cells(array)] == [tuple(cell) for cell in cells]


def test_tokens_come_in_the_order_input_operation_input_operation_and_count_from_the_farthest_input() -> None:
    space = CellSpace()
    cell = Cell([(-2, "sep_conv_3x3", -1, "dil_conv_3x3"), (0, "identity", -1, "sep_conv_5x5")])
    assert space.encode(space.to_array([cell])).tolist() == [[0, 0, 1, 7, 2, 4, 1, 1]]


@pytest.mark.parametrize("n_cell_inputs", [1, 2, 3])
def test_tokens_fill_the_vocabulary_and_tell_cells_apart(n_cell_inputs: int) -> None:
    space = CellSpace(("b", "a"), n_cell_inputs)
    cells = _all_cells(space, 2)
    before = cells.copy()
    tokens = space.encode(cells)
    assert tokens.shape == (len(cells), 8)
    assert len(np.unique(tokens, axis=0)) == len(cells)
    kinds = {"input": tokens[:, 0::2], "operation": tokens[:, 1::2]}
    assert {kind: set(np.unique(values).tolist()) for kind, values in kinds.items()} == {
        kind: set(range(size)) for kind, size in space.vocabulary(2).items()
    }
    assert np.array_equal(cells, before)


def test_the_papers_vocabulary_has_6_inputs_and_8_operations_at_5_blocks() -> None:
    assert CellSpace().operations == PNAS_OPERATIONS
    assert CellSpace().vocabulary(5) == {"input": 6, "operation": 8}


def test_a_space_is_written_as_it_is_made() -> None:
    assert repr(CellSpace(("a", "b"), 3)) == "CellSpace(operations=('a', 'b'), n_cell_inputs=3)"


@pytest.mark.parametrize("operations", [(), ("a", "b", "a")])
def test_operations_that_are_none_or_not_different_are_refused(operations: tuple[str, ...]) -> None:
    message = f"operations must be one or more different names, not {operations}"
    with pytest.raises(SearchSpaceError, match=re.escape(message)):
        CellSpace(operations)


@pytest.mark.parametrize("n_cell_inputs", [0, -1])
def test_a_space_without_inputs_is_refused(n_cell_inputs: int) -> None:
    with pytest.raises(SearchSpaceError, match=f"n_cell_inputs must be 1 or more, not {n_cell_inputs}"):
        CellSpace(n_cell_inputs=n_cell_inputs)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([Cell([(-1, "a", -2, "mine")])], "the operation 'mine' is not in this space; it has a, b"),
        ([Cell([(-1, "a", -2, "b")]), Cell([(-1, "a", -2, "b")] * 2)], "one or more of equally many blocks"),
        ([], "one or more of equally many blocks"),
        ([Cell([(-1, "a", -3, "b")])], "cell 0, block 0 is [-1, 0, -3, 1]; expected inputs from -2 to -1"),
    ],
)
def test_cells_that_make_no_array_of_the_space_are_refused(cells: list[Cell], message: str) -> None:
    with pytest.raises(SearchSpaceError, match=re.escape(message)):
        CellSpace(("a", "b")).to_array(cells)


BAD_ARRAYS = [
    ([[-1, 0, -1, 0]], "cells must be integers of shape (N, n_blocks, 4), not int64 of shape (1, 4)"),
    ([[[-1, 0, -1]]], "not int64 of shape (1, 1, 3)"),
    ([[[-1.0, 0.0, -1.0, 0.0]]], "not float64 of shape (1, 1, 4)"),
    ([[[-1, 0, -1, 0]], [[-1, 0, 0, 0]]], "cell 1, block 0 is [-1, 0, 0, 0]; expected inputs from -2 to -1"),
    ([[[-1, 0, -1, 0], [2, 0, 0, 0]]], "cell 0, block 1 is [2, 0, 0, 0]; expected inputs from -2 to 0"),
    ([[[-3, 0, -1, 0]]], "cell 0, block 0 is [-3, 0, -1, 0]"),
    ([[[-1, 8, -1, 0]]], "cell 0, block 0 is [-1, 8, -1, 0]; expected inputs from -2 to -1 and operations from 0 to 7"),
    ([[[-1, 0, -1, -1]]], "cell 0, block 0 is [-1, 0, -1, -1]"),
]


@pytest.mark.parametrize("method", ["expand", "encode", "to_cells"])
@pytest.mark.parametrize(("array", "message"), BAD_ARRAYS)
def test_an_array_that_is_no_array_of_cells_is_refused(method: str, array: list[Any], message: str) -> None:
    with pytest.raises(SearchSpaceError, match=re.escape(message)):
        getattr(CellSpace(), method)(array)

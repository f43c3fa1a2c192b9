import tracemalloc
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pnas_searchspace import Cell, CellSpace, _expansion, _insertion

# "c" before "a" is where index and name disagree.
SMALL_SPACES = [(("a",), 1, 4), (("a",), 2, 3), (("c", "a"), 1, 3), (("c", "a"), 2, 2), (("b", "c", "a"), 3, 1)]


def _with_one_more_block(cell: Cell, space: CellSpace) -> list[Cell]:
    operands = [(i, o) for i in range(-space.n_cell_inputs, len(cell)) for o in space.operations]
    return [Cell([*cell, (*first, *second)]) for first in operands for second in operands]


def _without(cell: Cell, removed: int) -> Cell | None:
    """The cell less one block, or None where another block reads it."""
    if len(cell) == 1 or any(removed in (block.input_1, block.input_2) for block in cell):
        return None
    rest = [block for index, block in enumerate(cell) if index != removed]
    return Cell((i - (i > removed), o, j - (j > removed), p) for i, o, j, p in rest)


@pytest.mark.parametrize(("operations", "n_cell_inputs", "n_blocks"), SMALL_SPACES)
def test_expanding_every_cell_of_a_size_gives_every_cell_of_the_next(
    operations: Sequence[str], n_cell_inputs: int, n_blocks: int
) -> None:
    space = CellSpace(operations, n_cell_inputs)
    cells = np.concatenate(list(space.enumerate(n_blocks)))
    children, parents = space.expand(cells)
    assert np.array_equal(children, np.concatenate(list(space.enumerate(n_blocks + 1))))
    assert set(parents.tolist()) == set(range(len(cells)))


@given(data=st.data(), n_blocks=st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_expanding_a_beam_gives_the_cells_with_one_more_block_and_their_first_parents(
    data: st.DataObject, n_blocks: int, encodings: Callable[..., Any]
) -> None:
    space = CellSpace(("b", "a"))
    # Neither canonical nor without duplicates: a beam is what the caller has.
    beam = [Cell(blocks) for blocks in data.draw(st.lists(encodings(n_blocks), min_size=1, max_size=3))]
    array, parents = space.expand(beam)
    children = space.to_cells(array)
    expected = {child for cell in beam for child in _with_one_more_block(cell, space)}
    assert len(children) == len(expected)
    assert set(children) == expected
    assert children == sorted(children)
    for child, parent in zip(children, parents.tolist(), strict=True):
        assert str(child) == child.key
        smaller = [_without(child, block) for block in range(n_blocks + 1)]
        assert parent == min(index for index, cell in enumerate(beam) if cell in smaller)


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


def test_a_large_beam_of_one_cell_gives_each_child_once() -> None:
    cell = CellSpace().sample(4, 1, 0)
    children, parents = CellSpace().expand(np.repeat(cell, 256, axis=0))
    assert len(children) == len(np.unique(children, axis=0)) <= 1176
    assert set(parents.tolist()) == {0}


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        *((_expansion, "_CHUNK", value) for value in (1, 1000)),
        *((_insertion, "_CHUNK", value) for value in (1, 1000)),
        *((_expansion, "_MOST_ORDERS", value) for value in (0, 1, 10**9)),
    ],
)
def test_how_children_are_made_does_not_change_them(
    module: types.ModuleType, name: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In chunks, and by insertion or one by one; of cells of which some have equal blocks, and two five of them."""
    space = CellSpace(("a", "b", "c"))
    beam = np.concatenate([space.sample(5, 20, 0), next(space.enumerate(5))[:20:4], [[[-1, 1, -2, 0]] * 5]])
    children, parents = space.expand(beam)
    monkeypatch.setattr(module, name, value)
    again, parents_again = space.expand(beam)
    assert np.array_equal(children, again)
    assert np.array_equal(parents, parents_again)


def test_cells_of_equal_blocks_have_the_parents_that_they_have() -> None:
    """So many orders of equal blocks that their children are made one by one."""
    space = CellSpace(("a", "b"))
    beam = [Cell([[-2, "a", -1, "b"]] * 5), Cell([[-1, "a", -1, "a"]] * 5)]
    array, parents = space.expand(beam)
    children = space.to_cells(array)
    assert set(children) == {child for cell in beam for child in _with_one_more_block(cell, space)}
    for child, parent in zip(children, parents.tolist(), strict=True):
        assert beam[parent] in [_without(child, block) for block in range(6)]


def test_expanding_256_cells_of_4_blocks_takes_little_memory() -> None:
    """Of cells with three equal blocks, two of which are read, so that their blocks have several orders."""
    operands = np.array([(source, operation) for source in (-2, -1) for operation in range(8)])
    first, second = np.triu_indices(16, k=1)
    twins = np.concatenate([operands[first], operands[second]], axis=1)[np.arange(256) % 120]
    reader = np.array([[0, number // 120, 1, number // 120] for number in range(256)])
    beam = np.stack([twins, twins, twins, reader], axis=1)
    tracemalloc.start()
    children, _ = CellSpace().expand(beam)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(children) > 200_000
    assert peak < 300e6

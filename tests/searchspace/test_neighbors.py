import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pnas_searchspace import PNAS_OPERATIONS, Cell, CellSpace, SearchSpaceError


def _neighbors(cell: Cell, space: CellSpace) -> list[Cell]:
    return space.to_cells(space.neighbors(cell))


def _one_change(cell: tuple[Any, ...], space: CellSpace) -> list[Any]:
    """All encodings that differ from this one in one value."""
    changed = []
    for index, block in enumerate(cell):
        for position, value in enumerate(block):
            others = space.operations if position % 2 else range(-space.n_cell_inputs, index)
            changed += [
                (*cell[:index], (*block[:position], other, *block[position + 1 :]), *cell[index + 1 :])
                for other in others
                if other != value
            ]
    return changed


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_neighbors_are_all_that_one_change_of_any_encoding_gives(
    data: st.DataObject, encodings: Callable[..., Any], all_encodings: Callable[..., Any]
) -> None:
    space = CellSpace(("b", "a"))
    blocks = data.draw(encodings(max_blocks=4))
    expected = {Cell(changed) for encoding in all_encodings(blocks) for changed in _one_change(encoding, space)}
    neighbors = _neighbors(Cell(blocks), space)
    assert neighbors == sorted(expected - {Cell(blocks)})
    assert all(str(neighbor) == neighbor.key for neighbor in neighbors)


@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_a_cell_is_a_neighbor_of_its_neighbors(data: st.DataObject, encodings: Callable[..., Any]) -> None:
    space = CellSpace(("b", "a"))
    cell = Cell(data.draw(encodings(max_blocks=4)))
    for neighbor in _neighbors(cell, space):
        assert cell in _neighbors(neighbor, space)


def test_a_cell_of_one_block_has_a_neighbor_for_each_other_input_and_operation() -> None:
    cell = Cell([(-2, "identity", -1, "max_pool_3x3")])
    expected = {
        *(Cell([(-2, other, -1, "max_pool_3x3")]) for other in PNAS_OPERATIONS if other != "identity"),
        *(Cell([(-2, "identity", -1, other)]) for other in PNAS_OPERATIONS if other != "max_pool_3x3"),
        Cell([(-1, "identity", -1, "max_pool_3x3")]),
        Cell([(-2, "identity", -2, "max_pool_3x3")]),
    }
    assert set(_neighbors(cell, CellSpace())) == expected
    assert len(expected) == 7 + 7 + 2


def test_a_change_that_gives_the_cell_again_gives_no_neighbor() -> None:
    space = CellSpace(("a", "b"))
    cell = Cell([(-2, "a", -2, "a"), (-2, "a", -2, "a"), (0, "b", -1, "a")])
    assert cell == Cell([*cell[:2], (1, "b", -1, "a")])
    assert cell not in _neighbors(cell, space)


def test_what_is_no_cell_of_the_space_is_refused() -> None:
    message = "a cell must be integers of shape (n_blocks, 4), not int64 of shape (1, 1, 4)"
    with pytest.raises(SearchSpaceError, match=re.escape(message)):
        CellSpace().neighbors([[[-1, 0, -1, 0]]])
    with pytest.raises(SearchSpaceError, match="block 1 is"):
        CellSpace().neighbors([[-1, 0, -1, 0], [1, 0, -1, 0]])


def test_a_block_may_come_to_read_one_that_is_written_behind_it() -> None:
    cell = Cell([(-2, "a", -2, "a"), (-1, "a", -1, "a")])
    assert Cell([(-1, "a", -1, "a"), (-2, "a", 0, "a")]) in _neighbors(cell, CellSpace(("a",)))


@pytest.mark.parametrize(("operations", "n_cell_inputs"), [(("a",), 1), (("a",), 2), (("a", "b"), 1)])
def test_the_smallest_spaces(operations: tuple[str, ...], n_cell_inputs: int) -> None:
    space = CellSpace(operations, n_cell_inputs)
    cells = space.to_cells(space.one_block_cells())
    reached = {neighbor for cell in cells for neighbor in _neighbors(cell, space)}
    assert reached == (set(cells) if len(cells) > 1 else set())

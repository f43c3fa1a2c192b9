import copy
import json
import pickle
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pnas_searchspace import Block, Cell, SearchSpaceError

PNASNET_5 = [
    [-2, "sep_conv_5x5", -2, "max_pool_3x3"],
    [-1, "sep_conv_7x7", -1, "max_pool_3x3"],
    [-1, "sep_conv_5x5", -1, "sep_conv_3x3"],
    [2, "sep_conv_3x3", -1, "max_pool_3x3"],
    [-2, "sep_conv_3x3", -1, "identity"],
]

COPIES: dict[str, Callable[[Cell], Cell]] = {
    "pickle": lambda cell: pickle.loads(pickle.dumps(cell)),
    "json": lambda cell: Cell(json.loads(json.dumps(cell))),
    "deepcopy": copy.deepcopy,
    "repr": lambda cell: eval(repr(cell)),
}


@pytest.mark.parametrize(
    ("blocks", "key"),
    [
        ([[-1, "identity", -2, "identity"]], "identity@-2+identity@-1"),
        ([[-1, "my.op-2", -3, "B"], [0, "a", -1, "B"]], "B@-3+my.op-2@-1,B@-1+a@0"),
        ([[-2, "a", -2, "a"], [-2, "a", -2, "a"], [1, "b", -1, "a"]], "a@-2+a@-2,a@-2+a@-2,a@-1+b@0"),
        (
            PNASNET_5,
            "max_pool_3x3@-2+sep_conv_5x5@-2,sep_conv_3x3@-2+identity@-1,max_pool_3x3@-1+sep_conv_7x7@-1,"
            "sep_conv_3x3@-1+sep_conv_5x5@-1,max_pool_3x3@-1+sep_conv_3x3@3",
        ),
    ],
)
def test_keys_stay_what_they_are_because_ledgers_hold_them(blocks: Sequence[Sequence[Any]], key: str) -> None:
    assert Cell(blocks).key == key


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_all_encodings_of_a_cell_are_one_cell(
    data: st.DataObject, encodings: Callable[..., Any], all_encodings: Callable[..., Any]
) -> None:
    cell = Cell(data.draw(encodings(max_blocks=4)))
    assert {Cell(encoding) for encoding in all_encodings(cell)} == {cell}
    assert {Cell(encoding).key for encoding in all_encodings(cell)} == {cell.key}


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_cells_are_equal_only_when_one_is_an_encoding_of_the_other(
    data: st.DataObject, encodings: Callable[..., Any], all_encodings: Callable[..., Any]
) -> None:
    # Two blocks over two operations are few enough cells for both outcomes to be frequent.
    one, other = (Cell(data.draw(encodings(2))) for _ in range(2))
    same = tuple(other) in all_encodings(one)
    assert (one == other) is same
    assert (one != other) is not same
    assert (one.key == other.key) is same


def test_swapping_the_operands_of_a_block_gives_the_same_cell() -> None:
    assert Cell([(-1, "a", -2, "b")]) == Cell([(-2, "b", -1, "a")])
    assert Cell([(-1, "a", -2, "b")]) != Cell([(-1, "b", -2, "a")])


def test_a_cell_is_no_plain_tuple() -> None:
    cell = Cell(PNASNET_5)
    assert cell != tuple(cell)
    assert tuple(cell) != cell


@pytest.mark.parametrize("name", COPIES)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_copy_is_the_same_encoding_of_the_same_cell(
    name: str, data: st.DataObject, encodings: Callable[..., Any]
) -> None:
    cell = Cell(data.draw(encodings()))
    for _ in range(2):  # without its key, and then with it
        duplicate = COPIES[name](cell)
        assert type(duplicate) is Cell
        assert tuple(duplicate) == tuple(cell)
        assert (duplicate, duplicate.key, hash(duplicate)) == (cell, cell.key, hash(cell))


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_canonical_cell_is_the_same_cell_and_spells_out_its_key(
    data: st.DataObject, encodings: Callable[..., Any]
) -> None:
    cell = Cell(data.draw(encodings()))
    canonical = cell.canonical()
    assert canonical == cell
    assert str(canonical) == cell.key
    assert tuple(canonical.canonical()) == tuple(canonical)


def test_a_cell_keeps_its_encoding_as_plain_blocks() -> None:
    cell = Cell([[np.int64(-1), np.str_("b"), np.int8(-2), "a"], [0, "b", -1, "a"]])
    assert tuple(cell) == (Block(-1, "b", -2, "a"), Block(0, "b", -1, "a"))
    assert str(cell) == "b@-1+a@-2,b@0+a@-1"
    assert [type(value) for value in cell[0]] == [int, str, int, str]


@pytest.mark.parametrize("block", ["abcd", 7, [-1, "a", -2], [-1, "a", -2, "b", 0], {"input_1": -1}])
def test_a_block_that_is_not_four_values_is_refused(block: Any) -> None:
    message = f"block 1 must be (input_1, operation_1, input_2, operation_2), not {block!r}"
    with pytest.raises(SearchSpaceError, match=re.escape(message)):
        Cell([[-1, "a", -2, "a"], block])


@pytest.mark.parametrize("value", [0, 3, -1.0, "-1", None, True])
@pytest.mark.parametrize("position", [0, 2])
def test_an_input_that_is_not_of_the_cell_is_refused_in_the_first_block(value: Any, position: int) -> None:
    block: list[Any] = [-1, "a", -2, "a"]
    block[position] = value
    message = f"block 0 reads input {value!r}; expected an input of the cell (-1, -2)"
    with pytest.raises(SearchSpaceError, match=f"^{re.escape(message)}$"):
        Cell([block])


@pytest.mark.parametrize("value", [2, False, np.bool_(False), 1.0])
def test_an_input_that_is_not_an_earlier_block_is_refused(value: Any) -> None:
    message = f"block 2 reads input {value!r}; expected an input of the cell (-1, -2) or an earlier block (0 to 1)"
    with pytest.raises(SearchSpaceError, match=f"^{re.escape(message)}$"):
        Cell([*PNASNET_5[:2], [-1, "a", value, "a"]])


@pytest.mark.parametrize("name", ["", "a b", "a@b", "a+b", "a,b", "a\n", "é", None, 3, ["a"]])
@pytest.mark.parametrize("position", [1, 3])
def test_an_operation_whose_name_would_blur_keys_is_refused(name: Any, position: int) -> None:
    block: list[Any] = [-1, "a", -2, "a"]
    block[position] = name
    message = f"block 0 applies the operation {name!r}; expected a name of letters, digits, '_', '-' and '.'"
    with pytest.raises(SearchSpaceError, match=f"^{re.escape(message)}$"):
        Cell([block])


def test_a_cell_without_blocks_is_refused() -> None:
    with pytest.raises(SearchSpaceError, match="at least one block"):
        Cell([])

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

from pnas_searchspace import Cell, SearchSpaceError

PNASNET_5 = [
    [-2, "sep_conv_5x5", -2, "max_pool_3x3"],
    [-1, "sep_conv_7x7", -1, "max_pool_3x3"],
    [-1, "sep_conv_5x5", -1, "sep_conv_3x3"],
    [2, "sep_conv_3x3", -1, "max_pool_3x3"],
    [-2, "sep_conv_3x3", -1, "identity"],
]


def plain(cell: Cell) -> tuple[tuple[Any, ...], ...]:
    """The encoding: blocks compare without regard to the order of their operands, and tuples do not."""
    return tuple(tuple(block) for block in cell)


COPIES: dict[str, Callable[[Cell], Cell]] = {
    "pickle": lambda cell: pickle.loads(pickle.dumps(cell)),
    "json": lambda cell: Cell.from_json(cell.to_json()),
    "json of another": lambda cell: Cell(json.loads(json.dumps({"cell": cell}))["cell"]),
    "text": lambda cell: Cell.from_text(str(cell)),
    "deepcopy": copy.deepcopy,
    "repr": lambda cell: eval(repr(cell)),
}


@pytest.mark.parametrize(
    ("blocks", "key"),
    [
        ([[-1, "identity", -2, "identity"]], "identity@-2+identity@-1"),
        ([[-1, "my.op-2", -3, "B"], [0, "a", -1, "B"]], "B@-3+my.op-2@-1,B@-1+a@0"),
        ([[-2, "a", -2, "a"], [-2, "a", -2, "a"], [1, "b", -1, "a"]], "a@-2+a@-2,a@-2+a@-2,a@-1+b@0"),
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
    assert {Cell(encoding) for encoding in all_encodings(plain(cell))} == {cell}
    assert {Cell(encoding).key for encoding in all_encodings(plain(cell))} == {cell.key}


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_cells_are_equal_only_when_one_is_an_encoding_of_the_other(
    data: st.DataObject, encodings: Callable[..., Any], all_encodings: Callable[..., Any]
) -> None:
    # Two blocks over two operations are few enough cells for both outcomes to be frequent.
    one, other = (Cell(data.draw(encodings(2))) for _ in range(2))
    same = plain(other) in all_encodings(plain(one))
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
        assert plain(duplicate) == plain(cell)
        assert vars(duplicate) == {}
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
    assert plain(canonical.canonical()) == plain(canonical)


def test_a_cell_keeps_its_encoding_as_plain_blocks() -> None:
    cell = Cell([[np.int64(-1), np.str_("b"), np.int8(-2), "a"], [0, "b", -1, "a"]])
    assert plain(cell) == ((-1, "b", -2, "a"), (0, "b", -1, "a"))
    assert str(cell) == "b@-1+a@-2,b@0+a@-1"
    assert [type(value) for value in cell[0]] == [int, str, int, str]


@pytest.mark.parametrize("block", ["abcd", 7, [-1, "a", -2], [-1, "a", -2, "b", 0], {"input_1": -1}])
def test_a_block_that_is_not_four_values_is_refused(block: Any) -> None:
    message = f"block 1 must be (input_1, operation_1, input_2, operation_2), not {block!r}"
    with pytest.raises(SearchSpaceError, match=re.escape(message)):
        Cell([[-1, "a", -2, "a"], block])


@pytest.mark.parametrize("value", [0, 3])
@pytest.mark.parametrize("position", [0, 2])
def test_an_input_that_is_not_of_the_cell_is_refused_in_the_first_block(value: int, position: int) -> None:
    block: list[Any] = [-1, "a", -2, "a"]
    block[position] = value
    message = f"block 0 reads input {value}; expected an input of the cell (-1, -2, …)"
    with pytest.raises(SearchSpaceError, match=f"^{re.escape(message)}$"):
        Cell([block])


def test_an_input_that_points_forward_is_refused() -> None:
    message = "block 2 reads input 2; expected an input of the cell (-1, -2, …) or an earlier block (0 to 1)"
    with pytest.raises(SearchSpaceError, match=f"^{re.escape(message)}$"):
        Cell([*PNASNET_5[:2], [-1, "a", 2, "a"]])


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ([-1, "a", True, "a"], "block 1: an input must be an integer from -999999999 to 999999999, not True"),
        ([0.0, "a", -1, "a"], "block 1: an input must be an integer from -999999999 to 999999999, not 0.0"),
        ([-1, "a b", -1, "a"], "block 1: an operation must be a name of letters, digits, '_', '-' and '.', not 'a b'"),
        ([-1, "a", -1, None], "block 1: an operation must be a name of letters, digits, '_', '-' and '.', not None"),
    ],
)
def test_what_is_no_block_is_refused_with_the_number_of_the_block(block: list[Any], message: str) -> None:
    with pytest.raises(SearchSpaceError, match=f"^{re.escape(message)}$"):
        Cell([[-1, "a", -2, "a"], block])


@pytest.mark.parametrize(
    "blocks", ["", "identity@-1+identity@-1", b"a", {"blocks": []}, {(-1, "a", -2, "a")}, 7, None, np.array(-1)]
)
def test_what_is_no_list_of_blocks_is_refused(blocks: Any) -> None:
    with pytest.raises(SearchSpaceError, match=f"^a cell must be a list of blocks, not {re.escape(repr(blocks))}$"):
        Cell(blocks)


def test_a_cell_without_blocks_is_refused() -> None:
    with pytest.raises(SearchSpaceError, match="at least one block"):
        Cell([])


def test_a_cell_is_immutable() -> None:
    cell = Cell(PNASNET_5)
    with pytest.raises(TypeError):
        cell[0] = cell[1]  # type: ignore[index]
    with pytest.raises(AttributeError):
        cell[0].input_1 = -1  # type: ignore[misc]
    for name in ("key", "_canonical_blocks", "note"):
        with pytest.raises(AttributeError, match=f"a cell is immutable, and '{name}' cannot be set"):
            setattr(cell, name, "forged")
    with pytest.raises(AttributeError, match="a cell is immutable, and 'key' cannot be deleted"):
        del cell.key


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_the_order_of_cells_is_that_of_their_canonical_forms(
    data: st.DataObject, encodings: Callable[..., Any]
) -> None:
    one, other = (Cell(data.draw(encodings(max_blocks=2))) for _ in range(2))
    forms = plain(one.canonical()), plain(other.canonical())
    assert (one < other) is (forms[0] < forms[1])
    assert (one <= other) is (forms[0] <= forms[1])
    assert (one > other) is (forms[0] > forms[1])
    assert (one >= other) is (forms[0] >= forms[1])


def test_json_of_a_cell_is_a_list_of_lists() -> None:
    assert Cell(PNASNET_5[:1]).to_json() == '[[-2, "sep_conv_5x5", -2, "max_pool_3x3"]]'
    assert json.loads(Cell(PNASNET_5).to_json()) == PNASNET_5


def test_spaces_around_the_blocks_of_a_text_do_not_matter() -> None:
    assert plain(Cell.from_text(" a@-1+b@-12,\n a@0+b@-1 ")) == ((-1, "a", -12, "b"), (0, "a", -1, "b"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'a cell in JSON is like [[-1, "identity", -2, "identity"]], not \'\' (Expecting value'),
        ("[[-1, 'a', -2, 'a']]", "a cell in JSON is like"),
        ("[" * 100_000, f"not '{'[' * 37}...{'[' * 38}'"),
        (None, "a cell in JSON is like"),
        ("{}", "a cell must be a list of blocks, not {}"),
        ("null", "a cell must be a list of blocks, not None"),
        ("[]", "a cell needs at least one block"),
        ("[[]]", "block 0 must be (input_1, operation_1, input_2, operation_2), not []"),
        ('[[-1, "a", -2, "a"], [-1, "a", 1, "a"]]', "block 1 reads input 1; expected"),
        ('[[-1, "a", -2.5, "a"]]', "block 0: an input must be an integer from -999999999 to 999999999, not -2.5"),
        ('[[-1, "a", NaN, "a"]]', "block 0: an input must be an integer from -999999999 to 999999999, not nan"),
    ],
)
def test_json_that_is_no_cell_is_refused(text: str, message: str) -> None:
    with pytest.raises(SearchSpaceError, match=re.escape(message)):
        Cell.from_json(text)


@pytest.mark.parametrize(
    "text",
    ["", "a", "a@-1", "a@-1+b", "a@-1+b@-1+c@-1", "a@x+b@-1", "a@-1.0+b@-1", "a@-1 + b@-1", "a@ -1+b@-1", "@-1+@-1"],
)
def test_a_text_whose_block_has_another_form_is_refused(text: str) -> None:
    message = f"block 1 must be like sep_conv_5x5@-2+identity@0, that is operation@input twice, not {text!r}"
    with pytest.raises(SearchSpaceError, match=f"^{re.escape(message)}$"):
        Cell.from_text(f"a@-1+a@-1,{text}")


@pytest.mark.parametrize("text", [None, 7, b"a@-1+b@-1"])
def test_what_is_no_text_is_refused(text: Any) -> None:
    with pytest.raises(SearchSpaceError, match=re.escape(f"a cell's short form must be a text, not {text!r}")):
        Cell.from_text(text)


def test_every_cell_can_be_written_and_read_back() -> None:
    cell = Cell([(-999_999_999, "a", -1, "b")])
    assert Cell.from_text(str(cell)) == Cell.from_json(cell.to_json()) == cell


def test_a_text_is_checked_as_blocks_are() -> None:
    with pytest.raises(SearchSpaceError, match="block 1 reads input 1; expected"):
        Cell.from_text("a@-1+b@-1,a@-1+b@1")
    with pytest.raises(SearchSpaceError, match="block 0: an operation must be a name"):
        Cell.from_text("a!@-1+b@-1")

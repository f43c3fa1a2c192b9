import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pnas_searchspace import PNAS_OPERATIONS, Cell, CellSpace, SearchSpaceError

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "cells.json").read_text(encoding="utf-8"))

SPACES = [  # n_operations, n_cell_inputs, n_blocks: everything with few enough cells to list them twice
    (n_operations, n_cell_inputs, n_blocks)
    for n_operations in (1, 2, 3, 5, 8)
    for n_cell_inputs in (1, 2, 3)
    for n_blocks in (1, 2, 3, 4)
    if CellSpace([f"op{n}" for n in range(n_operations)], n_cell_inputs).count(n_blocks) <= 4000
]


@st.composite
def _spaces(draw: st.DrawFn) -> tuple[CellSpace, int]:
    """A space whose operations come in any order, and a number of blocks."""
    n_operations, n_cell_inputs, n_blocks = draw(st.sampled_from(SPACES))
    operations = draw(st.permutations([f"op{number}" for number in range(n_operations)]))
    return CellSpace(operations, n_cell_inputs), n_blocks


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden["key"][:30])
def test_canonical_forms_keys_and_tokens_stay_what_they_are(golden: dict[str, Any]) -> None:
    """Ledgers and fitted surrogates hold them."""
    cell = Cell(golden["cell"])
    assert [list(block) for block in cell.canonical()] == golden["canonical"]
    assert cell.key == golden["key"]
    assert CellSpace().encode([cell]).tolist() == [golden["tokens"]]


@given(given_space=_spaces())
@settings(max_examples=25, deadline=None)
def test_listing_counting_and_expanding_agree(given_space: tuple[CellSpace, int]) -> None:
    space, n_blocks = given_space
    cells = _all_cells(space, n_blocks)
    assert len(cells) == space.count(n_blocks) == len(set(space.to_cells(cells)))
    assert np.array_equal(space.canonical(cells), cells)
    if n_blocks > 1:
        children, _ = space.expand(_all_cells(space, n_blocks - 1))
        assert np.array_equal(children, cells)


@given(given_space=_spaces(), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_sampling_and_counting_agree(given_space: tuple[CellSpace, int], seed: int) -> None:
    """So many draws miss a cell in fewer than one of a million such tests."""
    space, n_blocks = given_space
    n_cells = space.count(n_blocks)
    drawn = space.sample(n_blocks, round(n_cells * (np.log(n_cells) + 14)), seed)
    assert np.array_equal(np.unique(drawn, axis=0), np.unique(_all_cells(space, n_blocks), axis=0))


def _all_cells(space: CellSpace, n_blocks: int) -> NDArray[np.int64]:
    return np.concatenate(list(space.enumerate(n_blocks)))


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_canonical_form_is_one_for_all_encodings_idempotent_and_the_one_of_the_cell(
    data: st.DataObject, encodings: Callable[..., Any], all_encodings: Callable[..., Any]
) -> None:
    space = CellSpace(("b", "a"))
    blocks = data.draw(encodings(max_blocks=4))
    array = space.to_array([Cell(encoding) for encoding in all_encodings(blocks)])
    forms = space.canonical(array)
    assert (forms == forms[:1]).all()
    assert np.array_equal(space.canonical(forms), forms)
    assert str(space.to_cells(forms)[0]) == Cell(blocks).key


@given(data=st.data(), n_blocks=st.integers(1, 5))
@settings(max_examples=50, deadline=None)
def test_encode_and_decode_are_inverse(data: st.DataObject, n_blocks: int, encodings: Callable[..., Any]) -> None:
    space = CellSpace(("b", "a"))
    cells = [Cell(blocks) for blocks in data.draw(st.lists(encodings(n_blocks), min_size=1, max_size=4))]
    tokens = space.encode(cells)
    assert np.array_equal(space.decode(tokens), space.canonical(cells))
    assert np.array_equal(space.encode(space.decode(tokens)), tokens)
    assert space.to_cells(space.decode(tokens)) == cells


def test_equal_cells_have_equal_tokens() -> None:
    space = CellSpace(("b", "a"))
    one, other = Cell([(-1, "a", -2, "b"), (-2, "a", -2, "a")]), Cell([(-2, "a", -2, "a"), (-2, "b", -1, "a")])
    assert one == other
    assert np.array_equal(space.encode([one]), space.encode([other]))


def test_where_an_array_is_taken_a_list_of_cells_is_taken_too() -> None:
    space = CellSpace(("b", "a"))
    cells = space.to_cells(space.sample(3, 5, 0))
    array = space.to_array(cells)
    for method in (space.canonical, space.encode):
        assert np.array_equal(method(cells), method(array))
    assert np.array_equal(space.expand(cells)[0], space.expand(array)[0])
    assert np.array_equal(space.neighbors(cells[0]), space.neighbors(array[0]))


def test_what_is_given_is_not_changed() -> None:
    space = CellSpace(("b", "a"))
    cells = _all_cells(space, 2)
    before = cells.copy()
    space.canonical(cells)
    space.expand(cells)
    space.neighbors(cells[0])
    space.decode(space.encode(cells))
    assert np.array_equal(cells, before)


def test_canonical_forms_do_not_depend_on_the_order_of_the_operations() -> None:
    spaces = [CellSpace(operations) for operations in (("a", "b", "c"), ("c", "a", "b"), ("b", "c", "a"))]
    forms = [[str(cell) for cell in space.to_cells(_all_cells(space, 2))] for space in spaces]
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
    assert [str(cell) for cell in space.to_cells(array)] == [str(cell) for cell in cells]


def test_tokens_come_in_the_order_input_operation_input_operation_and_count_from_the_farthest_input() -> None:
    space = CellSpace()
    cell = Cell([(-2, "sep_conv_3x3", -1, "dil_conv_3x3"), (0, "identity", -1, "sep_conv_5x5")])
    # The canonical form has the second operands the other way round, because -1 comes before 0.
    assert space.encode(space.to_array([cell])).tolist() == [[0, 0, 1, 7, 1, 1, 2, 4]]


@pytest.mark.parametrize("n_cell_inputs", [1, 2, 3])
def test_tokens_fill_the_vocabulary_and_tell_cells_apart(n_cell_inputs: int) -> None:
    space = CellSpace(("b", "a"), n_cell_inputs)
    cells = _all_cells(space, 2)
    tokens = space.encode(cells)
    assert tokens.shape == (len(cells), 8)
    assert len(np.unique(tokens, axis=0)) == len(cells)
    kinds = {"input": tokens[:, 0::2], "operation": tokens[:, 1::2]}
    assert {kind: set(np.unique(values).tolist()) for kind, values in kinds.items()} == {
        kind: set(range(size)) for kind, size in space.vocabulary(2).items()
    }


def test_the_papers_vocabulary_has_6_inputs_and_8_operations_at_5_blocks() -> None:
    assert CellSpace().operations == PNAS_OPERATIONS
    assert CellSpace().vocabulary(5) == {"input": 6, "operation": 8}


def test_a_space_is_written_as_it_is_made() -> None:
    assert repr(CellSpace(("a", "b"), 3)) == "CellSpace(operations=('a', 'b'), n_cell_inputs=3)"


def test_a_space_is_a_value() -> None:
    space = CellSpace(["a", "b"])
    assert space == CellSpace(("a", "b"), 2)
    assert hash(space) == hash(CellSpace(("a", "b")))
    assert space != CellSpace(("b", "a"))
    with pytest.raises(AttributeError):
        space.n_cell_inputs = 3  # type: ignore[misc]
    space.sample(2, 1, 0)
    copy = pickle.loads(pickle.dumps(space))
    assert copy == space
    assert np.array_equal(copy.sample(2, 5, 0), space.sample(2, 5, 0))


@pytest.mark.parametrize("operations", ["ab", {"a", "b"}, 5, np.array(["a", "b"]), None])
def test_operations_without_an_order_or_that_are_no_list_are_refused(operations: Any) -> None:
    with pytest.raises(SearchSpaceError, match="operations must be a list or tuple of names, not"):
        CellSpace(operations)


@pytest.mark.parametrize("n_cell_inputs", [300_000, 10**9 - 1])
def test_arrays_of_a_space_that_is_too_large_for_64_bits_are_refused_and_counts_are_not(n_cell_inputs: int) -> None:
    space = CellSpace(n_cell_inputs=n_cell_inputs)
    assert space.count(1) == (n_cell_inputs * 8) * (n_cell_inputs * 8 + 1) // 2
    for use in (
        lambda: space.sample(6, 1, 0),
        lambda: space.enumerate(6),
        lambda: space.canonical([[[-1, 0, -1, 0]] * 6]),
    ):
        with pytest.raises(SearchSpaceError, match=r"arrays of cells with n_blocks=6, .* need more than 64 bits"):
            use()


@pytest.mark.parametrize("operations", [(), ("a", "b", "a")])
def test_operations_that_are_none_or_not_different_are_refused(operations: tuple[str, ...]) -> None:
    message = f"operations must be one or more different names, not {operations}"
    with pytest.raises(SearchSpaceError, match=re.escape(message)):
        CellSpace(operations)


@pytest.mark.parametrize("n_cell_inputs", [0, -1, 10**9])
def test_a_space_without_inputs_or_with_too_many_is_refused(n_cell_inputs: int) -> None:
    with pytest.raises(
        SearchSpaceError, match=f"n_cell_inputs must be an integer from 1 to 999999999, not {n_cell_inputs}"
    ):
        CellSpace(n_cell_inputs=n_cell_inputs)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            [Cell([(-1, "a", -2, "mine")])],
            "cell 0, block 0 applies 'mine', which is not an operation of this space; it has a, b",
        ),
        ([Cell([(-1, "a", -2, "b")]), Cell([(-1, "a", -2, "b")] * 2)], "of equally many blocks, and these are of 1, 2"),
        ([], "one or more, of equally many blocks, and these are none"),
        ([Cell([(-1, "a", -2, "b")]), 5], "cell 1: a cell must be a list of blocks, not 5"),
        ([[[5, "a", -1, "a"]]], "cell 0: block 0 reads input 5"),
        ([[]], "cell 0: a cell needs at least one block"),
        ([Cell([(-1, "a", -3, "b")])], "cell 0, block 0 reads input -3; in this space the farthest is -2"),
    ],
)
def test_cells_that_make_no_array_of_the_space_are_refused(cells: list[Cell], message: str) -> None:
    with pytest.raises(SearchSpaceError, match=re.escape(message)):
        CellSpace(("a", "b")).to_array(cells)


BAD_ARRAYS = [
    ([[-1, 0, -1, 0]], "cells must be integers of shape (N, n_blocks, 4), not int64 of shape (1, 4)"),
    ([[[-1, 0, -1]]], "not int64 of shape (1, 1, 3)"),
    ([[[-1, 0, -1, 0]], [[-1, 0, -1, 0]] * 2], "cells must be integers of shape (N, n_blocks, 4): setting an array"),
    (np.array([[[2**64 - 1, 0, 0, 0]]], dtype=np.uint64), "that 64 bits with a sign hold, not 18446744073709551615"),
    (np.array([[[-1, 0, -2, 1]]]).astype("m8[s]"), "not timedelta64[s] of shape (1, 1, 4)"),
    ([[[-1, 2**32, -1, 0]]], "cell 0, block 0 is [-1, 4294967296, -1, 0]"),
    (np.array([[[True] * 4]]), "not bool of shape (1, 1, 4)"),
    ([Cell([(-1, "identity", -1, "identity")]), [[7, "identity", -1, "identity"]]], "cell 1: block 0 reads input 7"),
    (Cell([(-1, "identity", -1, "identity")]), "for this one give [cell]: identity@-1+identity@-1"),
    ([[[-1.0, 0.0, -1.0, 0.0]]], "not float64 of shape (1, 1, 4)"),
    (np.empty((3, 0, 4), dtype=np.int64), "a cell needs at least one block, and these have none"),
    ([[[-1, 0, -1, 0]], [[-1, 0, 0, 0]]], "cell 1, block 0 is [-1, 0, 0, 0]; expected inputs from -2 to -1"),
    ([[[-1, 0, -1, 0], [2, 0, 0, 0]]], "cell 0, block 1 is [2, 0, 0, 0]; expected inputs from -2 to 0"),
    ([[[-3, 0, -1, 0]]], "cell 0, block 0 is [-3, 0, -1, 0]"),
    ([[[-1, 8, -1, 0]]], "cell 0, block 0 is [-1, 8, -1, 0]; expected inputs from -2 to -1 and operations from 0 to 7"),
    ([[[-1, 0, -1, -1]]], "cell 0, block 0 is [-1, 0, -1, -1]"),
]


@pytest.mark.parametrize("method", ["expand", "encode", "canonical", "to_cells"])
@pytest.mark.parametrize(("array", "message"), BAD_ARRAYS)
def test_an_array_that_is_no_array_of_cells_is_refused(method: str, array: list[Any], message: str) -> None:
    with pytest.raises(SearchSpaceError, match=re.escape(message)):
        getattr(CellSpace(), method)(array)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([[0, 0, 1]], "token sequences must have 4 tokens for each block, and these have 3"),
        ([0, 0, 1, 0], "token sequences must be integers of shape (N, 4 * n_blocks), not int64 of shape (4,)"),
        ([[0.0, 0.0, 1.0, 0.0]], "not float64 of shape (1, 4)"),
        ([[0, 0, 2, 0]], "token 2 of sequence 0 is 2; expected 0 to 1"),
        ([[0, 0, 1, 0, 3, 0, 0, 0]], "token 4 of sequence 0 is 3; expected 0 to 2"),
        ([[0, 0, 0, 0], [0, 8, 1, 0]], "token 1 of sequence 1 is 8; expected 0 to 7"),
        ([[0, -1, 1, 0]], "token 1 of sequence 0 is -1; expected 0 to 7"),
        (np.empty((1, 0), dtype=np.int64), "token sequences must have 4 tokens for each block, and these have 0"),
    ],
)
def test_tokens_that_spell_out_no_cell_are_refused(tokens: Any, message: str) -> None:
    with pytest.raises(SearchSpaceError, match=re.escape(message)):
        CellSpace().decode(tokens)


@pytest.mark.parametrize("n_blocks", [0, -1, 1.0, "2", True])
@pytest.mark.parametrize("method", ["count", "enumerate", "sample", "vocabulary"])
def test_a_size_without_blocks_is_refused_at_once(method: str, n_blocks: Any) -> None:
    more = (3, 0) if method == "sample" else ()
    with pytest.raises(SearchSpaceError, match=f"^n_blocks must be an integer of 1 or more, not {n_blocks!r}$"):
        getattr(CellSpace(), method)(n_blocks, *more)


def test_numbers_of_numpy_are_numbers() -> None:
    space = CellSpace(n_cell_inputs=np.int64(3))  # type: ignore[arg-type]
    assert space.n_cell_inputs == 3
    assert type(space.count(np.int8(2))) is int

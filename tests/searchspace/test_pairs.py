import re
from typing import Any

import numpy as np
import pytest

from pnas_searchspace import Cell, CellPairSpace, CellSpace, SearchSpaceError

SPACE = CellPairSpace(CellSpace(("b", "a")))
NORMAL = Cell([(-1, "a", -2, "b"), (0, "a", -1, "b")])
REDUCTION = Cell([(-2, "b", -2, "b"), (-2, "a", 0, "a")])


def test_pairs_are_as_many_as_the_square_of_the_cells() -> None:
    assert CellPairSpace(CellSpace()).count(1) == 136**2
    assert SPACE.count(2, "nothing") == (16 * 36) ** 2
    assert SPACE.count(2, "commutativity") == (10 * 21) ** 2


def test_every_pair_is_equally_likely_to_be_drawn() -> None:
    space = CellPairSpace(CellSpace(("a",), 2))
    n_pairs = space.count(2)
    pairs = space.sample(2, 50 * n_pairs, np.random.default_rng(0))
    different, counts = np.unique(pairs, axis=0, return_counts=True)
    assert len(different) == n_pairs
    assert pairs.shape == (50 * n_pairs, 2, 2, 4)
    chi_square = ((counts - 50) ** 2 / 50).sum()
    assert abs(chi_square - (n_pairs - 1)) < 4 * np.sqrt(2 * (n_pairs - 1))
    assert np.array_equal(space.canonical(pairs), pairs)


def test_tokens_of_a_pair_are_those_of_the_normal_cell_and_then_of_the_reduction_cell() -> None:
    pairs = SPACE.to_array([(NORMAL, REDUCTION), (REDUCTION, NORMAL)])
    assert pairs.shape == (2, 2, 2, 4)
    normal, reduction = SPACE.cells.encode([NORMAL, REDUCTION]).tolist()
    assert SPACE.encode(pairs).tolist() == [normal + reduction, reduction + normal]


def test_tokens_decode_to_the_pairs() -> None:
    pairs = SPACE.sample(3, 20, 0)
    assert np.array_equal(SPACE.decode(SPACE.encode(pairs)), pairs)


def test_arrays_and_cells_are_the_same_pairs() -> None:
    pairs = [(NORMAL, REDUCTION), (REDUCTION, NORMAL)]
    back = SPACE.to_cells(SPACE.to_array(pairs))
    assert [tuple(map(str, pair)) for pair in back] == [tuple(map(str, pair)) for pair in pairs]
    canonical = SPACE.to_cells(SPACE.canonical(SPACE.to_array(pairs)))
    assert [tuple(cell.key for cell in pair) for pair in pairs] == [tuple(map(str, pair)) for pair in canonical]


def test_a_space_is_written_as_it_is_made() -> None:
    assert repr(SPACE) == "CellPairSpace(cells=CellSpace(operations=('b', 'a'), n_cell_inputs=2))"


@pytest.mark.parametrize(
    "pairs", [[], [(NORMAL,)], [(NORMAL, REDUCTION, NORMAL)], [NORMAL, REDUCTION], [1, 2], None, np.zeros((1, 2, 1, 4))]
)
def test_what_are_no_pairs_of_cells_is_refused(pairs: Any) -> None:
    with pytest.raises(SearchSpaceError, match="pairs must be one or more, of two cells each"):
        SPACE.to_array(pairs)


def test_where_an_array_is_taken_a_list_of_pairs_is_taken_too() -> None:
    pairs = [(NORMAL, REDUCTION), (REDUCTION, NORMAL)]
    for method in (SPACE.canonical, SPACE.encode):
        assert np.array_equal(method(pairs), method(SPACE.to_array(pairs)))


def test_a_cell_that_is_not_of_the_space_is_named_by_its_role() -> None:
    message = "reduction cell 1, block 0 applies 'c', which is not an operation of this space"
    with pytest.raises(SearchSpaceError, match=re.escape(message)):
        SPACE.to_array([(NORMAL, REDUCTION), (NORMAL, Cell([(-1, "c", -1, "a")]))])
    with pytest.raises(SearchSpaceError, match="must be of equally many blocks, and these are of 2 and 1"):
        SPACE.to_array([(NORMAL, Cell(REDUCTION[:1]))])


@pytest.mark.parametrize("cells", [None, ("a", "b"), CellSpace, SPACE])
def test_pairs_of_what_is_no_space_of_cells_are_refused(cells: Any) -> None:
    with pytest.raises(SearchSpaceError, match="a space of pairs is made of a CellSpace, not of"):
        CellPairSpace(cells)


@pytest.mark.parametrize("method", ["encode", "canonical", "to_cells"])
def test_an_array_that_is_no_array_of_pairs_is_refused(method: str) -> None:
    message = "pairs must be integers of shape (N, 2, n_blocks, 4), not int64 of shape (1, 3, 2, 4)"
    with pytest.raises(SearchSpaceError, match=re.escape(message)):
        getattr(SPACE, method)(np.full((1, 3, 2, 4), -1))
    with pytest.raises(SearchSpaceError, match=re.escape("reduction cell 0, block 0 is")):
        getattr(SPACE, method)(np.array([[[[-1, 0, -1, 0]], [[-1, 0, 0, 0]]]]))


def test_tokens_that_spell_out_no_pair_are_refused() -> None:
    with pytest.raises(SearchSpaceError, match="must have 8 tokens for each block, and these have 12"):
        SPACE.decode(np.zeros((1, 12), dtype=np.int64))
    with pytest.raises(SearchSpaceError, match="token 6 of sequence 0 is 5; expected 0 to 1"):
        SPACE.decode(np.array([[0, 0, 0, 0, 0, 0, 5, 0]]))

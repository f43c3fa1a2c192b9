from itertools import combinations_with_replacement, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pnas_searchspace._codes import Coder, first_of_each


def _all_blocks(coder: Coder) -> list[tuple[int, ...]]:
    operands = list(product(range(-coder.n_cell_inputs, coder.n_blocks - 1), range(coder.n_operations)))
    return [(*first, *second) for first, second in combinations_with_replacement(operands, 2)]


CODERS = [Coder(1, 1, 1), Coder(3, 1, 3), Coder(4, 2, 2), Coder(2, 3, 2)]


@pytest.mark.parametrize("coder", CODERS)
def test_the_last_block_is_every_block_once_with_its_operands_in_order(coder: Coder) -> None:
    codes = coder.codes(coder.last_blocks())
    cells = coder.cells(codes[None], np.arange(coder.n_operations))
    assert list(map(tuple, cells[:, 0].tolist())) == _all_blocks(coder)


@pytest.mark.parametrize("coder", CODERS)
def test_codes_are_in_the_order_of_the_blocks_and_do_not_see_swapped_operands(coder: Coder) -> None:
    blocks = np.array(_all_blocks(coder))[:, None]
    ranks = np.arange(coder.n_operations)
    codes = coder.codes(coder.operands(blocks, ranks))[0]
    assert (np.diff(codes) > 0).all()
    assert np.array_equal(coder.codes(coder.operands(blocks[:, :, [2, 3, 0, 1]], ranks))[0], codes)


def test_operations_are_ranks_inside_and_indices_outside() -> None:
    coder = Coder(2, 2, 3)
    cells = np.array([[[-2, 2, -1, 0], [-1, 1, 0, 2]]])
    ranks, by_rank = np.array([2, 0, 1]), np.array([1, 2, 0])
    operands = coder.operands(cells, ranks)
    assert operands[:, :, 0].tolist() == [[0 * 3 + 1, 1 * 3 + 2], [1 * 3 + 0, 2 * 3 + 1]]
    assert np.array_equal(coder.cells(coder.codes(operands), by_rank), cells)


@given(n_blocks=st.integers(1, 30), n_operations=st.integers(1, 60), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_packed_codes_come_back_and_sort_as_the_codes_do(n_blocks: int, n_operations: int, seed: int) -> None:
    coder = Coder(n_blocks, 2, n_operations)
    codes = np.random.default_rng(seed).integers(0, coder.n_operands**2, size=(n_blocks, 20))
    codes[: n_blocks // 2] = codes[: n_blocks // 2, :1]  # so that later words decide too
    words = coder.pack(codes)
    assert (words >= 0).all()
    assert np.array_equal(coder.unpack(words), codes)
    assert sorted(words.T.tolist()) == coder.pack(np.array(sorted(codes.T.tolist())).T).T.tolist()


def test_five_blocks_of_the_papers_space_fit_into_one_word() -> None:
    for n_blocks, n_words in ((5, 1), (6, 2)):
        coder = Coder(n_blocks, 2, 8)
        assert coder.n_words == n_words
        assert coder.pack(np.zeros((n_blocks, 3), dtype=np.int64)).shape == (n_words, 3)


@pytest.mark.parametrize("n_words", [1, 2, 3])
def test_the_first_of_each_different_column_in_order(n_words: int) -> None:
    words = np.random.default_rng(0).integers(0, 3, size=(n_words, 50))
    columns = [tuple(column) for column in words.T.tolist()]
    expected = [columns.index(column) for column in sorted(set(columns))]
    assert first_of_each(words).tolist() == expected
    assert first_of_each(words[:, :0]).tolist() == []

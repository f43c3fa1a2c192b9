import tracemalloc
from typing import Any

import numpy as np
import pytest

from pnas_searchspace import _enumeration
from pnas_searchspace._canonical_codes import canonical_codes
from pnas_searchspace._codes import Coder
from pnas_searchspace._enumeration import enumerated_codes

# One operation, or one input, is where ties are most frequent.
SIZES = [(1, 1, 5), (2, 1, 4), (1, 2, 3), (2, 2, 3), (3, 1, 3), (3, 3, 1), (2, 5, 2)]


def _all_codes(n_blocks: int, n_cell_inputs: int, n_operations: int) -> Any:
    return np.concatenate(list(enumerated_codes(Coder(n_blocks, n_cell_inputs, n_operations))), axis=1)


@pytest.mark.parametrize(("n_cell_inputs", "n_operations", "n_blocks"), SIZES)
def test_every_cell_comes_once_and_in_order(
    n_cell_inputs: int, n_operations: int, n_blocks: int, all_cells: Any
) -> None:
    coder = Coder(n_blocks, n_cell_inputs, n_operations)
    cells = coder.cells(_all_codes(n_blocks, n_cell_inputs, n_operations), np.arange(n_operations))
    expected = all_cells(n_blocks, n_cell_inputs, range(n_operations))
    assert [tuple(map(tuple, cell)) for cell in cells.tolist()] == expected


def test_every_form_is_canonical_in_a_space_of_hundreds_of_thousands_of_cells() -> None:
    coder = Coder(3, 2, 5)
    n_cells = 0
    for codes in enumerated_codes(coder):
        assert np.array_equal(canonical_codes(coder.split(codes), coder), codes)
        n_cells += codes.shape[1]
    assert n_cells == 703_560


def test_listing_holds_only_a_few_batches() -> None:
    """All cells of three blocks of the paper's space would be a gigabyte."""
    tracemalloc.start()
    batches = enumerated_codes(Coder(3, 2, 8))
    for _ in range(30):
        next(batches)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50e6


@pytest.mark.parametrize("chunk", [1, 50])
def test_batches_do_not_change_what_comes(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _all_codes(4, 1, 2)
    monkeypatch.setattr(_enumeration, "_CHUNK", chunk)
    assert np.array_equal(_all_codes(4, 1, 2), whole)


def test_the_first_cells_of_a_space_that_nobody_can_list_come_at_once() -> None:
    coder = Coder(6, 2, 8)
    first = next(enumerated_codes(coder))
    assert np.array_equal(canonical_codes(coder.split(first), coder), first)

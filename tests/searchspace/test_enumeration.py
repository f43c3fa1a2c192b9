import types
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
    return np.concatenate(list(enumerated_codes(n_blocks, n_cell_inputs, n_operations)), axis=1)


@pytest.mark.parametrize(("n_cell_inputs", "n_operations", "n_blocks"), SIZES)
def test_every_cell_comes_once_and_in_order(
    n_cell_inputs: int, n_operations: int, n_blocks: int, all_cells: Any
) -> None:
    cells = Coder(n_blocks, n_cell_inputs, n_operations).cells(_all_codes(n_blocks, n_cell_inputs, n_operations))
    expected = all_cells(n_blocks, n_cell_inputs, range(n_operations))
    assert [tuple(map(tuple, cell)) for cell in cells.tolist()] == expected


def test_every_form_is_canonical_in_a_space_of_more_than_a_million_cells() -> None:
    coder = Coder(3, 2, 5)
    for codes in enumerated_codes(3, 2, 5):
        assert np.array_equal(canonical_codes(coder.split(codes), coder), codes)


@pytest.mark.parametrize("chunk", [1, 50])
def test_batches_do_not_change_what_comes(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _all_codes(4, 1, 2)
    monkeypatch.setattr(_enumeration, "_CHUNK", chunk)
    assert np.array_equal(_all_codes(4, 1, 2), whole)


def test_the_first_cells_of_a_space_that_nobody_can_list_come_at_once() -> None:
    batches = enumerated_codes(6, 2, 8)
    assert isinstance(batches, types.GeneratorType)
    first = next(batches)
    coder = Coder(6, 2, 8)
    assert np.array_equal(canonical_codes(coder.split(first), coder), first)

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pnas_searchspace._canonical import canonical_blocks
from pnas_searchspace._codes import BlockCoder


@given(data=st.data(), n_blocks=st.integers(1, 5))
@settings(max_examples=100, deadline=None)
def test_canonical_forms_of_many_cells_are_those_of_each_cell(
    data: st.DataObject, n_blocks: int, encodings: Callable[..., Any]
) -> None:
    cells = data.draw(st.lists(encodings(n_blocks, operations=(0, 1)), min_size=1, max_size=10))
    coder = BlockCoder(n_blocks, n_cell_inputs=2, n_operations=2)
    rows = coder.unpack(coder.canonical(np.array(cells, dtype=np.int64)))
    assert rows.tolist() == [[list(block) for block in canonical_blocks(cell)] for cell in cells]


@pytest.mark.parametrize(("n_cell_inputs", "n_operations", "n_earlier"), [(1, 1, 0), (1, 3, 2), (2, 2, 3), (3, 2, 1)])
def test_every_block_that_can_follow_comes_once_with_its_operands_in_order(
    n_cell_inputs: int, n_operations: int, n_earlier: int
) -> None:
    operands = list(product(range(-n_cell_inputs, n_earlier), range(n_operations)))
    expected = [(*first, *second) for first in operands for second in operands if first <= second]
    coder = BlockCoder(n_earlier + 1, n_cell_inputs, n_operations)
    assert list(map(tuple, coder.all_blocks(n_earlier).tolist())) == expected

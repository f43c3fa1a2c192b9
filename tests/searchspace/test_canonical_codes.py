from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pnas_searchspace import _canonical_codes
from pnas_searchspace._canonical import canonical_blocks
from pnas_searchspace._canonical_codes import canonical_codes
from pnas_searchspace._codes import Coder


def _canonical(cells: Any, coder: Coder) -> list[Any]:
    operations = np.arange(coder.n_operations)
    return coder.cells(canonical_codes(coder.operands(np.array(cells), operations), coder), operations).tolist()


@given(data=st.data(), n_blocks=st.integers(1, 7))
@settings(max_examples=150, deadline=None)
def test_canonical_forms_of_many_cells_are_those_of_each_cell(
    data: st.DataObject, n_blocks: int, encodings: Callable[..., Any]
) -> None:
    cells = data.draw(st.lists(encodings(n_blocks, operations=(0, 1)), min_size=1, max_size=10))
    expected = [[list(block) for block in canonical_blocks(cell)] for cell in cells]
    assert _canonical(cells, Coder(n_blocks, 2, 2)) == expected


@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_blocks_may_come_in_any_order(data: st.DataObject, encodings: Callable[..., Any]) -> None:
    cell = data.draw(encodings(4, operations=(0, 1)))
    order = data.draw(st.permutations(range(4)))
    place = {old: new for new, old in enumerate(order)}
    shuffled = [[place.get(i, i), o, place.get(j, j), p] for i, o, j, p in (cell[old] for old in order)]
    coder = Coder(4, 2, 2)
    assert _canonical([shuffled], coder) == _canonical([cell], coder)


def test_twins_that_are_read_by_different_blocks_are_told_apart_by_what_follows() -> None:
    twins = [[-2, 0, -2, 0], [-2, 0, -2, 0]]
    cell = [*twins, [0, 1, 0, 1], [1, 0, 1, 0]]
    assert _canonical([cell], Coder(4, 2, 2)) == [[*twins, [0, 0, 0, 0], [1, 1, 1, 1]]]


def test_many_equal_blocks_that_nothing_reads_cost_no_more_than_one_order() -> None:
    cell = [[-2, 0, -1, 1]] * 14  # 14! orders
    assert _canonical([cell], Coder(14, 2, 2)) == [cell]


@pytest.mark.parametrize("n_operations", [3, 116, 118, 190_000])
def test_codes_that_need_32_or_64_bits_give_the_same_forms(n_operations: int) -> None:
    assert Coder(10, 2, 116).largest_code < 2**31 < Coder(10, 2, 118).largest_code
    assert Coder(10, 2, 190_000).largest_code < 2**63 < Coder(10, 2, 191_000).largest_code
    rng = np.random.default_rng(0)
    cells = np.array(
        [
            [
                [
                    *(
                        a
                        for _ in "12"
                        for a in (rng.integers(-2, block), rng.integers(max(0, n_operations - 3), n_operations))
                    )
                ]
                for block in range(10)
            ]
            for _ in range(200)
        ]
    )
    expected = [[list(block) for block in canonical_blocks([tuple(b) for b in cell])] for cell in cells.tolist()]
    assert _canonical(cells, Coder(10, 2, n_operations)) == expected


@pytest.mark.parametrize(("name", "value"), [("_CHUNK", 7), ("_MOST_ORDERS", 3)])
def test_chunks_do_not_change_the_forms(name: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    coder = Coder(4, 1, 1)
    cells = np.zeros((500, 4, 4), dtype=np.int64)
    for block in range(4):
        cells[:, block, 0::2] = np.random.default_rng(block).integers(-1, block, size=(500, 2))
    whole = _canonical(cells, coder)
    monkeypatch.setattr(_canonical_codes, name, value)
    assert _canonical(cells, coder) == whole

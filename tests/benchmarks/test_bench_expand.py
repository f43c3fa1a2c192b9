"""Expanding a beam: arrays against cells one by one."""

import itertools
from typing import Any

import pytest

from pnas_searchspace import Cell, CellSpace

SPACE = CellSpace()
BEAM = SPACE.one_block_cells()[::8]  # 17 cells


def with_arrays() -> int:
    return len(SPACE.expand(BEAM)[0])


def one_by_one() -> int:
    operands = list(itertools.product((-2, -1, 0), SPACE.operations))
    blocks = [(*a, *b) for a, b in itertools.combinations_with_replacement(operands, 2)]
    return len({Cell([*cell, block]) for cell in SPACE.to_cells(BEAM) for block in blocks})


@pytest.mark.benchmark(group="expand 17 one-block cells")
@pytest.mark.parametrize("way", [with_arrays, one_by_one])
def test_expand(benchmark: Any, way: Any) -> None:
    assert benchmark.pedantic(way, rounds=5, warmup_rounds=1) == with_arrays()

"""Cells as objects and as arrays of integers."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pnas_searchspace._cell import Cell
from pnas_searchspace._checks import short
from pnas_searchspace._codes import Cells
from pnas_searchspace._errors import SearchSpaceError


def to_array(cells: Iterable[Any], operations: Sequence[str], n_cell_inputs: int, what: str = "cell") -> Cells:
    """Cells of one size as an array `(N, n_blocks, 4)`, or a `SearchSpaceError` that names the cell and the block."""
    if not isinstance(cells, Iterable):
        raise SearchSpaceError(f"cells that become an array must be a list of cells, not {short(cells)}")
    rows = [_row(f"{what} {number}", cell, operations, n_cell_inputs) for number, cell in enumerate(cells)]
    sizes = sorted({len(row) for row in rows})
    if len(sizes) != 1:
        raise SearchSpaceError(
            "cells that become an array must be one or more, of equally many blocks, and these are "
            + ("none" if not rows else f"of {', '.join(map(str, sizes))}")
        )
    return np.array(rows, dtype=np.int64)


def to_cells(array: Cells, operations: Sequence[str]) -> list[Cell]:
    """An array of cells as objects."""
    return [Cell((i1, operations[o1], i2, operations[o2]) for i1, o1, i2, o2 in blocks) for blocks in array.tolist()]


def _row(where: str, given: Any, operations: Sequence[str], n_cell_inputs: int) -> list[tuple[int, int, int, int]]:
    try:
        cell = given if isinstance(given, Cell) else Cell(given)
    except SearchSpaceError as error:
        raise SearchSpaceError(f"{where}: {error}") from error
    for index, (input_1, operation_1, input_2, operation_2) in enumerate(cell):
        for operation in (operation_1, operation_2):
            if operation not in operations:
                raise SearchSpaceError(
                    f"{where}, block {index} applies {operation!r}, which is not an operation of this space; "
                    f"it has {', '.join(operations)}"
                )
        farthest = min(input_1, input_2)
        if farthest < -n_cell_inputs:
            raise SearchSpaceError(
                f"{where}, block {index} reads input {farthest}; in this space the farthest is {-n_cell_inputs}"
            )
    return [(i1, operations.index(o1), i2, operations.index(o2)) for i1, o1, i2, o2 in cell]

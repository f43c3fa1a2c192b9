"""The canonical forms of many cells at once: what `_canonical.py` does for one, with codes for blocks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pnas_searchspace._codes import Coder, Codes, Operands

_CHUNK = 1 << 14  # cells that are worked on at once, so that they stay in the processor's cache


def canonical_codes(operands: Operands, coder: Coder) -> Codes:
    """The canonical form of every cell, `(n_blocks, 2, N)` to `(n_blocks, N)`; blocks may come in any order."""
    codes = np.empty((len(operands), operands.shape[2]), dtype=np.int64)
    for start in range(0, operands.shape[2], _CHUNK):
        chunk = slice(start, start + _CHUNK)
        codes[:, chunk], tied = _greedy(operands[:, :, chunk], coder)
        ties = start + np.flatnonzero(tied)
        if len(ties):
            codes[:, ties] = _all_orders(operands[:, :, ties], coder)
    return codes


def _greedy(operands: Operands, coder: Coder) -> tuple[Codes, NDArray[np.bool_]]:
    """Put a smallest block at every place, rather one that is read; and say where there were several such."""
    n_blocks, _, n_cells = operands.shape
    labelling = _Labelling(operands, coder)
    codes = np.empty((n_blocks, n_cells), dtype=np.int64)
    tied = np.zeros(n_cells, dtype=bool)
    read = labelling.read_blocks()
    rank = np.arange(n_blocks, dtype=labelling.dtype)[:, None] + n_blocks * ~read
    for place in range(n_blocks):
        available = labelling.codes()
        code, chosen = np.divmod((available * (2 * n_blocks) + rank).min(0), 2 * n_blocks)
        tied |= np.count_nonzero((available == code) & read, axis=0) > 1
        codes[place] = code
        labelling.put(chosen % n_blocks, place)
    return codes, tied


def _all_orders(operands: Operands, coder: Coder) -> Codes:
    """The smallest codes over all orders that put a smallest block at every place, followed side by side."""
    n_blocks, _, n_cells = operands.shape
    labelling = _Labelling(operands, coder)
    read = labelling.read_blocks()
    cell = np.arange(n_cells)  # whose order it is
    codes = np.empty((n_blocks, n_cells), dtype=np.int64)
    for place in range(n_blocks):
        available = labelling.codes()
        codes[place] = np.minimum.reduceat(available.min(0), np.searchsorted(cell, np.arange(n_cells)))
        smallest = available == codes[place, cell]
        smallest_read = smallest & read[:, cell]
        first = smallest & (smallest.cumsum(0) == 1)
        order, chosen = np.nonzero(np.where(smallest_read.any(0), smallest_read, first).T)
        cell = cell[order]
        labelling.keep(order)
        labelling.put(chosen, place)
    return codes


class _Labelling:
    """Cells whose blocks get their places one after the other."""

    def __init__(self, operands: Operands, coder: Coder) -> None:
        self._coder = coder
        self._unavailable = coder.n_operands**2  # makes a code that is larger than any other
        largest = (self._unavailable * (coder.n_operands + 1) + 1) * 2 * len(operands)
        self.dtype = np.int32 if largest < 2**31 else np.int64
        self._sources, self._operations = np.divmod(operands.astype(self.dtype), coder.n_operations)
        of_a_block = self._sources >= coder.n_cell_inputs
        self._operands: NDArray[Any] = np.where(of_a_block, self._unavailable, operands).astype(self.dtype)

    def read_blocks(self) -> NDArray[np.bool_]:
        """Which blocks another one reads, `(n_blocks, N)`."""
        blocks = range(self._coder.n_cell_inputs, self._coder.n_cell_inputs + len(self._sources))
        return np.stack([(self._sources == block).any((0, 1)) for block in blocks])

    def codes(self) -> Codes:
        """The codes of the blocks that could come next; all others are larger than any code."""
        return self._coder.codes(self._operands)

    def put(self, chosen: NDArray[np.int64], place: int) -> None:
        """Put a block of every cell at a place; those that read it can read it from now on."""
        reads_it = self._sources == chosen + self._coder.n_cell_inputs
        operand = self._operations + (self._coder.n_cell_inputs + place) * self._coder.n_operations
        np.copyto(self._operands, operand, where=reads_it)
        self._operands[chosen, 0, np.arange(len(chosen))] = self._unavailable

    def keep(self, columns: NDArray[np.int64]) -> None:
        """Go on with these cells; one that comes twice goes on twice."""
        self._sources = self._sources[:, :, columns]
        self._operations = self._operations[:, :, columns]
        self._operands = self._operands[:, :, columns]

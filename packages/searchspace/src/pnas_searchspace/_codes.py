"""Canonical forms of many cells at once: every block is packed into one integer whose order is the blocks' order."""

import numpy as np
from numpy.typing import NDArray

from pnas_searchspace._block import Block
from pnas_searchspace._canonical import canonical_blocks

Cells = NDArray[np.int64]
"""Cells of one size, `(N, n_blocks, 4)`: input_1, operation_1, input_2, operation_2, the operations as integers."""

Codes = NDArray[np.int64]
"""The same cells, `(N, n_blocks)`: one integer for a block."""

_UNAVAILABLE = np.iinfo(np.int64).max


class BlockCoder:
    """Packs blocks into integers for cells of up to `n_blocks` blocks, and unpacks them.

    Operations are ranks: integers in the order of the operations' names, so that these codes sort as the blocks do.
    """

    def __init__(self, n_blocks: int, n_cell_inputs: int, n_operations: int) -> None:
        self._n_cell_inputs = n_cell_inputs
        self._n_operations = n_operations
        self._n_operands = (n_cell_inputs + n_blocks - 1) * n_operations

    def canonical(self, cells: Cells) -> Codes:
        """The canonical form of every cell, `(N, n_blocks, 4)` to `(N, n_blocks)`.

        At every place stands the smallest block that could stand there. Where several are equally small it can matter
        which comes first; those few cells are done one by one.
        """
        n_cells, n_blocks = cells.shape[:2]
        codes = np.empty((n_cells, n_blocks), dtype=np.int64)
        rows = np.arange(n_cells)
        placed = np.zeros((n_cells, n_blocks), dtype=bool)
        ambiguous = np.zeros(n_cells, dtype=bool)
        labels = np.full((n_cells, self._n_cell_inputs + n_blocks), -1)
        labels[:, : self._n_cell_inputs] = np.arange(self._n_cell_inputs)
        inputs = cells[:, :, 0::2] + self._n_cell_inputs
        for place in range(n_blocks):
            candidates = self._relabelled(inputs, cells[:, :, 1::2], labels)
            candidates[placed] = _UNAVAILABLE
            chosen = candidates.argmin(1)
            codes[:, place] = candidates[rows, chosen]
            ambiguous |= (candidates == codes[:, place, None]).sum(1) > 1
            placed[rows, chosen] = True
            labels[rows, self._n_cell_inputs + chosen] = self._n_cell_inputs + place
        for row in np.flatnonzero(ambiguous):
            codes[row] = self._canonical_row(cells[row])
        return codes

    def unpack(self, codes: Codes) -> Cells:
        """Codes `(N, n_blocks)` to blocks `(N, n_blocks, 4)`."""
        first, second = np.divmod(codes, self._n_operands)
        cells = np.stack([*np.divmod(first, self._n_operations), *np.divmod(second, self._n_operations)], axis=-1)
        cells[:, :, 0::2] -= self._n_cell_inputs
        return cells

    def all_blocks(self, n_earlier_blocks: int) -> NDArray[np.int64]:
        """Every block that can follow `n_earlier_blocks`, operands in order, `(n, 4)`."""
        n_operands = (self._n_cell_inputs + n_earlier_blocks) * self._n_operations
        first, second = np.triu_indices(n_operands)
        return self.unpack((first * self._n_operands + second)[:, None])[:, 0]

    def _relabelled(self, inputs: NDArray[np.int64], operations: NDArray[np.int64], labels: NDArray[np.int64]) -> Codes:
        """The code of every block under `labels`; a block that reads one without a label is unavailable."""
        n_cells, n_blocks = inputs.shape[:2]
        relabelled = np.take_along_axis(labels, inputs.reshape(n_cells, 2 * n_blocks), axis=1).reshape(inputs.shape)
        operands = relabelled * self._n_operations + operations
        codes: Codes = operands.min(2) * self._n_operands + operands.max(2)
        codes[(relabelled < 0).any(2)] = _UNAVAILABLE
        return codes

    def _canonical_row(self, cell: NDArray[np.int64]) -> NDArray[np.int64]:
        # Blocks of ranks sort as blocks of names do, which is all that the canonical form needs of them.
        blocks = np.array(canonical_blocks([Block(*block) for block in cell.tolist()]), dtype=np.int64)
        operands = (blocks[:, 0::2] + self._n_cell_inputs) * self._n_operations + blocks[:, 1::2]
        return operands[:, 0] * self._n_operands + operands[:, 1]

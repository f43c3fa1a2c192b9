from typing import Any

import numpy as np
from numpy.typing import NDArray

from pnas_searchspace._codes import Coder, Codes, Operands


class Labelling:
    """Cells whose blocks get their places, and so their labels, one after the other.

    An operand is as in `_codes.py` once its block has a place. Until then it is larger, so that the codes of blocks
    that cannot come yet, or have come, are larger than any other.

    Args:
        operands: of the cells, `(n_blocks, 2, N)`; blocks may come in any order.
        coder: for cells of at least that many blocks.
    """

    def __init__(self, operands: Operands, coder: Coder) -> None:
        self._coder = coder
        self._pending = coder.no_operand
        self._dtype = np.int32 if coder.largest_code < 2**31 else np.int64
        inputs = coder.n_cell_inputs * coder.n_operations
        pending = operands - inputs + self._pending
        self._operands: NDArray[Any] = np.where(operands < inputs, operands, pending).astype(self._dtype)
        sources = operands // coder.n_operations - coder.n_cell_inputs
        self.read = np.stack([(sources == block).any((0, 1)) for block in range(len(operands))])
        """Which blocks another one reads, `(n_blocks, N)`."""

    @property
    def n_cells(self) -> int:
        """How many cells there are."""
        return int(self._operands.shape[2])

    def smallest(self) -> tuple[Codes, NDArray[np.bool_]]:
        """The smallest code of a block that could come next, `(N,)`, and which blocks have it, `(n_blocks, N)`."""
        codes = self._coder.codes(self._operands)
        code = codes.min(0)
        return code, codes == code

    def put(self, chosen: NDArray[np.intp], place: int) -> None:
        """Put a block of every cell, `(N,)`, at a place; those that read it can read it from now on."""
        n_operations = self._coder.n_operations
        operations = self._operands - (self._pending + chosen * n_operations).astype(self._dtype)
        label = (self._coder.n_cell_inputs + place) * n_operations
        np.copyto(self._operands, operations + label, where=(operations >= 0) & (operations < n_operations))
        self._operands[chosen, 0, np.arange(len(chosen))] = self._pending + len(self._operands) * n_operations

    def take(self, columns: NDArray[np.intp]) -> "Labelling":
        """These cells, each as far as it is; one that comes twice goes on twice."""
        taken = object.__new__(Labelling)
        taken._coder, taken._pending, taken._dtype = self._coder, self._pending, self._dtype
        taken._operands = self._operands[:, :, columns]
        taken.read = self.read[:, columns]
        return taken

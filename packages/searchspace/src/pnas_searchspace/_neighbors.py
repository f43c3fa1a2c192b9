"""The cells that one change of an input or an operation leads to."""

import numpy as np

from pnas_searchspace._canonical_codes import canonical_codes
from pnas_searchspace._codes import Coder, Codes, Operands, first_of_each


def neighbor_codes(cell: Operands, coder: Coder) -> Codes:
    """The canonical forms of a cell's neighbours, once each and in order: `(n_blocks, 2, 1)` to `(n_blocks, N)`.

    A block may come to read any block that does not read it, directly or through others, whatever the order in which
    the cell is written. So neighbours do not depend on how it is written, and a cell is a neighbour of its neighbours.
    """
    changes = [
        (block, operand, changed)
        for block, operands in enumerate(cell[:, :, 0].tolist())
        for operand, value in enumerate(operands)
        for changed in _changes(value, _readers(cell, block, coder), coder)
    ]
    changed_cells = np.repeat(cell, len(changes), axis=2)
    for column, (block, operand, changed) in enumerate(changes):
        changed_cells[block, operand, column] = changed
    codes = canonical_codes(changed_cells, coder)
    codes = codes[:, (codes != canonical_codes(cell, coder)).any(0)]
    return codes[:, first_of_each(coder.pack(codes))]


def _readers(cell: Operands, block: int, coder: Coder) -> set[int]:
    """The sources that read a block, itself included."""
    readers = {coder.n_cell_inputs + block}
    for later in range(block + 1, len(cell)):
        if readers & set((cell[later, :, 0] // coder.n_operations).tolist()):
            readers.add(coder.n_cell_inputs + later)
    return readers


def _changes(operand: int, forbidden: set[int], coder: Coder) -> list[int]:
    source, operation = divmod(operand, coder.n_operations)
    n_sources = coder.n_cell_inputs + coder.n_blocks
    other_sources = [other for other in range(n_sources) if other != source and other not in forbidden]
    other_operations = [other for other in range(coder.n_operations) if other != operation]
    return [other * coder.n_operations + operation for other in other_sources] + [
        source * coder.n_operations + other for other in other_operations
    ]

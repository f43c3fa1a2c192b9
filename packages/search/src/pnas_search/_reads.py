"""What cells read, and what they apply to it, as numbers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pnas_searchspace import Cell, CellSpace


def read_features(space: CellSpace, cells: NDArray[np.int64] | Sequence[Cell]) -> NDArray[np.int64]:
    """What decides how many numbers a network of a cell of this size has, `(N, n_features)`.

    How often each operation is applied to each input of the cell, the farthest first, and to blocks; which inputs are
    read at all, the nearest first; and 1.

    Args:
        space: of the cells.
        cells: of one size, `(N, n_blocks, 4)`, or a list of cells of any sizes.
    """
    if not isinstance(cells, np.ndarray):
        arrays = np.empty((0, 1, 4), dtype=np.int64), *(space.to_array([cell]) for cell in cells)
        return np.concatenate([read_features(space, array) for array in arrays])
    counts = counts_by_input(space, cells)
    are_read = counts[:, -2::-1].any(axis=2)
    one = np.ones((len(cells), 1), dtype=np.int64)
    return np.concatenate([*counts.swapaxes(0, 1), are_read, one], axis=1, dtype=np.int64)


def counts_by_input(space: CellSpace, cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often operations are applied in cells `(N, n_blocks, 4)`, `(N, n_cell_inputs + 1, n_operations)`.

    The farthest input of the cell comes first, and all blocks together last.
    """
    shape = len(cells), space.n_cell_inputs + 1, len(space.operations)
    operands = cells.reshape(len(cells), 2 * cells.shape[1], 2)
    reads = np.minimum(operands[:, :, 0], 0) + space.n_cell_inputs
    rows = np.arange(len(cells))[:, None]
    places = (rows * shape[1] + reads) * shape[2] + operands[:, :, 1]
    return np.bincount(places.ravel(), minlength=int(np.prod(shape))).reshape(shape)

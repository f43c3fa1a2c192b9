"""What a cell's accuracy may depend on, as numbers: what its blocks apply, what they read, and how deep it is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pnas_searchspace import Cell, CellSpace


def cell_features(space: CellSpace, cells: Sequence[Cell]) -> NDArray[np.float32]:
    """Features of cells of any sizes, `(N, n_features)`; equal cells have equal ones, however they are encoded.

    They are the number of blocks; how deep they are; how many nobody reads, and how many add two results of one input;
    how often each operation is applied to each input of the cell and to blocks; how often each two operations are
    added; and how deep each operation is applied, at most and at least.
    """
    return np.array([_features(space, space.to_array([cell])[0]) for cell in cells], dtype=np.float32)


def read_features(space: CellSpace, cells: Sequence[Cell]) -> NDArray[np.int64]:
    """What decides how many numbers a network of a cell of this size has, `(N, n_features)`.

    How often each operation is applied to each input of the cell and to blocks; which inputs are read at all; and 1.
    """
    arrays = [space.to_array([cell])[0] for cell in cells]
    counts = [_counts_by_input(space, array).ravel() for array in arrays]
    are_read = [[int((array[:, ::2] == -1 - i).any()) for i in range(space.n_cell_inputs)] for array in arrays]
    return np.concatenate([counts, are_read, np.ones((len(cells), 1))], axis=1).astype(np.int64)


def _counts_by_input(space: CellSpace, blocks: NDArray[np.int64]) -> NDArray[np.int64]:
    """`(n_cell_inputs + 1, n_operations)`: the farthest input of the cell first, and all blocks together last."""
    counts = np.zeros((space.n_cell_inputs + 1, len(space.operations)), dtype=np.int64)
    for read, operation in blocks.reshape(-1, 2):
        counts[min(read, 0) + space.n_cell_inputs, operation] += 1
    return counts


def _features(space: CellSpace, blocks: NDArray[np.int64]) -> list[float]:
    n_operations = len(space.operations)
    pairs = np.zeros((n_operations, n_operations))
    deepest, shallowest = np.zeros(n_operations), np.full(n_operations, len(blocks) + 1)
    depths: list[int] = []
    for first, first_operation, second, second_operation in blocks.tolist():
        pairs[min(first_operation, second_operation), max(first_operation, second_operation)] += 1
        below = [depths[read] if read >= 0 else 0 for read in (first, second)]
        for depth, operation in zip(below, (first_operation, second_operation), strict=True):
            deepest[operation] = max(deepest[operation], depth + 1)
            shallowest[operation] = min(shallowest[operation], depth + 1)
        depths.append(1 + max(below))
    inputs = blocks[:, ::2]
    return [
        len(blocks),
        max(depths),
        sum(depths),
        len(blocks) - len(np.unique(inputs[inputs >= 0])),
        int((inputs[:, 0] == inputs[:, 1]).sum()),
        *_counts_by_input(space, blocks).ravel(),
        *pairs[np.triu_indices(n_operations)],
        *deepest,
        *shallowest,
    ]

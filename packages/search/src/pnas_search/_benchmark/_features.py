"""What a cell's accuracy may depend on, as numbers: what its blocks apply, what they read, and how deep it is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pnas_search._reads import counts_by_input
from pnas_searchspace import Cell, CellSpace


def cell_features(space: CellSpace, cells: Sequence[Cell]) -> NDArray[np.float32]:
    """Features of cells of any sizes, `(N, n_features)`; equal cells have equal ones, however they are encoded.

    They are the number of blocks; how deep they are; how many nobody reads, and how many add two results of one input;
    how often each operation is applied to each input of the cell and to blocks; how often each two operations are
    added; and how deep each operation is applied, at most and at least.
    """
    return np.array([_features(space, space.to_array([cell])[0]) for cell in cells], dtype=np.float32)


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
        *counts_by_input(space, blocks[None]).ravel(),
        *pairs[np.triu_indices(n_operations)],
        *deepest,
        *shallowest,
    ]

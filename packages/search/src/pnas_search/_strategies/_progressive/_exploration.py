from collections.abc import Iterable
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from pnas_searchspace import Cell, CellSpace


class Exploration:
    """How often every pair of an operation and an input was trained, for cells of up to a size."""

    def __init__(self, space: CellSpace, n_blocks: int) -> None:
        self._space = space
        self._n_pairs = (space.n_cell_inputs + n_blocks - 1) * len(space.operations)
        self._counts = np.zeros(self._n_pairs, dtype=np.int64)

    def count(self, cells: NDArray[np.int64]) -> None:
        """Count the pairs of cells `(N, n_blocks, 4)` as trained."""
        self._counts += np.bincount(self._pairs(cells).reshape(-1), minlength=self._n_pairs)

    def count_cells(self, cells: Iterable[Cell]) -> None:
        """Count the pairs of cells of any sizes as trained."""
        for _, same_size in groupby(sorted(cells, key=len), key=len):
            self.count(self._space.to_array(same_size))

    def pick(self, cells: NDArray[np.int64], size: int) -> NDArray[np.int64]:
        """Which of cells, `(N, n_blocks, 4)`, best first, to try: `size` indices, in order, or all there are.

        One after the other, the first of the cells that have a pair that was trained least often, among the pairs that
        are left; its pairs then count as trained.
        """
        pairs = self._pairs(cells)
        has_pair = np.zeros((self._n_pairs, len(cells)), dtype=np.bool_)
        has_pair[pairs.T, np.arange(len(cells))] = True
        picked = np.empty(min(size, len(cells)), dtype=np.int64)
        for turn in range(len(picked)):
            left = has_pair.any(axis=1)
            rarest = left & (self._counts == self._counts[left].min())
            picked[turn] = place = int(has_pair[rarest].any(axis=0).argmax())
            self.count(cells[place, None])
            has_pair[:, place] = False
        return picked

    def _pairs(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """The pairs of every cell, as integers, `(N, 2 * n_blocks)`."""
        inputs, operations = cells[:, :, 0::2] + self._space.n_cell_inputs, cells[:, :, 1::2]
        pairs: NDArray[np.int64] = inputs * len(self._space.operations) + operations
        return pairs.reshape(len(cells), 2 * cells.shape[1])

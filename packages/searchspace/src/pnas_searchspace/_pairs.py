from collections.abc import Sequence
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pnas_searchspace._cell import Cell
from pnas_searchspace._checks import check_cells, checked_count, checked_integers
from pnas_searchspace._counting import Symmetry
from pnas_searchspace._errors import SearchSpaceError
from pnas_searchspace._space import CellSpace
from pnas_searchspace._tokens import from_tokens, to_tokens

Pairs = NDArray[np.int64]
"""Pairs of cells of one size, `(N, 2, n_blocks, 4)`: the normal cell and the reduction cell."""


class CellPairSpace:
    """All pairs of a normal cell and a reduction cell, as NASNet and AmoebaNet search for (Zoph et al., 2018).

    Both cells are of one space and of one size. Many pairs travel as one int64 array `(N, 2, n_blocks, 4)`, the normal
    cell first; each half of it is an array of cells as `CellSpace` has them.

    Args:
        cells: the space of either cell.
    """

    def __init__(self, cells: CellSpace) -> None:
        self.cells = cells

    def __repr__(self) -> str:
        return f"CellPairSpace({self.cells})"

    def count(self, n_blocks: SupportsIndex, up_to: Symmetry = "isomorphism") -> int:
        """How many pairs of cells of a size there are, exactly; as `CellSpace.count`."""
        return self.cells.count(n_blocks, up_to) ** 2

    def sample(self, n_blocks: SupportsIndex, size: SupportsIndex, rng: np.random.Generator | int | None) -> Pairs:
        """Pairs drawn independently, each being equally likely up to isomorphism, `(size, 2, n_blocks, 4)`."""
        n_pairs = checked_count("size", size, 0)
        cells = self.cells.sample(n_blocks, 2 * n_pairs, rng)
        return cells.reshape(n_pairs, 2, *cells.shape[1:])

    def canonical(self, pairs: ArrayLike) -> Pairs:
        """The pairs `(N, 2, n_blocks, 4)` with both cells in canonical form."""
        array = self._checked(pairs)
        return self.cells.canonical(_one_by_one(array)).reshape(array.shape)

    def encode(self, pairs: ArrayLike) -> NDArray[np.int64]:
        """The canonical forms of pairs as token sequences `(N, 8 * n_blocks)`: the normal cell's, the reduction cell's.

        The tokens are those of `CellSpace.encode`, and so is the vocabulary.
        """
        array = self.canonical(pairs)
        return to_tokens(_one_by_one(array), self.cells.n_cell_inputs).reshape(len(array), 8 * array.shape[2])

    def decode(self, tokens: ArrayLike) -> Pairs:
        """The pairs `(N, 2, n_blocks, 4)` that token sequences `(N, 8 * n_blocks)` spell out."""
        sequences = checked_integers("token sequences", tokens, ("N", "8 * n_blocks"))
        if sequences.shape[1] % 8:
            raise SearchSpaceError(
                f"a pair's token sequence has 8 tokens for a block, and these have {sequences.shape[1]}"
            )
        n_pairs, length = sequences.shape
        cells = from_tokens(sequences.reshape(2 * n_pairs, length // 2), self.cells.n_cell_inputs)
        return self._checked(cells.reshape(n_pairs, 2, *cells.shape[1:]))

    def to_array(self, pairs: Sequence[tuple[Cell, Cell]]) -> Pairs:
        """Pairs of cells of one size as an array `(N, 2, n_blocks, 4)`, encoded as they are."""
        if not pairs or any(isinstance(pair, Cell) or len(pair) != 2 for pair in pairs):
            raise SearchSpaceError("pairs must be one or more, of two cells each")
        cells = self.cells.to_array(cell for pair in pairs for cell in pair)
        return cells.reshape(len(pairs), 2, *cells.shape[1:])

    def to_cells(self, pairs: ArrayLike) -> list[tuple[Cell, Cell]]:
        """An array `(N, 2, n_blocks, 4)` as pairs of cells, encoded as they are."""
        cells = self.cells.to_cells(_one_by_one(self._checked(pairs)))
        return list(zip(cells[0::2], cells[1::2], strict=True))

    def _checked(self, pairs: ArrayLike) -> Pairs:
        array = checked_integers("pairs", pairs, ("N", 2, "n_blocks", 4))
        for half, what in enumerate(("normal cell", "reduction cell")):
            check_cells(array[:, half], self.cells.n_cell_inputs, len(self.cells.operations), what)
        return array


def _one_by_one(pairs: Pairs) -> NDArray[np.int64]:
    return pairs.reshape(2 * len(pairs), *pairs.shape[2:])

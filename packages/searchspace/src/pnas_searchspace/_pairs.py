from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pnas_searchspace._arrays import to_array
from pnas_searchspace._cell import Cell
from pnas_searchspace._checks import LARGEST_SAMPLE, check_cells, checked_count, checked_integers, short
from pnas_searchspace._counting import Symmetry
from pnas_searchspace._errors import SearchSpaceError
from pnas_searchspace._space import CellSpace
from pnas_searchspace._tokens import from_tokens

Pairs = NDArray[np.int64]
"""Pairs of cells of one size, `(N, 2, n_blocks, 4)`: the normal cell and the reduction cell."""

_ROLES = ("normal cell", "reduction cell")


@dataclass(frozen=True)
class CellPairSpace:
    """All pairs of a normal and a reduction cell, as NASNet and AmoebaNet have (Zoph et al., 2018; Real et al., 2019).

    Both cells are of one space and of one size. Many pairs travel as one int64 array `(N, 2, n_blocks, 4)`, the normal
    cell first; each half of it is an array of cells as `CellSpace` has them. Where a method takes such an array, it
    also takes a list of pairs of `Cell`.

    Args:
        cells: the space of either cell.

    Raises:
        SearchSpaceError: `cells` is no `CellSpace`. Every method raises it for what are no pairs of its cells.
    """

    cells: CellSpace

    def __post_init__(self) -> None:
        if not isinstance(self.cells, CellSpace):
            raise SearchSpaceError(f"a space of pairs is made of a CellSpace, not of {short(self.cells)}")

    def count(self, n_blocks: SupportsIndex, up_to: Symmetry = "isomorphism") -> int:
        """How many pairs of cells of a size there are, exactly; as `CellSpace.count`."""
        return self.cells.count(n_blocks, up_to) ** 2

    def sample(self, n_blocks: SupportsIndex, size: SupportsIndex, rng: np.random.Generator | int | None) -> Pairs:
        """Pairs drawn independently, each being equally likely up to isomorphism, `(size, 2, n_blocks, 4)`."""
        n_pairs = checked_count("size", size, 0, LARGEST_SAMPLE // 2)
        return _in_pairs(self.cells.sample(n_blocks, 2 * n_pairs, rng))

    def canonical(self, pairs: ArrayLike | Sequence[tuple[Cell, Cell]]) -> Pairs:
        """The pairs `(N, 2, n_blocks, 4)` with both cells in canonical form."""
        return _in_pairs(self.cells.canonical(_one_by_one(self._checked(pairs))))

    def encode(self, pairs: ArrayLike | Sequence[tuple[Cell, Cell]]) -> NDArray[np.int64]:
        """The token sequences `(N, 8 * n_blocks)` of pairs: the normal cell's, and then the reduction cell's.

        The tokens are those of `CellSpace.encode`, and so is the vocabulary.
        """
        array = self._checked(pairs)
        return self.cells.encode(_one_by_one(array)).reshape(len(array), 8 * array.shape[2])

    def decode(self, tokens: ArrayLike) -> Pairs:
        """The pairs `(N, 2, n_blocks, 4)` that token sequences `(N, 8 * n_blocks)` spell out."""
        return _in_pairs(from_tokens(tokens, self.cells.n_cell_inputs, len(self.cells.operations), cells_in_one=2))

    def to_array(self, pairs: Sequence[tuple[Cell, Cell]]) -> Pairs:
        """Pairs of cells of one size as an array `(N, 2, n_blocks, 4)`, encoded as they are."""
        if not isinstance(pairs, Sequence) or not pairs or not all(map(_is_pair, pairs)):
            raise SearchSpaceError("pairs must be one or more, of two cells each, the normal cell first")
        halves = [
            to_array([pair[half] for pair in pairs], self.cells.operations, self.cells.n_cell_inputs, role)
            for half, role in enumerate(_ROLES)
        ]
        if halves[0].shape != halves[1].shape:
            sizes = " and ".join(str(half.shape[1]) for half in halves)
            raise SearchSpaceError(f"both cells of a pair must be of equally many blocks, and these are of {sizes}")
        return np.stack(halves, axis=1)

    def to_cells(self, pairs: ArrayLike) -> list[tuple[Cell, Cell]]:
        """An array `(N, 2, n_blocks, 4)` as pairs of cells, encoded as they are."""
        cells = self.cells.to_cells(_one_by_one(self._checked(pairs)))
        return list(zip(cells[0::2], cells[1::2], strict=True))

    def _checked(self, pairs: Any) -> Pairs:
        if isinstance(pairs, Sequence) and any(map(_is_pair, pairs)):
            return self.to_array(pairs)
        array = checked_integers("pairs", pairs, ("N", 2, "n_blocks", 4))
        for half, role in enumerate(_ROLES):
            check_cells(array[:, half], self.cells.n_cell_inputs, len(self.cells.operations), role)
        return array


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, Sequence) and len(pair) == 2 and all(isinstance(cell, Cell) for cell in pair)


def _one_by_one(pairs: Pairs) -> NDArray[np.int64]:
    return pairs.reshape(2 * len(pairs), *pairs.shape[2:])


def _in_pairs(cells: NDArray[np.int64]) -> Pairs:
    return cells.reshape(len(cells) // 2, 2, *cells.shape[1:])

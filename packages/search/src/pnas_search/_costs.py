from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pnas_search._errors import SearchError
from pnas_search._reads import read_features
from pnas_searchspace import Cell, CellSpace

Solver = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]

_DRAWS_PER_COLUMN = 8


def least_squares(X: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shortest of the solutions `(M,)` that come nearest to `X @ solution = y`, for `(N, M)` and `(N,)`."""
    return np.asarray(np.linalg.lstsq(X, y, rcond=None)[0], dtype=np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearCosts:
    """Costs of cells that are linear in `read_features`, such as the parameters and multiply-adds of their networks.

    Attributes:
        space: of the cells.
        coefficients: float64 `(B, n_costs, n_features)`, for cells of 1 to B blocks.

    Raises:
        SearchError: there are coefficients for another number of features.
    """

    space: CellSpace
    coefficients: NDArray[np.float64]

    def __post_init__(self) -> None:
        n_features = _n_own(self.space) * (len(self.space.operations) + 1)
        if self.coefficients.ndim != 3 or self.coefficients.shape[2] != n_features:
            raise SearchError(
                f"the coefficients of costs must be of shape (B, n_costs, {n_features}) in this space, "
                f"not {self.coefficients.shape}"
            )

    def __call__(self, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """The costs of cells `(N, n_blocks, 4)`, `(N, n_costs)`.

        Raises:
            SearchError: they have more than B blocks.
        """
        n_blocks = cells.shape[1]
        if n_blocks > len(self.coefficients):
            raise SearchError(
                f"costs are known of cells of 1 to {len(self.coefficients)} blocks, and these have {n_blocks}: "
                "fit costs to cells as large as those"
            )
        features = read_features(self.space, cells)
        costs = np.empty((len(cells), self.coefficients.shape[1]))
        # No product of matrices: it may round a cell's costs differently with other cells beside it.
        for index, row in enumerate(self.coefficients[n_blocks - 1]):
            costs[:, index] = (features * row).sum(axis=1)
        return costs

    def over(self, space: CellSpace) -> Self:
        """The same costs of the cells of a space that has some of the operations, in any order.

        Raises:
            SearchError: the space has another operation, or other inputs.
        """
        here = self.space.operations
        if space.n_cell_inputs != self.space.n_cell_inputs or not set(space.operations) <= set(here):
            raise SearchError(
                f"costs are known of cells that read {self.space.n_cell_inputs} earlier ones with {', '.join(here)}, "
                f"and not of those that read {space.n_cell_inputs} with {', '.join(space.operations)}"
            )
        n_own = _n_own(self.space)
        counts, own = np.split(self.coefficients, [self.coefficients.shape[2] - n_own], axis=2)
        by_input = counts.reshape(*counts.shape[:2], n_own, len(here))
        kept = by_input[..., [here.index(name) for name in space.operations]].reshape(*counts.shape[:2], -1)
        return type(self)(space=space, coefficients=np.concatenate([kept, own], axis=2))

    @classmethod
    def fit(cls, space: CellSpace, cells: Sequence[Cell], costs: ArrayLike, *, solver: Solver = least_squares) -> Self:
        """The costs of all cells up to the size of the largest of some that were measured.

        What an operation costs is taken to be the same in cells of all sizes: all that it reads has as many channels.
        What it costs to read an input of the cell at all, and the rest, is each size's own.

        Args:
            space: of the cells.
            cells: that were measured, of all sizes from 1 on; those of `spanning_cells` are enough.
            costs: theirs, `(N, n_costs)`.
            solver: gives a solution `(M,)` of `X @ solution = y`, for `X` `(N, M)` and `y` `(N,)`.

        Raises:
            SearchError: the costs of other cells do not follow from these.
        """
        n_blocks = max(map(len, cells), default=1)
        X = _design(space, cells, n_blocks)
        rank = _rank(np.concatenate([X, _design(space, _draws(space, n_blocks), n_blocks)]))
        if _rank(X) < rank:
            raise SearchError(
                f"the costs of cells of 1 to {n_blocks} blocks follow from those of {rank} that differ enough, and not "
                f"from those of these {len(cells)} cells: measure what LinearCosts.spanning_cells gives"
            )
        solutions = np.stack([solver(X, y) for y in np.asarray(costs, dtype=np.float64).T])
        shared, own = np.split(solutions, [X.shape[1] - n_blocks * _n_own(space)], axis=1)
        by_size = np.split(own, n_blocks, axis=1)
        return cls(space=space, coefficients=np.stack([np.concatenate([shared, of_size], 1) for of_size in by_size]))

    @staticmethod
    def spanning_cells(space: CellSpace, n_blocks: int) -> list[Cell]:
        """As few cells of 1 to `n_blocks` blocks as the costs of all others follow from, and as small ones."""
        draws = _draws(space, n_blocks)
        return [draws[row] for row in _independent_rows(_design(space, draws, n_blocks))]


def _design(space: CellSpace, cells: Sequence[Cell], n_blocks: int) -> NDArray[np.float64]:
    """The features of cells of up to `n_blocks` blocks, where all but the counts of operations have a place by size."""
    features = read_features(space, cells)
    counts, own = np.split(features, [features.shape[1] - _n_own(space)], axis=1)
    by_size = np.zeros((len(cells), n_blocks, _n_own(space)))
    by_size[np.arange(len(cells)), [len(cell) - 1 for cell in cells]] = own
    return np.concatenate([counts, *by_size.swapaxes(0, 1)], axis=1)


def _n_own(space: CellSpace) -> int:
    """How many features have another coefficient for every size: which inputs are read, and 1."""
    return space.n_cell_inputs + 1


def _draws(space: CellSpace, n_blocks: int) -> list[Cell]:
    """Cells of 1 to `n_blocks` blocks, the smallest first, so many that no further one would tell more."""
    size = _DRAWS_PER_COLUMN * _n_own(space) * (len(space.operations) + n_blocks)
    larger = (space.to_cells(space.sample(n, size, 0)) for n in range(2, n_blocks + 1))
    return list(chain(space.to_cells(space.one_block_cells()), *larger))


def _rank(X: NDArray[np.float64]) -> int:
    return int(np.linalg.matrix_rank(X))


def _independent_rows(X: NDArray[np.float64]) -> list[int]:
    """The indices of rows that all others are sums of multiples of, the first that are."""
    left, chosen = X.copy(), list[int]()
    while True:
        lengths = np.linalg.norm(left, axis=1)
        further = np.flatnonzero(lengths > 1e-6)  # what is left of whole numbers is 0, or far from it
        if not len(further):
            return chosen
        chosen.append(int(further[0]))
        direction = left[further[0]] / lengths[further[0]]
        left -= np.outer(left @ direction, direction)

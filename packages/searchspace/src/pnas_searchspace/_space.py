from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pnas_searchspace._cell import Cell, check_operation_name
from pnas_searchspace._codes import BlockCoder, Cells
from pnas_searchspace._errors import SearchSpaceError
from pnas_searchspace._operations import PNAS_OPERATIONS


class CellSpace:
    """All cells over a choice of operations (section 3.1 of the paper).

    Many cells travel as one int64 array `(N, n_blocks, 4)` with the columns input_1, operation 1, input_2, operation 2:
    inputs as in `Cell`, an operation as its index in `operations`.

    Args:
        operations: names, in the order that gives them their indices.
        n_cell_inputs: how many earlier cells a cell reads: 2 are the previous one (-1) and the one before it (-2).

    Raises:
        SearchSpaceError: there is no operation, one appears twice, or there is no input.
    """

    def __init__(self, operations: Sequence[str] = PNAS_OPERATIONS, n_cell_inputs: int = 2) -> None:
        self.operations = tuple(operations)
        self.n_cell_inputs = n_cell_inputs
        if isinstance(operations, str) or not self.operations or len(set(self.operations)) < len(self.operations):
            raise SearchSpaceError(f"operations must be one or more different names, not {operations!r}")
        for name in self.operations:
            check_operation_name(name, "the space")
        if n_cell_inputs < 1:
            raise SearchSpaceError(f"n_cell_inputs must be 1 or more, not {n_cell_inputs!r}")
        # Canonical forms compare operations by name, so that a cell's does not depend on the space it is in.
        self._by_rank = np.argsort(np.array(self.operations))
        self._rank = np.argsort(self._by_rank)

    def __repr__(self) -> str:
        return f"CellSpace(operations={self.operations}, n_cell_inputs={self.n_cell_inputs})"

    def one_block_cells(self) -> Cells:
        """All cells of one block, once each up to isomorphism, canonical, `(N, 1, 4)`: 136 for the paper's space."""
        return self.expand(np.empty((1, 0, 4), dtype=np.int64))[0]

    def expand(self, cells: ArrayLike) -> tuple[Cells, NDArray[np.int64]]:
        """All cells that come of a beam by adding one block, once each up to isomorphism.

        Args:
            cells: the beam, `(N, n_blocks, 4)`.

        Returns:
            The children, `(M, n_blocks + 1, 4)`, canonical and in order of their canonical forms; and for each the
            index of a parent in the beam, `(M,)`. A child's canonical form need not begin with its parent's blocks.

        Raises:
            SearchSpaceError: the array is no array of cells of this space.
        """
        beam = self._checked(cells)
        n_blocks = beam.shape[1]
        coder = BlockCoder(n_blocks + 1, self.n_cell_inputs, len(self.operations))
        ranked = beam.copy()
        ranked[:, :, 1::2] = self._rank[beam[:, :, 1::2]]
        blocks = coder.all_blocks(n_blocks)
        raw = np.empty((len(beam), len(blocks), n_blocks + 1, 4), dtype=np.int64)
        raw[:, :, :n_blocks] = ranked[:, None]
        raw[:, :, n_blocks] = blocks
        codes = coder.canonical(raw.reshape(-1, n_blocks + 1, 4))
        unique, first = np.unique(codes, axis=0, return_index=True)
        children = coder.unpack(unique)
        children[:, :, 1::2] = self._by_rank[children[:, :, 1::2]]
        return children, first // len(blocks)

    def encode(self, cells: ArrayLike) -> NDArray[np.int64]:
        """Cells `(N, n_blocks, 4)` to token sequences `(N, 4 * n_blocks)`, in the order I1 O1 I2 O2 of every block.

        An input's token counts from the farthest input of the cell on, so that -2 is 0; an operation's is its index.
        """
        tokens = self._checked(cells).copy()
        tokens[:, :, 0::2] += self.n_cell_inputs
        return tokens.reshape(len(tokens), 4 * tokens.shape[1])

    def vocabulary(self, n_blocks: int) -> dict[str, int]:
        """How many tokens of each kind `encode` uses for cells of up to `n_blocks` blocks."""
        return {"input": self.n_cell_inputs + n_blocks - 1, "operation": len(self.operations)}

    def to_array(self, cells: Iterable[Cell]) -> Cells:
        """Cells of one size as an array `(N, n_blocks, 4)`, encoded as they are.

        Raises:
            SearchSpaceError: an operation is not of this space, the sizes differ, or there is no cell.
        """
        index = {name: number for number, name in enumerate(self.operations)}
        try:
            rows = [[(b[0], index[b[1]], b[2], index[b[3]]) for b in cell] for cell in cells]
        except KeyError as error:
            raise SearchSpaceError(
                f"the operation {error.args[0]!r} is not in this space; it has {', '.join(self.operations)}"
            ) from error
        if len({len(row) for row in rows}) != 1:
            raise SearchSpaceError("cells that become an array must be one or more of equally many blocks")
        return self._checked(rows)

    def to_cells(self, cells: ArrayLike) -> list[Cell]:
        """An array `(N, n_blocks, 4)` as cells, encoded as they are."""
        names = self.operations
        return [
            Cell((i1, names[o1], i2, names[o2]) for i1, o1, i2, o2 in rows) for rows in self._checked(cells).tolist()
        ]

    def _checked(self, cells: ArrayLike) -> Cells:
        array = np.asarray(cells)
        if array.ndim != 3 or array.shape[2] != 4 or not np.issubdtype(array.dtype, np.integer):
            raise SearchSpaceError(
                f"cells must be integers of shape (N, n_blocks, 4), not {array.dtype} of shape {array.shape}"
            )
        earlier = np.arange(array.shape[1])[:, None]
        valid = np.concatenate(
            [
                (array[:, :, 0::2] >= -self.n_cell_inputs) & (array[:, :, 0::2] < earlier),
                (array[:, :, 1::2] >= 0) & (array[:, :, 1::2] < len(self.operations)),
            ],
            axis=2,
        )
        if not valid.all():
            row, block, _ = np.argwhere(~valid)[0]
            raise SearchSpaceError(
                f"cell {row}, block {block} is {array[row, block].tolist()}; "
                f"expected inputs from {-self.n_cell_inputs} to {block - 1} "
                f"and operations from 0 to {len(self.operations) - 1}"
            )
        return array.astype(np.int64, copy=False)

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pnas_searchspace._block import check_operation_name
from pnas_searchspace._canonical_codes import canonical_codes
from pnas_searchspace._cell import Cell
from pnas_searchspace._checks import check_cells, checked_count, checked_integers
from pnas_searchspace._codes import Cells, Coder, Codes, Operands
from pnas_searchspace._counting import Symmetry, count_cells
from pnas_searchspace._enumeration import enumerated_codes
from pnas_searchspace._errors import SearchSpaceError
from pnas_searchspace._expansion import expanded_codes
from pnas_searchspace._neighbors import neighbor_codes
from pnas_searchspace._operations import PNAS_OPERATIONS
from pnas_searchspace._sampling import sampled_operands
from pnas_searchspace._tokens import from_tokens, to_tokens


class CellSpace:
    """All cells over a choice of operations (section 3.1 of the paper).

    Many cells travel as one int64 array `(N, n_blocks, 4)` with the columns input_1, operation 1, input_2, operation 2:
    inputs as in `Cell`, an operation as its index in `operations`. Where a method takes such an array, it also takes a
    list of `Cell`; `to_cells` makes one of an array. Cells that differ by swapping operands and relabelling blocks are
    one cell, and every array that a method returns is in canonical form, but for those of `to_array` and `decode`.

    Args:
        operations: names, in the order that gives them their indices.
        n_cell_inputs: how many earlier cells a cell reads: 2 are the previous one (-1) and the one before it (-2).

    Raises:
        SearchSpaceError: there is no operation, one appears twice or is no name, or there is no input. Every method
            raises it for cells that are not of this space, and for numbers that are out of range.
    """

    def __init__(self, operations: Sequence[str] = PNAS_OPERATIONS, n_cell_inputs: int = 2) -> None:
        if isinstance(operations, str) or not operations or len(set(operations)) < len(operations):
            raise SearchSpaceError(f"operations must be one or more different names, not {operations!r}")
        self.operations = tuple(check_operation_name(name) for name in operations)
        self.n_cell_inputs = checked_count("n_cell_inputs", n_cell_inputs, 1)
        # Canonical forms compare operations by name, so that a cell's does not depend on the space it is in.
        self._by_rank = np.argsort(np.array(self.operations))
        self._rank = np.argsort(self._by_rank)

    def __repr__(self) -> str:
        return f"CellSpace(operations={self.operations}, n_cell_inputs={self.n_cell_inputs})"

    def count(self, n_blocks: SupportsIndex, up_to: Symmetry = "isomorphism") -> int:
        """How many cells of a size there are, exactly, from a formula.

        Args:
            n_blocks: the size of the cells.
            up_to: "nothing" counts encodings, with the operands of a block in order; "commutativity" counts those that
                differ by swapping operands once; "isomorphism" those that differ by relabelling blocks too, so that it
                counts networks.
        """
        size = checked_count("n_blocks", n_blocks, 1)
        return count_cells(size, self.n_cell_inputs, len(self.operations), up_to)

    def enumerate(self, n_blocks: SupportsIndex) -> Iterator[Cells]:
        """All cells of a size, once each, in order of their canonical forms, in batches `(N, n_blocks, 4)`.

        A batch is made when it is asked for, and only a few are in memory at once; they differ in length.
        """
        size = checked_count("n_blocks", n_blocks, 1)
        coder = self._coder(size)
        batches = enumerated_codes(size, self.n_cell_inputs, len(self.operations))
        return (self._cells(codes, coder) for codes in batches)

    def one_block_cells(self) -> Cells:
        """All cells of one block, once each, `(N, 1, 4)`: 136 for the paper's space."""
        return next(self.enumerate(1))

    def sample(self, n_blocks: SupportsIndex, size: SupportsIndex, rng: np.random.Generator | int | None) -> Cells:
        """Cells drawn independently, each cell up to isomorphism being equally likely, `(size, n_blocks, 4)`.

        Args:
            n_blocks: the size of the cells.
            size: how many.
            rng: what `numpy.random.default_rng` takes: a generator, or a seed.
        """
        coder = self._coder(checked_count("n_blocks", n_blocks, 1))
        n_cells = checked_count("size", size, 0)
        operands = sampled_operands(coder, n_cells, np.random.default_rng(rng))
        return self._cells(canonical_codes(operands, coder), coder)

    def expand(self, cells: ArrayLike | Sequence[Cell]) -> tuple[Cells, NDArray[np.int64]]:
        """All cells that come of a beam by adding one block, once each.

        Args:
            cells: the beam, `(N, n_blocks, 4)`, in any encoding.

        Returns:
            The children, `(M, n_blocks + 1, 4)`, in order of their canonical forms; and for each the index of a parent
            in the beam, the first, `(M,)`. A child's canonical form need not begin with its parent's blocks.
        """
        beam = self._checked(cells)
        coder = self._coder(beam.shape[1] + 1)
        codes, parents = expanded_codes(self._operands(beam, coder), coder)
        return self._cells(codes, coder), parents

    def neighbors(self, cell: ArrayLike | Cell) -> Cells:
        """All cells that differ from one, `(n_blocks, 4)`, by one input or one operation, `(M, n_blocks, 4)`.

        They come once each, in order. A block may come to read any other that does not read it, directly or through
        others. A cell is a neighbour of its neighbours, and not of itself.
        """
        one = self._checked([cell] if isinstance(cell, Cell) else np.asarray(cell)[None])
        coder = self._coder(one.shape[1])
        return self._cells(neighbor_codes(self._operands(one, coder), coder), coder)

    def canonical(self, cells: ArrayLike | Sequence[Cell]) -> Cells:
        """The canonical form of every cell, `(N, n_blocks, 4)`; that of `Cell.canonical`."""
        array = self._checked(cells)
        coder = self._coder(array.shape[1])
        return self._cells(canonical_codes(self._operands(array, coder), coder), coder)

    def encode(self, cells: ArrayLike | Sequence[Cell]) -> NDArray[np.int64]:
        """The token sequences `(N, 4 * n_blocks)` of cells `(N, n_blocks, 4)`, in the order I1 O1 I2 O2 of every block.

        They are of the canonical forms, so equal cells have equal sequences. An input's token counts from the farthest
        input of the cell on, so that -2 is 0; an operation's is its index.
        """
        return to_tokens(self.canonical(cells), self.n_cell_inputs)

    def decode(self, tokens: ArrayLike) -> Cells:
        """The cells `(N, n_blocks, 4)` that token sequences `(N, 4 * n_blocks)` spell out, as they do."""
        return self._checked(from_tokens(tokens, self.n_cell_inputs))

    def vocabulary(self, n_blocks: SupportsIndex) -> dict[str, int]:
        """How many tokens of each kind `encode` uses for cells of up to `n_blocks` blocks."""
        return {
            "input": self.n_cell_inputs + checked_count("n_blocks", n_blocks, 1) - 1,
            "operation": len(self.operations),
        }

    def to_array(self, cells: Iterable[Cell]) -> Cells:
        """Cells of one size as an array `(N, n_blocks, 4)`, encoded as they are."""
        rows = [self._row(index, cell) for index, cell in enumerate(cells)]
        if len({len(row) for row in rows}) != 1:
            raise SearchSpaceError("cells that become an array must be one or more of equally many blocks")
        return np.array(rows, dtype=np.int64)

    def to_cells(self, cells: ArrayLike) -> list[Cell]:
        """An array `(N, n_blocks, 4)` as cells, encoded as they are."""
        names = self.operations
        return [
            Cell((i1, names[o1], i2, names[o2]) for i1, o1, i2, o2 in rows) for rows in self._checked(cells).tolist()
        ]

    def _row(self, number: int, cell: Cell) -> list[tuple[int, int, int, int]]:
        for index, (input_1, operation_1, input_2, operation_2) in enumerate(cell):
            for operation in (operation_1, operation_2):
                if operation not in self.operations:
                    raise SearchSpaceError(
                        f"cell {number}, block {index} applies {operation!r}, which is not an operation of this space; "
                        f"it has {', '.join(self.operations)}"
                    )
            if min(input_1, input_2) < -self.n_cell_inputs:
                raise SearchSpaceError(
                    f"cell {number}, block {index} reads input {min(input_1, input_2)}; "
                    f"in this space the farthest is {-self.n_cell_inputs}"
                )
        index_of = self.operations.index
        return [(i1, index_of(o1), i2, index_of(o2)) for i1, o1, i2, o2 in cell]

    def _checked(self, cells: Any) -> Cells:
        if isinstance(cells, Sequence) and cells and isinstance(cells[0], Cell):
            return self.to_array(cells)
        array = checked_integers("cells", cells, ("N", "n_blocks", 4))
        check_cells(array, self.n_cell_inputs, len(self.operations))
        return array

    def _coder(self, n_blocks: int) -> Coder:
        return Coder(n_blocks, self.n_cell_inputs, len(self.operations))

    def _operands(self, cells: Cells, coder: Coder) -> Operands:
        ranked = cells.copy()
        ranked[:, :, 1::2] = self._rank[cells[:, :, 1::2]]
        return coder.operands(ranked)

    def _cells(self, codes: Codes, coder: Coder) -> Cells:
        cells = coder.cells(codes)
        cells[:, :, 1::2] = self._by_rank[cells[:, :, 1::2]]
        return cells

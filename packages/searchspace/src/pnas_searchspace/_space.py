from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pnas_searchspace._arrays import to_array, to_cells
from pnas_searchspace._block import check_operation_name
from pnas_searchspace._canonical_codes import canonical_codes
from pnas_searchspace._cell import Cell
from pnas_searchspace._checks import (
    LARGEST_INPUT,
    LARGEST_SAMPLE,
    check_cells,
    checked_count,
    checked_generator,
    checked_integers,
    short,
)
from pnas_searchspace._codes import Cells, Coder, Codes, Operands
from pnas_searchspace._counting import Symmetry, count_encodings
from pnas_searchspace._enumeration import enumerated_codes
from pnas_searchspace._errors import SearchSpaceError
from pnas_searchspace._expansion import expanded_codes
from pnas_searchspace._neighbors import neighbor_codes
from pnas_searchspace._operations import PNAS_OPERATIONS
from pnas_searchspace._orbits import Orbits
from pnas_searchspace._sampling import sampled_operands
from pnas_searchspace._tokens import from_tokens, to_tokens


@dataclass(frozen=True)
class CellSpace:
    """All cells over a choice of operations (section 3.1 of the paper); immutable.

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

    operations: Sequence[str] = PNAS_OPERATIONS
    n_cell_inputs: int = 2

    def __post_init__(self) -> None:
        given = self.operations
        if not isinstance(given, Sequence) or isinstance(given, str):
            raise SearchSpaceError(f"operations must be a list or tuple of names, not {short(given)}")
        names = tuple(check_operation_name(name) for name in given)
        if not names or len(set(names)) < len(names):
            raise SearchSpaceError(f"operations must be one or more different names, not {short(given)}")
        object.__setattr__(self, "operations", names)
        object.__setattr__(self, "n_cell_inputs", checked_count("n_cell_inputs", self.n_cell_inputs, 1, LARGEST_INPUT))

    def count(self, n_blocks: SupportsIndex, up_to: Symmetry = "isomorphism") -> int:
        """How many cells of a size there are, exactly, from a formula.

        Args:
            n_blocks: the size of the cells.
            up_to: "nothing" counts encodings, with the operands of a block in order; "commutativity" counts those that
                differ by swapping operands once; "isomorphism" those that differ by relabelling blocks too, so that it
                counts networks.
        """
        size = checked_count("n_blocks", n_blocks, 1)
        if up_to == "isomorphism":
            return self._orbits.count(size)
        return count_encodings(size, self.n_cell_inputs, len(self.operations), up_to)

    def enumerate(self, n_blocks: SupportsIndex) -> Iterator[Cells]:
        """All cells of a size, once each, in order of their canonical forms, in batches `(N, n_blocks, 4)`.

        A batch is made when it is asked for, and only a few are in memory at once; they differ in length.
        """
        coder = self._coder(checked_count("n_blocks", n_blocks, 1))
        return (self._cells(codes, coder) for codes in enumerated_codes(coder))

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
        n_cells = checked_count("size", size, 0, LARGEST_SAMPLE)
        operands = sampled_operands(coder, self._orbits, n_cells, checked_generator(rng))
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
        one = [cell] if isinstance(cell, Cell) else checked_integers("a cell", cell, ("n_blocks", 4))[None]
        array = self._checked(one)
        coder = self._coder(array.shape[1])
        return self._cells(neighbor_codes(self._operands(array, coder), coder), coder)

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
        return from_tokens(tokens, self.n_cell_inputs, len(self.operations))

    def vocabulary(self, n_blocks: SupportsIndex) -> dict[str, int]:
        """How many tokens of each kind `encode` uses for cells of up to `n_blocks` blocks."""
        n_inputs = self.n_cell_inputs + checked_count("n_blocks", n_blocks, 1) - 1
        return {"input": n_inputs, "operation": len(self.operations)}

    def to_array(self, cells: Iterable[Cell]) -> Cells:
        """Cells of one size as an array `(N, n_blocks, 4)`, encoded as they are."""
        return to_array(cells, self.operations, self.n_cell_inputs)

    def to_cells(self, cells: ArrayLike) -> list[Cell]:
        """An array `(N, n_blocks, 4)` as cells, encoded as they are."""
        return to_cells(self._checked(cells), self.operations)

    @cached_property
    def _by_rank(self) -> NDArray[np.int64]:
        """The operations' indices in the order of their names.

        Canonical forms compare operations by name, so that a cell's does not depend on the space it is in.
        """
        return np.argsort(np.array(self.operations))

    @cached_property
    def _ranks(self) -> NDArray[np.int64]:
        return np.argsort(self._by_rank)

    @cached_property
    def _orbits(self) -> Orbits:
        return Orbits(self.n_cell_inputs, len(self.operations))

    def _checked(self, cells: Any) -> Cells:
        if isinstance(cells, Cell):
            raise SearchSpaceError(f"cells must be an array or a list of cells; for this one give [cell]: {cells}")
        if isinstance(cells, Sequence) and any(isinstance(cell, Cell) for cell in cells):
            return self.to_array(cells)
        array = checked_integers("cells", cells, ("N", "n_blocks", 4))
        check_cells(array, self.n_cell_inputs, len(self.operations))
        return array

    def _coder(self, n_blocks: int) -> Coder:
        coder = Coder(n_blocks, self.n_cell_inputs, len(self.operations))
        if coder.largest_code >= 2**63:
            raise SearchSpaceError(
                f"arrays of cells with n_blocks={n_blocks}, n_cell_inputs={self.n_cell_inputs} and "
                f"{len(self.operations)} operations need more than 64 bits; expected fewer of them"
            )
        return coder

    def _operands(self, cells: Cells, coder: Coder) -> Operands:
        return coder.operands(cells, self._ranks)

    def _cells(self, codes: Codes, coder: Coder) -> Cells:
        return coder.cells(codes, self._by_rank)

"""Many cells at once, as integers that NumPy can compare.

An operand is one integer, `(input + n_cell_inputs) * n_operations + operation`, and a block's code is one integer of
its two operands, the smaller first. Operations are ranks, in the order of their names, so that codes sort as the blocks
do.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.int64]
"""Cells of one size, `(N, n_blocks, 4)`: input_1, operation_1, input_2, operation_2, the operations as integers."""

Operands = NDArray[np.int64]
"""The same cells with operands as integers, `(n_blocks, 2, N)`."""

Codes = NDArray[np.int64]
"""The same cells with blocks as integers, `(n_blocks, N)`."""


class Coder(NamedTuple):
    """Packs cells of up to `n_blocks` blocks into integers, and unpacks them."""

    n_blocks: int
    n_cell_inputs: int
    n_operations: int

    @property
    def n_operands(self) -> int:
        """How many operands the last block can choose from."""
        return (self.n_cell_inputs + self.n_blocks - 1) * self.n_operations

    @property
    def no_operand(self) -> int:
        """From here on integers are no operands: with one of them, the code is larger than any block's."""
        return self.n_operands**2

    @property
    def largest_code(self) -> int:
        """The code of two integers that are no operands, `no_operand + n_operands` being the largest of them."""
        return (self.no_operand + self.n_operands) * (self.n_operands + 1)

    def operands(self, cells: Cells, ranks: NDArray[np.int64]) -> Operands:
        """The operands of cells `(N, n_blocks, 4)` whose operations have these ranks, `(n_operations,)`."""
        packed = (cells[:, :, 0::2] + self.n_cell_inputs) * self.n_operations + ranks[cells[:, :, 1::2]]
        return np.ascontiguousarray(packed.transpose(1, 2, 0))

    def codes(self, operands: Operands) -> Codes:
        """The blocks' codes, `(…, 2, N)` to `(…, N)`."""
        first, second = operands[..., 0, :], operands[..., 1, :]
        codes: Codes = np.minimum(first, second) * self.n_operands + np.maximum(first, second)
        return codes

    def split(self, codes: Codes) -> Operands:
        """The operands of codes, the smaller of each block first: `(n_blocks, N)` to `(n_blocks, 2, N)`."""
        return np.stack(np.divmod(codes, self.n_operands), axis=1)

    def cells(self, codes: Codes, operations: NDArray[np.int64]) -> Cells:
        """The cells of codes, `(N, n_blocks, 4)`, with these operations, `(n_operations,)`, for the ranks 0, 1, …."""
        inputs = np.arange(-self.n_cell_inputs, self.n_blocks - 1)
        meanings = np.stack([np.repeat(inputs, self.n_operations), np.tile(operations, len(inputs))], axis=1)
        operands = np.stack(np.divmod(np.ascontiguousarray(codes.T), self.n_operands), axis=2)
        return np.take(meanings, operands, axis=0).reshape(*operands.shape[:2], 4)

    def last_blocks(self) -> Operands:
        """Every block that can be the last one, once, as operands in order: `(2, n)`."""
        return np.stack(np.triu_indices(self.n_operands))

    @property
    def n_words(self) -> int:
        """How many integers `pack` needs for a cell of `n_blocks` blocks."""
        return -(-self.n_blocks // self._codes_per_word)

    def pack(self, codes: Codes) -> NDArray[np.int64]:
        """All codes of a cell in as few integers as hold them, the first in the highest bits: `(n_words, N)`."""
        words = np.zeros((-(-len(codes) // self._codes_per_word), codes.shape[1]), dtype=np.int64)
        for block, row in enumerate(codes):
            word, shift = self.position(block)
            words[word] |= row.astype(np.int64) << shift
        return words

    def unpack(self, words: NDArray[np.int64]) -> Codes:
        """The codes that `pack` packed, of cells of `n_blocks` blocks."""
        mask = (1 << self._bits) - 1
        positions = map(self.position, range(self.n_blocks))
        return np.stack([words[word] >> shift & mask for word, shift in positions])

    def position(self, block: Any) -> tuple[Any, Any]:
        """In which word a block's code is packed, and how far to the left; of one block, or of an array of blocks."""
        word, place = divmod(block, self._codes_per_word)
        return word, self._bits * (self._codes_per_word - 1 - place)

    @property
    def _bits(self) -> int:
        return (self.n_operands**2 - 1).bit_length() or 1

    @property
    def _codes_per_word(self) -> int:
        return 63 // self._bits


def first_of_each(words: NDArray[np.int64]) -> NDArray[np.intp]:
    """Where each different column of `(n_words, N)` comes first, in the order of the columns."""
    order = np.lexsort(words[::-1]) if len(words) > 1 else np.argsort(words[0], kind="stable")
    ordered = words[:, order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(0)
    return order[new]

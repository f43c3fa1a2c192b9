import operator
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Self, SupportsIndex

import numpy as np

from pnas_searchspace._block import Block
from pnas_searchspace._canonical import canonical_blocks
from pnas_searchspace._errors import SearchSpaceError

_OPERATION_NAME = re.compile(r"[A-Za-z0-9_.\-]+")


class Cell(tuple[Block, ...]):
    """A cell: its blocks in order, each reading the cell's inputs or earlier blocks.

    A cell is a tuple of its blocks, and JSON of it is `[[-1, "sep_conv_5x5", -2, "max_pool_3x3"], …]`. Two cells are
    equal, and hash alike, when they are one network: when swapping operands and relabelling blocks leads from one to
    the other.

    Args:
        blocks: four values each, `(input_1, operation_1, input_2, operation_2)`; what `json.loads` gives will do.

    Raises:
        SearchSpaceError: there is no block, or one is malformed; the message names it.
    """

    def __new__(cls, blocks: Iterable[Sequence[Any]]) -> Self:
        checked = tuple(_checked_block(index, block) for index, block in enumerate(blocks))
        if not checked:
            raise SearchSpaceError("a cell needs at least one block, and this one has none")
        return super().__new__(cls, checked)

    @cached_property
    def key(self) -> str:
        """The text of the canonical form: equal for equal cells, and stable over versions."""
        return ",".join(map(str, canonical_blocks(self)))

    def canonical(self) -> Self:
        """The smallest encoding of this cell in lexicographic order, operations compared by name."""
        return type(self)(canonical_blocks(self))

    def __str__(self) -> str:
        return ",".join(map(str, self))

    def __repr__(self) -> str:
        return f"Cell({[tuple(block) for block in self]})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cell) and self.key == other.key

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.key)


def _checked_block(index: int, block: Any) -> Block:
    if not isinstance(block, Sequence) or isinstance(block, str) or len(block) != 4:
        raise SearchSpaceError(f"block {index} must be (input_1, operation_1, input_2, operation_2), not {block!r}")
    input_1, operation_1, input_2, operation_2 = block
    return Block(
        _checked_input(index, input_1),
        check_operation_name(operation_1, f"block {index}"),
        _checked_input(index, input_2),
        check_operation_name(operation_2, f"block {index}"),
    )


def _checked_input(index: int, value: Any) -> int:
    # A truth value is an index for Python, and was one for NumPy.
    is_number = isinstance(value, SupportsIndex) and not isinstance(value, (bool, np.bool_))
    number = operator.index(value) if is_number else index
    if number >= index:
        earlier = f" or an earlier block (0 to {index - 1})" if index > 0 else ""
        raise SearchSpaceError(f"block {index} reads input {value!r}; expected an input of the cell (-1, -2){earlier}")
    return number


def check_operation_name(value: object, where: str) -> str:
    """The name as a plain string, or a `SearchSpaceError` that says where it stands."""
    if not isinstance(value, str) or not _OPERATION_NAME.fullmatch(value):
        raise SearchSpaceError(
            f"{where} applies the operation {value!r}; expected a name of letters, digits, '_', '-' and '.'"
        )
    return str(value)

from collections.abc import Collection, Sequence
from typing import SupportsIndex

from pnas_models._cell import BlockSpec
from pnas_models._errors import ModelError


def checked_blocks(cell: Sequence[Sequence[object]], operations: Collection[str]) -> tuple[BlockSpec, ...]:
    """The cell as plain blocks, or a sentence that names the block and the value that is wrong."""
    if len(cell) == 0:
        raise ModelError("a cell needs at least one block, and this one has none")
    return tuple(_checked_block(index, block, operations) for index, block in enumerate(cell))


def _checked_block(index: int, block: object, operations: Collection[str]) -> BlockSpec:
    if not isinstance(block, Sequence) or isinstance(block, str) or len(block) != 4:
        raise ModelError(f"block {index} must be (input_1, operation_1, input_2, operation_2), not {block!r}")
    input_1, operation_1, input_2, operation_2 = block
    for value in (input_1, input_2):
        if not _is_whole_number(value) or not -2 <= value < index:
            earlier = f" and the blocks before it, 0 to {index - 1}" if index > 0 else ""
            raise ModelError(f"block {index} reads input {value!r}; it can read -2, -1{earlier}")
    for value in (operation_1, operation_2):
        if not isinstance(value, str) or value not in operations:
            raise ModelError(
                f"block {index} applies the operation {value!r}; known are {', '.join(operations)}, "
                "and others can be given by operations={name: builder}"
            )
    return (input_1, operation_1, input_2, operation_2)


def checked_positive(**numbers: int) -> None:
    for name, value in numbers.items():
        if not _is_whole_number(value) or value < 1:
            raise ModelError(f"{name} must be a whole number of 1 or more, not {value!r}")


def _is_whole_number(value: object) -> bool:
    """Whether a value is an integer, NumPy's included, and not a truth value."""
    return isinstance(value, SupportsIndex) and not isinstance(value, bool)

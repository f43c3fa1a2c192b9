from collections.abc import Collection, Sequence
from numbers import Real
from typing import SupportsIndex, TypeGuard

from pnas_models._cell import BlockSpec, CellSpec
from pnas_models._errors import ModelError


def checked_cell(
    cell: Sequence[Sequence[object]], concat: object, operations: Collection[str], *, strides: bool
) -> CellSpec:
    """The cell as plain data, or a sentence that names the block and the value that is wrong.

    `strides` says whether the network uses it with stride 2, where its inputs are larger than its blocks.
    """
    if isinstance(cell, str) or not isinstance(cell, Sequence):
        raise ModelError(f"a cell is a sequence of blocks (input_1, operation_1, input_2, operation_2), not {cell!r}")
    if len(cell) == 0:
        raise ModelError("a cell needs at least one block, and this one has none")
    blocks = tuple(_checked_block(index, block, operations) for index, block in enumerate(cell))
    if concat is None:
        return CellSpec(blocks=blocks, concat=tuple(range(len(blocks))))
    if isinstance(concat, str) or not isinstance(concat, Sequence):
        raise ModelError(f"concat must be a sequence of the numbers that blocks use for inputs, not {concat!r}")
    lowest = 0 if strides else -2
    fits = all(_is_whole_number(index) and lowest <= index < len(blocks) for index in concat)
    if not fits or len(set(concat)) != len(concat) or len(concat) == 0:
        hint = "; a cell that is used with stride 2 cannot give its inputs: pass a reduction_cell" if strides else ""
        raise ModelError(
            f"concat must name different states from {lowest} to {len(blocks) - 1}, not {list(concat)}{hint}"
        )
    return CellSpec(blocks=blocks, concat=tuple(int(index) for index in concat))


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
    return (int(input_1), operation_1, int(input_2), operation_2)


def checked_positive(**numbers: object) -> None:
    for name, value in numbers.items():
        if not _is_whole_number(value) or value < 1:
            raise ModelError(f"{name} must be a whole number of 1 or more, not {value!r}")


def checked_fraction(**numbers: object) -> None:
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= 1:
            raise ModelError(f"{name} must be a number from 0 to 1, not {value!r}")


def checked_rate(**numbers: object) -> None:
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) < 1:
            raise ModelError(f"{name} must be a number from 0 to less than 1, not {value!r}")


def checked_image_size(image_size: object) -> tuple[int, int]:
    """Height and width of one number, or of two."""
    pair = (image_size, image_size) if _is_whole_number(image_size) else image_size
    if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
        raise ModelError(f"image_size must be a whole number or (height, width), not {image_size!r}")
    if not all(_is_whole_number(size) and size >= 1 for size in pair):
        raise ModelError(f"image_size must be of 1 pixel or more, not {image_size!r}")
    return int(pair[0]), int(pair[1])


def _is_whole_number(value: object) -> TypeGuard[int]:
    """Whether a value is an integer, NumPy's included, and not a truth value."""
    return isinstance(value, SupportsIndex) and not isinstance(value, bool)

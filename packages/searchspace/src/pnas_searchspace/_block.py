import re
from collections.abc import Iterable
from typing import Any, NamedTuple, Self, SupportsIndex

from pnas_searchspace._checks import LARGEST_INPUT, as_integer, short
from pnas_searchspace._errors import SearchSpaceError
from pnas_searchspace._identity import ComparedByForm

_OPERATION_NAME = re.compile(r"[A-Za-z0-9_.\-]+")


class _Fields(NamedTuple):
    input_1: int
    operation_1: str
    input_2: int
    operation_2: str


class Block(ComparedByForm, _Fields):
    """Two operations, each on one input, whose results are added (section 3.1 of the paper).

    An input is -1 for the previous cell, -2 for the one before it, or the index of an earlier block of the same cell.
    A block is a tuple of its four values, and `str` of it is `sep_conv_5x5@-2+identity@0`. Blocks are equal, and hash
    alike, when one is the other with its operands swapped; a plain tuple is no block.

    Raises:
        SearchSpaceError: an input is no integer of at most nine digits, or an operation is no name of letters, digits,
            '_', '-' and '.'.
    """

    __slots__ = ()

    def __new__(cls, input_1: SupportsIndex, operation_1: str, input_2: SupportsIndex, operation_2: str) -> Self:
        return super().__new__(
            cls,
            _checked_input(input_1),
            check_operation_name(operation_1),
            _checked_input(input_2),
            check_operation_name(operation_2),
        )

    @classmethod
    def _make(cls, iterable: Iterable[Any]) -> Self:  # type: ignore[override]  # `_replace` goes through it
        return cls(*iterable)

    def _form(self) -> tuple[int, str, int, str]:
        first, second = sorted([(self.input_1, self.operation_1), (self.input_2, self.operation_2)])
        return (*first, *second)

    def __str__(self) -> str:
        return block_text(self)


def block_text(block: tuple[int, str, int, str]) -> str:
    """The short form of a block."""
    input_1, operation_1, input_2, operation_2 = block
    return f"{operation_1}@{input_1}+{operation_2}@{input_2}"


def check_operation_name(value: object) -> str:
    """The name as a plain string, or a `SearchSpaceError`."""
    if not isinstance(value, str) or not _OPERATION_NAME.fullmatch(value):
        raise SearchSpaceError(f"an operation must be a name of letters, digits, '_', '-' and '.', not {short(value)}")
    return str(value)


def _checked_input(value: object) -> int:
    number = as_integer(value)
    if number is None or not -LARGEST_INPUT <= number <= LARGEST_INPUT:
        raise SearchSpaceError(
            f"an input must be an integer from {-LARGEST_INPUT} to {LARGEST_INPUT}, not {short(value)}"
        )
    return number

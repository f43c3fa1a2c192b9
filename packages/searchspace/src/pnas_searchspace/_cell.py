import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import Any, Self

from pnas_searchspace._block import Block, block_text
from pnas_searchspace._canonical import PlainBlock, canonical_blocks
from pnas_searchspace._checks import short
from pnas_searchspace._errors import SearchSpaceError
from pnas_searchspace._identity import ComparedByForm

_BLOCK_TEXT = re.compile(r"([^@+]+)@(-?[0-9]{1,9})\+([^@+]+)@(-?[0-9]{1,9})")


class Cell(ComparedByForm, tuple[Block, ...]):
    """A cell: its blocks in order, each reading the cell's inputs or earlier blocks.

    A cell is an immutable tuple of its blocks. Cells are equal, and hash alike, when they are one network: when
    swapping operands and relabelling blocks leads from one to the other. They sort as their canonical forms do, inputs
    before operations, which is not how their keys sort. Whether two cells are written alike, `str` of them tells.

    Two texts stand for a cell: JSON, `[[-1, "sep_conv_5x5", -2, "max_pool_3x3"], …]`, which `to_json` gives and
    `from_json` reads; and a short form, `sep_conv_5x5@-1+max_pool_3x3@-2,…`, which `str` gives and `from_text` reads.

    Args:
        blocks: four values each, `(input_1, operation_1, input_2, operation_2)`; what `json.loads` gives will do.

    Raises:
        SearchSpaceError: there is no block, or one is malformed; the message names it.
    """

    def __new__(cls, blocks: Iterable[Sequence[Any]]) -> Self:
        checked = tuple(_checked_block(index, block) for index, block in enumerate(_checked_list(blocks)))
        if not checked:
            raise SearchSpaceError("a cell needs at least one block, and this one has none")
        return super().__new__(cls, checked)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The cell that JSON spells out: a list of blocks, `[[input_1, "operation_1", input_2, "operation_2"], …]`.

        Raises:
            SearchSpaceError: the text is no JSON, or no cell.
        """
        try:
            blocks = json.loads(text)
        except (TypeError, ValueError, RecursionError) as error:
            raise SearchSpaceError(
                f'a cell in JSON is like [[-1, "identity", -2, "identity"]], not {short(text)} ({error})'
            ) from error
        return cls(blocks)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The cell that a short form spells out: blocks `operation_1@input_1+operation_2@input_2` between commas.

        Raises:
            SearchSpaceError: the text is no such form, or no cell.
        """
        if not isinstance(text, str):
            raise SearchSpaceError(f"a cell's short form must be a text, not {short(text)}")
        return super().__new__(cls, [_block_from_text(index, part) for index, part in enumerate(text.split(","))])

    def __reduce__(self) -> tuple[type[Self], tuple[tuple[tuple[Any, ...], ...]]]:
        return type(self), (tuple((*block,) for block in self),)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a cell is immutable, and {name!r} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a cell is immutable, and {name!r} cannot be deleted")

    def to_json(self) -> str:
        """The cell as JSON, on one line."""
        return json.dumps(self)

    @cached_property
    def key(self) -> str:
        """The short form of the canonical form: equal for equal cells, and stable over versions."""
        return ",".join(map(block_text, self._canonical_blocks))

    def canonical(self) -> Self:
        """The smallest encoding of this cell in lexicographic order, operations compared by name."""
        return type(self)(self._canonical_blocks)

    @cached_property
    def _canonical_blocks(self) -> tuple[PlainBlock, ...]:
        return canonical_blocks([(*block,) for block in self])

    def _form(self) -> tuple[PlainBlock, ...]:
        return self._canonical_blocks

    def __str__(self) -> str:
        return ",".join(map(block_text, self))

    def __repr__(self) -> str:
        return f"Cell({[tuple(block) for block in self]})"


def _checked_list(blocks: Any) -> Iterator[Any]:
    if not isinstance(blocks, (str, bytes, Mapping, Set)):
        with suppress(TypeError):
            return iter(blocks)
    raise SearchSpaceError(f"a cell must be a list of blocks, not {short(blocks)}")


def _checked_block(index: int, block: Any) -> Block:
    if not isinstance(block, Sequence) or isinstance(block, str) or len(block) != 4:
        raise SearchSpaceError(
            f"block {index} must be (input_1, operation_1, input_2, operation_2), not {short(block)}"
        )
    try:
        checked = Block(*block)
    except SearchSpaceError as error:
        raise SearchSpaceError(f"block {index}: {error}") from error
    for source in (checked.input_1, checked.input_2):
        if source >= index:
            earlier = f" or an earlier block (0 to {index - 1})" if index > 0 else ""
            raise SearchSpaceError(
                f"block {index} reads input {source}; expected an input of the cell (-1, -2, …){earlier}"
            )
    return checked


@lru_cache(maxsize=1 << 14)  # a search reads its cells back from such texts, and they have few blocks
def _block_from_text(index: int, text: str) -> Block:
    match = _BLOCK_TEXT.fullmatch(text.strip())
    if match is None:
        raise SearchSpaceError(
            f"block {index} must be like sep_conv_5x5@-2+identity@0, that is operation@input twice, not {short(text)}"
        )
    operation_1, input_1, operation_2, input_2 = match.groups()
    return _checked_block(index, (int(input_1), operation_1, int(input_2), operation_2))

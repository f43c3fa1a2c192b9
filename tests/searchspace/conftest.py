from collections.abc import Callable, Sequence
from itertools import permutations, product

import pytest
from hypothesis import strategies as st

from pnas_searchspace import Block

Blocks = tuple[Block, ...]


@st.composite
def _encodings(
    draw: st.DrawFn, n_blocks: int | None = None, operations: Sequence[str] = ("a", "b"), max_blocks: int = 5
) -> Blocks:
    count = n_blocks or draw(st.integers(1, max_blocks))
    operands = [st.tuples(st.integers(-2, index - 1), st.sampled_from(operations)) for index in range(count)]
    return tuple(Block(*draw(operand), *draw(operand)) for operand in operands)


def _relabelled(blocks: Sequence[Block], order: Sequence[int]) -> Blocks | None:
    """The blocks in another order, or None where a block would come before one that it reads."""
    place = {old: new for new, old in enumerate(order)}
    moved = tuple(
        Block(place.get(input_1, input_1), operation_1, place.get(input_2, input_2), operation_2)
        for input_1, operation_1, input_2, operation_2 in (blocks[old] for old in order)
    )
    valid = all(block.input_1 < new and block.input_2 < new for new, block in enumerate(moved))
    return moved if valid else None


def _all_encodings(blocks: Sequence[Block]) -> set[Blocks]:
    orders = [_relabelled(blocks, order) for order in permutations(range(len(blocks)))]
    return {
        tuple(Block(*block[2:], *block[:2]) if swap else block for block, swap in zip(moved, swaps, strict=True))
        for moved in orders
        if moved is not None
        for swaps in product((False, True), repeat=len(blocks))
    }


@pytest.fixture(scope="session")
def encodings() -> Callable[..., st.SearchStrategy[Blocks]]:
    """Encodings of cells over so few operations that equal blocks, and ties between them, are frequent."""
    return _encodings


@pytest.fixture(scope="session")
def all_encodings() -> Callable[[Sequence[Block]], set[Blocks]]:
    """Every encoding of a cell: all orders in which no block comes before one that it reads, and all swaps."""
    return _all_encodings

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations_with_replacement, permutations, product
from typing import Any

import pytest
from hypothesis import strategies as st

PlainBlock = tuple[int, Any, int, Any]
Blocks = tuple[PlainBlock, ...]


@st.composite
def _encodings(
    draw: st.DrawFn, n_blocks: int | None = None, operations: Sequence[Any] = ("a", "b"), max_blocks: int = 5
) -> Blocks:
    count = n_blocks or draw(st.integers(1, max_blocks))
    operands = [st.tuples(st.integers(-2, index - 1), st.sampled_from(operations)) for index in range(count)]
    return tuple((*draw(operand), *draw(operand)) for operand in operands)


def _relabelled(blocks: Sequence[PlainBlock], order: Sequence[int]) -> Blocks | None:
    """The blocks in another order, or None where a block would come before one that it reads."""
    place = {old: new for new, old in enumerate(order)}
    moved = tuple(
        (place.get(input_1, input_1), operation_1, place.get(input_2, input_2), operation_2)
        for input_1, operation_1, input_2, operation_2 in (blocks[old] for old in order)
    )
    valid = all(block[0] < new and block[2] < new for new, block in enumerate(moved))
    return moved if valid else None


def _all_encodings(blocks: Sequence[PlainBlock]) -> set[Blocks]:
    orders = [_relabelled(blocks, order) for order in permutations(range(len(blocks)))]
    return {
        tuple((*block[2:], *block[:2]) if swap else block for block, swap in zip(moved, swaps, strict=True))
        for moved in orders
        if moved is not None
        for swaps in product((False, True), repeat=len(blocks))
    }


def _smallest_encoding(blocks: Sequence[PlainBlock]) -> Blocks:
    orders = (_relabelled(blocks, order) for order in permutations(range(len(blocks))))
    return min(tuple(min(b, (*b[2:], *b[:2])) for b in order) for order in orders if order is not None)


def _all_blocks(n_earlier: int, n_cell_inputs: int, operations: Sequence[Any]) -> list[PlainBlock]:
    operands = list(product(range(-n_cell_inputs, n_earlier), operations))
    return [(*first, *second) for first, second in combinations_with_replacement(operands, 2)]


def _all_cells(n_blocks: int, n_cell_inputs: int, operations: Sequence[Any]) -> list[Blocks]:
    choices = [_all_blocks(n_earlier, n_cell_inputs, sorted(operations)) for n_earlier in range(n_blocks)]
    encodings: Iterator[Blocks] = product(*choices)
    return sorted({_smallest_encoding(blocks) for blocks in encodings})


@pytest.fixture(scope="session")
def encodings() -> Callable[..., st.SearchStrategy[Blocks]]:
    """Encodings of cells over so few operations that equal blocks, and ties between them, are frequent."""
    return _encodings


@pytest.fixture(scope="session")
def all_encodings() -> Callable[[Sequence[PlainBlock]], set[Blocks]]:
    """Every encoding of a cell: all orders in which no block comes before one that it reads, and all swaps."""
    return _all_encodings


@pytest.fixture(scope="session")
def all_cells() -> Callable[[int, int, Sequence[Any]], list[Blocks]]:
    """Every cell of a size once, by brute force: of every encoding, the smallest of all its orders."""
    return _all_cells

"""The canonical form: of all encodings of a cell, the smallest in lexicographic order.

Two encodings are one cell when swapping the operands of blocks and relabelling the blocks, in any order in which every
block comes after those it reads, leads from one to the other. Because the order is lexicographic, every prefix of a
canonical form is canonical itself.

Here it is for one cell; `_canonical_codes.py` has it for arrays of cells.
"""

from collections.abc import Sequence
from typing import Any

PlainBlock = tuple[int, Any, int, Any]


def canonical_blocks(blocks: Sequence[PlainBlock]) -> tuple[PlainBlock, ...]:
    """The canonical form of one cell; operations compare as they are, so by name where they are names.

    At every place stands the smallest block that could stand there. Of several that are equally small, one that is read
    comes before those that are not, because its readers profit from a smaller label; those that are not are
    interchangeable; and among those that are read, all orders are followed side by side. So the time grows with `k!`
    for `k` equal blocks that are read, which is nothing for cells as they are searched for, and much for 16 blocks.
    """
    read = {source for input_1, _, input_2, _ in blocks for source in (input_1, input_2)}
    orders: list[tuple[int, ...]] = [()]
    form: list[PlainBlock] = []
    for _ in blocks:
        available = [(order, _available(blocks, order)) for order in orders]
        smallest = min(min(choices.values()) for _, choices in available)
        form.append(smallest)
        orders = []
        for order, choices in available:
            equal = [index for index, block in choices.items() if block == smallest]
            orders += [(*order, index) for index in [i for i in equal if i in read] or equal[:1]]
    return tuple(form)


def _available(blocks: Sequence[PlainBlock], order: tuple[int, ...]) -> dict[int, PlainBlock]:
    """The blocks that can come after those of `order`, relabelled, by their indices."""
    labels = {index: place for place, index in enumerate(order)}
    return {
        index: _relabelled(block, labels)
        for index, block in enumerate(blocks)
        if index not in labels and all(source < 0 or source in labels for source in (block[0], block[2]))
    }


def _relabelled(block: PlainBlock, labels: dict[int, int]) -> PlainBlock:
    first = (labels.get(block[0], block[0]), block[1])
    second = (labels.get(block[2], block[2]), block[3])
    return (*first, *second) if first <= second else (*second, *first)

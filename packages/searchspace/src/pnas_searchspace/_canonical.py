"""The canonical form: of all encodings of a cell, the smallest in lexicographic order.

Two encodings are one cell when swapping the operands of blocks and relabelling the blocks, in any order in which every
block comes after those it reads, leads from one to the other. Because the order is lexicographic, every prefix of a
canonical form is canonical itself.
"""

from collections.abc import Sequence

from pnas_searchspace._block import Block


def canonical_blocks(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The canonical form of one cell; operations compare by name."""
    return min(_smallest_orders(blocks, (), {}))


def _smallest_orders(
    blocks: Sequence[Block], placed: tuple[Block, ...], labels: dict[int, int]
) -> list[tuple[Block, ...]]:
    """All orders that put a smallest possible block at every place; only equal blocks leave a choice."""
    if len(placed) == len(blocks):
        return [placed]
    relabelled = {
        index: _relabelled(block, labels)
        for index, block in enumerate(blocks)
        if index not in labels and all(i < 0 or i in labels for i in (block.input_1, block.input_2))
    }
    smallest = min(relabelled.values())
    choices = [index for index, block in relabelled.items() if block == smallest]
    if not any(reader in choices for block in blocks for reader in (block.input_1, block.input_2)):
        choices = choices[:1]  # nothing reads them, so they are interchangeable
    return [
        order
        for index in choices
        for order in _smallest_orders(blocks, (*placed, smallest), {**labels, index: len(placed)})
    ]


def _relabelled(block: Block, labels: dict[int, int]) -> Block:
    operands = sorted(
        (index if index < 0 else labels[index], operation)
        for index, operation in ((block.input_1, block.operation_1), (block.input_2, block.operation_2))
    )
    return Block(*operands[0], *operands[1])

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from pnas_models._cell import BlockSpec


class Place(NamedTuple):
    """Where a block sits in another cell: the index of the block there, and whether its operands are swapped."""

    block: int
    swapped: bool


def correspondence(parent: Sequence[BlockSpec], child: Sequence[BlockSpec]) -> list[Place] | None:
    """The place in the child of each of the parent's blocks, such that inputs and operations correspond.

    Of several ways it is the first in lexicographic order, blocks as they are before swapped ones; None if there is
    none.
    """
    if Counter(map(_operations, parent)) - Counter(map(_operations, child)):
        return None  # found at once, where trying all ways would take a factorial of them
    return _completed([], parent, child)


def _operations(block: BlockSpec) -> tuple[str, ...]:
    return tuple(sorted((block[1], block[3])))


def _completed(places: list[Place], parent: Sequence[BlockSpec], child: Sequence[BlockSpec]) -> list[Place] | None:
    if len(places) == len(parent):
        return places
    wanted = _translated(parent[len(places)], places)
    taken = {place.block for place in places}
    for index, block in enumerate(child):
        swaps = [swapped for swapped in (False, True) if _oriented(block, swapped) == wanted]
        if index in taken or not swaps:
            continue
        # Both ways round, a block of two equal operands is the same to all others.
        completed = _completed([*places, Place(index, swaps[0])], parent, child)
        if completed is not None:
            return completed
    return None


def _translated(block: BlockSpec, places: Sequence[Place]) -> BlockSpec:
    input_1, operation_1, input_2, operation_2 = block
    read_1, read_2 = (places[index].block if index >= 0 else index for index in (input_1, input_2))
    return read_1, operation_1, read_2, operation_2


def _oriented(block: BlockSpec, swapped: bool) -> BlockSpec:
    input_1, operation_1, input_2, operation_2 = block
    return (input_2, operation_2, input_1, operation_1) if swapped else block

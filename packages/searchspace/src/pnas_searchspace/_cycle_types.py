"""Cycle types of permutations: how many cycles of length 1, 2, … there are, to the number of things permuted."""

from collections.abc import Iterator
from itertools import product
from math import comb, factorial, prod

CycleType = tuple[int, ...]


def cycle_types(n: int) -> Iterator[CycleType]:
    """The cycle type of every class of permutations of `n` things."""
    for lengths in _partitions(n, n):
        yield tuple(lengths.count(length) for length in range(1, n + 1))


def n_permutations(cycles: CycleType) -> int:
    """How many permutations of `len(cycles)` things have these cycles."""
    n_commuting: int = prod(length**number * factorial(number) for length, number in enumerate(cycles, 1))
    return factorial(len(cycles)) // n_commuting


def selections(cycles: CycleType) -> Iterator[CycleType]:
    """Every part of the cycles, none of them and all of them included."""
    return product(*(range(number + 1) for number in cycles))


def n_selections(cycles: CycleType, selected: CycleType) -> int:
    """How many ways there are to select a part with these cycles."""
    return prod(map(comb, cycles, selected))


def together(cycles: CycleType, more: CycleType) -> CycleType:
    """The cycles of both."""
    return tuple(number + n_more for number, n_more in zip(cycles, more, strict=True))


def without(cycles: CycleType, selected: CycleType) -> CycleType:
    """The cycles that are left."""
    return tuple(number - n_selected for number, n_selected in zip(cycles, selected, strict=True))


def _partitions(n: int, largest: int) -> Iterator[tuple[int, ...]]:
    if n == 0:
        yield ()
    for first in range(min(n, largest), 0, -1):
        for rest in _partitions(n - first, first):
            yield (first, *rest)

from collections import Counter
from itertools import permutations
from math import factorial

import pytest

from pnas_searchspace._cycle_types import (
    CycleType,
    cycle_types,
    n_permutations,
    n_selections,
    selections,
    together,
    without,
)


def _cycle_type(permutation: tuple[int, ...]) -> CycleType:
    lengths = [0] * len(permutation)
    seen: set[int] = set()
    for start in range(len(permutation)):
        length, at = 0, start
        while at not in seen:
            seen.add(at)
            at, length = permutation[at], length + 1
        if length:
            lengths[length - 1] += 1
    return tuple(lengths)


@pytest.mark.parametrize("n", range(1, 7))
def test_every_permutation_has_one_of_the_types_and_they_are_counted(n: int) -> None:
    expected = Counter(map(_cycle_type, permutations(range(n))))
    assert {cycles: n_permutations(cycles) for cycles in cycle_types(n)} == expected
    assert expected.total() == factorial(n)


def test_the_selections_of_cycles_are_as_many_as_the_subsets_of_the_cycles() -> None:
    cycles = (3, 0, 2, 1)
    parts = list(selections(cycles))
    assert len(parts) == len(set(parts)) == 4 * 1 * 3 * 2
    assert sum(n_selections(cycles, part) for part in parts) == 2 ** sum(cycles)
    for part in parts:
        assert together(without(cycles, part), part) == cycles

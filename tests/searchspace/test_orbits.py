from itertools import permutations, product
from typing import Any

import pytest

from pnas_searchspace._cycle_types import selections
from pnas_searchspace._orbits import Orbits

BRUTE_FORCE = [  # n_cell_inputs, n_operations, n_blocks
    *((1, 1, n) for n in range(1, 6)),
    *((2, 1, n) for n in range(1, 5)),
    *((1, 2, n) for n in range(1, 4)),
    *((2, 2, n) for n in range(1, 4)),
    *((3, 1, n) for n in range(1, 4)),
    (1, 5, 2),
    (4, 2, 2),
    (3, 3, 2),
    (2, 8, 1),
    (2, 8, 2),
]


@pytest.mark.parametrize(("n_cell_inputs", "n_operations", "n_blocks"), BRUTE_FORCE)
def test_the_formula_counts_what_brute_force_finds(
    n_cell_inputs: int, n_operations: int, n_blocks: int, all_cells: Any
) -> None:
    cells = all_cells(n_blocks, n_cell_inputs, range(n_operations))
    assert Orbits(n_cell_inputs, n_operations).count(n_blocks) == len(cells)


def _acyclic(cell: tuple[Any, ...]) -> bool:
    placed: set[int] = set()
    while True:
        ready = {b for b, ((i, _), (j, _)) in enumerate(cell) if {k for k in (i, j) if k >= 0} <= placed} - placed
        if not ready:
            return len(placed) == len(cell)
        placed |= ready


def _labelled_cells(n_blocks: int, n_cell_inputs: int, n_operations: int) -> list[tuple[Any, ...]]:
    operands = list(product(range(-n_cell_inputs, n_blocks), range(n_operations)))
    blocks = [(a, b) for a in operands for b in operands if a <= b]
    return [cell for cell in product(blocks, repeat=n_blocks) if _acyclic(cell)]


def _moved(cell: tuple[Any, ...], permutation: tuple[int, ...]) -> tuple[Any, ...]:
    moved: list[Any] = [None] * len(cell)
    for block, operands in enumerate(cell):
        moved[permutation[block]] = tuple(sorted((permutation[i] if i >= 0 else i, o) for i, o in operands))
    return tuple(moved)


@pytest.mark.parametrize(
    ("n_cell_inputs", "n_operations", "n_blocks"), [(1, 1, 3), (2, 1, 3), (1, 2, 2), (2, 2, 2), (1, 1, 4)]
)
def test_what_a_permutation_leaves_as_it_is_is_counted_by_its_cycles_and_by_what_nothing_reads(
    n_cell_inputs: int, n_operations: int, n_blocks: int
) -> None:
    orbits = Orbits(n_cell_inputs, n_operations)
    cells = _labelled_cells(n_blocks, n_cell_inputs, n_operations)
    for permutation in permutations(range(n_blocks)):
        cycles = _cycles(permutation)
        cycle_type = _type_of(cycles, n_blocks)
        fixed = [cell for cell in cells if _moved(cell, permutation) == cell]
        assert orbits.n_fixed(cycle_type) == len(fixed)
        for unread in selections(cycle_type):
            if any(unread):
                first = _first_of_type(cycles, unread)
                with_unread = [cell for cell in fixed if _unread(cell) == first]
                assert orbits.n_with_unread(cycle_type, unread) == len(with_unread)


def _cycles(permutation: tuple[int, ...]) -> list[tuple[int, ...]]:
    cycles, seen = [], set[int]()
    for start in range(len(permutation)):
        cycle, at = [], start
        while at not in seen:
            seen.add(at)
            cycle.append(at)
            at = permutation[at]
        if cycle:
            cycles.append(tuple(cycle))
    return cycles


def _type_of(cycles: list[tuple[int, ...]], n_blocks: int) -> tuple[int, ...]:
    return tuple(sum(len(cycle) == length for cycle in cycles) for length in range(1, n_blocks + 1))


def _first_of_type(cycles: list[tuple[int, ...]], wanted: tuple[int, ...]) -> set[int]:
    """The blocks of the first so many cycles of every length."""
    return {
        block
        for length, number in enumerate(wanted, 1)
        for cycle in [cycle for cycle in cycles if len(cycle) == length][:number]
        for block in cycle
    }


def _unread(cell: tuple[Any, ...]) -> set[int]:
    return set(range(len(cell))) - {i for operands in cell for i, _ in operands}

"""How many cells there are up to isomorphism, exactly, without listing them.

Label the blocks of a cell in any way, not only so that each comes after those it reads: cells up to isomorphism are
then the orbits of labelled cells under all permutations of the labels. By the lemma of Cauchy and Frobenius
(Burnside's) their number is the mean, over all permutations, of how many labelled cells a permutation leaves as they
are, and that depends on the lengths of its cycles alone.

It is found by taking away blocks that nothing reads. A permutation that leaves a cell as it is maps those to each
other, so they are whole cycles of it. Inclusion and exclusion over the cycles makes every cell count once however many
such blocks it has, as Robinson (1973) does to count acyclic digraphs.
"""

from math import factorial, gcd, prod

from pnas_searchspace._cycle_types import (
    CycleType,
    cycle_types,
    n_permutations,
    n_selections,
    selections,
    together,
    without,
)


class Orbits:
    """Labelled cells of a space, and the permutations of their blocks."""

    def __init__(self, n_cell_inputs: int, n_operations: int) -> None:
        self._n_cell_inputs = n_cell_inputs
        self._n_operations = n_operations
        self._fixed: dict[CycleType, int] = {}
        self._with_unread: dict[tuple[CycleType, CycleType], int] = {}

    def count(self, n_blocks: int) -> int:
        """How many cells of a size there are up to isomorphism."""
        return sum(map(self.n_symmetries, cycle_types(n_blocks))) // factorial(n_blocks)

    def n_symmetries(self, cycles: CycleType) -> int:
        """How many pairs there are of a permutation with these cycles and a labelled cell that it leaves as it is."""
        return n_permutations(cycles) * self.n_fixed(cycles)

    def n_fixed(self, cycles: CycleType) -> int:
        """How many labelled cells one permutation with these cycles leaves as they are."""
        if cycles not in self._fixed:
            self._fixed[cycles] = self._count_fixed(cycles)
        return self._fixed[cycles]

    def n_with_unread(self, cycles: CycleType, unread: CycleType) -> int:
        """Of those, the ones in which the blocks of certain cycles, and no others, are read by none."""
        if (cycles, unread) not in self._with_unread:
            self._with_unread[cycles, unread] = self._count_with_unread(cycles, unread)
        return self._with_unread[cycles, unread]

    def _count_fixed(self, cycles: CycleType) -> int:
        if not any(cycles):
            return 1
        return -sum(
            _sign(unread) * n_selections(cycles, unread) * self._n_at_least_unread(cycles, unread)
            for unread in selections(cycles)
            if any(unread)
        )

    def _count_with_unread(self, cycles: CycleType, unread: CycleType) -> int:
        others = without(cycles, unread)
        return sum(
            _sign(more) * n_selections(others, more) * self._n_at_least_unread(cycles, together(unread, more))
            for more in selections(others)
        )

    def _n_at_least_unread(self, cycles: CycleType, unread: CycleType) -> int:
        sources = without(cycles, unread)
        return self._n_ways_to_read(sources, unread) * self.n_fixed(sources)

    def n_ways_to_read_all(self, sources: CycleType, all_read: CycleType, readers: CycleType) -> int:
        """How many ways certain cycles have to read inputs and `sources`, certain cycles of which have to be read."""
        return sum(
            _sign(missed) * n_selections(all_read, missed) * self._n_ways_to_read(without(sources, missed), readers)
            for missed in selections(all_read)
        )

    def _n_ways_to_read(self, sources: CycleType, readers: CycleType) -> int:
        return prod(self._n_first_blocks(sources, length) ** n for length, n in enumerate(readers, 1) if n)

    def _n_first_blocks(self, sources: CycleType, length: int) -> int:
        """How many blocks can begin a cycle; the permutation makes the other blocks of the cycle from it.

        After `length` steps it is mapped to itself, so its two operands are kept by so many steps, or swapped.
        """
        kept = self._n_cell_inputs + sum(L * number for L, number in enumerate(sources, 1) if length % L == 0)
        swapped = sum(L * number for L, number in enumerate(sources, 1) if 2 * gcd(L, length) == L) // 2
        n_kept = kept * self._n_operations
        return n_kept * (n_kept + 1) // 2 + swapped * self._n_operations


def _sign(cycles: CycleType) -> int:
    return -1 if sum(cycles) % 2 else 1

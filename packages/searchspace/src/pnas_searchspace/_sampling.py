"""Cells drawn uniformly up to isomorphism.

Of all pairs of a permutation and a labelled cell that it leaves as it is, every cell up to isomorphism has equally
many (`_orbits.py`), so a pair that is drawn uniformly gives a cell that is drawn uniformly (Dixon and Wilf, 1983). A
pair is drawn from its outside to its inside: the cycles of the permutation, which of them are of blocks that nothing
reads, which of the rest only those read, and so on; and then, from the innermost layer out, what every block reads.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pnas_searchspace._codes import Coder, Operands
from pnas_searchspace._cycle_types import CycleType, cycle_types, n_selections, selections, without
from pnas_searchspace._orbits import Orbits


def sampled_operands(coder: Coder, orbits: Orbits, size: int, rng: np.random.Generator) -> Operands:
    """Cells drawn independently and uniformly up to isomorphism, `(n_blocks, 2, size)`."""
    types = list(cycle_types(coder.n_blocks))
    cells = [np.empty((coder.n_blocks, 2, 0), dtype=np.int64)]
    for cycles, n_of_type in _split(size, types, [orbits.n_symmetries(cycles) for cycles in types], rng):
        for layers, n_cells in _layerings(orbits, cycles, None, n_of_type, rng):
            made = _LayeredCells(coder, n_cells, rng)
            for layer in layers:
                made.add(layer)
            cells.append(np.concatenate(made.blocks))
    return np.concatenate(cells, axis=2)[:, :, rng.permutation(size)]


def _layerings(
    orbits: Orbits, cycles: CycleType, readers: CycleType | None, size: int, rng: np.random.Generator
) -> Iterator[tuple[list[CycleType], int]]:
    """Layers of cycles, the innermost first, and how many of `size` cells have them; `readers` is the layer outside."""
    if not any(cycles):
        yield [], size
        return
    unread = [selected for selected in selections(cycles) if any(selected)]
    weights = [
        n_selections(cycles, layer)
        * orbits.n_with_unread(cycles, layer)
        * (1 if readers is None else orbits.n_ways_to_read_all(cycles, layer, readers))
        for layer in unread
    ]
    for layer, n_of_layer in _split(size, unread, weights, rng):
        for inner, n_cells in _layerings(orbits, without(cycles, layer), layer, n_of_layer, rng):
            yield [*inner, layer], n_cells


def _split(
    size: int, options: Sequence[CycleType], weights: Sequence[int], rng: np.random.Generator
) -> Iterator[tuple[CycleType, int]]:
    """The options that are drawn at all in `size` draws, and how often."""
    possible = [(option, weight) for option, weight in zip(options, weights, strict=True) if weight]
    total = sum(weights)
    counts = rng.multinomial(size, [weight / total for _, weight in possible])
    return ((option, int(count)) for (option, _), count in zip(possible, counts, strict=True) if count)


class _LayeredCells:
    """Cells that a permutation with given cycles leaves as they are, made from the innermost layer out."""

    def __init__(self, coder: Coder, n_cells: int, rng: np.random.Generator) -> None:
        self._n_operations = coder.n_operations
        self._n_cells = n_cells
        self._rng = rng
        self._image = np.arange(coder.n_cell_inputs * coder.n_operations)  # to what the permutation maps every operand
        self._to_be_read = np.empty(0, dtype=np.int64)
        self.blocks: list[Operands] = []

    def add(self, layer: CycleType) -> None:
        """Add blocks that read all blocks of the layer before, and of what else there is, what they like."""
        cycles = [(length, self._first_blocks(length)) for length, number in enumerate(layer, 1) for _ in range(number)]
        blocks = self._drawn(cycles, self._n_cells)
        pending = np.flatnonzero(~self._reads_all(blocks))
        while len(pending):
            again = self._drawn(cycles, len(pending))
            blocks[:, :, pending] = again
            pending = pending[~self._reads_all(again)]
        self.blocks.append(blocks)
        self._to_be_read = np.arange(len(blocks)) + len(self._image) // self._n_operations
        self._extend_image(layer)

    def _drawn(self, cycles: Sequence[tuple[int, Operands]], n_cells: int) -> Operands:
        blocks = []
        for length, first_blocks in cycles:
            block = first_blocks[:, self._rng.integers(first_blocks.shape[1], size=n_cells)]
            for _ in range(length):
                blocks.append(block)
                block = self._image[block]
        return np.stack(blocks)

    def _first_blocks(self, length: int) -> Operands:
        """All blocks that can begin a cycle: those that `length` steps map to themselves, `(2, n)`."""
        operands = np.arange(len(self._image))
        after = operands
        for _ in range(length):
            after = self._image[after]
        kept = np.flatnonzero(after == operands)
        swapped = np.flatnonzero((after[after] == operands) & (after > operands))
        return np.concatenate([kept[np.stack(np.triu_indices(len(kept)))], np.stack([swapped, after[swapped]])], axis=1)

    def _reads_all(self, blocks: Operands) -> NDArray[np.bool_]:
        sources = blocks // self._n_operations
        read = np.ones(blocks.shape[2], dtype=bool)
        for source in self._to_be_read:
            read &= (sources == source).any((0, 1))
        return read

    def _extend_image(self, layer: CycleType) -> None:
        for length, number in enumerate(layer, 1):
            for _ in range(number):
                cycle = len(self._image) + np.arange(length * self._n_operations)
                self._image = np.concatenate([self._image, np.roll(cycle, -self._n_operations)])

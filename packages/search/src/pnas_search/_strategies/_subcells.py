"""The cells of fewer blocks that are inside of others: blocks that read no block but each other."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pnas_searchspace import CellSpace


class Places(NamedTuple):
    """Where a cell is inside of others, in order; inside of one it may be in several places."""

    cells: NDArray[np.int64]
    """Inside of which, `(M,)`."""
    blocks: NDArray[np.bool_]
    """Which blocks of that are its own, `(M, n_blocks)`."""


def everywhere(cells: NDArray[np.int64]) -> Places:
    """Where the cell without blocks is inside of cells `(N, n_blocks, 4)`."""
    return Places(np.arange(len(cells)), np.zeros(cells.shape[:2], dtype=np.bool_))


def nowhere(cells: NDArray[np.int64]) -> Places:
    """No place inside of cells `(N, n_blocks, 4)`."""
    return everywhere(cells[:0])


def grown(space: CellSpace, cells: NDArray[np.int64], places: Places) -> list[tuple[NDArray[np.int64], Places]]:
    """The cells of one block more that are inside of `cells` around a cell that has these places, and their places.

    They are canonical, `(n_blocks, 4)`, once each, in the order of the cells that they are inside of.
    """
    larger = _larger(cells, places)
    if not len(larger.cells):
        return []
    inner, first, which = np.unique(_inner(space, cells, larger), axis=0, return_index=True, return_inverse=True)
    # A stable sort, so that the places of a cell stay in order.
    order = np.argsort(first[which.reshape(-1)], kind="stable")
    ends = np.cumsum(np.bincount(which.reshape(-1))[np.argsort(first)])[:-1]
    places_of_each = zip(np.split(larger.cells[order], ends), np.split(larger.blocks[order], ends), strict=True)
    return [(inner[one], Places(*of_one)) for one, of_one in zip(np.argsort(first), places_of_each, strict=True)]


def _larger(cells: NDArray[np.int64], places: Places) -> Places:
    """All places with one block more, once each."""
    added = ~places.blocks & ~_reads_outside(cells[places.cells], places.blocks)
    place, block = np.nonzero(added)
    blocks = places.blocks[place]
    blocks[np.arange(len(blocks)), block] = True
    together = np.unique(np.column_stack([places.cells[place], blocks]), axis=0)
    return Places(together[:, 0], together[:, 1:].astype(np.bool_))


def _reads_outside(cells: NDArray[np.int64], blocks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which blocks `(M, n_blocks)` read one that is not among `blocks`."""
    inputs = cells[:, :, 0::2]
    inside = np.take_along_axis(blocks[:, :, None], np.maximum(inputs, 0), axis=1)
    outside: NDArray[np.bool_] = np.any((inputs >= 0) & ~inside, axis=2)
    return outside


def _inner(space: CellSpace, cells: NDArray[np.int64], places: Places) -> NDArray[np.int64]:
    """The cells in these places, all of one size, `(M, n_blocks, 4)`."""
    n_blocks = int(places.blocks[0].sum())
    kept = np.nonzero(places.blocks)[1].reshape(-1, n_blocks)
    inner = np.take_along_axis(cells[places.cells], kept[:, :, None], axis=1)
    labels = np.cumsum(places.blocks, axis=1)[:, :, None] - 1
    inputs = inner[:, :, 0::2]
    inner[:, :, 0::2] = np.where(inputs < 0, inputs, np.take_along_axis(labels, np.maximum(inputs, 0), axis=1))
    return space.canonical(inner)

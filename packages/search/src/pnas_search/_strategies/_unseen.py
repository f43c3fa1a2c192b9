"""Cells that a strategy has not asked for yet."""

from collections.abc import Callable, Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from pnas_search._strategies._history import History
from pnas_searchspace import Cell, CellSpace

Allowed = Callable[[NDArray[np.int64]], NDArray[np.bool_]]
"""Says of canonical cells `(N, n_blocks, 4)` which of them may be trained, `(N,)`."""

_MANY = 200_000
_LARGEST_BATCH = 1 << 16


def all_allowed(cells: NDArray[np.int64]) -> NDArray[np.bool_]:
    """That every cell may be trained."""
    return np.ones(len(cells), dtype=np.bool_)


def unseen_cells(
    space: CellSpace,
    n_blocks: int,
    size: int,
    rng: np.random.Generator,
    *,
    history: History,
    allowed: Allowed = all_allowed,
    besides: Collection[str] = (),
) -> list[Cell]:
    """So many cells of a size that are allowed and not in a history, each equally likely, and each once.

    They are fewer where no more are left; of a space of more than 200,000 cells, where as many draws in a row found no
    further one. `besides` holds the texts of other cells that are not wanted.
    """
    found: dict[str, Cell] = {}
    n_vain = 0
    for batch in _batches(space, n_blocks, size, rng) if size else ():
        if len(found) >= size or n_vain >= _MANY:
            break
        drawn = {str(cell): cell for cell in space.to_cells(batch[allowed(batch)]) if cell not in history}
        new = {text: cell for text, cell in drawn.items() if text not in found and text not in besides}
        n_vain = 0 if new else n_vain + len(batch)
        found |= new
    return list(found.values())[:size]


def _batches(space: CellSpace, n_blocks: int, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """All cells of a small space in random order, or draws from a larger one without end, in batches that grow."""
    n = size
    if space.count(n_blocks) > _MANY:
        while True:
            yield space.sample(n_blocks, n, rng)
            n = min(2 * n, max(size, _LARGEST_BATCH))
    cells = np.concatenate(list(space.enumerate(n_blocks)))
    order = rng.permutation(len(cells))
    for start in range(0, len(cells), n):
        yield cells[order[start : start + n]]

"""The canonical forms of many cells at once: what `_canonical.py` does for one, with codes for blocks."""

import numpy as np
from numpy.typing import NDArray

from pnas_searchspace._codes import Coder, Codes, Operands
from pnas_searchspace._labelling import Labelling

_CHUNK = 1 << 13  # cells that are worked on at once, so that they stay in the processor's cache
_MOST_ORDERS = 1 << 16  # that are followed at once, unless those of a single cell are more


def canonical_codes(operands: Operands, coder: Coder) -> Codes:
    """The canonical form of every cell, `(n_blocks, 2, N)` to `(n_blocks, N)`; blocks may come in any order."""
    codes = np.empty((len(operands), operands.shape[2]), dtype=np.int64)
    for start in range(0, operands.shape[2], _CHUNK):
        chunk = operands[:, :, start : start + _CHUNK]
        codes[:, start : start + _CHUNK], tied = _greedy(chunk, coder)
        ties = np.flatnonzero(tied)
        if len(ties):
            labelling = Labelling(chunk[:, :, ties], coder)
            codes[:, start + ties] = smallest_codes(labelling, range(len(operands)))
    return codes


def _greedy(operands: Operands, coder: Coder) -> tuple[Codes, NDArray[np.bool_]]:
    """Put a smallest block at every place, and say where several that are read were equally small."""
    labelling = Labelling(operands, coder)
    codes = np.empty((len(operands), operands.shape[2]), dtype=np.int64)
    tied = np.zeros(operands.shape[2], dtype=bool)
    for place in range(len(operands)):
        codes[place], equal = labelling.smallest()
        chosen, several = _best_of(equal, labelling.read)
        tied |= several
        labelling.put(chosen, place)
    return codes, tied


def smallest_codes(labelling: Labelling, places: range) -> Codes:
    """The smallest codes over all orders in which the blocks that are left can get these places, `(len(places), N)`.

    Orders that differ in the places of equal blocks that are read are followed side by side, up to `k!` for `k` such.
    """
    n_cells = labelling.n_cells
    codes = np.empty((len(places), n_cells), dtype=np.int64)
    cell = np.arange(n_cells)  # whose order it is
    followed = labelling.take(cell)
    for row, place in enumerate(places):
        if followed.n_cells > _MOST_ORDERS and n_cells > 1:
            halves = [smallest_codes(labelling.take(half), places) for half in np.array_split(np.arange(n_cells), 2)]
            return np.concatenate(halves, axis=1)
        code, equal = followed.smallest()
        codes[row] = np.minimum.reduceat(code, np.searchsorted(cell, np.arange(n_cells)))
        order = np.flatnonzero(code == codes[row, cell])
        equal, read = equal[:, order], followed.read[:, order]
        chosen, several = _best_of(equal, read)
        if several.any():
            choices = equal & read
            column = np.repeat(np.arange(len(order)), np.where(several, np.count_nonzero(choices, axis=0), 1))
            chosen = chosen[column]
            chosen[several[column]] = np.nonzero(choices[:, several].T)[1]
            order = order[column]
        cell = cell[order]
        followed = followed.take(order)
        followed.put(chosen, place)
    return codes


def _best_of(equal: NDArray[np.bool_], read: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Of equal blocks the one to come first, and where there are several such.

    One that is read comes before those that are not: its readers profit from a smaller label. Those that are not are
    interchangeable.
    """
    n_blocks = len(equal)
    # Arithmetic on small integers, and a minimum: several times as fast as np.where and argmin along the first axis.
    rank = n_blocks * (~read).astype(np.int16) + 2 * n_blocks * (~equal).astype(np.int16)
    rank += np.arange(n_blocks, dtype=np.int16)[:, None]
    chosen = rank.min(0) % np.int16(n_blocks)
    return chosen.astype(np.intp), (equal & read).sum(0, dtype=np.int16) > 1

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pnas_surrogate._sequences import PADDING


@dataclass(frozen=True, kw_only=True)
class Level:
    """The distinct prefixes of one length.

    Attributes:
        parents: which prefix of the level before each of them continues, `(n_prefixes,)`.
        tokens: with which token, `(n_prefixes,)`.
        ends: the sequences that end here.
        prefixes: which prefix each of these is.
    """

    parents: NDArray[np.int64]
    tokens: NDArray[np.int64]
    ends: NDArray[np.int64]
    prefixes: NDArray[np.int64]


def sorted_order(sequences: NDArray[np.int64]) -> NDArray[np.int64]:
    """The order in which sequences `(N, length)` that share prefixes are next to each other."""
    # NumPy sorts small integers by radix, several times as fast.
    keys = sequences.astype(np.min_scalar_type(PADDING - int(sequences.max())))
    order: NDArray[np.int64] = np.lexsort(keys.T[::-1])
    return order


def levels(sequences: NDArray[np.int64]) -> Iterator[Level]:
    """The prefixes of sorted sequences `(N, length)`, shortest first; those of one token continue the empty one."""
    there = sequences != PADDING
    new = np.ones(sequences.shape, bool)
    np.logical_or.accumulate(sequences[1:] != sequences[:-1], axis=1, out=new[1:])
    new &= there
    lengths = there.sum(axis=1)
    prefixes = np.zeros(len(sequences), np.int64)
    for step in range(lengths.max()):
        first = np.flatnonzero(new[:, step])
        parents = prefixes[first]
        prefixes = np.cumsum(new[:, step]) - 1
        ends = np.flatnonzero(lengths == step + 1)
        yield Level(parents=parents, tokens=sequences[first, step], ends=ends, prefixes=prefixes[ends])

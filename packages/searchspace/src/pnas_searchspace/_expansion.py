"""Every cell that comes of others by adding one block."""

import numpy as np
from numpy.typing import NDArray

from pnas_searchspace._canonical_codes import canonical_codes
from pnas_searchspace._codes import Coder, Codes, Operands, first_of_each

_CHUNK = 1 << 17  # children that are made at once


def expanded_codes(parents: Operands, coder: Coder) -> tuple[Codes, NDArray[np.int64]]:
    """The children of parents with one block less than `coder.n_blocks`, once each, and for each the first parent.

    Only the packed canonical forms of all children are held at once.
    """
    blocks = coder.last_blocks()
    n_parents, n_blocks = parents.shape[2], blocks.shape[1]
    step = max(1, _CHUNK // n_blocks)
    words = [
        coder.pack(canonical_codes(with_one_more_block(parents[:, :, start : start + step], blocks), coder))
        for start in range(0, n_parents, step)
    ]
    if not words:
        return np.empty((coder.n_blocks, 0), dtype=np.int64), np.empty(0, dtype=np.int64)
    packed = np.concatenate(words, axis=1)
    first = first_of_each(packed)
    return coder.unpack(packed[:, first], coder.n_blocks), first // n_blocks


def with_one_more_block(parents: Operands, blocks: Operands) -> Operands:
    """Every parent with every block behind it: `(n_blocks, 2, N)` and `(2, n)` to `(n_blocks + 1, 2, N * n)`."""
    n_parents = parents.shape[2]
    behind = np.tile(blocks, n_parents)[None]
    return np.concatenate([np.repeat(parents, blocks.shape[1], axis=2), behind])

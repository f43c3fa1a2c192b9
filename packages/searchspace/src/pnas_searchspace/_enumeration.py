"""Every cell of a size once, one batch after another, without holding those that came before.

Every prefix of a canonical form is canonical, so each canonical form comes of exactly one other by putting a block
behind it (orderly generation: Read, "Every one a winner", 1978).
"""

from collections.abc import Iterator

import numpy as np

from pnas_searchspace._canonical_codes import canonical_codes
from pnas_searchspace._codes import Coder, Codes

_CHUNK = 1 << 16  # candidates that are looked at at once


def enumerated_codes(coder: Coder) -> Iterator[Codes]:
    """The canonical forms of all cells of `coder.n_blocks` blocks, in order, in batches `(n_blocks, N)`."""
    blocks = coder.last_blocks()
    if coder.n_blocks == 1:
        yield coder.codes(blocks)[None]
        return
    shorter = coder._replace(n_blocks=coder.n_blocks - 1)
    step = max(1, _CHUNK // blocks.shape[1])
    for batch in enumerated_codes(shorter):
        for start in range(0, batch.shape[1], step):
            yield _canonical_children(batch[:, start : start + step], shorter, coder)


def _canonical_children(parents: Codes, shorter: Coder, coder: Coder) -> Codes:
    """The canonical forms that begin with one of `parents`, which are canonical, and have one block more.

    A block can stand last only if it is no smaller than any block before which it could stand. That is enough where no
    two blocks of the parent are equal, so that one order alone gives its canonical form; else the child's whole
    canonical form decides.
    """
    operands = shorter.split(parents)
    parent_codes = coder.codes(operands)
    blocks = coder.last_blocks()
    block_codes = coder.codes(blocks)
    earliest_places = blocks.max(0) // coder.n_operations - coder.n_cell_inputs + 1
    fits = np.ones((parents.shape[1], len(block_codes)), dtype=bool)
    for place, codes in enumerate(parent_codes):
        fits &= (codes[:, None] <= block_codes) | (earliest_places > place)
    parent, block = np.nonzero(fits)
    children = np.concatenate([parent_codes[:, parent], block_codes[None, block]])
    n_equal = (parent_codes[:, None] == parent_codes).sum((0, 1))
    in_doubt = np.flatnonzero(n_equal[parent] > len(parent_codes))
    doubted = children[:, in_doubt]
    refused = (canonical_codes(coder.split(doubted), coder) != doubted).any(0)
    return np.delete(children, in_doubt[refused], axis=1)

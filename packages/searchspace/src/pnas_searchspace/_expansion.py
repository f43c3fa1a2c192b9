"""Every cell that comes of others by adding one block."""

import numpy as np
from numpy.typing import NDArray

from pnas_searchspace._canonical_codes import canonical_codes
from pnas_searchspace._codes import Coder, Codes, Operands, first_of_each
from pnas_searchspace._insertion import children_by_insertion

_CHUNK = 1 << 15  # children that are made at once, unless those of one parent are more
_MOST_ORDERS = 12  # of a parent's blocks; where there can be more, its children are made canonical one by one


def expanded_codes(parents: Operands, coder: Coder) -> tuple[Codes, NDArray[np.int64]]:
    """The children of parents with one block less than `coder.n_blocks`, once each, and for each the first parent."""
    blocks = coder.last_blocks()
    n_parents, n_blocks = parents.shape[2], blocks.shape[1]
    words = np.empty((coder.n_words, n_parents, n_blocks), dtype=np.int64)
    canonical = canonical_codes(parents, coder)
    few_orders = _most_orders(canonical) <= _MOST_ORDERS
    step = max(1, _CHUNK // n_blocks)
    for some, children in ((few_orders, children_by_insertion), (~few_orders, _one_by_one)):
        chosen = np.flatnonzero(some)
        for start in range(0, len(chosen), step):
            chunk = chosen[start : start + step]
            words[:, chunk] = children(coder.split(canonical[:, chunk]), blocks, coder)
    children_of_all = words.reshape(len(words), n_parents * n_blocks)
    first = first_of_each(children_of_all)
    return coder.unpack(children_of_all[:, first]), first // n_blocks


def _most_orders(codes: Codes) -> NDArray[np.float64]:
    """The number of orders that equal blocks leave at most: the product of `k!` over all groups of `k` equal blocks."""
    rows = np.arange(len(codes))[:, None, None]
    n_equal_before = ((codes[:, None] == codes) & (rows > rows.transpose(1, 0, 2))).sum(1)
    orders: NDArray[np.float64] = np.prod(n_equal_before + 1.0, axis=0)
    return orders


def _one_by_one(parents: Operands, blocks: Operands, coder: Coder) -> NDArray[np.int64]:
    """The packed canonical forms of all children, `(n_words, N, n)`, each child for itself."""
    n_parents, n_blocks = parents.shape[2], blocks.shape[1]
    children = np.concatenate([np.repeat(parents, n_blocks, axis=2), np.tile(blocks, n_parents)[None]])
    return coder.pack(canonical_codes(children, coder)).reshape(-1, n_parents, n_blocks)

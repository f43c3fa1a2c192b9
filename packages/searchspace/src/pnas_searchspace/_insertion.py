"""The children of cells, from the orders of their parents' blocks alone.

Nothing reads the block that is added. So in the canonical form of a child the blocks before it are, for some `p`, the
first `p` of the parent's canonical form: smaller ones do not exist, because they begin an order of the parent's blocks,
and larger ones would not be canonical, because all of the parent's blocks could come first. Where equal blocks leave a
choice, several orders of the parent's blocks give those `p`, and they all count, because the new block may read any of
them. What comes after the new block is the smallest order of the rest, and does not depend on what the new block is. So
for every parent a few ways to insert a block are worked out once, and a child's canonical form is the smallest that any
of them gives.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pnas_searchspace._canonical_codes import smallest_codes
from pnas_searchspace._codes import Coder, Codes, Operands
from pnas_searchspace._labelling import Labelling

_CHUNK = 1 << 18  # children, in every way, that are looked at at once
_NO_CHILD = np.iinfo(np.int64).max


def children_by_insertion(parents: Operands, blocks: Operands, coder: Coder) -> NDArray[np.int64]:
    """The packed canonical forms of all children, `(n_words, N, n)`; `parents` are canonical, `blocks` are `(2, n)`."""
    ways = _ways_to_insert(parents, coder)
    step = max(1, _CHUNK // len(ways.parent))
    some_blocks = (blocks[:, start : start + step] for start in range(0, blocks.shape[1], step))
    return np.concatenate([_smallest_children(ways, some, coder) for some in some_blocks], axis=2)


def _smallest_children(ways: "_Ways", blocks: Operands, coder: Coder) -> NDArray[np.int64]:
    codes = _codes_of_inserted(ways.labels, blocks, coder)
    possible = codes < coder.no_operand
    first_ways = np.flatnonzero(np.diff(ways.parent, prepend=-1))
    smallest = []
    for word, around in enumerate(ways.words):
        in_word, shift = coder.position(ways.place)
        inserted = np.where(in_word == word, 1, 0)[:, None] * (codes << shift[:, None])
        packed = np.where(possible, around[:, None] + inserted, _NO_CHILD)
        smallest.append(np.minimum.reduceat(packed, first_ways, axis=0))
        possible &= packed == smallest[word][ways.parent]
    return np.stack(smallest)


class _Ways(NamedTuple):
    """Ways to insert a block, sorted by parent."""

    parent: NDArray[np.int64]  # (R,)
    place: NDArray[np.int64]  # (R,): where the new block stands
    labels: NDArray[np.int64]  # (n_sources, R): of what the new block could read; -1 where that comes after it
    words: NDArray[np.int64]  # (n_words, R): the child's codes, packed, with 0 for the new block's


def _ways_to_insert(parents: Operands, coder: Coder) -> _Ways:
    n_blocks, _, n_parents = parents.shape
    canonical = coder.codes(parents)
    parent = np.arange(n_parents)
    labelling = Labelling(parents, coder)
    inputs = np.arange(coder.n_cell_inputs)
    labels = np.tile(np.concatenate([inputs, np.full(n_blocks, -1)])[:, None], n_parents)
    before = np.empty((0, n_parents), dtype=np.int64)
    ways = []
    for place in range(n_blocks + 1):
        after = smallest_codes(labelling, range(place + 1, n_blocks + 1))
        new = np.zeros((1, len(parent)), dtype=np.int64)
        words = coder.pack(np.concatenate([before, new, after]))
        ways.append(_Ways(parent, np.full(len(parent), place), labels, words))
        if place < n_blocks:
            code, equal = labelling.smallest()
            order, chosen = np.nonzero((equal & (code == canonical[place, parent])).T)
            parent, labels, before = parent[order], labels[:, order], np.vstack([before, code])[:, order]
            labels[coder.n_cell_inputs + chosen, np.arange(len(order))] = coder.n_cell_inputs + place
            labelling = labelling.take(order)
            labelling.put(chosen, place)
    together = _Ways(*(np.concatenate(parts, axis=-1) for parts in zip(*ways, strict=True)))
    by_parent = np.argsort(together.parent, kind="stable")
    return _Ways(*(part[..., by_parent] for part in together))


def _codes_of_inserted(labels: NDArray[np.int64], blocks: Operands, coder: Coder) -> Codes:
    """The code of every new block in every way, `(R, n)`; it is no code where the block reads one that comes later."""
    operands = labels.T[:, :, None] * coder.n_operations + np.arange(coder.n_operations)
    operands[labels.T < 0] = coder.no_operand
    read = operands.reshape(len(operands), coder.n_operands)[:, blocks]
    codes: Codes = np.minimum(read[:, 0], read[:, 1]) * coder.n_operands + np.maximum(read[:, 0], read[:, 1])
    return codes

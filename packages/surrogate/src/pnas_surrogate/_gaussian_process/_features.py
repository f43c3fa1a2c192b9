from collections.abc import Callable
from functools import partial
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from pnas_surrogate._base import Floats
from pnas_surrogate._errors import SurrogateError
from pnas_surrogate._gaussian_process import _families as families
from pnas_surrogate._gaussian_process._families import ABSENT, Codes, Family
from pnas_surrogate._sequences import PADDING, Tokens
from pnas_surrogate._spec import SequenceSpec

KernelName = Literal["string", "groups", "both"]

_STRING: list[Family] = [families.tokens_of_a_kind, families.subsequences]
_GROUPS: list[Family] = [families.tokens_in_a_slot, families.pairs_in_a_group]
_MOST_COLUMNS = 2048
"""Of a family: long sequences of many tokens hold pairs by the hundred thousand, and few of them twice."""

_FAMILIES = {"string": _STRING, "groups": _GROUPS, "both": [*_STRING, *_GROUPS]}


class Columns:
    """Some numbers of every sequence, centered, and scaled so that samples are at distance 1 of their mean on average.

    Attributes:
        weights: which of the weights that are learned a column is multiplied by, `(n_columns,)`; -1 is none.
        are_orders: whether they are the sizes of tokens, which mean nothing in most spaces.
    """

    def __init__(
        self,
        raw: Callable[[Tokens], Floats],
        samples: Tokens,
        *,
        weights: NDArray[np.int64] | None = None,
        are_orders: bool = False,
    ) -> None:
        self._raw = raw
        columns = raw(samples)
        self._center = columns.mean(0)
        spread = np.sqrt(((columns - self._center) ** 2).sum(1).mean())
        # The mean of equal numbers may be rounded to another one, which is no spread.
        self._scale = 1 / spread if np.ptp(columns, axis=0).any() else 1.0
        self.weights = np.full(columns.shape[1], -1) if weights is None else weights
        self.are_orders = are_orders

    def __call__(self, tokens: Tokens) -> Floats:
        """`(N, n_columns)`."""
        scaled: Floats = (self._raw(tokens) - self._center) * self._scale
        return scaled


def features(samples: Tokens, spec: SequenceSpec, kernel: KernelName) -> list[Columns]:
    """What a kernel compares sequences by, one entry for each family.

    Counts are per group, so that sequences of any lengths can be compared. What no sample holds, or what is rare among
    very many things, counts as one and the same unknown thing.
    """
    if kernel not in get_args(KernelName):
        raise SurrogateError(f"kernel must be one of {', '.join(get_args(KernelName))}, not {kernel!r}")
    sizes = partial(_mean_sizes, spec)
    found = [
        Columns(_log_length, samples),
        Columns(sizes, samples, weights=np.arange(len(spec.kinds)), are_orders=True),
    ]
    for family in _FAMILIES[kernel]:
        known = _known(family(samples, spec).codes)
        if len(known):
            found.append(Columns(partial(_counts_per_group, family, known, spec), samples))
    if kernel != "groups":
        known = _known(families.tokens_at_a_place(samples, spec).codes)
        weights = len(spec.kinds) + families.places(known, spec)
        raw = partial(_counts, families.tokens_at_a_place, known, spec)
        found.append(Columns(raw, samples, weights=np.append(weights, -1)))
    return found


def _log_length(tokens: Tokens) -> Floats:
    return np.log(_n_groups(tokens))[:, None]


def _mean_sizes(spec: SequenceSpec, tokens: Tokens) -> Floats:
    """The mean over the groups of each position's token, as if 1 followed 0 and 2 followed 1."""
    largest = np.array([max(1, spec.vocabulary[kind] - 1) for kind in spec.kinds])
    sums: Floats = np.where(tokens != PADDING, tokens / largest, 0).sum(1)
    return sums / _n_groups(tokens)[:, None]


def _counts_per_group(family: Family, known: Codes, spec: SequenceSpec, tokens: Tokens) -> Floats:
    return _counts(family, known, spec, tokens) / _n_groups(tokens)[:, None]


def _counts(family: Family, known: Codes, spec: SequenceSpec, tokens: Tokens) -> Floats:
    """How often each known thing is in a sequence, and how many unknown ones, `(N, n_known + 1)`."""
    codes, weights = family(tokens, spec)
    column = np.searchsorted(known, codes).clip(max=len(known) - 1)
    column = np.where(known[column] == codes, column, len(known))
    width = len(known) + 1
    there = codes != ABSENT
    index = (np.arange(len(codes))[:, None] * width + column)[there]
    counts = np.zeros(len(codes) * width)
    np.add.at(counts, index, np.broadcast_to(weights, codes.shape)[there])
    return counts.reshape(len(codes), width)


def _known(codes: Codes) -> Codes:
    """The things that samples hold, sorted; of very many the most frequent."""
    known, n_times = np.unique(codes[codes != ABSENT], return_counts=True)
    return np.sort(known[np.argsort(-n_times, kind="stable")[:_MOST_COLUMNS]])


def _n_groups(tokens: Tokens) -> NDArray[np.int64]:
    n_groups: NDArray[np.int64] = (tokens[..., 0] != PADDING).sum(1)
    return n_groups

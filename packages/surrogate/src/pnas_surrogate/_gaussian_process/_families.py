"""What sequences are compared by: families of codes, one for every thing of a kind that a sequence holds."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pnas_surrogate._sequences import PADDING, Tokens
from pnas_surrogate._spec import SequenceSpec

Codes = NDArray[np.int64]

ABSENT = -1

_DECAY = 0.5
_FARTHEST = 8
"""In groups: a pair that is farther apart would count less than a hundredth."""


class Things(NamedTuple):
    """What sequences hold.

    Attributes:
        codes: integers `(N, n_things)`, `ABSENT` where a sequence has no such thing.
        weights: how much each counts, `(n_things,)`.
    """

    codes: Codes
    weights: NDArray[np.float64]


def tokens_of_a_kind(tokens: Tokens, spec: SequenceSpec) -> Things:
    """The tokens, wherever in the sequence they are."""
    return _all_alike(_coded(tokens, np.array([list(spec.vocabulary).index(kind) for kind in spec.kinds]), spec))


def tokens_in_a_slot(tokens: Tokens, spec: SequenceSpec) -> Things:
    """The tokens with their positions in the group, whichever the group."""
    return _all_alike(_coded(tokens, np.arange(len(spec.kinds)), spec))


def tokens_at_a_place(tokens: Tokens, spec: SequenceSpec) -> Things:
    """The tokens with their positions in the sequence."""
    return _all_alike(_coded(tokens, np.arange(tokens[0].size).reshape(tokens.shape[1:]), spec))


def places(codes: Codes, spec: SequenceSpec) -> NDArray[np.int64]:
    """The positions in the sequence of codes that `tokens_at_a_place` gave."""
    return codes // max(spec.vocabulary.values())


def pairs_in_a_group(tokens: Tokens, spec: SequenceSpec) -> Things:
    """Every two tokens of a group, with their positions in it."""
    slots, n_codes = _slots(tokens, spec)
    first, second = np.triu_indices(len(spec.kinds), k=1)
    return _all_alike(_paired(slots[..., first], slots[..., second], n_codes).reshape(len(tokens), -1))


def subsequences(tokens: Tokens, spec: SequenceSpec) -> Things:
    """Every two tokens in one position of different groups, the earlier one first; those far apart count less.

    The string subsequence kernel of length two (Lodhi et al., JMLR 2002).
    """
    slots, n_codes = _slots(tokens, spec)
    earlier, later = np.triu_indices(tokens.shape[1], k=1)
    near = later - earlier <= _FARTHEST
    earlier, later = earlier[near], later[near]
    pairs = _paired(slots[:, earlier], slots[:, later], n_codes)
    return Things(pairs.reshape(len(tokens), -1), np.repeat(_DECAY ** (later - earlier - 1.0), len(spec.kinds)))


Family = Callable[[Tokens, SequenceSpec], Things]


def _slots(tokens: Tokens, spec: SequenceSpec) -> tuple[Codes, int]:
    n_tokens = max(spec.vocabulary.values())
    return tokens_in_a_slot(tokens, spec).codes.reshape(tokens.shape), n_tokens * len(spec.kinds)


def _paired(first: Codes, second: Codes, n_codes: int) -> Codes:
    return np.where((first != ABSENT) & (second != ABSENT), first * n_codes + second, ABSENT)


def _coded(tokens: Tokens, where: NDArray[np.int64], spec: SequenceSpec) -> Codes:
    codes = where * max(spec.vocabulary.values()) + tokens
    return np.where(tokens != PADDING, codes, ABSENT).reshape(len(tokens), -1)


def _all_alike(codes: Codes) -> Things:
    return Things(codes, np.ones(codes.shape[1]))

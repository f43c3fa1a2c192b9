from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pnas_surrogate._errors import SurrogateError
from pnas_surrogate._spec import SequenceSpec

Tokens = NDArray[np.int64]
"""Sequences of any lengths, `(N, n_groups, len(kinds))`, filled up with groups of `PADDING`."""

PADDING = -1


def pack(X: ArrayLike | Sequence[Sequence[int]], spec: SequenceSpec) -> Tokens:
    """Sequences as one array; X is an integer array `(N, L)` or a sequence of integer sequences.

    Raises:
        SurrogateError: a sequence is empty or ends inside a group, or a token is outside its vocabulary.
    """
    n_kinds = len(spec.kinds)
    sequences = [_as_integers(index, sequence) for index, sequence in enumerate(X)]  # type: ignore[arg-type]
    if not sequences:
        raise SurrogateError("expected one or more sequences, got none")
    for index, sequence in enumerate(sequences):
        if len(sequence) == 0 or len(sequence) % n_kinds:
            raise SurrogateError(
                f"sequence {index} must have a multiple of {n_kinds} tokens ({', '.join(spec.kinds)}), "
                f"not {len(sequence)}"
            )
    longest = max(map(len, sequences))
    tokens = np.full((len(sequences), longest), PADDING, dtype=np.int64)
    used = np.arange(longest) < np.array([len(sequence) for sequence in sequences])[:, None]
    tokens[used] = np.concatenate(sequences)
    _check_vocabulary(tokens, used, spec)
    return tokens.reshape(len(sequences), -1, n_kinds)


def _as_integers(index: int, sequence: Any) -> NDArray[np.int64]:
    array = np.asarray(sequence)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise SurrogateError(f"sequence {index} must be a flat sequence of integers, not {sequence!r}")
    return array.astype(np.int64, copy=False)


def _check_vocabulary(tokens: NDArray[np.int64], used: NDArray[np.bool_], spec: SequenceSpec) -> None:
    sizes = np.array([spec.vocabulary[kind] for kind in spec.kinds])
    limits = np.resize(sizes, tokens.shape[1])
    wrong = np.argwhere(used & ((tokens < 0) | (tokens >= limits)))
    if len(wrong):
        row, position = wrong[0]
        kind = spec.kinds[position % len(spec.kinds)]
        raise SurrogateError(
            f"sequence {row} has the token {tokens[row, position]} at position {position}; "
            f"expected one of kind {kind!r}, from 0 to {spec.vocabulary[kind] - 1}"
        )

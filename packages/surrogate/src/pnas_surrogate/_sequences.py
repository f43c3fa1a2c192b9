from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pnas_surrogate._errors import SurrogateError
from pnas_surrogate._spec import SequenceSpec

Sequences = ArrayLike | Sequence[Sequence[int]]
"""An integer array `(N, L)`, or a sequence of integer sequences of any lengths.

In an array, shorter sequences may be filled up with -1 at their ends. What NumPy can make an array of, as a DataFrame
or a tensor, is taken as one.
"""

Tokens = NDArray[np.int64]
"""Sequences of any lengths, `(N, n_groups, len(kinds))`, filled up with groups of `PADDING`."""

PADDING = -1


def pack(X: Sequences, spec: SequenceSpec) -> Tokens:
    """Sequences as one array.

    Raises:
        SurrogateError: a sequence is empty or ends inside a group, or a token is outside its vocabulary.
    """
    n_kinds = len(spec.kinds)
    if hasattr(X, "__array__"):
        X = np.asarray(X)
    tokens, lengths = _from_array(X) if _is_table(X) else _from_sequences(X)
    if not len(tokens):
        raise SurrogateError("expected one or more sequences, got none")
    wrong = np.flatnonzero((lengths == 0) | (lengths % n_kinds != 0))
    if len(wrong):
        raise SurrogateError(
            f"sequence {wrong[0]} must have a multiple of {n_kinds} tokens ({', '.join(spec.kinds)}), "
            f"not {lengths[wrong[0]]}"
        )
    tokens = tokens[:, : lengths.max()]
    _check_vocabulary(tokens, lengths, spec)
    return tokens.reshape(len(tokens), -1, n_kinds)


def _is_table(X: Any) -> bool:
    return isinstance(X, np.ndarray) and X.ndim == 2 and np.issubdtype(X.dtype, np.integer)


def _from_array(X: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    tokens = X.astype(np.int64, order="C")
    filled = tokens[:, ::-1] == PADDING
    n_filled = np.where(filled.all(axis=1), filled.shape[1], filled.argmin(axis=1)) if filled.any() else 0
    return tokens, np.full(len(tokens), tokens.shape[1]) - n_filled


def _from_sequences(X: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    try:
        # An array of objects may hold integers, or arrays of them, but does not say which.
        rows = list(X.tolist() if isinstance(X, np.ndarray) and X.dtype == object else X)
    except TypeError as error:
        raise SurrogateError(f"expected a sequence of integer sequences, not {X!r}") from error
    sequences = [_as_integers(index, sequence) for index, sequence in enumerate(rows)]
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    tokens = np.full((len(sequences), lengths.max(initial=0)), PADDING, dtype=np.int64)
    if len(sequences):
        tokens[np.arange(tokens.shape[1]) < lengths[:, None]] = np.concatenate(sequences)
    return tokens, lengths


def _as_integers(index: int, sequence: Any) -> NDArray[np.int64]:
    try:
        array = np.asarray(sequence)
    except ValueError:  # lists of several lengths inside it
        array = np.empty((1, 1))
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise SurrogateError(f"sequence {index} must be a flat sequence of integers, not {sequence!r}")
    return array.astype(np.int64, copy=False)


def _check_vocabulary(tokens: NDArray[np.int64], lengths: NDArray[np.int64], spec: SequenceSpec) -> None:
    sizes = np.array([spec.vocabulary[kind] for kind in spec.kinds], dtype=np.uint64)
    # Negative numbers are large ones without their sign.
    outside = tokens.view(np.uint64) >= np.resize(sizes, tokens.shape[1])
    if not outside.any():
        return
    wrong = np.argwhere(outside & (np.arange(tokens.shape[1]) < lengths[:, None]))
    if len(wrong):
        row, position = wrong[0]
        kind = spec.kinds[position % len(spec.kinds)]
        raise SurrogateError(
            f"sequence {row} has the token {tokens[row, position]} at position {position}; "
            f"expected one of kind {kind!r}, from 0 to {spec.vocabulary[kind] - 1}"
        )

import itertools

import numpy as np
from numpy.typing import ArrayLike

from pnas_surrogate.metrics import spearman

_FEWEST = 3  # of two sequences, every correlation is -1, 0 or 1


def between_repeats(scores: ArrayLike) -> float | None:
    """How well one measurement ranks sequences as another does: the noise ceiling.

    A predictor that knew what to expect of every sequence would rank single measurements with about the square root of
    it, and means of several better.

    Args:
        scores: repeated measurements of each sequence, `(N, M)`; NaN where there were fewer than M.

    Returns:
        Spearman's rank correlation, the mean over pairs of columns; None where none share three sequences.
    """
    columns = np.asarray(scores, dtype=np.float64).T
    correlations = []
    for first, second in itertools.combinations(columns, 2):
        both = np.isfinite(first) & np.isfinite(second)
        if both.sum() >= _FEWEST:
            correlations.append(spearman(first[both], second[both]))
    return float(np.mean(correlations)) if correlations else None

"""How good predictions are for a search: how they rank, what the best are worth, and whether std can be trusted.

All take true scores first and predictions second, both `(N,)`; higher scores are better.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import kendalltau, norm, spearmanr

from pnas_surrogate._errors import SurrogateError

__all__ = ["calibration_error", "interval_coverage", "kendall", "regret", "spearman", "top_k_recall"]

_LEVELS = np.linspace(0.05, 0.95, 19)


def spearman(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Spearman's rank correlation, in [-1, 1]: the paper's table 1. 0 where either side is constant."""
    true, predicted = _checked(y_true, y_pred)
    return 0.0 if _is_constant(true, predicted) else float(spearmanr(true, predicted).statistic)


def kendall(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Kendall's tau-b, in [-1, 1]. 0 where either side is constant."""
    true, predicted = _checked(y_true, y_pred)
    return 0.0 if _is_constant(true, predicted) else float(kendalltau(true, predicted).statistic)


def top_k_recall(y_true: ArrayLike, y_pred: ArrayLike, k: int) -> float:
    """The share of the k truly best that are among the k predicted best, in [0, 1]; of equals, the first counts.

    Raises:
        SurrogateError: there are fewer than k samples, or k is not positive.
    """
    true, predicted = _checked(y_true, y_pred)
    return len(set(_top(true, k)) & set(_top(predicted, k))) / k


def regret(y_true: ArrayLike, y_pred: ArrayLike, k: int = 1) -> float:
    """What is lost by trying only the k predicted best: the best true score less the best among those, 0 or more.

    Raises:
        SurrogateError: there are fewer than k samples, or k is not positive.
    """
    true, predicted = _checked(y_true, y_pred)
    return float(true.max() - true[_top(predicted, k)].max())


def interval_coverage(y_true: ArrayLike, mean: ArrayLike, std: ArrayLike, level: float = 0.9) -> float:
    """The share of true scores inside the central normal interval of that probability, in [0, 1].

    Raises:
        SurrogateError: the level is not between 0 and 1, or a standard deviation is negative.
    """
    if not 0 < level < 1:
        raise SurrogateError(f"level must be between 0 and 1, not {level!r}")
    true, expected = _checked(y_true, mean)
    _, deviation = _checked(y_true, std)
    if (deviation < 0).any():
        index = int(np.argmax(deviation < 0))
        raise SurrogateError(f"standard deviation {index} is {deviation[index]}; expected 0 or more")
    return float((np.abs(true - expected) <= norm.ppf((1 + level) / 2) * deviation).mean())


def calibration_error(y_true: ArrayLike, mean: ArrayLike, std: ArrayLike) -> float:
    """How far the coverage of intervals is from their probability, in [0, 1], on average over 5 %, 10 %, … 95 %.

    The area between the calibration curve and the diagonal (Kuleshov et al., ICML 2018); 0 where every interval holds
    as many scores as it says.
    """
    return float(np.mean([abs(interval_coverage(y_true, mean, std, level) - level) for level in _LEVELS]))


def _checked(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    true, predicted = np.asarray(y_true, dtype=np.float64), np.asarray(y_pred, dtype=np.float64)
    if true.ndim != 1 or true.shape != predicted.shape or len(true) == 0:
        raise SurrogateError(f"expected as many predictions as scores, 1 or more, got {predicted.shape}, {true.shape}")
    for name, values in (("score", true), ("prediction", predicted)):
        if not np.isfinite(values).all():
            index = int(np.argmin(np.isfinite(values)))
            raise SurrogateError(f"{name} {index} is {values[index]}; expected a finite number")
    return true, predicted


def _is_constant(*sides: NDArray[np.float64]) -> bool:
    return any((side == side[0]).all() for side in sides)


def _top(values: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    if not 1 <= k <= len(values):
        raise SurrogateError(f"k must be between 1 and the {len(values)} samples, not {k!r}")
    return np.argsort(-values, kind="stable")[:k]

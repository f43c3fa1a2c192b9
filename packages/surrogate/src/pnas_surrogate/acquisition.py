"""Which candidates are worth a trial: what a predictor expects and how sure it is, as one number to rank them by.

An acquisition is a callable `(mean, std, best) -> score`: `mean` and `std`, both `(N,)`, are what a predictor says of N
candidates, `best` is the best score that was measured so far, and a higher score, `(N,)`, is worth more. Higher y is
better, as everywhere in this package.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from pnas_surrogate._errors import SurrogateError

__all__ = ["Acquisition", "ExpectedImprovement", "Mean", "ThompsonSampling", "UpperConfidenceBound"]

Floats = NDArray[np.float64]


class Acquisition(Protocol):
    """Ranks candidates."""

    def __call__(self, mean: Floats, std: Floats, best: float) -> Floats:
        """The worth of each candidate, `(N,)`."""


@dataclass(frozen=True, kw_only=True)
class Mean:
    """What is expected: the paper's greedy choice."""

    def __call__(self, mean: Floats, std: Floats, best: float) -> Floats:
        return np.asarray(mean, dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class UpperConfidenceBound:
    """What is expected, and so many standard deviations more (Auer, 2002; Srinivas et al., ICML 2010).

    Attributes:
        n_deviations: their number; below 0, certainty is preferred.

    Raises:
        SurrogateError: it is not finite.
    """

    n_deviations: float = 1.0

    def __post_init__(self) -> None:
        if not np.isfinite(self.n_deviations):
            raise SurrogateError(f"n_deviations must be a finite number, not {self.n_deviations!r}")

    def __call__(self, mean: Floats, std: Floats, best: float) -> Floats:
        return np.asarray(mean, dtype=np.float64) + self.n_deviations * np.asarray(std)


@dataclass(frozen=True, kw_only=True)
class ExpectedImprovement:
    """By how much a candidate is expected to beat the best so far, where falling short counts 0 (Jones et al., 1998).

    Predictions are taken as normal. Where the standard deviation is 0, it is the difference itself, or 0.
    """

    def __call__(self, mean: Floats, std: Floats, best: float) -> Floats:
        mean, std = np.asarray(mean, dtype=np.float64), np.asarray(std, dtype=np.float64)
        ahead = mean - best
        with np.errstate(divide="ignore", invalid="ignore"):
            z = ahead / std
            improvement = ahead * norm.cdf(z) + std * norm.pdf(z)
        return np.where(std > 0, np.maximum(improvement, 0), np.maximum(ahead, 0))


@dataclass(frozen=True, kw_only=True)
class ThompsonSampling:
    """One draw from what each candidate may be worth (Thompson, 1933), independent between candidates and normal.

    Attributes:
        random_state: of the draws; the same one and the same number of candidates give the same deviations.
    """

    random_state: int = 0

    def __call__(self, mean: Floats, std: Floats, best: float) -> Floats:
        draws = np.random.default_rng(self.random_state).standard_normal(len(mean))
        return np.asarray(mean, dtype=np.float64) + draws * np.asarray(std)

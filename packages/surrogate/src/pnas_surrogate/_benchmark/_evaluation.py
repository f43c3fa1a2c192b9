from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pnas_surrogate._benchmark._interval import Interval
from pnas_surrogate.metrics import spearman

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """Scores and what was predicted for them, in every trial.

    Attributes:
        true: `(T, n)`.
        predicted: `(T, n)`.
    """

    true: Floats
    predicted: Floats

    @cached_property
    def correlations(self) -> Floats:
        """Spearman's rank correlation in every trial, `(T,)`."""
        return np.array([spearman(*trial) for trial in zip(self.true, self.predicted, strict=True)])


@dataclass(frozen=True, kw_only=True, eq=False)
class Trials:
    """What one predictor did that was fitted to sequences of one size, T times anew.

    Attributes:
        predictor: its name.
        size: number of groups of the sequences that it was fitted to.
        next_size: the next one of the table; None in a table of one size.
        training: on the sequences of that size that it was fitted to.
        same_size: on the others of that size; None where fewer than two are left.
        unseen: on those of the next size, or, in a table of one size, `same_size`.
    """

    predictor: str
    size: int
    next_size: int | None
    training: Predictions
    same_size: Predictions | None
    unseen: Predictions


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What Algorithm 2 has found.

    Attributes:
        trials: of every size and predictor, by size, and in the order in which the predictors were given.
    """

    trials: tuple[Trials, ...]

    @property
    def predictors(self) -> tuple[str, ...]:
        """Their names, in the order in which they were given."""
        return tuple(dict.fromkeys(one.predictor for one in self.trials))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Those that predictors were fitted to, ascending."""
        return tuple(dict.fromkeys(one.size for one in self.trials))

    def of(self, predictor: str, size: int) -> Trials:
        """The trials of one predictor at one size."""
        return next(one for one in self.trials if (one.predictor, one.size) == (predictor, size))

    @property
    def best(self) -> str:
        """The predictor with the highest mean correlation on unseen sequences over all sizes; of equals, the first."""
        return max(self.predictors, key=lambda name: float(self._unseen(name, None).mean()))

    def difference(self, predictor: str, reference: str, size: int | None = None) -> Interval:
        """By how much the first ranks unseen sequences better than the second, trial by trial.

        Both saw the same sequences in every trial, so the interval can be narrower than either's own.

        Args:
            predictor: the one.
            reference: the other.
            size: the one that they were fitted to; None for the mean over all sizes.
        """
        return Interval.of(self._unseen(predictor, size) - self._unseen(reference, size))

    def _unseen(self, predictor: str, size: int | None) -> Floats:
        sizes = self.sizes if size is None else (size,)
        correlations = np.stack([self.of(predictor, one).unseen.correlations for one in sizes])
        mean: Floats = correlations.mean(axis=0)
        return mean

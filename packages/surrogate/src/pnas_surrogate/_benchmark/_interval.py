from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import sem, t


@dataclass(frozen=True)
class Interval:
    """A mean over trials, and Student's confidence interval of it.

    Attributes:
        mean: of the trials.
        half_width: of the interval; NaN where one trial alone says nothing of how much trials differ.
    """

    mean: float
    half_width: float

    @classmethod
    def of(cls, values: ArrayLike, level: float = 0.95) -> Self:
        """From one value of each trial, `(T,)`."""
        trials = np.asarray(values, dtype=np.float64)
        if len(trials) < 2:
            return cls(float(trials.mean()), float("nan"))
        return cls(float(trials.mean()), float(t.ppf((1 + level) / 2, len(trials) - 1) * sem(trials)))

    @property
    def low(self) -> float:
        """Where the interval begins."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """Where the interval ends."""
        return self.mean + self.half_width

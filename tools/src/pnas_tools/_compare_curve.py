from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """A mean over trials against the models that were trained, with Student's confidence interval of 95 %.

    Attributes:
        mean: after 1, 2, …, N models, `(N,)`; NaN before all trials have a value.
        half_width: of the interval, `(N,)`; NaN of one trial.
    """

    mean: NDArray[np.float64]
    half_width: NDArray[np.float64]

    @classmethod
    def over(cls, trials: Sequence[NDArray[np.float64]]) -> Self:
        """From one curve for each trial; a trial that ends before others stays at what it had."""
        values = side_by_side(trials)
        if len(values) == 1:
            return cls(mean=values[0], half_width=np.full(values.shape[1], np.nan))
        error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        return cls(mean=values.mean(axis=0), half_width=t.ppf(0.975, len(values) - 1) * error)

    @property
    def low(self) -> NDArray[np.float64]:
        """Where the interval begins."""
        return self.mean - self.half_width

    @property
    def high(self) -> NDArray[np.float64]:
        """Where the interval ends."""
        return self.mean + self.half_width

    def reaches(self, value: float) -> int | None:
        """After how many models the mean is as high as a value; None where it never is."""
        as_high = np.flatnonzero(self.mean >= value)
        return int(as_high[0]) + 1 if len(as_high) else None


def side_by_side(trials: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Trials, each continued by its last value to the length of the longest, `(n_trials, N)`."""
    length = max(map(len, trials))
    return np.stack([np.pad(trial, (0, length - len(trial)), mode="edge") for trial in trials])

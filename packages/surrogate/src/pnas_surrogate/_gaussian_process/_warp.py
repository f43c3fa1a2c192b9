from dataclasses import astuple, dataclass
from typing import Self

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import inv_boxcox1p
from scipy.stats import yeojohnson, yeojohnson_llf

from pnas_surrogate._base import Floats

_LARGEST_POWER = 10.0
_LIKELY_POWERS = 3.0
_SMALLEST_SLOPE = 1e-12


@dataclass(frozen=True, kw_only=True)
class Warp:
    """Maps scores to about normal ones of mean 0 and variance 1, and back.

    The power transform of Yeo and Johnson (Biometrika, 2000), its power the most likely one: many spaces have a few
    sequences that are far worse than all others. Beyond the worst and the best score that it was fitted to, it goes on
    as a straight line.

    Attributes:
        center: the median of the scores.
        spread: their standard deviation.
        power: 1 leaves them as they are.
        mean: of the transformed scores.
        std: of the transformed scores.
        worst: the least of the scores, centered and divided by their spread.
        best: the greatest of them.
    """

    center: float
    spread: float
    power: float
    mean: float
    std: float
    worst: float
    best: float

    @classmethod
    def of(cls, y: Floats) -> Self:
        """That of scores `(N,)`."""
        center, spread = float(np.median(y)), float(y.std())
        # A constant is what it was, but for the last bits of a mean.
        if y.max() == y.min() or spread == 0:
            return cls(center=center, spread=1.0, power=1.0, mean=0.0, std=1.0, worst=0.0, best=0.0)
        scores = (y - center) / spread
        power = _most_likely_power(scores)
        warped = yeojohnson(scores, power)
        return cls(
            center=center,
            spread=spread,
            power=power,
            mean=float(warped.mean()),
            std=float(warped.std()),
            worst=float(scores.min()),
            best=float(scores.max()),
        )

    def apply(self, y: Floats) -> Floats:
        """Of scores between those that it was fitted to."""
        warped: Floats = (yeojohnson((y - self.center) / self.spread, self.power) - self.mean) / self.std
        return warped

    def undo(self, z: Floats) -> Floats:
        """The scores that `apply` maps to `z`."""
        low, high = self._ends()
        inside = _inverse(np.clip(z, low, high) * self.std + self.mean, self.power)
        slope = (self.best - self.worst) / (high - low) if high > low else 1.0
        beyond = (z - np.clip(z, low, high)) * slope
        return self.center + self.spread * (np.clip(inside, self.worst, self.best) + beyond)

    def undo_std(self, z: Floats, std: Floats) -> Floats:
        """Half of the distance between the scores one standard deviation below and above."""
        return (self.undo(z + std) - self.undo(z - std)) / 2

    def to_array(self) -> Floats:
        return np.array(astuple(self))

    @classmethod
    def from_array(cls, values: Floats) -> Self:
        center, spread, power, mean, std, worst, best = values.tolist()
        return cls(center=center, spread=spread, power=power, mean=mean, std=std, worst=worst, best=best)

    def _ends(self) -> tuple[float, float]:
        low, high = (yeojohnson(np.array([self.worst, self.best]), self.power) - self.mean) / self.std
        return float(low), float(high)


def _most_likely_power(scores: Floats) -> float:
    def loss(power: float) -> float:
        # A few scores make any power likely: those near 1 are taken as likelier before any is seen.
        return float(-yeojohnson_llf(power, scores) + ((power - 1) / _LIKELY_POWERS) ** 2 / 2)

    # A flatter transform maps scores that are far from the median to one number, and cannot be undone.
    below, above = -np.log(_SMALLEST_SLOPE) / np.log1p(np.maximum([-scores.min(), scores.max()], 1))
    bounds = max(-_LARGEST_POWER, -above), min(_LARGEST_POWER, 2 + below)
    return float(minimize_scalar(loss, bounds=bounds, method="bounded").x)


def _inverse(warped: Floats, power: float) -> Floats:
    """That of the transform, which is Box and Cox's of 1 + x, turned round for what is negative."""
    positive = inv_boxcox1p(np.maximum(warped, 0), power)
    negative = -inv_boxcox1p(np.maximum(-warped, 0), 2 - power)
    inverse: Floats = np.where(warped >= 0, positive, negative)
    return inverse

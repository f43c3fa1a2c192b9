from dataclasses import astuple, dataclass
from typing import Self

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import inv_boxcox1p
from scipy.stats import yeojohnson, yeojohnson_llf

from pnas_surrogate._base import Floats

_LARGEST_POWER = 10.0
_LIKELY_POWERS = 3.0
_QUARTILE_DISTANCES = 5.0
_SMALLEST_SLOPE = 1e-12


@dataclass(frozen=True, kw_only=True)
class Warp:
    """Maps scores to about normal ones of mean 0 and variance 1, and back.

    First, scores that are far out are drawn in, as what stands for a failure may be any number: those farther from the
    median than five times the distance between the quartiles end within twice that. Then the power transform of Yeo and
    Johnson (Biometrika, 2000), its power the most likely one: many spaces have a few sequences that are far worse than
    all others. Beyond the worst and the best score that it was fitted to, it goes on as a straight line.

    Attributes:
        center: the median of the scores.
        reach: how far from it they are left as they are.
        spread: the standard deviation of the scores that are drawn in.
        power: 1 leaves them as they are.
        mean: of the transformed scores.
        std: of the transformed scores.
        worst: the least of the scores.
        best: the greatest of them.
    """

    center: float
    reach: float
    spread: float
    power: float
    mean: float
    std: float
    worst: float
    best: float

    @classmethod
    def of(cls, y: Floats) -> Self:
        """That of scores `(N,)`."""
        center, worst, best = float(np.median(y)), float(y.min()), float(y.max())
        reach = float(_QUARTILE_DISTANCES * np.subtract(*np.quantile(y, [0.75, 0.25])))
        if reach == 0:  # most scores are equal, and all others would be far out
            reach = max(best - center, center - worst) or 1.0
        drawn_in = _drawn_in(y - center, reach)
        spread = float(drawn_in.std())
        # A constant is what it was, but for the last bits of a mean.
        if worst == best or spread == 0:
            spread, power, mean, std = 1.0, 1.0, 0.0, 1.0
        else:
            power = _most_likely_power(drawn_in / spread)
            warped = yeojohnson(drawn_in / spread, power)
            mean, std = float(warped.mean()), float(warped.std())
        return cls(center=center, reach=reach, spread=spread, power=power, mean=mean, std=std, worst=worst, best=best)

    def apply(self, y: Floats) -> Floats:
        """Of scores between those that it was fitted to."""
        scores = _drawn_in(y - self.center, self.reach) / self.spread
        warped: Floats = (yeojohnson(scores, self.power) - self.mean) / self.std
        return warped

    def undo(self, z: Floats) -> Floats:
        """The scores that `apply` maps to `z`."""
        low, high = self.apply(np.array([self.worst, self.best])).tolist()
        inside = _inverse(np.clip(z, low, high) * self.std + self.mean, self.power) * self.spread
        scores = np.clip(self.center + _drawn_out(inside, self.reach), self.worst, self.best)
        slope = (self.best - self.worst) / (high - low) if high > low else self.spread
        return scores + (z - np.clip(z, low, high)) * slope

    def undo_std(self, z: Floats, std: Floats) -> Floats:
        """Half of the distance between the scores one standard deviation below and above."""
        return (self.undo(z + std) - self.undo(z - std)) / 2

    def to_array(self) -> Floats:
        return np.array(astuple(self))

    @classmethod
    def from_array(cls, values: Floats) -> Self:
        center, reach, spread, power, mean, std, worst, best = values.tolist()
        return cls(center=center, reach=reach, spread=spread, power=power, mean=mean, std=std, worst=worst, best=best)


def _drawn_in(distances: Floats, reach: float) -> Floats:
    """Distances beyond reach end between it and its double, in their order."""
    far = np.maximum(np.abs(distances), reach)
    return np.where(np.abs(distances) > reach, np.sign(distances) * reach * (2 - reach / far), distances)


def _drawn_out(distances: Floats, reach: float) -> Floats:
    """Distances that `_drawn_in` has drawn in; what was too far out to come back is infinitely far."""
    with np.errstate(divide="ignore"):
        far = reach / np.maximum(2 - np.abs(distances) / reach, 0)
    return np.where(np.abs(distances) > reach, np.sign(distances) * far, distances)


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

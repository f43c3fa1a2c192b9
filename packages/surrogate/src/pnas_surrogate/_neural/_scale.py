import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from pnas_surrogate._base import Arrays, Floats

_LOWEST, _HIGHEST = 0.05, 0.95


@dataclass(frozen=True, kw_only=True)
class SigmoidScale:
    """Maps scores to where a network that ends in a sigmoid can reach them, and back.

    The mean score goes to where the network starts, as the paper chose its initial bias to be the mean accuracy of its
    cells, and the others as far from it as keeps all within [0.05, 0.95], so that better ones can be predicted too.

    Attributes:
        center: the mean of the scores.
        start: what it is mapped to.
        factor: by how much distances from it grow.
    """

    center: float
    start: float
    factor: float

    @classmethod
    def of(cls, y: Floats, initial_bias: float) -> Self:
        """That of scores `(N,)` and the initial bias before the sigmoid."""
        # The mean of equal numbers may be rounded to another one.
        center, start = float(y.mean().clip(y.min(), y.max())), 1 / (1 + math.exp(-initial_bias))
        limits = [
            room / reach
            for room, reach in ((_HIGHEST - start, y.max() - center), (start - _LOWEST, center - y.min()))
            if reach > 0 and room > 0
        ]
        return cls(center=center, start=start, factor=float(min(limits, default=1.0)))

    def apply(self, y: Floats) -> Floats:
        return self.start + (y - self.center) * self.factor

    def undo(self, y: Floats) -> Floats:
        return self.center + (y - self.start) / self.factor

    def state(self) -> Arrays:
        return {"scale": np.array([self.center, self.start, self.factor])}

    @classmethod
    def restored(cls, state: Arrays) -> Self:
        center, start, factor = state["scale"].tolist()
        return cls(center=center, start=start, factor=factor)

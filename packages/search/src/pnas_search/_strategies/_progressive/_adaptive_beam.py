import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pnas_search._errors import SearchError
from pnas_search._strategies._checks import check_positive
from pnas_search._strategies._progressive._trained import Trained, with_accuracy

_FEWEST_ERRORS = 2
"""One error has no spread."""


@dataclass(frozen=True, kw_only=True)
class AdaptiveBeam:
    """How many cells of a level are trained, by how wrong the surrogate has been about the level before.

    With s the standard deviation, over the children of the last level, of measured minus predicted accuracy, K is the
    number of children that are predicted less than `n_errors * s` below the best one; `smallest` if that is less, and
    `largest` if it is more. An offset that all predictions share leaves their order as it is, and adds nothing to s.

    Attributes:
        smallest: the least K, that of an exact surrogate.
        largest: the most.
        n_errors: how many s below the best prediction a child may be the best one after all.

    Raises:
        SearchError: they are not 1 <= smallest <= largest, and n_errors a positive number.
    """

    smallest: int
    largest: int
    n_errors: float = 0.5

    def __post_init__(self) -> None:
        check_positive(smallest=self.smallest)
        if self.largest < self.smallest:
            raise SearchError(f"largest must be {self.smallest} or more, as smallest is, not {self.largest!r}")
        if not 0 < self.n_errors < math.inf:
            raise SearchError(f"n_errors must be a positive number, not {self.n_errors!r}")

    def size(self, last_level: Sequence[Trained], mean: NDArray[np.float64]) -> int | None:
        """K, for children of which the surrogate expects `mean`, `(N,)`; None where it has not been measured."""
        errors = [one.accuracy - one.predicted for one in with_accuracy(last_level) if one.predicted is not None]
        if len(errors) < _FEWEST_ERRORS:
            return None
        within_reach = int((mean.max() - mean < self.n_errors * np.std(errors)).sum())
        return min(max(within_reach, self.smallest), self.largest)

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pnas_search._errors import SearchError
from pnas_search._strategies._base import Predictions
from pnas_search._strategies._progressive._exploration import Exploration
from pnas_search._strategies._progressive._ranking import (
    Acquisition,
    Costs,
    Floats,
    by_fronts,
    by_score,
    costs_of,
    scores_of,
)
from pnas_search._strategies._progressive._trained import Trained, with_accuracy
from pnas_searchspace import CellSpace


class Choice:
    """What makes a round of all the children that there are: the best ones, and some that try what is new."""

    def __init__(
        self, space: CellSpace, *, acquisition: Acquisition | None, costs: Costs | None, exploration: float
    ) -> None:
        if not 0 <= exploration <= 1:
            raise SearchError(f"exploration must be a share between 0 and 1, not {exploration!r}")
        self._space = space
        self._acquisition = acquisition
        self._costs = costs
        self._exploration = exploration

    def indices(self, said: Predictions, trained: Sequence[Trained], size: int) -> NDArray[np.intp]:
        """Those of so many cells, the best first and then the explored ones, or of all there are."""
        size = min(size, len(said.cells))
        n_explored = round(self._exploration * size)
        scores = self._scores(said, trained)
        best = self._best(said.cells, scores, size - n_explored)
        return np.concatenate([best, self._explored(said.cells, scores, trained, best, n_explored)])

    def _scores(self, said: Predictions, trained: Sequence[Trained]) -> Floats:
        if self._acquisition is None:
            return said.mean
        assert said.std is not None  # without, an acquisition is refused
        best = max(one.accuracy for one in with_accuracy(trained))
        return scores_of(said.mean, said.std, best, self._acquisition)

    def _best(self, cells: NDArray[np.int64], scores: Floats, size: int) -> NDArray[np.intp]:
        if self._costs is None:
            return by_score(scores, size)
        return by_fronts(scores, costs_of(cells, self._costs), size)

    def _explored(
        self, cells: NDArray[np.int64], scores: Floats, trained: Sequence[Trained], best: NDArray[np.intp], size: int
    ) -> NDArray[np.intp]:
        if not size:
            return np.empty(0, dtype=np.intp)
        exploration = Exploration(self._space, cells.shape[1])
        exploration.count_cells(one.cell for one in trained)
        exploration.count(cells[best])
        others = by_score(scores, len(scores))
        others = others[np.isin(others, best, invert=True)]
        return others[exploration.pick(cells[others], size)]

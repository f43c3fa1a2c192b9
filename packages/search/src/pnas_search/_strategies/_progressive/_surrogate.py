from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pnas_search._strategies._base import Predictions
from pnas_search._strategies._progressive._predictor import Predictor, predicted
from pnas_search._strategies._progressive._prior import mapped
from pnas_search._strategies._progressive._trained import Trained, with_accuracy
from pnas_searchspace import Cell, CellSpace

FailedScore = Literal["worst"] | None
"""What a predictor is told of a child that failed: the worst accuracy there is, or nothing."""


class Surrogate:
    """A predictor that is fitted anew, at every level, to all that was trained so far and to what others have."""

    def __init__(
        self,
        space: CellSpace,
        make_predictor: Callable[[int], Predictor],
        *,
        priors: Sequence[dict[Cell, float]],
        failed_score: FailedScore,
    ) -> None:
        self._space = space
        self._make_predictor = make_predictor
        self._priors = priors
        self._failed_score = failed_score

    def predictions(self, trained: Iterable[Trained], cells: NDArray[np.int64]) -> Predictions:
        """What it says of canonical cells, `(N, n_blocks, 4)`."""
        predictor = self._fitted(self._scores(list(trained)))
        mean, std = predicted(predictor, self._space.encode(cells))
        return Predictions(operations=tuple(self._space.operations), cells=cells, mean=mean, std=std)

    def _fitted(self, scores: dict[Cell, float]) -> Predictor:
        # Sorted by key, so that the fit does not depend on the order in which children were asked for.
        cells = sorted(scores, key=lambda cell: cell.key)
        predictor = self._make_predictor(max(map(len, cells)))
        predictor.fit(self._sequences(cells), np.array([scores[cell] for cell in cells]))
        return predictor

    def _scores(self, trained: Sequence[Trained]) -> dict[Cell, float]:
        """What is known of cells: by this run, or else by the first of the priors that has one."""
        measured = {one.cell: one.accuracy for one in with_accuracy(trained)}
        scores: dict[Cell, float] = {}
        for prior in reversed(self._priors):
            scores |= mapped(prior, measured)
        worst = min(measured.values())
        for one in trained:
            scores.pop(one.cell, None)
            if one.cell in measured or self._failed_score == "worst":
                scores[one.cell] = measured.get(one.cell, worst)
        return scores

    def _sequences(self, cells: Sequence[Cell]) -> list[NDArray[np.int64]]:
        tokens: dict[Cell, NDArray[np.int64]] = {}
        for _, group in groupby(sorted(cells, key=len), key=len):
            same_size = list(group)
            tokens.update(zip(same_size, self._space.encode(same_size), strict=True))
        return [tokens[cell] for cell in cells]

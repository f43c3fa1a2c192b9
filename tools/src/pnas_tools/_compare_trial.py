from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import heappush, heappushpop
from math import fsum, isnan, nan
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pnas_search import LedgerRow, Outcome
from pnas_searchspace import Cell

TOPS = (1, 5, 25)
"""M, of how many of the best models the mean accuracy is taken; the paper's."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """A finished search: its N models in the order in which it asked for them.

    Models that were trained again, for longer, count by their examples alone, as in the paper's table 2.

    Attributes:
        seed: of the search.
        cells: N.
        accuracies: as they were measured, `(N,)`; NaN of a model that failed, or was stopped.
        n_examples: that the first 1, 2, …, N models have taken, `(N,)`.
        n_examples_again: of models that were trained again.
        n_interpolated: how many accuracies a benchmark has interpolated.
    """

    seed: int
    cells: Sequence[Cell]
    accuracies: NDArray[np.float64]
    n_examples: NDArray[np.float64]
    n_examples_again: int
    n_interpolated: int

    @classmethod
    def of(cls, seed: int, rows: Sequence[LedgerRow]) -> Self:
        """From the rows of a finished search's ledger."""
        done = [(row.candidate, row.outcome) for row in rows if row.outcome is not None]
        first = [(asked.cell, outcome) for asked, outcome in done if asked.fidelity == 1]
        return cls(
            seed=seed,
            cells=[cell for cell, _ in first],
            accuracies=np.array([_measured(outcome) for _, outcome in first]),
            n_examples=np.cumsum([outcome.n_examples for _, outcome in first], dtype=np.float64),
            n_examples_again=sum(outcome.n_examples for asked, outcome in done if asked.fidelity > 1),
            n_interpolated=sum(outcome.measurements.get("measured") == 0 for _, outcome in first),
        )

    @property
    def n_models(self) -> int:
        return len(self.cells)

    @property
    def n_failed(self) -> int:
        """Models without an accuracy."""
        return int(np.isnan(self.accuracies).sum())

    @property
    def n_examples_in_all(self) -> int:
        return int(self.n_examples[-1]) + self.n_examples_again

    @cached_property
    def top_means(self) -> Mapping[int, NDArray[np.float64]]:
        """For every M, the mean accuracy of the M best of the first 1, 2, …, N models, `(N,)`; NaN of fewer than M."""
        return {top: top_means(self.accuracies.tolist(), top) for top in TOPS}

    def best(self, top: int, n_models: int) -> list[Cell]:
        """The most accurate of so many models, or fewer where fewer have an accuracy; of equals, the first."""
        accuracies = self.accuracies[:n_models]
        order = np.argsort(-accuracies, kind="stable")  # NaN comes last
        return [self.cells[index] for index in order[: min(top, int((~np.isnan(accuracies)).sum()))]]


def top_means(accuracies: Iterable[float], top: int) -> NDArray[np.float64]:
    """The mean of the `top` highest of the first 1, 2, … accuracies, `(N,)`.

    Accuracies that are NaN are left out; a mean is NaN before there are so many others.
    """
    means, best = [], list[float]()
    for accuracy in accuracies:
        if not isnan(accuracy):
            if len(best) < top:
                heappush(best, accuracy)
            else:
                heappushpop(best, accuracy)
        means.append(fsum(best) / top if len(best) == top else nan)
    return np.array(means)


def _measured(outcome: Outcome) -> float:
    """What a child that was stopped would have reached is not known."""
    return outcome.accuracy if outcome.status == "finished" and outcome.accuracy is not None else nan

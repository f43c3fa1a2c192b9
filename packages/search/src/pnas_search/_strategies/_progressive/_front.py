from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pnas_search._pareto import pareto_front
from pnas_searchspace import Cell


@dataclass(frozen=True, kw_only=True, eq=False)
class ParetoFront:
    """Trained cells of which no other is as accurate and as cheap, and better in one, the most accurate first.

    Attributes:
        cells: in canonical form.
        accuracies: `(N,)`, float64.
        costs: `(N, n_costs)`, float64, lower is better.
    """

    cells: tuple[Cell, ...]
    accuracies: NDArray[np.float64]
    costs: NDArray[np.float64]

    @classmethod
    def of(cls, cells: Sequence[Cell], accuracies: NDArray[np.float64], costs: NDArray[np.float64]) -> "ParetoFront":
        """That of trained cells, their accuracies `(N,)` and costs `(N, n_costs)`."""
        best = np.flatnonzero(pareto_front(np.column_stack([accuracies, -costs])))
        best = best[np.argsort(-accuracies[best], kind="stable")]
        return cls(cells=tuple(cells[index] for index in best.tolist()), accuracies=accuracies[best], costs=costs[best])

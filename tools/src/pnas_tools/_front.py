"""The cells of a search that nothing beats in accuracy and costs together."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pnas_search import LedgerRow, ParetoFront, hypervolume
from pnas_searchspace import CellSpace
from pnas_tools._cell_costs import CellCosts


def make_front(rows: Sequence[LedgerRow], space: CellSpace, costs: CellCosts) -> dict[str, Any]:
    """The Pareto front of the largest cells that finished, or else were stopped, as JSON can hold it.

    Its hypervolume is that of what it dominates above an accuracy of 0 and below the greatest costs among these cells.
    """
    level = _last_level(rows)
    cells = [row.candidate.cell for row, _ in level]
    accuracies = np.array([accuracy for _, accuracy in level])
    costs_of_cells = costs(space.to_array(cells))
    front = ParetoFront.of(cells, accuracies, costs_of_cells)
    greatest = costs_of_cells.max(axis=0)
    points = np.column_stack([front.accuracies, -front.costs])
    return {
        "front": [
            {"cell": cell, "accuracy": accuracy, **dict(zip(costs.names, of_cell, strict=True))}
            for cell, accuracy, of_cell in zip(
                front.cells, front.accuracies.tolist(), front.costs.tolist(), strict=True
            )
        ],
        "hypervolume": hypervolume(points, [0, *-greatest]),
        "hypervolume_below": dict(zip(costs.names, greatest.tolist(), strict=True)),
    }


def _last_level(rows: Sequence[LedgerRow]) -> list[tuple[LedgerRow, float]]:
    done = [(row, row.outcome) for row in rows if row.outcome is not None and row.outcome.accuracy is not None]
    last = max(_level(row) for row, _ in done)
    level = [(row, outcome) for row, outcome in done if _level(row) == last]
    finished = [(row, outcome) for row, outcome in level if outcome.status == "finished"]
    return [(row, outcome.accuracy or 0.0) for row, outcome in finished or level]


def _level(row: LedgerRow) -> tuple[int, int]:
    return row.candidate.fidelity, len(row.candidate.cell)

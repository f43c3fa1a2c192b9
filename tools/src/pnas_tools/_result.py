from typing import Any

from pnas_search import LedgerRow, Outcome
from pnas_searchspace import Cell
from pnas_tools._config import SearchConfig


def make_result(
    best: tuple[Cell, Outcome], rows: list[LedgerRow], config: SearchConfig, provenance: dict[str, Any]
) -> dict[str, Any]:
    """What a finished search found and spent, as JSON can hold it; nothing in it depends on the clock."""
    cell, outcome = best
    return {
        "best_cell": cell,
        "best_accuracy": outcome.accuracy,
        "n_models": len(rows),
        "n_interpolated": sum(row.outcome.measurements.get("measured") == 0 for row in rows if row.outcome is not None),
        "n_examples": _n_examples(rows),
        "seed": config.seed,
        "levels": _levels(rows),
        "config": config.as_json(),
        "provenance": provenance,
    }


def _levels(rows: list[LedgerRow]) -> list[dict[str, Any]]:
    """Of children that are alike in size and in how long they were trained, in the order in which they came."""
    levels: dict[tuple[int, int], list[LedgerRow]] = {}
    for row in rows:
        levels.setdefault((len(row.candidate.cell), row.candidate.fidelity), []).append(row)
    return [
        {
            "n_blocks": n_blocks,
            "fidelity": fidelity,
            "n_models": len(level),
            "n_examples": _n_examples(level),
            **_best(level),
        }
        for (n_blocks, fidelity), level in levels.items()
    ]


def _n_examples(rows: list[LedgerRow]) -> int:
    return sum(row.outcome.n_examples for row in rows if row.outcome is not None)


def _best(rows: list[LedgerRow]) -> dict[str, Any]:
    """The most accurate child that finished, or else was stopped; of equals the one that was asked for first."""
    outcomes = [(row, row.outcome) for row in rows if row.outcome is not None and row.outcome.accuracy is not None]
    best = max(outcomes, key=lambda pair: (pair[1].status == "finished", pair[1].accuracy or 0.0), default=None)
    if best is None:
        return {"best_cell": None, "best_accuracy": None}
    return {"best_cell": best[0].candidate.cell, "best_accuracy": best[1].accuracy}

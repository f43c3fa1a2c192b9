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
        "n_examples": sum(row.outcome.n_examples for row in rows if row.outcome is not None),
        "seed": config.seed,
        "levels": [_level(rows, index) for index in range(rows[-1].round + 1)],
        "config": config.as_json(),
        "provenance": provenance,
    }


def best_row(rows: list[LedgerRow]) -> LedgerRow | None:
    """The most accurate child that finished, or else was stopped; of equals the one that was asked for first."""
    outcomes = [(row, row.outcome) for row in rows if row.outcome is not None and row.outcome.accuracy is not None]
    best = max(outcomes, key=lambda pair: (pair[1].status == "finished", pair[1].accuracy or 0.0), default=None)
    return best[0] if best is not None else None


def _level(rows: list[LedgerRow], index: int) -> dict[str, Any]:
    level = [row for row in rows if row.round == index]
    best = best_row(level)
    return {
        "n_blocks": index + 1,
        "n_models": len(level),
        "best_cell": best.candidate.cell if best is not None else None,
        "best_accuracy": _accuracy(best) if best is not None else None,
    }


def _accuracy(row: LedgerRow) -> float | None:
    return row.outcome.accuracy if row.outcome is not None else None

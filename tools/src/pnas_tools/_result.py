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
        "n_examples": sum(row.outcome.n_examples for row in rows if row.outcome is not None),
        "seed": config.seed,
        "levels": [_level(rows, index) for index in range(rows[-1].round + 1)],
        "config": config.as_json(),
        "provenance": provenance,
    }


def best_row(rows: list[LedgerRow]) -> LedgerRow | None:
    """The most accurate child; of equals the one that was asked for first."""
    finished = [row for row in rows if _accuracy(row) is not None]
    return max(finished, key=lambda row: _accuracy(row) or 0.0) if finished else None


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

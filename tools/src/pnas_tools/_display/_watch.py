import time
from collections.abc import Iterator
from typing import Any

from pnas_search import LevelCost
from pnas_searchspace import Cell, CellSpace
from pnas_tools._config import SearchConfig
from pnas_tools._display._levels import Snapshot
from pnas_tools._display._workload import Workload
from pnas_tools._plan import Level, planned_levels
from pnas_tools._run_folder import RunFolder
from pnas_tools._status import read_status

_SECONDS_BETWEEN_LOOKS = 1.0


def look(run: RunFolder) -> tuple[dict[str, Any], Snapshot]:
    """The status of a search, and what there is to show of it.

    Raises:
        BadInput: there is no run here, or it is of a later version.
        LedgerError: the ledger cannot be read.
    """
    return next(watched(run))


def watched(run: RunFolder) -> Iterator[tuple[dict[str, Any], Snapshot]]:
    """The same once a second, until the search is finished."""
    workload: Workload | None = None
    while True:
        status, now = read_status(run), time.monotonic()
        if workload is None and status["config"] is not None:
            workload = Workload(_planned(status["config"]))
        if workload is not None:
            workload.catch_up([LevelCost(**level) for level in status["levels"]], _best(status), now)
        yield status, Snapshot(levels=[]) if workload is None else workload.snapshot(now)
        if status["finished"]:
            return
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _planned(settings: dict[str, Any]) -> list[Level]:
    config = SearchConfig.from_json(settings)
    return planned_levels(config, CellSpace(config.operations))


def _best(status: dict[str, Any]) -> tuple[Cell, float] | None:
    return None if status["best_cell"] is None else (Cell(status["best_cell"]), status["best_accuracy"])

"""How far a search is, as a run's folder tells."""

import dataclasses
from contextlib import nullcontext
from typing import Any

from pnas_search import Ledger
from pnas_tools._evaluator_name import TRAIN
from pnas_tools._run_folder import RunFolder
from pnas_tools._search_line import line_of_run


def read_status(run: RunFolder) -> dict[str, Any]:
    """How far a search is, and what it cost; `best_accuracy` is the result's once there is one, and else of the best.

    `running` tells whether a process is at work on it now, and is None where that cannot be known; `command` goes on
    with it. `n_running` are the children that somebody has begun to train; a search that was killed trains them again.

    Raises:
        BadInput: there is no run here.
        LedgerError: the ledger cannot be read.
    """
    ledger = run.open_for_reading()
    is_running = run.is_running()  # before the rest, or one that ends meanwhile would seem stopped
    with nullcontext() if ledger is None else ledger:
        result = run.read_result()
        told = {} if ledger is None else _told(ledger) | {"command": line_of_run(run, ledger)}
    status: dict[str, Any] = {
        "n_finished": 0,
        "n_stopped": 0,
        "n_failed": 0,
        "n_running": 0,
        "n_asked": 0,
        "failed": {},
        "evaluator": None,
        "strategy": None,
        "level": 0,
        "round": 0,
        "levels": [],
        "best_cell": None,
        "best_accuracy": None,
        "config": None,
        "finished": result is not None,
        "running": is_running,
        "command": None,
    }
    status |= told
    if result is not None:
        status |= {name: result[name] for name in ("best_cell", "best_accuracy")}
    return status


def _told(ledger: Ledger) -> dict[str, Any]:
    """What a ledger tells, without reading all of its children."""
    config, outcomes, n_rounds = ledger.config(), ledger.n_outcomes(), ledger.n_rounds()
    failed = {status: count for status, count in outcomes.items() if status not in ("finished", "stopped")}
    last, best = ledger.rows(round=n_rounds - 1), ledger.best_row()
    levels = [dataclasses.asdict(level) for level in ledger.costs()]
    told = {
        "n_finished": outcomes.get("finished", 0),
        "n_stopped": outcomes.get("stopped", 0),
        "n_failed": sum(failed.values()),
        "n_running": sum(row.worker is not None and row.outcome is None for row in last),
        "n_asked": sum(level["n_asked"] for level in levels),
        "failed": failed,
        "evaluator": config.get("evaluator", TRAIN),
        "strategy": config.get("strategy", "progressive"),
        "level": max((level["n_blocks"] for level in levels), default=0),
        "round": n_rounds,
        "levels": levels,
        "config": config,
    }
    if best is not None and best.outcome is not None:
        told |= {"best_cell": best.candidate.cell, "best_accuracy": best.outcome.accuracy}
    return told

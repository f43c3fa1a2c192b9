import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from pnas_search import Ledger, LedgerError
from pnas_tools._errors import BadInput
from pnas_tools._evaluator_name import TRAIN, BenchmarkName
from pnas_tools._run_folder import RunFolder


@click.command("status", epilog="Example: pnas-tools status runs/small --json")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for scripts.")
def status_command(run: Path, as_json: bool) -> None:
    """Say how far the search in the folder RUN is, whether it is running or not."""
    try:
        status = read_status(RunFolder(run))
    except LedgerError as error:
        raise BadInput(str(error)) from error
    click.echo(json.dumps(status) if as_json else _sentence(run, status))


def read_status(run: RunFolder) -> dict[str, Any]:
    """How far a search is, and what it cost; `best_accuracy` is the result's once there is one, and else of the best.

    `n_running` are the children that somebody has begun to train; a search that was killed trains them again.
    """
    result = run.read_result()
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
        "finished": result is not None,
    }
    ledger = run.open_for_reading()
    if ledger is not None:
        with ledger:
            status |= _told(ledger)
    if result is not None:
        status |= {name: result[name] for name in ("best_cell", "best_accuracy")}
    return status


def _told(ledger: Ledger) -> dict[str, Any]:
    """What a ledger tells, without reading all of its children."""
    config, outcomes, levels, n_rounds = ledger.config(), ledger.n_outcomes(), ledger.costs(), ledger.n_rounds()
    failed = {status: count for status, count in outcomes.items() if status not in ("finished", "stopped")}
    last, best = ledger.rows(round=n_rounds - 1), ledger.best_row()
    told = {
        "n_finished": outcomes.get("finished", 0),
        "n_stopped": outcomes.get("stopped", 0),
        "n_failed": sum(failed.values()),
        "n_running": sum(row.worker is not None and row.outcome is None for row in last),
        "n_asked": sum(level.n_asked for level in levels),
        "failed": failed,
        "evaluator": config.get("evaluator", TRAIN),
        "strategy": config.get("strategy", "progressive"),
        "level": max((level.n_blocks for level in levels), default=0),
        "round": n_rounds,
        "levels": [dataclasses.asdict(level) for level in levels],
    }
    if best is not None and best.outcome is not None:
        told |= {"best_cell": best.candidate.cell, "best_accuracy": best.outcome.accuracy}
    return told


def _sentence(run: Path, status: dict[str, Any]) -> str:
    place = f"level {status['level']}" if status["strategy"] in (None, "progressive") else f"round {status['round']}"
    state = "finished" if status["finished"] else f"at {place}"
    best = "" if status["best_accuracy"] is None else f", best accuracy {status['best_accuracy']:.4f}"
    stopped = f", {status['n_stopped']} stopped" if status["n_stopped"] else ""
    how = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in status["failed"].items())
    failed = f", {status['n_failed']} failed ({how})" if how else ""
    benchmark = BenchmarkName.of(status["evaluator"] or TRAIN)
    done = "trained" if benchmark is None else f"looked up on the surrogate benchmark {benchmark.name}"
    return f"{run} is {state}: {status['n_finished']} of {status['n_asked']} children {done}{stopped}{failed}{best}"

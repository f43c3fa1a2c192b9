import json
from pathlib import Path
from typing import Any

import click

from pnas_search import LedgerError
from pnas_tools._errors import BadInput
from pnas_tools._evaluator_name import TRAIN, BenchmarkName
from pnas_tools._result import best_row
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
    """How far a search is; `best_accuracy` is the result's once there is one, and until then the best of all."""
    ledger = run.open_for_reading()
    rows, evaluator = [], None
    if ledger is not None:
        with ledger:
            rows, evaluator = ledger.rows(), ledger.config().get("evaluator", TRAIN)
    result = run.read_result()
    best = best_row(rows)
    best_cell, best_accuracy = None, None
    if result is not None:
        best_cell, best_accuracy = result["best_cell"], result["best_accuracy"]
    elif best is not None and best.outcome is not None:
        best_cell, best_accuracy = best.candidate.cell, best.outcome.accuracy
    return {
        "n_finished": sum(row.outcome is not None and row.outcome.status == "finished" for row in rows),
        "n_stopped": sum(row.outcome is not None and row.outcome.status == "stopped" for row in rows),
        "n_failed": sum(row.outcome is not None and row.outcome.status not in ("finished", "stopped") for row in rows),
        "n_asked": len(rows),
        "evaluator": evaluator,
        "level": rows[-1].round + 1 if rows else 0,
        "best_cell": best_cell,
        "best_accuracy": best_accuracy,
        "finished": result is not None,
    }


def _sentence(run: Path, status: dict[str, Any]) -> str:
    state = "finished" if status["finished"] else f"at level {status['level']}"
    best = "" if status["best_accuracy"] is None else f", best accuracy {status['best_accuracy']:.4f}"
    others = "".join(f", {status[f'n_{kind}']} {kind}" for kind in ("stopped", "failed") if status[f"n_{kind}"])
    benchmark = BenchmarkName.of(status["evaluator"] or TRAIN)
    done = "trained" if benchmark is None else f"looked up on the surrogate benchmark {benchmark.name}"
    return f"{run} is {state}: {status['n_finished']} of {status['n_asked']} children {done}{others}{best}"

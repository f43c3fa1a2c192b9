import json
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.live import Live

from pnas_search import LedgerError
from pnas_tools._display._levels import Snapshot
from pnas_tools._display._tree import tree_of
from pnas_tools._display._watch import look, watched
from pnas_tools._errors import BadInput
from pnas_tools._evaluator_name import TRAIN, BenchmarkName
from pnas_tools._output import Output, listed, output_options
from pnas_tools._run_folder import RunFolder
from pnas_tools._training._folder import NETWORK_FOLDER, TrainingFolder

_ACTIVITIES = {True: "running, ", False: "not running, ", None: ""}


@click.command("status", epilog="Example: pnas-tools status runs/small --watch")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--watch", is_flag=True, help="Look once a second, until the search is finished or Ctrl-C is pressed.")
@output_options
def status_command(run: Path, watch: bool, output: Output) -> None:
    """Say how far the search in the folder RUN is, whether it is running or not.

    With --watch and --json there is one JSON object on a line whenever something has changed.
    """
    folder = RunFolder(run)
    console = Console()
    try:
        if not watch:
            status, snapshot = look(folder)
            output.show(status, lambda: _print(console, run, status, snapshot))
        elif output.as_json or not console.is_terminal:
            _print_changes(run, watched(folder), output)
        else:
            _keep_up_to_date(console, run, watched(folder))
    except LedgerError as error:
        raise BadInput(str(error)) from error


def _print(console: Console, run: Path, status: dict[str, Any], snapshot: Snapshot) -> None:
    click.echo(sentence(run, status))
    if console.is_terminal and snapshot.levels:
        console.print(tree_of("levels", snapshot))
    places = _next_steps(run, status)
    if places:
        click.echo("\n" + listed(places))


def _next_steps(run: Path, status: dict[str, Any]) -> dict[str, str]:
    if not status["finished"]:
        goes_on = status["running"] is False and status["command"] is not None
        return {"go on": status["command"]} if goes_on else {}
    training = TrainingFolder(run / NETWORK_FOLDER)
    steps = {"report": "report", "draw it": "show"}
    if training.network.is_file():
        steps |= {"evaluate it": "evaluate", "export it": "export"}
    else:
        steps |= {"go on training" if training.holds_training() else "train it": "train"}
    told = {purpose: f"pnas-tools {step} {shlex.quote(str(run))}" for purpose, step in steps.items()}
    return told if status["command"] is None else {"searched by": status["command"], **told}


def _print_changes(run: Path, looks: Iterable[tuple[dict[str, Any], Snapshot]], output: Output) -> None:
    last = None
    for status, _ in looks:
        if status != last:
            click.echo(json.dumps(status) if output.as_json else sentence(run, status))
        last = status


def _keep_up_to_date(console: Console, run: Path, looks: Iterable[tuple[dict[str, Any], Snapshot]]) -> None:
    with Live(console=console, auto_refresh=False) as live:
        for status, snapshot in looks:
            live.update(tree_of(sentence(run, status), snapshot), refresh=True)


def sentence(run: Path, status: dict[str, Any]) -> str:
    """How far a search is, in one sentence."""
    place = f"level {status['level']}" if status["strategy"] in (None, "progressive") else f"round {status['round']}"
    state = "finished" if status["finished"] else f"{_ACTIVITIES[status['running']]}at {place}"
    best = "" if status["best_accuracy"] is None else f", best accuracy {status['best_accuracy']:.4f}"
    stopped = f", {status['n_stopped']} stopped" if status["n_stopped"] else ""
    how = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in status["failed"].items())
    failed = f", {status['n_failed']} failed ({how})" if how else ""
    benchmark = BenchmarkName.of(status["evaluator"] or TRAIN)
    done = "trained" if benchmark is None else f"looked up on the surrogate benchmark {benchmark.name}"
    return f"{run} is {state}: {status['n_finished']} of {status['n_asked']} children {done}{stopped}{failed}{best}"

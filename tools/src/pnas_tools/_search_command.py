import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pnas_search import DamagedLedgerError, SearchError
from pnas_searchspace import CellSpace
from pnas_tools._config import PRESETS, SearchConfig
from pnas_tools._errors import BadInput, Failed, resumable
from pnas_tools._execution import Execution
from pnas_tools._heirs import check_early_stopping
from pnas_tools._options import config_options, execution_options, resolve_config
from pnas_tools._output import Output, output_options
from pnas_tools._parameter_types import OneOf
from pnas_tools._run_folder import RunFolder
from pnas_tools._run_search import run_search, track_the_rest, write_run_report
from pnas_tools._strategies import check_strategy_sizes
from pnas_tools._terminal import print_result
from pnas_tools._then import Step, StepText, check_steps
from pnas_tools._tracking_uri import local_store


@click.command(
    "search", epilog="Example: pnas-tools search --blocks 2 --beam 8 --out runs/small --then train --then export"
)
@click.option("--preset", type=OneOf(list(PRESETS)), default="quick", show_default=True, help="Where values come from.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder of the run.  [default: runs/ and a name]")
@execution_options
@click.option("--track/--no-track", default=True, show_default=True, help="Whether to copy the run to MLflow.")
@click.option(
    "--then",
    "steps",
    type=StepText(),
    multiple=True,
    help="What follows the search, in the order given: train, with its options in quotes if any, and export.",
)
@output_options
@config_options
@click.pass_context
@resumable()
def search_command(
    context: click.Context,
    /,
    preset: str,
    out: Path | None,
    execution: Execution,
    track: bool,
    steps: tuple[Step, ...],
    output: Output,
    **options: Any,
) -> None:
    """Search for a cell, from simple ones to complex ones (Algorithm 1 of the paper), or by another strategy.

    The run lives in a folder. Interrupted in whatever way, the same command goes on with it, and ends as if it had
    never stopped. The result depends on the options below --quiet, and not on where and how many at a time are trained.
    """
    config = resolve_config(context, preset, options)
    execution.check(config)
    run = RunFolder(out if out is not None else Path("runs") / _default_name(preset, config))
    run.check(config)
    check_steps(steps, run.path, config)
    console = output.meanwhile
    check_strategy_sizes(config, len(CellSpace(config.operations).one_block_cells()))
    check_early_stopping(config)
    result = run.read_result()
    tracking_uri = (os.environ.get("MLFLOW_TRACKING_URI") or local_store(run.path)) if track else None
    if result is None:
        try:
            result = run_search(config, run, execution, tracking_uri, console, with_report=True)
        except DamagedLedgerError as error:
            raise BadInput(str(error)) from error
        except SearchError as error:
            raise Failed(str(error)) from error
    else:
        console.print(f"The search in {run.path} is finished; this is what it found.", highlight=False, markup=False)
        run.data.unlink(missing_ok=True)  # left by a kill in the last moment
        if not run.report.exists():
            write_run_report(run, console)
        track_the_rest(run, tracking_uri, console)
    told = {"run": str(run.path), **result}
    if not steps:
        output.show(told, lambda: print_result(Console(), run, result, tracking_uri))
        return
    of_steps = replace(output, results=[])
    try:
        if not output.as_json:
            print_result(Console(), run, result, tracking_uri, is_last=False)
        for step in steps:
            step.work_on(run.path, is_tracked=track, output=of_steps)
    finally:  # what was done is told, also where a step fails
        output.show(told | {"then": of_steps.results}, lambda: None)


def _default_name(preset: str, config: SearchConfig) -> str:
    """A name that the same options give again, also in later versions, and others do not."""
    digest = hashlib.sha256(json.dumps(config.not_default(), sort_keys=True).encode()).hexdigest()
    return f"{preset}-seed{config.seed}-{digest[:8]}"

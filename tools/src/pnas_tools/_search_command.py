import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pnas_search import Evaluator, Event, Ledger, Outcome, ProcessPool, Progressive, SearchError, search
from pnas_searchspace import Cell, CellSpace
from pnas_tools._child import ChildTrainer
from pnas_tools._config import PRESETS, SearchConfig
from pnas_tools._drawing import draw_cell
from pnas_tools._errors import Failed, resumable
from pnas_tools._files import write_json_atomically, write_text_atomically
from pnas_tools._heirs import Heirs, check_early_stopping
from pnas_tools._options import config_options, resolve_config
from pnas_tools._prepare import prepare
from pnas_tools._progress import SearchProgress
from pnas_tools._provenance import provenance
from pnas_tools._result import make_result
from pnas_tools._run_folder import RunFolder
from pnas_tools._surrogate import check_surrogate, surrogate_factory
from pnas_tools._terminal import print_result
from pnas_tools._tracking import MlflowTracker, is_complete, local_store
from pnas_tools._workload import Workload

_SECONDS_FOR_TRACKING = {"FINISHED": 60.0, "FAILED": 5.0, "KILLED": 5.0}
"""How long MLflow is waited for at the end of a search, by how that ended."""


@click.command("search", epilog="Example: pnas-tools search --blocks 2 --beam 8 --out runs/small")
@click.option(
    "--preset", type=click.Choice(list(PRESETS)), default="quick", show_default=True, help="Where values come from."
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the run.  [default: runs/ and a name]")
@click.option(
    "--workers", type=click.IntRange(min=1), help="Processes that train.  [default: one per core; one on a GPU]"
)
@click.option("--track/--no-track", default=True, show_default=True, help="Whether to copy the run to MLflow.")
@config_options
@click.pass_context
@resumable()
def search_command(
    context: click.Context, /, preset: str, out: Path | None, workers: int | None, track: bool, **options: Any
) -> None:
    """Search for a cell, from simple ones to complex ones (Algorithm 1 of the paper).

    The run lives in a folder. Interrupted in whatever way, the same command goes on with it, and ends as if it had
    never stopped. The result depends on the options below --track, and not on the number of workers.
    """
    config = resolve_config(context, preset, options)
    run = RunFolder(out if out is not None else Path("runs") / _default_name(preset, config))
    run.check(config)
    console = Console(stderr=True)
    check_surrogate(config, CellSpace(config.operations))
    check_early_stopping(config)
    result = run.read_result()
    tracking_uri = (os.environ.get("MLFLOW_TRACKING_URI") or local_store(run.path)) if track else None
    if result is None:
        try:
            result = _run(config, run, workers or _default_workers(config), tracking_uri, console)
        except SearchError as error:
            raise Failed(str(error)) from error
    else:
        console.print(f"The search in {run.path} is finished; this is what it found.", highlight=False, markup=False)
        run.data.unlink(missing_ok=True)  # left by a kill in the last moment
        _track_the_rest(run, tracking_uri, console)
    print_result(Console(), run, result, tracking_uri)


def _run(
    config: SearchConfig, run: RunFolder, n_workers: int, tracking_uri: str | None, console: Console
) -> dict[str, Any]:
    """Search, or go on with it; give the result, which is on disk then."""
    trainer = ChildTrainer(config=config, data=run.data.absolute())
    # The workers import what they need while this process does.
    with run.opened(config, provenance()) as ledger, ProcessPool(trainer, n_workers) as pool:
        with console.status("Reading the images, while the workers start"):
            prepare(config, run.data)
        n_before = sum(row.outcome is not None for row in ledger.rows())
        state = f"goes on after {n_before} children" if n_before else "begins"
        console.print(
            f"The search in {run.path} {state}, with {n_workers} workers.",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
        _warn_of_other_versions(ledger, console)
        tracker = MlflowTracker(run, tracking_uri) if tracking_uri is not None else None
        if tracker is not None:
            tracker.start()
        status = "KILLED"
        try:
            space = CellSpace(config.operations)
            with SearchProgress(console, Workload(_level_sizes(config, space))) as progress:
                evaluator = _evaluator(config, run, pool, ledger)
                best = _search(config, space, evaluator, ledger, progress)
            result = _write_result(best, ledger, config, run)
            status = "FINISHED"
        except SearchError:
            status = "FAILED"
            raise
        finally:
            if tracker is not None:
                _finish_tracking(tracker, status, console)
    return result


def _finish_tracking(tracker: MlflowTracker, status: str, console: Console) -> None:
    problem = tracker.finish(status, timeout=_SECONDS_FOR_TRACKING[status])
    if problem is not None:
        console.print(problem, highlight=False, markup=False, soft_wrap=True)


def _track_the_rest(run: RunFolder, tracking_uri: str | None, console: Console) -> None:
    """Send to MLflow what it does not have of a search that is finished."""
    if tracking_uri is not None and not is_complete(run, tracking_uri):
        tracker = MlflowTracker(run, tracking_uri)
        tracker.start()
        _finish_tracking(tracker, "FINISHED", console)


def _warn_of_other_versions(ledger: Ledger, console: Console) -> None:
    here, there = provenance()["versions"], ledger.provenance()["versions"]
    changed = [
        f"{name} {there.get(name)} is now {version}" for name, version in here.items() if there.get(name) != version
    ]
    if changed:
        console.print(
            f"This search began with other versions ({', '.join(changed)}), so its result may differ from theirs.",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )


def _evaluator(config: SearchConfig, run: RunFolder, pool: ProcessPool, ledger: Ledger) -> Evaluator:
    """The pool, or one that gives children what they get from others."""
    if not config.warm_start and config.early_stopping is None:
        return pool
    weights = run.weights if config.warm_start else None
    return Heirs(pool, ledger, weights=weights, curves=config.early_stopping is not None)


def _search(
    config: SearchConfig, space: CellSpace, evaluator: Evaluator, ledger: Ledger, on_event: Callable[[Event], None]
) -> tuple[Cell, Outcome]:
    strategy = Progressive(
        space,
        n_blocks=config.n_blocks,
        beam_size=config.beam_size,
        make_predictor=surrogate_factory(config, space),
    )
    return search(strategy, evaluator, ledger, seed=config.seed, on_event=on_event)


def _write_result(best: tuple[Cell, Outcome], ledger: Ledger, config: SearchConfig, run: RunFolder) -> dict[str, Any]:
    """Write the drawing, and last the result, which says that the search is finished; give it as it reads back."""
    write_text_atomically(run.drawing, draw_cell(best[0]))
    write_json_atomically(run.result, make_result(best, ledger.rows(), config, ledger.provenance()))
    shutil.rmtree(run.weights, ignore_errors=True)  # nobody inherits them any more
    result = run.read_result()
    assert result is not None  # it has just been written
    return result


def _level_sizes(config: SearchConfig, space: CellSpace) -> list[int]:
    return [len(space.one_block_cells())] + [config.beam_size] * (config.n_blocks - 1)


def _default_name(preset: str, config: SearchConfig) -> str:
    """A name that the same options give again, and others do not."""
    digest = hashlib.sha256(json.dumps(config.as_json(), sort_keys=True).encode()).hexdigest()
    return f"{preset}-seed{config.seed}-{digest[:8]}"


def _default_workers(config: SearchConfig) -> int:
    if config.device != "cpu":
        return 1
    if hasattr(os, "sched_getaffinity"):  # Linux only
        return max(1, len(os.sched_getaffinity(0)) // config.threads_per_child)
    return max(1, (os.cpu_count() or 1) // config.threads_per_child)

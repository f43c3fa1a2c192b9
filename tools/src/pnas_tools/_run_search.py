"""A search from its first round to its result, over a folder that remembers it."""

import shutil
from collections.abc import Callable
from typing import Any

from rich.console import Console

from pnas_search import Evaluator, Event, Ledger, Outcome, Progressive, SearchError, search
from pnas_searchspace import Cell, CellSpace
from pnas_tools._config import SearchConfig
from pnas_tools._drawing import draw_cell
from pnas_tools._evaluators import opened_evaluator
from pnas_tools._files import write_json_atomically, write_text_atomically
from pnas_tools._progress import SearchProgress
from pnas_tools._provenance import provenance, warn_of_other_versions
from pnas_tools._result import make_result
from pnas_tools._run_folder import RunFolder
from pnas_tools._surrogate import surrogate_factory
from pnas_tools._tracking import MlflowTracker, is_complete
from pnas_tools._workload import Workload

_SECONDS_FOR_TRACKING = {"FINISHED": 60.0, "FAILED": 5.0, "KILLED": 5.0}
"""How long MLflow is waited for at the end of a search, by how that ended."""


def run_search(
    config: SearchConfig, run: RunFolder, n_workers: int, tracking_uri: str | None, console: Console
) -> dict[str, Any]:
    """Search, or go on with it; give the result, which is on disk then.

    Raises:
        BadInput: the folder, the images, or values that do not go together.
        SearchError: the search cannot go on.
    """
    with (
        run.opened(config, provenance()) as ledger,
        opened_evaluator(config, run, ledger, n_workers, console) as (evaluator, how),
    ):
        n_before = sum(row.outcome is not None for row in ledger.rows())
        state = f"goes on after {n_before} children" if n_before else "begins"
        console.print(f"The search in {run.path} {state}, {how}.", highlight=False, markup=False, soft_wrap=True)
        warn_of_other_versions(ledger.provenance(), console)
        tracker = MlflowTracker(run, tracking_uri) if tracking_uri is not None else None
        if tracker is not None:
            tracker.start()
        status = "KILLED"
        try:
            space = CellSpace(config.operations)
            with SearchProgress(console, Workload(_level_sizes(config, space))) as progress:
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


def track_the_rest(run: RunFolder, tracking_uri: str | None, console: Console) -> None:
    """Send to MLflow what it does not have of a search that is finished."""
    if tracking_uri is not None and not is_complete(run, tracking_uri):
        tracker = MlflowTracker(run, tracking_uri)
        tracker.start()
        _finish_tracking(tracker, "FINISHED", console)


def _finish_tracking(tracker: MlflowTracker, status: str, console: Console) -> None:
    problem = tracker.finish(status, timeout=_SECONDS_FOR_TRACKING[status])
    if problem is not None:
        console.print(problem, highlight=False, markup=False, soft_wrap=True)


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

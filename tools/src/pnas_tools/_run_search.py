"""A search from its first round to its result, over a folder that remembers it."""

import shutil
from pathlib import Path
from typing import Any

from rich.console import Console

from pnas_search import Ledger, SearchError, Strategy, all_allowed, search
from pnas_searchspace import Cell, CellSpace
from pnas_tools._cell_costs import CellCosts, cell_costs
from pnas_tools._config import SearchConfig
from pnas_tools._display._search_progress import SearchProgress
from pnas_tools._display._workload import Workload
from pnas_tools._drawing import draw_cell
from pnas_tools._errors import BadInput
from pnas_tools._evaluators import opened_evaluator
from pnas_tools._execution import Execution
from pnas_tools._files import write_json_atomically, write_text_atomically
from pnas_tools._front import make_front
from pnas_tools._limits import allowed, check_limits, in_words, limits_of
from pnas_tools._plan import planned_levels
from pnas_tools._prior_runs import prior_accuracies
from pnas_tools._provenance import provenance, warn_of_other_versions
from pnas_tools._result import make_result
from pnas_tools._run_folder import RunFolder
from pnas_tools._strategies import check_strategy_sizes, make_strategy
from pnas_tools._tracking import MlflowTracker, is_complete

_SECONDS_FOR_TRACKING = {"FINISHED": 60.0, "FAILED": 5.0, "KILLED": 5.0}
"""How long MLflow is waited for at the end of a search, by how that ended."""


def run_search(
    config: SearchConfig,
    run: RunFolder,
    execution: Execution,
    tracking_uri: str | None,
    console: Console,
    *,
    with_report: bool = False,
) -> dict[str, Any]:
    """Search, or go on with it; give the result, which is on disk then, and a report where one is wanted.

    Raises:
        BadInput: the folder, the images, or values that do not go together.
        SearchError: the search cannot go on.
    """
    with (
        run.opened(config, provenance()) as ledger,
        opened_evaluator(config, run, ledger, execution, console) as (evaluator, how),
    ):
        space = CellSpace(config.operations)
        costs = _costs(config, space, ledger)
        strategy = _strategy(config, space, ledger, costs)
        n_before = sum(ledger.n_outcomes().values())
        state = f"goes on after {n_before} children" if n_before else "begins"
        console.print(f"The search in {run.path} {state}, {how}.", highlight=False, markup=False, soft_wrap=True)
        warn_of_other_versions(ledger.provenance(), console)
        tracker = MlflowTracker(run, tracking_uri) if tracking_uri is not None else None
        if tracker is not None:
            tracker.start()
        status = "KILLED"
        try:
            with SearchProgress(console, str(run.path), Workload(planned_levels(config, space))) as progress:
                best = search(strategy, evaluator, ledger, seed=config.seed, on_event=progress)
            rows = ledger.rows()
            front = make_front(rows, space, costs.of(config.trade_off)) if config.trade_off else {}
            result = _write_result(run, best[0], make_result(best, rows, config, ledger.provenance()) | front)
            if with_report:
                write_run_report(run, console)
            status = "FINISHED"
        except SearchError:
            status = "FAILED"
            raise
        finally:
            if tracker is not None:
                _finish_tracking(tracker, status, console)
    return result


def write_run_report(run: RunFolder, console: Console) -> None:
    """The report, in the folder of the run."""
    from pnas_tools._report._write import write_report

    with console.status("Writing the report"):
        write_report(run, run.report)


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


def _costs(config: SearchConfig, space: CellSpace, ledger: Ledger) -> CellCosts:
    """What the config limits, or trades off."""
    costs = cell_costs(config, space, sorted({*limits_of(config), *(config.trade_off or ())}), ledger)
    limits, cells = limits_of(config), space.one_block_cells()
    if limits:
        check_limits(limits, costs, space)
        check_strategy_sizes(config, int(allowed(limits, costs)(cells).sum()))
    return costs


def _strategy(config: SearchConfig, space: CellSpace, ledger: Ledger, costs: CellCosts) -> Strategy:
    limits = limits_of(config)
    strategy = make_strategy(
        config,
        space,
        allowed=allowed(limits, costs) if limits else all_allowed,
        costs=costs.of(config.trade_off) if config.trade_off else None,
        priors=_priors(config, ledger),
    )
    if limits and not ledger.rows(round=0) and not strategy.ask():
        raise BadInput(
            f"no cell of {config.n_blocks} blocks was found that keeps {in_words(limits)}: pass more, or fewer --blocks"
        )
    return strategy


def _priors(config: SearchConfig, ledger: Ledger) -> list[dict[str, float]]:
    """What earlier runs have measured; the ledger keeps it, so that they may go on, or be removed."""
    if config.prior_runs is None:
        return []
    known = ledger.fact("prior_runs")
    if known is None:
        known = ledger.remember("prior_runs", [prior_accuracies(Path(run)) for run in config.prior_runs])
    return list(known)


def _write_result(run: RunFolder, best: Cell, result: dict[str, Any]) -> dict[str, Any]:
    """Write the drawing, and last the result, which says that the search is finished; give it as it reads back."""
    write_text_atomically(run.drawing, draw_cell(best))
    write_json_atomically(run.result, result)
    shutil.rmtree(run.weights, ignore_errors=True)  # nobody inherits them any more
    written = run.read_result()
    assert written is not None  # a moment ago
    return written

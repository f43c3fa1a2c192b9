import gc
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pnas_search._errors import SearchError
from pnas_search._evaluation import Evaluator, Outcome, Report, Request, Started
from pnas_search._ledger._ledger import Ledger
from pnas_search._ledger._rows import LedgerRow
from pnas_search._seeds import child_seed
from pnas_search._strategies._base import Candidate, Strategy
from pnas_searchspace import Cell


@dataclass(frozen=True, kw_only=True)
class RoundStarted:
    """A round begins, or goes on: `rows` are its children, some of them finished by an earlier run."""

    index: int
    rows: Sequence[LedgerRow]


@dataclass(frozen=True, kw_only=True)
class ChildFinished:
    """A child's outcome has been committed."""

    request: Request
    outcome: Outcome


Event = RoundStarted | Started | ChildFinished


def search(
    strategy: Strategy,
    evaluator: Evaluator,
    ledger: Ledger,
    *,
    seed: int,
    on_event: Callable[[Event], None] = lambda _: None,
) -> tuple[Cell, Outcome]:
    """Train what a strategy asks for until it asks for nothing more; give the best cell and its outcome.

    What the ledger holds already is not trained again, and rounds that it holds are not asked for again. So a search
    that was interrupted, however roughly, goes on by calling this anew with the same arguments, and ends with the same
    result.

    Args:
        strategy: a new one.
        evaluator: trains the children; each outcome is committed before anything else happens.
        ledger: of this search; empty, or from an earlier call.
        seed: every child's seed derives from it and from the child's cell.
        on_event: called after every step, in this thread.

    Raises:
        SearchError: the strategy cannot go on, the ledger cannot be written, or an evaluator fails.
    """
    n_told = _replay(strategy, ledger, seed, on_event)
    for index in itertools.count(n_told):
        rows = _round(strategy, ledger, index, seed)
        if not rows:
            break
        on_event(RoundStarted(index=index, rows=rows))
        missing = [row.request for row in rows if row.outcome is None]
        for report in evaluator.evaluate(missing):
            on_event(_committed(report, ledger))
        _tell(strategy, ledger.rows(round=index))
    best = strategy.best()
    if best is None:
        raise SearchError("there is no best cell: the strategy asked for none, as limits may leave none, or all failed")
    return best


def _replay(strategy: Strategy, ledger: Ledger, seed: int, on_event: Callable[[Event], None]) -> int:
    """Tell the strategy the rounds that are finished; give their number."""
    index = 0
    with _no_collection():
        while (rows := ledger.rows(round=index)) and all(row.outcome is not None for row in rows):
            _check_seed(rows[0], seed)
            on_event(RoundStarted(index=index, rows=rows))
            _tell(strategy, rows)
            index += 1
    return index


@contextmanager
def _no_collection() -> Iterator[None]:
    """What is read from a ledger stays, and looking through it for garbage over and over takes a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _round(strategy: Strategy, ledger: Ledger, index: int, seed: int) -> list[LedgerRow]:
    """The round as the ledger holds it, or as the strategy asks for it now; empty at the end of the search."""
    rows = ledger.rows(round=index)
    if not rows:
        candidates = strategy.ask()
        if not candidates:
            return []
        requests = [_request(candidate, seed) for candidate in candidates]
        ledger.add_round(index, candidates, requests, strategy.predictions())
        rows = ledger.rows(round=index)
    _check_seed(rows[0], seed)
    return rows


def _check_seed(row: LedgerRow, seed: int) -> None:
    if row.seed != child_seed(seed, row.candidate.cell, row.candidate.fidelity):
        raise SearchError(f"the ledger is that of a search with another seed than {seed}: give the seed it began with")


def _committed(report: Report, ledger: Ledger) -> Event:
    if isinstance(report, Started):
        ledger.start(report.request, report.worker)
        return report
    request, outcome = report
    ledger.record(request, outcome)
    return ChildFinished(request=request, outcome=outcome)


def _request(candidate: Candidate, seed: int) -> Request:
    if str(candidate.cell) != candidate.cell.key:
        raise SearchError(f"a strategy must ask for cells in canonical form, and {candidate.cell} is not")
    return Request(
        cell=candidate.cell,
        seed=child_seed(seed, candidate.cell, candidate.fidelity),
        parent=candidate.parent,
        fidelity=candidate.fidelity,
    )


def _tell(strategy: Strategy, rows: Sequence[LedgerRow]) -> None:
    outcomes = [row.outcome for row in rows if row.outcome is not None]
    if len(outcomes) < len(rows):
        raise SearchError(
            f"the evaluator left out {len(rows) - len(outcomes)} of {len(rows)} children that it was asked for"
        )
    strategy.tell([row.candidate for row in rows], outcomes)

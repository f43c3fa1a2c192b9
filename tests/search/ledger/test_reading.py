"""What a ledger tells without its children being read one by one."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pnas_search import Candidate, Ledger, LevelCost, Outcome, Request
from pnas_searchspace import CellSpace


def begin(ledger: Ledger, index: int, requests: list[Request]) -> None:
    candidates = [Candidate(cell=request.cell, fidelity=request.fidelity) for request in requests]
    ledger.add_round(index, candidates, requests)


@pytest.fixture
def larger(space: CellSpace) -> list[Request]:
    """Of cells of two blocks."""
    cells, _ = space.expand(space.one_block_cells()[:2])
    return [Request(cell=cell, seed=seed, parent=None) for seed, cell in enumerate(space.to_cells(cells[:5]))]


def test_an_empty_ledger_tells_that_it_is_empty(ledger: Ledger) -> None:
    assert (ledger.best_row(), ledger.n_outcomes(), ledger.n_rounds(), ledger.costs()) == (None, {}, 0, [])


def test_costs_add_up_by_the_size_of_the_cells_and_by_how_long_they_were_trained(
    ledger: Ledger,
    requests: list[Request],
    larger: list[Request],
    finished: Callable[[float], Outcome],
    failed: Outcome,
) -> None:
    again = [dataclasses.replace(larger[0], fidelity=15)]
    for index, round_ in enumerate((requests[:6], requests[6:], larger, again)):
        begin(ledger, index, round_)
    for request, accuracy in zip((*requests[:3], *larger[:2]), (0.4, 0.5, 0.3, 0.25, 0.2), strict=True):
        ledger.record(request, finished(accuracy))
    ledger.record(larger[2], failed)
    ledger.record(larger[3], dataclasses.replace(finished(0.6), status="stopped"))
    ledger.record(again[0], dataclasses.replace(finished(0.75), n_examples=1500))
    assert ledger.costs() == [
        LevelCost(
            n_blocks=1, fidelity=1, n_asked=10, n_done=3, n_failed=0, best_accuracy=0.5, n_examples=300, seconds=4.5
        ),
        LevelCost(
            n_blocks=2, fidelity=1, n_asked=5, n_done=4, n_failed=1, best_accuracy=0.25, n_examples=307, seconds=5.0
        ),
        LevelCost(
            n_blocks=2, fidelity=15, n_asked=1, n_done=1, n_failed=0, best_accuracy=0.75, n_examples=1500, seconds=1.5
        ),
    ]
    assert ledger.n_outcomes() == {"finished": 6, "diverged": 1, "stopped": 1}
    assert ledger.n_rounds() == 4


def test_the_best_is_the_most_accurate_of_those_that_finished_and_of_equals_the_first(
    ledger: Ledger, requests: list[Request], finished: Callable[[float], Outcome], failed: Outcome
) -> None:
    begin(ledger, 0, requests)

    def best_after(place: int, outcome: Outcome) -> Request:
        ledger.record(requests[place], outcome)
        row = ledger.best_row()
        assert row is not None
        return row.request

    ledger.record(requests[9], failed)
    assert ledger.best_row() is None
    assert best_after(8, dataclasses.replace(finished(0.9), status="stopped")) == requests[8]
    assert best_after(7, finished(0.0)) == requests[7]
    assert best_after(5, finished(0.5)) == requests[5]
    assert best_after(6, finished(0.5)) == requests[5]
    assert best_after(4, finished(0.5)) == requests[4]
    assert best_after(3, finished(0.625)) == requests[3]
    again = dataclasses.replace(requests[7], fidelity=2)
    begin(ledger, 1, [again])
    ledger.record(again, finished(0.25))
    row = ledger.best_row()
    assert row is not None
    assert row.request == again


def test_rows_from_a_round_on(ledger: Ledger, requests: list[Request]) -> None:
    for index in range(3):
        begin(ledger, index, requests[3 * index : 3 * index + 3])
    assert [row.request for row in ledger.rows(from_round=1)] == requests[3:9]
    assert [row.request for row in ledger.rows(round=1)] == requests[3:6]
    assert ledger.rows(from_round=3) == []


def test_a_reader_tells_the_same(
    ledger: Ledger, requests: list[Request], finished: Callable[[float], Outcome], tmp_path: Path
) -> None:
    begin(ledger, 0, requests)
    ledger.record(requests[0], finished(0.5))
    with Ledger.read(tmp_path / "ledger.sqlite") as reader:
        for tell in (Ledger.costs, Ledger.n_outcomes, Ledger.n_rounds, Ledger.best_row, Ledger.rows):
            assert tell(reader) == tell(ledger)


def test_times_are_those_of_the_last_attempt_and_of_the_outcome(
    ledger: Ledger, requests: list[Request], finished: Callable[[float], Outcome]
) -> None:
    begin(ledger, 0, requests[:3])
    begin(ledger, 1, requests[3:4])
    ledger.start(requests[0], "a worker that is killed")
    between = datetime.now(UTC)
    ledger.start(requests[0], "another one")
    for request in (requests[0], requests[2], requests[3]):  # the last two were begun by nobody
        ledger.record(request, finished(0.5))
    times = ledger.times()
    assert times.keys() == {(0, 0), (0, 2), (1, 0)}
    started_at, finished_at = times[0, 0]
    assert started_at is not None
    assert between <= started_at <= finished_at <= datetime.now(UTC)
    assert times[0, 2][0] is None
    assert ledger.times(from_round=1) == {(1, 0): times[1, 0]}

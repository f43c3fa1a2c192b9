"""What goes into a ledger's tables comes out of them."""

import dataclasses
import re
from collections.abc import Callable

import numpy as np
import pytest

from pnas_search import Candidate, Ledger, LedgerError, Outcome, Predictions, Request
from pnas_searchspace import CellSpace


def test_a_cell_is_asked_for_once_at_every_fidelity(
    ledger: Ledger, requests: list[Request], finished: Callable[[float], Outcome]
) -> None:
    again = dataclasses.replace(requests[0], fidelity=15, seed=3)
    for index, request in enumerate((requests[0], again)):
        ledger.add_round(index, [Candidate(cell=request.cell, fidelity=request.fidelity)], [request])
    with pytest.raises(LedgerError, match="what it holds is safe"):
        ledger.add_round(2, [Candidate(cell=again.cell, fidelity=15)], [again])
    ledger.record(again, finished(0.75))
    assert [(row.request, row.outcome) for row in ledger.rows()] == [(requests[0], None), (again, finished(0.75))]


def test_how_a_child_failed_and_how_sure_a_surrogate_was_is_kept(ledger: Ledger, requests: list[Request]) -> None:
    candidate = Candidate(cell=requests[0].cell, predicted=0.25, predicted_std=0.125)
    ledger.add_round(0, [candidate], requests[:1])
    outcome = Outcome(
        status="timed_out",
        accuracy=None,
        accuracies=(),
        n_examples=0,
        seconds=60.0,
        message="above 60 s, “twice”",
    )
    ledger.record(requests[0], outcome)
    (row,) = ledger.rows()
    assert (row.candidate, row.outcome) == (candidate, outcome)


def test_the_worker_of_a_child_is_the_one_that_began_last(ledger: Ledger, requests: list[Request]) -> None:
    ledger.add_round(0, [Candidate(cell=request.cell) for request in requests[:3]], requests[:3])
    for place, worker in ((0, "process 1"), (2, "process 2"), (0, "process 3")):
        ledger.start(requests[place], worker)
    assert [row.worker for row in ledger.rows()] == ["process 3", None, "process 2"]


def test_only_what_was_asked_for_can_begin(ledger: Ledger, requests: list[Request]) -> None:
    ledger.add_round(0, [Candidate(cell=requests[0].cell)], requests[:1])
    for request in (requests[1], dataclasses.replace(requests[0], fidelity=2)):
        with pytest.raises(LedgerError, match=re.escape(f"{request.cell} was not")):
            ledger.start(request, "process 1")


def test_a_parent_must_have_been_asked_for(ledger: Ledger, requests: list[Request], space: CellSpace) -> None:
    cells, _ = space.expand(space.to_array([requests[0].cell]))
    child = Candidate(cell=space.to_cells(cells)[0], parent=requests[0].cell)
    request = Request(cell=child.cell, seed=0, parent=child.parent)
    with pytest.raises(LedgerError, match="a parent must have been asked for before its child"):
        ledger.add_round(0, [child], [request])
    ledger.add_round(0, [Candidate(cell=requests[0].cell)], requests[:1])
    ledger.add_round(1, [child], [request])
    assert ledger.rows(round=1)[0].candidate == child


@pytest.mark.parametrize("std", [None, np.linspace(0, 1, 4)], ids=["without deviations", "with deviations"])
def test_predictions_are_those_that_were_given_in_32_bits(
    std: np.ndarray | None, ledger: Ledger, requests: list[Request], space: CellSpace
) -> None:
    cells = space.expand(space.one_block_cells())[0][:4]
    given = Predictions(operations=tuple(space.operations), cells=cells, mean=np.array([0.1, 0.5, -2, 1e-8]), std=std)
    ledger.add_round(0, [Candidate(cell=requests[0].cell)], requests[:1])
    ledger.add_round(1, [Candidate(cell=requests[1].cell)], requests[1:2], given)
    assert ledger.predictions(0) is None
    read = ledger.predictions(1)
    assert read is not None
    assert read.operations == given.operations
    np.testing.assert_array_equal(read.cells, cells, strict=True)
    np.testing.assert_array_equal(read.mean, given.mean.astype(np.float32).astype(np.float64), strict=True)
    if std is None:
        assert read.std is None
    else:
        np.testing.assert_array_equal(read.std, std.astype(np.float32).astype(np.float64), strict=True)


def test_a_round_that_is_refused_leaves_no_predictions(
    ledger: Ledger, requests: list[Request], space: CellSpace
) -> None:
    cells = space.one_block_cells()
    given = Predictions(operations=tuple(space.operations), cells=cells, mean=np.zeros(len(cells)), std=None)
    twice = [Candidate(cell=requests[0].cell)] * 2
    with pytest.raises(LedgerError, match="what it holds is safe"):
        ledger.add_round(0, twice, requests[:1] * 2, given)
    assert ledger.predictions(0) is None

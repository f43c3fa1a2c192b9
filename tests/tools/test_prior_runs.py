from pathlib import Path

import pytest

from pnas_search import Candidate, Ledger, Outcome, Request
from pnas_searchspace import CellSpace
from pnas_tools._errors import BadInput
from pnas_tools._prior_runs import prior_accuracies

CELLS = (space := CellSpace()).to_cells(space.one_block_cells()[:4])


def outcome(accuracy: float | None, status: str = "finished") -> Outcome:
    return Outcome(status=status, accuracy=accuracy, accuracies=(), n_examples=1, seconds=1.0)  # type: ignore[arg-type]


def test_the_accuracies_are_those_that_were_reached_in_the_usual_time(tmp_path: Path) -> None:
    requests = [Request(cell=cell, seed=0, parent=None) for cell in CELLS]
    longer = Request(cell=CELLS[0], seed=0, parent=None, fidelity=15)
    with Ledger.create(tmp_path / "ledger.sqlite", config={}, provenance={}) as ledger:
        ledger.add_round(0, [Candidate(cell=cell) for cell in CELLS], requests)
        ledger.add_round(1, [Candidate(cell=CELLS[0], fidelity=15)], [longer])
        outcomes = [outcome(0.5), outcome(0.25, "stopped"), outcome(None, "diverged")]
        for request, one in zip([*requests[:3], longer], [*outcomes, outcome(0.875)], strict=True):
            ledger.record(request, one)
    assert prior_accuracies(tmp_path) == {CELLS[0].key: 0.5, CELLS[1].key: 0.25}


def test_what_is_no_run_or_an_empty_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no ledger at"):
        prior_accuracies(tmp_path)
    Ledger.create(tmp_path / "ledger.sqlite", config={}, provenance={}).close()
    with pytest.raises(BadInput, match="has trained no cell yet"):
        prior_accuracies(tmp_path)

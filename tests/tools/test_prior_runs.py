from pathlib import Path

import pytest

from pnas_search import Candidate, Ledger, Outcome, Request
from pnas_searchspace import CellSpace
from pnas_tools._errors import BadInput
from pnas_tools._prior_runs import PriorRun, digest_of

CELLS = (space := CellSpace()).to_cells(space.one_block_cells()[:4])


def outcome(accuracy: float | None, status: str = "finished") -> Outcome:
    return Outcome(status=status, accuracy=accuracy, accuracies=(), n_examples=1, seconds=1.0)  # type: ignore[arg-type]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with a child that finished, one that was stopped, one that failed, and one that is missing."""
    requests = [Request(cell=cell, seed=0, parent=None) for cell in CELLS]
    longer = Request(cell=CELLS[0], seed=0, parent=None, fidelity=15)
    with Ledger.create(tmp_path / "ledger.sqlite", config={}, provenance={}) as ledger:
        ledger.add_round(0, [Candidate(cell=cell) for cell in CELLS], requests)
        ledger.add_round(1, [Candidate(cell=CELLS[0], fidelity=15)], [longer])
        outcomes = [outcome(0.5), outcome(0.25, "stopped"), outcome(None, "diverged")]
        for request, one in zip([*requests[:3], longer], [*outcomes, outcome(0.875)], strict=True):
            ledger.record(request, one)
    return tmp_path


def test_the_accuracies_are_those_that_were_reached_in_the_usual_time(run: Path) -> None:
    expected = {CELLS[0].key: 0.5, CELLS[1].key: 0.25}
    assert PriorRun.of(str(run)).accuracies() == expected
    assert PriorRun.of(f"{run}@{digest_of(expected)}").accuracies() == expected


def test_a_run_that_has_gone_on_is_not_the_one_that_was_meant(run: Path) -> None:
    meant = PriorRun.of(f"{run}@{digest_of(PriorRun.of(str(run)).accuracies())}")
    with Ledger.open(run / "ledger.sqlite") as ledger:
        ledger.record(ledger.rows()[3].request, outcome(0.75))
    with pytest.raises(BadInput, match=f"has gone on since: expected {meant.digest}, got "):
        meant.accuracies()


def test_a_text_names_a_run_and_perhaps_what_it_holds() -> None:
    assert PriorRun.of("runs/a@b") == PriorRun(path="runs/a@b")
    named = PriorRun.of("runs/a@0123456789ab")
    assert named == PriorRun(path="runs/a", digest="0123456789ab")
    assert str(named) == "runs/a@0123456789ab"


def test_the_digest_is_of_the_cells_and_their_accuracies_in_any_order() -> None:
    digest = digest_of({"a": 0.5, "b": 0.25})
    assert digest == digest_of({"b": 0.25, "a": 0.5})
    assert len({digest, digest_of({"a": 0.5}), digest_of({"a": 0.25, "b": 0.5}), digest_of({"a": 0.5, "c": 0.25})}) == 4


def test_what_is_no_run_or_an_empty_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no ledger at"):
        PriorRun.of(str(tmp_path)).accuracies()
    Ledger.create(tmp_path / "ledger.sqlite", config={}, provenance={}).close()
    with pytest.raises(BadInput, match="has trained no cell yet"):
        PriorRun.of(str(tmp_path)).accuracies()

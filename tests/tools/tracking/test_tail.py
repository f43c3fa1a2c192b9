from pathlib import Path

from pnas_search import Candidate, Ledger, Outcome, Request
from pnas_searchspace import Cell
from pnas_tools._tracking._tail import Tail

OUTCOME = Outcome(status="finished", accuracy=0.5, accuracies=(0.5,), n_examples=1, seconds=1.0)


def request(operation: str) -> Request:
    return Request(cell=Cell([[-2, operation, -2, operation]]), seed=0, parent=None)


def test_every_child_is_given_once_when_it_has_an_outcome_at_its_place_in_the_search(tmp_path: Path) -> None:
    first, second, third = request("identity"), request("avg_pool_3x3"), request("max_pool_3x3")
    with Ledger.create(tmp_path / "ledger.sqlite", config={}, provenance={}) as ledger:
        tail = Tail(ledger)
        assert tail.read() == []
        ledger.add_round(0, [Candidate(cell=one.cell) for one in (first, second)], [first, second])
        ledger.record(second, OUTCOME)
        assert [child.place for child in tail.read()] == [1]
        assert tail.read() == []
        ledger.record(first, OUTCOME)
        ledger.add_round(1, [Candidate(cell=third.cell)], [third])
        assert [child.place for child in tail.read()] == [0]
        ledger.start(third, "worker")
        ledger.record(third, OUTCOME)
        (last,) = tail.read()
    assert (last.place, last.row.candidate.cell) == (2, third.cell)
    assert last.started_at < last.finished_at

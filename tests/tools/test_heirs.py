import dataclasses
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pnas_search import Candidate, Evaluator, Ledger, Outcome, Request, SearchError
from pnas_searchspace import Cell
from pnas_tools._config import PRESETS
from pnas_tools._errors import BadInput
from pnas_tools._heirs import CURVES, WEIGHTS, Heirs, check_early_stopping

PARENT = Cell([(-2, "identity", -1, "identity")]).canonical()
OTHER = Cell([(-1, "identity", -1, "identity")]).canonical()
CHILD = Cell([(-2, "identity", -1, "identity"), (-1, "identity", 0, "identity")]).canonical()


def outcome(cell: Cell, status: str = "finished") -> Outcome:
    accuracy = None if status == "diverged" else 0.5
    return Outcome(
        status=status,  # type: ignore[arg-type]
        accuracy=accuracy,
        accuracies=(0.25, 0.5),
        n_examples=1,
        seconds=1.0,
        attachments={WEIGHTS: f"weights of {cell}".encode()},
    )


class Worker(Evaluator):
    """Keeps what reached it, as it does after the journey to another process."""

    def __init__(self) -> None:
        self.attachments: dict[Cell, dict[str, object]] = {}

    def evaluate(self, requests: Sequence[Request]) -> Iterator[tuple[Request, Outcome]]:
        for request in requests:
            self.attachments[request.cell] = pickle.loads(pickle.dumps(request)).attachments
            yield request, outcome(request.cell)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.create(tmp_path / "ledger.sqlite", config={}, provenance={}) as ledger:
        yield ledger


def add_round(ledger: Ledger, index: int, *cells: Cell, parent: Cell | None = None) -> list[Request]:
    requests = [Request(cell=cell, seed=0, parent=parent) for cell in cells]
    ledger.add_round(index, [Candidate(cell=cell, parent=parent) for cell in cells], requests)
    return requests


def evaluate(heirs: Heirs, ledger: Ledger, requests: Sequence[Request]) -> None:
    for request, result in heirs.evaluate(requests):
        assert not result.attachments
        ledger.record(request, result)


def test_a_childs_weights_travel_with_the_requests_of_its_children(ledger: Ledger, tmp_path: Path) -> None:
    worker, folder = Worker(), tmp_path / "weights"
    heirs = Heirs(worker, ledger, weights=folder, curves=False)
    evaluate(heirs, ledger, add_round(ledger, 0, PARENT, OTHER))
    assert worker.attachments[PARENT] == {}
    assert len(list(folder.iterdir())) == 2
    # Another process goes on with the search.
    heirs = Heirs(worker, ledger, weights=folder, curves=False)
    evaluate(heirs, ledger, add_round(ledger, 1, CHILD, parent=PARENT))
    assert worker.attachments[CHILD] == {WEIGHTS: f"weights of {PARENT}".encode()}
    assert len(list(folder.iterdir())) == 2  # those of the cell that became no parent are gone


def test_weights_are_there_before_the_outcome_goes_on(ledger: Ledger, tmp_path: Path) -> None:
    heirs = Heirs(Worker(), ledger, weights=tmp_path / "weights", curves=False)
    for n_done, _ in enumerate(heirs.evaluate(add_round(ledger, 0, PARENT, OTHER)), start=1):
        assert len(list((tmp_path / "weights").iterdir())) == n_done


def test_weights_that_are_gone_are_a_sentence(ledger: Ledger, tmp_path: Path) -> None:
    heirs = Heirs(Worker(), ledger, weights=tmp_path / "weights", curves=False)
    evaluate(heirs, ledger, add_round(ledger, 0, PARENT))
    for file in (tmp_path / "weights").iterdir():
        file.unlink()
    with pytest.raises(SearchError, match=r"cannot be read from .*safetensors \(No such file .*: restore"):
        evaluate(heirs, ledger, add_round(ledger, 1, CHILD, parent=PARENT))


def test_curves_are_those_of_earlier_rounds_whoever_is_done_in_this_one(ledger: Ledger, tmp_path: Path) -> None:
    worker = Worker()
    heirs = Heirs(worker, ledger, weights=None, curves=True)
    first, second = add_round(ledger, 0, PARENT, OTHER)
    evaluate(heirs, ledger, [first])
    evaluate(heirs, ledger, [second])
    assert worker.attachments[OTHER] == {CURVES: ()}
    evaluate(heirs, ledger, add_round(ledger, 1, CHILD, parent=PARENT))
    assert worker.attachments[CHILD] == {CURVES: ((0.25, 0.5), (0.25, 0.5))}
    assert not (tmp_path / "weights").exists()


@pytest.mark.parametrize("status", ["stopped", "diverged"])
def test_only_finished_curves_travel(ledger: Ledger, status: str) -> None:
    worker = Worker()
    heirs = Heirs(worker, ledger, weights=None, curves=True)
    first, second = add_round(ledger, 0, PARENT, OTHER)
    ledger.record(first, outcome(PARENT, status))
    ledger.record(second, outcome(OTHER))
    evaluate(heirs, ledger, add_round(ledger, 1, CHILD, parent=PARENT))
    assert worker.attachments[CHILD] == {CURVES: ((0.25, 0.5),)}


def test_weights_can_be_read_in_this_process_too(ledger: Ledger, tmp_path: Path) -> None:
    class Here(Worker):
        def evaluate(self, requests: Sequence[Request]) -> Iterator[tuple[Request, Outcome]]:
            for request in requests:
                self.attachments[request.cell] = dict(request.attachments)
                yield request, outcome(request.cell)

    worker = Here()
    heirs = Heirs(worker, ledger, weights=tmp_path / "weights", curves=False)
    evaluate(heirs, ledger, add_round(ledger, 0, PARENT))
    evaluate(heirs, ledger, add_round(ledger, 1, CHILD, parent=PARENT))
    assert bytes(worker.attachments[CHILD][WEIGHTS]) == f"weights of {PARENT}".encode()  # type: ignore[call-overload]


def test_stopping_early_takes_three_epochs() -> None:
    config = dataclasses.replace(PRESETS["quick"], early_stopping=0.9)
    check_early_stopping(config)
    with pytest.raises(BadInput, match="--epochs is 2: pass 3 epochs or more"):
        check_early_stopping(dataclasses.replace(config, n_epochs=2))

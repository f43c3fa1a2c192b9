import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pnas_search import Candidate, Ledger, Outcome, Request, Strategy
from pnas_searchspace import Cell, CellSpace

Rounds = Callable[[Strategy, Callable[[Cell], float | None]], Iterator[list[Candidate]]]


@pytest.fixture(scope="session")
def space() -> CellSpace:
    """A space so small that everything in it can be listed: 10 cells of one block."""
    return CellSpace(("conv", "pool"))


@pytest.fixture(scope="session")
def accuracy_of() -> Callable[[Cell], float]:
    """An accuracy for every cell: arbitrary, but always the same, and the same for isomorphic encodings."""

    def accuracy(cell: Cell) -> float:
        return int(hashlib.sha256(cell.key.encode()).hexdigest()[:8], 16) / 2**32

    return accuracy


@pytest.fixture(scope="session")
def finished() -> Callable[[float], Outcome]:
    """The outcome of a child that reached an accuracy."""

    def outcome(accuracy: float) -> Outcome:
        return Outcome(status="finished", accuracy=accuracy, accuracies=(accuracy,), n_examples=100, seconds=1.5)

    return outcome


@pytest.fixture(scope="session")
def failed() -> Outcome:
    return Outcome(status="diverged", accuracy=None, accuracies=(), n_examples=7, seconds=0.5)


@pytest.fixture(scope="session")
def requests(space: CellSpace) -> list[Request]:
    """Of all 10 cells of one block."""
    cells = space.to_cells(space.one_block_cells())
    return [Request(cell=cell, seed=seed, parent=None) for seed, cell in enumerate(cells)]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.create(tmp_path / "ledger.sqlite", config={}, provenance={}) as ledger:
        yield ledger


@pytest.fixture(scope="session")
def rounds(finished: Callable[[float], Outcome], failed: Outcome) -> Rounds:
    """All rounds of a strategy, each told before the next is asked for; a child without an accuracy has failed."""

    def play(strategy: Strategy, accuracy_of: Callable[[Cell], float | None]) -> Iterator[list[Candidate]]:
        while candidates := list(strategy.ask()):
            accuracies = [accuracy_of(candidate.cell) for candidate in candidates]
            strategy.tell(candidates, [failed if one is None else finished(one) for one in accuracies])
            yield candidates

    return play

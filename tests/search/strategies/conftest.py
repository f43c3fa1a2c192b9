from collections.abc import Callable, Iterator

import pytest

from pnas_search import Candidate, Outcome, Strategy
from pnas_searchspace import Cell

Rounds = Callable[[Strategy, Callable[[Cell], float | None]], Iterator[list[Candidate]]]


@pytest.fixture(scope="session")
def rounds(finished: Callable[[float], Outcome], failed: Outcome) -> Rounds:
    """All rounds of a strategy, each told before the next is asked for; a child without an accuracy has failed."""

    def play(strategy: Strategy, accuracy_of: Callable[[Cell], float | None]) -> Iterator[list[Candidate]]:
        while candidates := list(strategy.ask()):
            accuracies = [accuracy_of(candidate.cell) for candidate in candidates]
            strategy.tell(candidates, [failed if one is None else finished(one) for one in accuracies])
            yield candidates

    return play

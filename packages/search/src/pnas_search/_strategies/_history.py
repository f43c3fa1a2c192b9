from collections.abc import Sequence

from pnas_search._evaluation import Outcome
from pnas_search._strategies._base import Candidate
from pnas_searchspace import Cell


class History:
    """The children that a strategy was told of, in the order in which it asked for them, each cell once."""

    def __init__(self) -> None:
        self.cells: list[Cell] = []
        self.outcomes: list[Outcome] = []
        self._places: dict[str, int] = {}
        self._best: int | None = None

    def add(self, candidates: Sequence[Candidate], outcomes: Sequence[Outcome]) -> None:
        """The children of a round, in the order in which it was asked."""
        for candidate, outcome in zip(candidates, outcomes, strict=True):
            place = len(self.cells)
            self._places[str(candidate.cell)] = place
            self.cells.append(candidate.cell)
            self.outcomes.append(outcome)
            if outcome.accuracy is not None and (
                self._best is None or _rank(outcome) > _rank(self.outcomes[self._best])
            ):
                self._best = place

    def __len__(self) -> int:
        return len(self.cells)

    def __contains__(self, cell: Cell) -> bool:
        """Whether a cell, in canonical form, was trained."""
        return str(cell) in self._places

    def outcome(self, cell: Cell) -> Outcome:
        """That of a cell, in canonical form, that was trained."""
        return self.outcomes[self._places[str(cell)]]

    def best(self) -> tuple[Cell, Outcome] | None:
        """The most accurate child that finished, or else was stopped; of equals the first. None where all failed."""
        return None if self._best is None else (self.cells[self._best], self.outcomes[self._best])

    def most_accurate(self, n: int) -> list[Cell]:
        """So many cells from the best on, in the order of `best`, or all that have an accuracy."""
        places = [place for place, outcome in enumerate(self.outcomes) if outcome.accuracy is not None]
        # A stable sort: equals stay in the order in which they were asked for.
        return [
            self.cells[place]
            for place in sorted(places, key=lambda place: _rank(self.outcomes[place]), reverse=True)[:n]
        ]


def reward(outcome: Outcome) -> float:
    """What a child is worth to a strategy: its accuracy, and 0 where it failed."""
    return 0.0 if outcome.accuracy is None else outcome.accuracy


def _rank(outcome: Outcome) -> tuple[bool, float]:
    return outcome.status == "finished", reward(outcome)

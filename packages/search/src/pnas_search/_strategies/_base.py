from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pnas_search._evaluation import Outcome
from pnas_searchspace import Cell


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A cell that a strategy wants trained.

    Attributes:
        cell: in canonical form.
        parent: the cell it was expanded from, if any.
        predicted: the accuracy that a surrogate expects of it, if one was asked.
    """

    cell: Cell
    parent: Cell | None = None
    predicted: float | None = None


class Strategy(Protocol):
    """Decides which cells to train next, a round at a time.

    `ask` is a function of what the strategy was made with and of what it was told, and of nothing else: a search that
    is resumed tells a new strategy the finished rounds, without asking for them again, and goes on as if it had never
    stopped.
    """

    def ask(self) -> Sequence[Candidate]:
        """The next round; an empty one ends the search. Asking twice gives the same."""
        ...

    def tell(self, candidates: Sequence[Candidate], outcomes: Sequence[Outcome]) -> None:
        """The outcomes of a whole round, in the order in which it was asked."""
        ...

    def best(self) -> tuple[Cell, Outcome] | None:
        """The cell that the search returns if it ends now, with its outcome; None while there is none."""
        ...

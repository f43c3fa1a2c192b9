from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pnas_search._evaluation import Outcome
from pnas_searchspace import Cell


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A cell that a strategy wants trained.

    Attributes:
        cell: in canonical form.
        parent: the cell it was made from, if any: one that was asked for in an earlier round.
        predicted: the accuracy that a surrogate expects of it, if one was asked.
        predicted_std: how sure that is, as a standard deviation, if the surrogate says so.
        fidelity: how many times as long as usual it is trained. A cell is asked for once at each fidelity.
    """

    cell: Cell
    parent: Cell | None = None
    predicted: float | None = None
    predicted_std: float | None = None
    fidelity: int = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """What a surrogate said of all cells that a round was chosen from.

    Attributes:
        operations: the names of the operations, by their indices in the cells.
        cells: canonical, `(N, n_blocks, 4)`, int64, as a `CellSpace` gives them.
        mean: the accuracies that are expected, `(N,)`, float64.
        std: how sure that is, `(N,)`, float64; None where the surrogate does not say.
    """

    operations: tuple[str, ...]
    cells: NDArray[np.int64]
    mean: NDArray[np.float64]
    std: NDArray[np.float64] | None


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

    def predictions(self) -> Predictions | None:
        """What a surrogate said of all that the round which was asked for last was chosen from; None without one."""
        return None

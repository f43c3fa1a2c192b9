from collections.abc import Sequence

from pnas_search._errors import SearchError
from pnas_search._evaluation import Outcome
from pnas_search._strategies._base import Candidate, Strategy
from pnas_search._strategies._history import History
from pnas_searchspace import Cell


class Listed(Strategy):
    """Trains given cells, in their order.

    Args:
        cells: in canonical form, each once.
        round_size: how many make a round.

    Raises:
        SearchError: there is no cell, one comes twice, or the round size is not positive.
    """

    def __init__(self, cells: Sequence[Cell], *, round_size: int = 64) -> None:
        if not cells:
            raise SearchError("there must be cells to train, and none was given")
        if len(set(cells)) < len(cells):
            twice = next(cell for i, cell in enumerate(cells) if cell in cells[:i])
            raise SearchError(f"every cell is trained once, and {twice} is there twice")
        if round_size < 1:
            raise SearchError(f"round_size must be 1 or more, not {round_size!r}")
        self._cells = list(cells)
        self._round_size = round_size
        self._history = History()

    def ask(self) -> list[Candidate]:
        n_told = len(self._history)
        return [Candidate(cell=cell) for cell in self._cells[n_told : n_told + self._round_size]]

    def tell(self, candidates: Sequence[Candidate], outcomes: Sequence[Outcome]) -> None:
        asked = [candidate.cell for candidate in self.ask()]
        if [candidate.cell for candidate in candidates] != asked:
            raise SearchError(
                f"the ledger is that of another list of cells: after {len(self._history)} it has other ones than this "
                "list; give the list it began with"
            )
        self._history.add(candidates, outcomes)

    def best(self) -> tuple[Cell, Outcome] | None:
        """The most accurate cell that finished, or else was stopped; of equals the first. None where all failed."""
        return self._history.best()

from collections.abc import Sequence

from pnas_search._errors import SearchError
from pnas_search._evaluation import Outcome
from pnas_search._strategies._base import Candidate, Predictions, Strategy
from pnas_search._strategies._checks import check_positive
from pnas_search._strategies._history import History
from pnas_searchspace import Cell


class Reranked(Strategy):
    """A strategy whose most accurate cells are trained once more and longer, to tell which is the best.

    So NAS is compared with PNAS (section 5.3 and table 2 of the paper): the 250 best of its cells are trained for 300
    epochs, 15 times as long as during the search. When the strategy asks for nothing more, they are asked for in one
    round, and the best of them is the best.

    Args:
        strategy: a new one, that trains every cell as long as usual.
        n_models: how many cells are trained again, or all that did not fail; those that finished come before those that
            were stopped.
        fidelity: how many times as long as usual, 2 or more.

    Raises:
        SearchError: a number that is too small; later, the strategy asks for a cell to be trained longer.
    """

    def __init__(self, strategy: Strategy, *, n_models: int = 250, fidelity: int = 15) -> None:
        check_positive(n_models=n_models)
        if fidelity < 2:
            raise SearchError(f"fidelity must be 2 or more, so that cells are trained longer, not {fidelity!r}")
        self._strategy = strategy
        self._n_models = n_models
        self._fidelity = fidelity
        self._searched = History()
        self._reranked = History()
        self._searches = True

    def ask(self) -> Sequence[Candidate]:
        if len(self._reranked):
            return []
        candidates = self._strategy.ask()
        longer = [candidate for candidate in candidates if candidate.fidelity != 1]
        if longer:
            raise SearchError(
                f"the strategy asks for {longer[0].cell} at fidelity {longer[0].fidelity}, and cells to be re-ranked "
                "must be trained as long as usual: give a strategy that does so"
            )
        self._searches = bool(candidates)
        if candidates:
            return candidates
        largest = max((len(cell) for cell in self._searched.cells), default=0)
        cells = [cell for cell in self._searched.most_accurate(len(self._searched)) if len(cell) == largest]
        return [Candidate(cell=cell, fidelity=self._fidelity) for cell in cells[: self._n_models]]

    def tell(self, candidates: Sequence[Candidate], outcomes: Sequence[Outcome]) -> None:
        # Not by what was asked last: a search that is resumed tells without asking.
        if any(candidate.fidelity == self._fidelity for candidate in candidates):
            self._reranked.add(candidates, outcomes)
        else:
            self._strategy.tell(candidates, outcomes)
            self._searched.add(candidates, outcomes)

    def best(self) -> tuple[Cell, Outcome] | None:
        """The best of those that were trained again; until there is one, that of the strategy."""
        return self._reranked.best() or self._strategy.best()

    def predictions(self) -> Predictions | None:
        return self._strategy.predictions() if self._searches else None

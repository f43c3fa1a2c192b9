from collections.abc import Iterable

from optuna.trial import FrozenTrial

from pnas_search._errors import SearchError
from pnas_search._optuna._outcomes import Outcomes
from pnas_search._strategies._base import Candidate, Strategy
from pnas_searchspace import Cell


class Progress:
    """How far a strategy is, given what the trials of a study have settled."""

    def __init__(self, strategy: Strategy, outcomes: Outcomes) -> None:
        self.outcomes = outcomes
        self._strategy = strategy
        self._round: list[Candidate] | None = None

    def wanted(self, trials: Iterable[FrozenTrial]) -> list[Cell]:
        """The cells of the strategy's round that are not settled, in its order; none when it asks for nothing more."""
        self.outcomes.read(trials)
        if self._round is None:
            self._round = self._asked()
        while self._round:
            cells = [candidate.cell for candidate in self._round]
            unsettled = [cell for cell in cells if cell not in self.outcomes]
            if unsettled:
                return unsettled
            self._strategy.tell(self._round, self.outcomes.of(cells))
            self._round = self._asked()
        return []

    def _asked(self) -> list[Candidate]:
        asked = list(self._strategy.ask())
        if any(candidate.fidelity != 1 for candidate in asked):
            raise SearchError("a trial is of fidelity 1, and the strategy asks for others: give one that does not")
        return asked

from collections.abc import Iterable

from optuna.trial import FrozenTrial

from pnas_search._errors import SearchError
from pnas_search._optuna._endings import Ending
from pnas_search._optuna._outcomes import Outcomes
from pnas_search._strategies._base import Candidate, Strategy
from pnas_searchspace import Cell


class Progress:
    """How far a strategy is, given how the trials of a study ended.

    Trials count in the order in which they ended, and the strategy is told of a round at the moment at which the last
    of its cells is settled: so whoever replays a study later asks for the same.
    """

    def __init__(self, strategy: Strategy, outcomes: Outcomes) -> None:
        self._strategy = strategy
        self._outcomes = outcomes
        self._read: set[int] = set()
        self._round: list[Candidate] | None = None

    def wanted(self, trials: Iterable[FrozenTrial]) -> list[Cell]:
        """The cells of the strategy's round that are not settled; none when it asks for nothing more.

        They are in its order, but for those whose trial failed: these come last.
        """
        self._go_on()
        ended = [(ending, trial) for trial in trials if trial.number not in self._read and (ending := Ending.of(trial))]
        for ending, trial in sorted(ended, key=lambda pair: (pair[0].time, pair[1].number)):
            self._read.add(trial.number)
            self._outcomes.add(trial, ending)
            self._go_on()
        unsettled = [candidate.cell for candidate in self._round or [] if not self._outcomes.of(candidate.cell)]
        return sorted(unsettled, key=self._outcomes.n_failures)

    def _go_on(self) -> None:
        """Ask for rounds until there is one that has cells that are not settled."""
        if self._round is None:
            self._round = self._asked()
        while self._round:
            outcomes = [outcome for one in self._round if (outcome := self._outcomes.of(one.cell))]
            if len(outcomes) < len(self._round):
                return
            self._strategy.tell(self._round, outcomes)
            self._round = None  # it has been told, also where asking fails
            self._round = self._asked()

    def _asked(self) -> list[Candidate]:
        asked = list(self._strategy.ask())
        if any(candidate.fidelity != 1 for candidate in asked):
            raise SearchError("a trial is of fidelity 1, and the strategy asks for others: give one that does not")
        return asked

from collections.abc import Iterable, Sequence
from datetime import datetime

from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from pnas_search._errors import SearchError
from pnas_search._evaluation import Outcome
from pnas_search._executors._attempts import MAX_ATTEMPTS, Failure, failed_outcome
from pnas_search._optuna._assignment import given_cell
from pnas_search._optuna._parameters import cell_of
from pnas_searchspace import Cell


class Outcomes:
    """The outcome of every cell that trials have settled: by the first that gave a value, or by two that failed.

    Trials count in the order in which they ended, so that one that ends later changes nothing.
    """

    def __init__(self, direction: StudyDirection) -> None:
        self._direction = direction
        self._settled: dict[Cell, Outcome] = {}
        self._failures: dict[Cell, list[Failure]] = {}
        self._read: set[int] = set()

    def __contains__(self, cell: Cell) -> bool:
        return cell in self._settled

    def of(self, cells: Sequence[Cell]) -> list[Outcome]:
        """Those of settled cells."""
        return [self._settled[cell] for cell in cells]

    def read(self, trials: Iterable[FrozenTrial]) -> None:
        """Take in the trials that have ended since.

        Raises:
            SearchError: the value of one is no accuracy.
        """
        ended = [trial for trial in trials if trial.state.is_finished() and trial.number not in self._read]
        for trial in sorted(ended, key=lambda trial: (trial.datetime_complete or datetime.max, trial.number)):
            self.add(trial, trial.state, trial.values)

    def add(self, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """Take in a trial that ends in this state with these values, whatever its own are yet."""
        self._read.add(trial.number)
        cell = cell_of(trial.params) or given_cell(trial)
        if cell is None or cell in self._settled:
            return
        if values:
            self._settled[cell] = Outcome(
                status="finished" if state == TrialState.COMPLETE else "stopped",
                accuracy=self._accuracy(trial, values[0]),
                accuracies=(),
                n_examples=0,
                seconds=0.0,
            )
            return
        how = "its trial failed" if state == TrialState.FAIL else "its trial was pruned before it reported a value"
        failures = self._failures.setdefault(cell, [])
        failures.append(Failure(status="crashed", how=how, seconds=0.0))
        if len(failures) == MAX_ATTEMPTS:
            self._settled[cell] = failed_outcome(failures)

    def _accuracy(self, trial: FrozenTrial, value: float) -> float:
        is_accuracy = self._direction == StudyDirection.MAXIMIZE
        if not 0 <= value <= 1:
            wanted = "accuracies, to be maximized," if is_accuracy else "errors, 1 less an accuracy, to be minimized,"
            raise SearchError(
                f"trial {trial.number} gave {value:g}, and this study must be of {wanted} in [0, 1]: begin a new one "
                "with an objective that gives them"
            )
        return value if is_accuracy else 1 - value

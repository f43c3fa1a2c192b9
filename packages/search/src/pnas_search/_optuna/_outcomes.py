from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from pnas_search._evaluation import Outcome, Status
from pnas_search._executors._attempts import MAX_ATTEMPTS, Failure, failed_outcome
from pnas_search._optuna._assignment import given_cell
from pnas_search._optuna._endings import Ending
from pnas_search._optuna._parameters import cell_of
from pnas_searchspace import Cell


class Outcomes:
    """What trials have given for cells: the first accuracy, or else, after two that failed, a failure."""

    def __init__(self, direction: StudyDirection) -> None:
        self._direction = direction
        self._finished: dict[Cell, Outcome] = {}
        self._failures: dict[Cell, list[Failure]] = {}

    def of(self, cell: Cell) -> Outcome | None:
        """The outcome of a cell; None while it is not settled."""
        failures = self._failures.get(cell, [])
        return self._finished.get(cell) or (failed_outcome(failures) if len(failures) >= MAX_ATTEMPTS else None)

    def n_failures(self, cell: Cell) -> int:
        """How many trials of a cell have failed."""
        return len(self._failures.get(cell, []))

    def add(self, trial: FrozenTrial, ending: Ending) -> None:
        """Take in a trial that has ended.

        A value is of the cell that the trial took, and a failure of the one that it was given, which it may not have
        come to take.
        """
        given, taken = given_cell(trial), cell_of(trial.params)
        accuracy = None if ending.value is None else accuracy_of(ending.value, self._direction)
        if accuracy is None:
            if (cell := given or taken) is not None:
                self._failures.setdefault(cell, []).append(_failure(ending))
        elif taken is not None and taken not in self._finished:
            status: Status = "finished" if ending.state == TrialState.COMPLETE else "stopped"
            self._finished[taken] = Outcome(status=status, accuracy=accuracy, accuracies=(), n_examples=0, seconds=0.0)


def accuracy_of(value: float, direction: StudyDirection) -> float | None:
    """What a value stands for: itself, or 1 less it if it is minimized; None where that is no accuracy."""
    if not 0 <= value <= 1:
        return None
    return value if direction == StudyDirection.MAXIMIZE else 1 - value


def _failure(ending: Ending) -> Failure:
    if ending.value is not None:
        how = f"its trial gave {ending.value:g}"
    else:
        how = "its trial failed" if ending.state == TrialState.FAIL else "its trial was pruned before it gave a value"
    return Failure(status="crashed", how=how, seconds=0.0)

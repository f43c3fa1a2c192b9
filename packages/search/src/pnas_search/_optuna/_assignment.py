"""Which cell a trial gets."""

from collections import Counter
from collections.abc import Iterable, Sequence

from optuna.trial import FrozenTrial, TrialState

from pnas_search._optuna._parameters import SIZE, cell_of
from pnas_searchspace import Cell

CELL = "pnas_search:cell"
"""The system attribute of a trial that holds the cell it was given."""


def given_cell(trial: FrozenTrial) -> Cell | None:
    """The cell that a trial was given; None for one that brought its own."""
    text = trial.system_attrs.get(CELL)
    return None if text is None else Cell.from_text(text)


def needs_cell(trial: FrozenTrial) -> bool:
    """Whether a trial that begins has none: not from `enqueue_trial`, nor as an earlier one that is tried again."""
    return not (
        CELL in trial.system_attrs or SIZE in trial.params or SIZE in trial.system_attrs.get("fixed_params", ())
    )


def next_cell(wanted: Sequence[Cell], trials: Iterable[FrozenTrial], number: int) -> Cell:
    """The first wanted cell that no other running trial has, or else the one that fewest have.

    A trial with a lower number that has no cell yet is choosing at this moment, in another process, and what it will
    take is left to it.
    """
    running = [trial for trial in trials if trial.state == TrialState.RUNNING and trial.number != number]
    taken = Counter(given_cell(trial) or cell_of(trial.params) for trial in running)
    free = [cell for cell in wanted if cell not in taken]
    if not free:
        return min(wanted, key=lambda cell: taken[cell])
    n_choosing = sum(trial.number < number and needs_cell(trial) for trial in running)
    return free[n_choosing % len(free)]

"""How a trial ended, as the sampler notes it in the trial before anything else is done with it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from optuna.trial import FrozenTrial, TrialState

ENDING = "pnas_search:ending"
"""The system attribute of a trial that holds its ending."""


class Ending(NamedTuple):
    """When and how a trial ended.

    It is there before Optuna stores the trial as ended, which it does after the sampler has prepared the next round:
    whatever happens meanwhile, the value is kept.
    """

    time: datetime
    state: TrialState
    value: float | None

    @classmethod
    def now(cls, state: TrialState, values: Sequence[float] | None) -> "Ending":
        return cls(datetime.now(), state, values[0] if values else None)

    @classmethod
    def of(cls, trial: FrozenTrial) -> "Ending | None":
        """That of a trial; None while it is not there."""
        noted = trial.system_attrs.get(ENDING)
        if noted is not None:
            return cls(datetime.fromisoformat(noted[0]), TrialState[noted[1]], noted[2])
        if not trial.state.is_finished():
            return None
        time = trial.datetime_complete or datetime.max
        return cls(time, trial.state, trial.values[0] if trial.values else None)

    def as_json(self) -> list[Any]:
        return [self.time.isoformat(), self.state.name, self.value]

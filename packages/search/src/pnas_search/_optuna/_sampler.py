import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from optuna.distributions import BaseDistribution
from optuna.logging import get_logger
from optuna.samplers import BaseSampler, RandomSampler
from optuna.storages import BaseStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from pnas_search._errors import SearchError
from pnas_search._optuna._assignment import CELL, given_cell, needs_cell, next_cell
from pnas_search._optuna._endings import ENDING, Ending
from pnas_search._optuna._outcomes import Outcomes, accuracy_of
from pnas_search._optuna._parameters import cell_of, parameters_of
from pnas_search._optuna._progress import Progress
from pnas_search._strategies._base import Strategy
from pnas_searchspace import Cell

_WAY_OUT = "have the objective call suggest_cell with the space and n_blocks of the strategy"

_logger = get_logger(__name__)


class ProgressiveSampler(BaseSampler):
    """An Optuna sampler under which a study of cells searches as `Progressive` does, or as another strategy.

        def objective(trial):
            cell = suggest_cell(trial, space, n_blocks=5)
            return accuracy_of(cell)

        sampler = ProgressiveSampler(lambda: Progressive(space, n_blocks=5, beam_size=64, make_predictor=…))
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.optimize(objective)

    A trial gets the next cell of the strategy's round, and the study stops when the strategy asks for nothing more. The
    objective is an accuracy in [0, 1] if it is maximized, and an error, 1 less an accuracy, if it is minimized. What
    the study holds is the whole state: after it was loaded from its storage, in this process or another, it goes on
    where it was. Cells count however they came into it, so those of `enqueue_trial`, of `add_trial` and of other
    samplers are not asked for again.

    Trials may run at the same time. When all cells of a round are given out, and some are not there yet, the next
    trial gets one of these once more: so a trial that never ends, as its process was killed, holds up nobody. Processes
    that ask at the same moment may now and then get the same cell. A cell whose trial failed, or was pruned before it
    reported a value, has a second one when the others of its round are given out, and then counts as failed, unless a
    value comes before the round is over; one that was pruned counts as what it reported last.

    Args:
        make_strategy: makes a new strategy, each time the same, such as a `Progressive`; one that asks for cells at
            other fidelities than 1 cannot be followed. To save a study with its sampler, make it one that can be
            pickled.
        independent_sampler: of the parameters that are not the cell's, and of all after the search is over; a
            `RandomSampler` by default.

    Raises:
        SearchError: when a trial begins or ends: the strategy cannot go on, as `Progressive` where a whole round
            failed, the value of a trial is no accuracy, or the objective suggests cells from another space.
        ValueError: the study has several objectives.
    """

    def __init__(
        self, make_strategy: Callable[[], Strategy], *, independent_sampler: BaseSampler | None = None
    ) -> None:
        self._make_strategy = make_strategy
        self._independent_sampler = independent_sampler or RandomSampler()
        self._forget()

    def _forget(self) -> None:
        self._progress: WeakKeyDictionary[BaseStorage, dict[int, Progress]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_progress", "_lock")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._forget()

    def reseed_rng(self) -> None:
        """Have the independent sampler draw anew."""
        self._independent_sampler.reseed_rng()

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Give the trial a cell, unless it has one."""
        self._raise_error_if_multi_objective(study)
        self._independent_sampler.before_trial(study, trial)
        if not needs_cell(trial):
            return
        with self._lock:
            trials = _trials(study)
            wanted = self._progress_of(study).wanted(trials)
            if wanted:
                _give(study, trial, next_cell(wanted, trials, trial.number))
            else:
                _logger.warning(f"The search is over: trial {trial.number} is left to the independent sampler.")

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """None: every parameter is sampled when it is asked for."""
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Nothing, as there is no relative search space."""
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """The parameter as the trial's cell has it, or what the independent sampler draws of one that is not a cell's.

        Raises:
            SearchError: the objective's distribution does not hold the cell's value.
        """
        cell = given_cell(trial)
        parameters = {} if cell is None else parameters_of(cell)
        if param_name not in parameters:
            return self._independent_sampler.sample_independent(study, trial, param_name, param_distribution)
        return _contained(parameters[param_name], param_name, param_distribution)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """Note how the trial ended, prepare the next round if it was the last of one, and stop if there is none.

        Raises:
            SearchError: the trial has a value, and that is no accuracy, or of another cell than the trial was given; or
                the strategy cannot go on.
        """
        self._independent_sampler.after_trial(study, trial, state, values)
        # First, as a round may take long to prepare, and Optuna stores how the trial ended after that.
        _note(study, trial, Ending.now(state, values))
        if values:
            _check_value(trial, values[0], study.direction)
            _check_that_given_was_taken(trial)
        try:
            is_over = self._is_over(study)
        except SearchError as error:
            if values:
                raise
            # Optuna can bear no exception here after a trial that failed; the next trial raises it again.
            _logger.error(str(error))
            is_over = True
        if is_over:
            # A study that is asked and told, and does not optimize, cannot be stopped.
            with contextlib.suppress(RuntimeError):
                study.stop()

    def _is_over(self, study: Study) -> bool:
        with self._lock:
            trials = _trials(study)
            waits = any(trial.state == TrialState.WAITING for trial in trials)
            return not (self._progress_of(study).wanted(trials) or waits)

    def _progress_of(self, study: Study) -> Progress:
        # By storage and number, as a pruner may pass on a study of its own that stands for this one.
        by_study = self._progress.setdefault(study._storage, {})
        if study._study_id not in by_study:
            by_study[study._study_id] = Progress(self._make_strategy(), Outcomes(study.direction))
        return by_study[study._study_id]


def _trials(study: Study) -> list[FrozenTrial]:
    """All, where a pruner may have `get_trials` give some."""
    return study._storage.get_all_trials(study._study_id, deepcopy=False)


def _give(study: Study, trial: FrozenTrial, cell: Cell) -> None:
    study._storage.set_trial_system_attr(trial._trial_id, CELL, str(cell))


def _note(study: Study, trial: FrozenTrial, ending: Ending) -> None:
    study._storage.set_trial_system_attr(trial._trial_id, ENDING, ending.as_json())


def _check_value(trial: FrozenTrial, value: float, direction: StudyDirection) -> None:
    if accuracy_of(value, direction) is None:
        is_accuracy = direction == StudyDirection.MAXIMIZE
        wanted = "accuracies, to be maximized," if is_accuracy else "errors, 1 less an accuracy, to be minimized,"
        raise SearchError(
            f"trial {trial.number} gave {value:g}, and this study must be of {wanted} in [0, 1]: change the objective"
        )


def _check_that_given_was_taken(trial: FrozenTrial) -> None:
    given, taken = given_cell(trial), cell_of(trial.params)
    if given is not None and given != taken and "fixed_params" not in trial.system_attrs:
        raise SearchError(
            f"trial {trial.number} was given the cell {given}, and its objective took {taken or 'none'}: {_WAY_OUT}"
        )


def _contained(value: int | str, name: str, distribution: BaseDistribution) -> int | str:
    try:
        is_contained = distribution._contains(distribution.to_internal_repr(value))
    except ValueError:  # no such choice
        is_contained = False
    if not is_contained:
        raise SearchError(
            f"the strategy's cell has {name}={value!r}, and the objective suggests it from {distribution}: {_WAY_OUT}"
        )
    return value

import functools
import multiprocessing
import os
import pickle
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pnas_search import Candidate, Progressive, Random, Reranked, SearchError
from pnas_searchspace import Cell, CellSpace

optuna = pytest.importorskip("optuna")

from pnas_search._optuna._endings import ENDING  # noqa: E402
from pnas_search.optuna import ProgressiveSampler, suggest_cell  # noqa: E402

Strategies = Callable[[], Progressive]
Rounds = Callable[..., Iterator[list[Candidate]]]
N_BLOCKS = 3


class Nearest:
    """Predicts the accuracy of the trained cell that has the most tokens in common."""

    def fit(self, X: Sequence[NDArray[np.int64]], y: NDArray[np.float64]) -> None:
        self._known = list(zip(X, y, strict=True))

    def predict(self, X: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.array([max((np.sum(x[: len(known)] == known), y) for known, y in self._known)[1] for x in X])


class Following(Progressive):
    """Of 10 cells of one block, and 4 each of two and three."""

    def __init__(self, space: CellSpace) -> None:
        super().__init__(space, n_blocks=N_BLOCKS, beam_size=4, make_predictor=lambda _: Nearest())


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    yield
    optuna.logging.set_verbosity(before)


@pytest.fixture
def make_strategy(space: CellSpace) -> Strategies:
    return functools.partial(Following, space)


@pytest.fixture
def in_order(make_strategy: Strategies, accuracy_of: Callable[[Cell], float], rounds: Rounds) -> list[Cell]:
    """All cells that the search trains when nothing fails, in its order."""
    return [candidate.cell for asked in rounds(make_strategy(), accuracy_of) for candidate in asked]


@pytest.fixture
def objective(space: CellSpace, accuracy_of: Callable[[Cell], float]) -> Callable[[optuna.Trial], float]:
    return lambda trial: accuracy_of(suggested(trial, space))


def suggested(trial: optuna.Trial, space: CellSpace) -> Cell:
    cell = suggest_cell(trial, space, N_BLOCKS)
    trial.set_user_attr("cell", cell.key)
    return cell


def study_of(sampler: optuna.samplers.BaseSampler, **settings: object) -> optuna.Study:
    return optuna.create_study(**{"direction": "maximize", "sampler": sampler, **settings})


def keys(study: optuna.Study) -> list[str]:
    return [trial.user_attrs["cell"] for trial in study.trials]


def test_a_study_is_the_search_of_its_strategy(
    make_strategy: Strategies, objective: Callable[[optuna.Trial], float], in_order: list[Cell]
) -> None:
    study = study_of(ProgressiveSampler(make_strategy))
    study.optimize(objective)
    assert keys(study) == [cell.key for cell in in_order]
    assert len(in_order) == 18


def test_errors_are_minimized_as_accuracies_are_maximized(
    make_strategy: Strategies, objective: Callable[[optuna.Trial], float], in_order: list[Cell]
) -> None:
    study = study_of(ProgressiveSampler(make_strategy), direction="minimize")
    study.optimize(lambda trial: 1 - objective(trial))
    assert keys(study) == [cell.key for cell in in_order]


def test_a_study_goes_on_from_its_storage(
    make_strategy: Strategies, objective: Callable[[optuna.Trial], float], in_order: list[Cell], tmp_path: Path
) -> None:
    settings = {"storage": f"sqlite:///{tmp_path / 'study.db'}", "study_name": "cells", "load_if_exists": True}
    for n_trials in (3, 9, 1, None):
        study = study_of(ProgressiveSampler(make_strategy), **settings)
        study.optimize(objective, n_trials=n_trials)
    assert keys(study) == [cell.key for cell in in_order]


def test_a_study_may_be_asked_and_told(
    make_strategy: Strategies, objective: Callable[[optuna.Trial], float], in_order: list[Cell]
) -> None:
    study = study_of(ProgressiveSampler(make_strategy))
    for _ in in_order:
        trial = study.ask()
        study.tell(trial, objective(trial))
    assert keys(study) == [cell.key for cell in in_order]


def test_after_the_search_trials_are_left_to_the_independent_sampler(
    make_strategy: Strategies, objective: Callable[[optuna.Trial], float], space: CellSpace
) -> None:
    study = study_of(ProgressiveSampler(make_strategy, independent_sampler=optuna.samplers.RandomSampler(seed=0)))
    study.optimize(objective)
    n_before = len(study.trials)
    drawn = [suggest_cell(study.ask(), space, N_BLOCKS) for _ in range(10)]
    assert len(set(drawn)) > 1
    study.optimize(objective, n_trials=5)
    assert len(study.trials) == n_before + 10 + 1  # it stops after the first


@pytest.mark.parametrize("pruner", [optuna.pruners.NopPruner(), optuna.pruners.HyperbandPruner()])
def test_threads_share_the_cells_of_a_round(
    pruner: optuna.pruners.BasePruner, make_strategy: Strategies, space: CellSpace, in_order: list[Cell],
    accuracy_of: Callable[[Cell], float],
) -> None:  # fmt: skip
    def slow(trial: optuna.Trial) -> float:
        cell = suggested(trial, space)
        time.sleep(0.02)
        trial.report(accuracy_of(cell), 0)
        return accuracy_of(cell)

    study = study_of(ProgressiveSampler(make_strategy), pruner=pruner)
    study.optimize(slow, n_jobs=3)
    assert set(keys(study)) == {cell.key for cell in in_order}
    # At the end of each of three rounds two may find nothing left, and train what the others are at.
    assert len(study.trials) <= len(in_order) + 3 * 2


def test_a_trial_that_never_ends_holds_up_nobody(
    make_strategy: Strategies, objective: Callable[[optuna.Trial], float], space: CellSpace, in_order: list[Cell]
) -> None:
    study = study_of(ProgressiveSampler(make_strategy))
    lost = suggested(study.ask(), space)
    study.optimize(objective)
    assert lost == in_order[0]
    assert keys(study) == [cell.key for cell in [lost, *in_order[1:10], lost, *in_order[10:]]]


def optimize(url: str, make_strategy: Strategies, space: CellSpace, accuracy_of: Callable[[Cell], float]) -> None:
    study = optuna.load_study(study_name="cells", storage=url, sampler=ProgressiveSampler(make_strategy))

    def slow(trial: optuna.Trial) -> float:
        cell = suggested(trial, space)
        time.sleep(0.05)
        return accuracy_of(cell)

    study.optimize(slow)


def test_processes_share_a_study_and_one_may_be_killed(
    make_strategy: Strategies, space: CellSpace, in_order: list[Cell], accuracy_of: Callable[[Cell], float],
    tmp_path: Path,
) -> None:  # fmt: skip
    url = f"sqlite:///{tmp_path / 'study.db'}"
    study = study_of(ProgressiveSampler(make_strategy), storage=url, study_name="cells")
    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(target=optimize, args=(url, make_strategy, space, accuracy_of), daemon=True) for _ in range(3)
    ]
    for process in processes:
        process.start()
    while sum(trial.state.is_finished() for trial in study.trials) < 5:
        time.sleep(0.01)
    processes[0].kill()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [-signal.SIGKILL, 0, 0]
    # One that was killed while it prepared the next round has noted its value, and Optuna has not stored it.
    trained = {trial.user_attrs["cell"] for trial in study.trials if trial.values or ENDING in trial.system_attrs}
    assert trained == {cell.key for cell in in_order}


def test_a_cell_that_fails_is_tried_once_more_and_counts_as_failed(
    make_strategy: Strategies, space: CellSpace, accuracy_of: Callable[[Cell], float],
    rounds: Rounds, in_order: list[Cell],
) -> None:  # fmt: skip
    bad = max(in_order[:10], key=accuracy_of)

    def failing(trial: optuna.Trial) -> float:
        cell = suggested(trial, space)
        if cell == bad:
            raise RuntimeError("out of memory")
        return accuracy_of(cell)

    study = study_of(ProgressiveSampler(make_strategy))
    study.optimize(failing, catch=RuntimeError)
    expected = [
        candidate.cell.key
        for asked in rounds(make_strategy(), lambda cell: None if cell == bad else accuracy_of(cell))
        for candidate in asked
    ]
    assert Counter(keys(study)) == Counter([*expected, bad.key])
    assert {cell.key for cell in in_order} != set(expected)


def test_a_cell_whose_mistake_was_mended_is_trained_after_all(
    make_strategy: Strategies, objective: Callable[[optuna.Trial], float], space: CellSpace, in_order: list[Cell]
) -> None:
    def mistaken(trial: optuna.Trial) -> float:
        suggested(trial, space)
        raise RuntimeError("a mistake")

    study = study_of(ProgressiveSampler(make_strategy))
    with pytest.raises(RuntimeError, match="a mistake"):
        study.optimize(mistaken)
    study.optimize(objective)
    assert keys(study) == [cell.key for cell in [in_order[0], *in_order[1:10], in_order[0], *in_order[10:]]]


def test_a_pruned_cell_counts_as_what_it_reported_last(
    make_strategy: Strategies, space: CellSpace, accuracy_of: Callable[[Cell], float], in_order: list[Cell],
    rounds: Rounds,
) -> None:  # fmt: skip
    best = max(in_order[:10], key=accuracy_of)
    silent = min(in_order[:10], key=accuracy_of)

    def pruning(trial: optuna.Trial) -> float:
        cell = suggested(trial, space)
        if cell == best:
            trial.report(0.9, 0)
            trial.report(0.0, 1)
        if cell in (best, silent):
            raise optuna.TrialPruned
        return accuracy_of(cell)

    study = study_of(ProgressiveSampler(make_strategy))
    study.optimize(pruning)
    known = {best: 0.0, silent: None}
    expected = [
        candidate.cell.key
        for asked in rounds(make_strategy(), lambda cell: known.get(cell, accuracy_of(cell)))
        for candidate in asked
    ]
    assert Counter(keys(study)) == Counter([*expected, silent.key])


def test_cells_that_others_suggested_count(
    make_strategy: Strategies, objective: Callable[[optuna.Trial], float], space: CellSpace, in_order: list[Cell]
) -> None:
    study = study_of(optuna.samplers.RandomSampler(seed=1))
    study.optimize(objective, n_trials=60)
    known = set(keys(study))
    study.sampler = ProgressiveSampler(make_strategy)
    study.optimize(objective)
    assert known & {cell.key for cell in in_order}
    assert keys(study)[60:] == [cell.key for cell in in_order if cell.key not in known]


def test_enqueued_cells_are_trained_first_and_once(
    make_strategy: Strategies, objective: Callable[[optuna.Trial], float], in_order: list[Cell]
) -> None:
    first = study_of(ProgressiveSampler(make_strategy))
    first.optimize(objective)
    study = study_of(ProgressiveSampler(make_strategy))
    study.enqueue_trial(first.trials[12].params)
    study.optimize(objective)
    assert keys(study) == [cell.key for cell in [in_order[12], *in_order[:12], *in_order[13:]]]


def test_a_trial_that_is_tried_again_keeps_its_cell(
    make_strategy: Strategies, objective: Callable[[optuna.Trial], float], space: CellSpace, in_order: list[Cell]
) -> None:
    study = study_of(ProgressiveSampler(make_strategy))
    lost = study.ask()
    suggested(lost, space)
    frozen = study.trials[0]
    study.tell(lost, state=optuna.trial.TrialState.FAIL)
    study.add_trial(
        optuna.trial.create_trial(
            state=optuna.trial.TrialState.WAITING, params=frozen.params, distributions=frozen.distributions,
            system_attrs=frozen.system_attrs, user_attrs=frozen.user_attrs,
        )
    )  # fmt: skip
    study.optimize(objective)
    assert keys(study) == [cell.key for cell in [in_order[0], *in_order]]


def test_other_parameters_are_the_independent_samplers(
    make_strategy: Strategies, objective: Callable[[optuna.Trial], float], in_order: list[Cell]
) -> None:
    def drawn(seed: int) -> list[float]:
        independent_sampler = optuna.samplers.RandomSampler(seed=seed)
        study = study_of(ProgressiveSampler(make_strategy, independent_sampler=independent_sampler))
        study.optimize(lambda trial: objective(trial) + 0 * trial.suggest_float("rate", 0, 1))
        assert keys(study) == [cell.key for cell in in_order]
        return [trial.params["rate"] for trial in study.trials]

    assert drawn(0) == drawn(0) != drawn(1)
    assert len(set(drawn(0))) == len(in_order)


def test_a_study_is_saved_with_its_sampler(
    make_strategy: Strategies, objective: Callable[[optuna.Trial], float], in_order: list[Cell]
) -> None:
    study = study_of(ProgressiveSampler(make_strategy))
    study.optimize(objective, n_trials=12)
    study = pickle.loads(pickle.dumps(study))
    study.optimize(objective)
    assert keys(study) == [cell.key for cell in in_order]


def test_one_sampler_serves_several_studies(
    make_strategy: Strategies, objective: Callable[[optuna.Trial], float], in_order: list[Cell]
) -> None:
    sampler = ProgressiveSampler(make_strategy)
    studies = [study_of(sampler), study_of(sampler)]
    for n_trials in (11, None):
        for study in studies:
            study.optimize(objective, n_trials=n_trials)
            assert keys(study) == [cell.key for cell in in_order][:n_trials]


def test_other_strategies_may_be_followed(space: CellSpace, objective: Callable[[optuna.Trial], float]) -> None:
    make_strategy = functools.partial(Random, space, n_blocks=N_BLOCKS, n_models=12, round_size=5, seed=0)
    study = study_of(ProgressiveSampler(make_strategy))
    study.optimize(objective)
    assert len(set(keys(study))) == len(study.trials) == 12


def test_longer_trainings_are_refused(space: CellSpace, objective: Callable[[optuna.Trial], float]) -> None:
    make_random = functools.partial(Random, space, n_blocks=N_BLOCKS, n_models=4, round_size=4, seed=0)
    study = study_of(ProgressiveSampler(lambda: Reranked(make_random(), n_models=2, fidelity=3)))
    with pytest.raises(SearchError, match="a trial is of fidelity 1, and the strategy asks for others"):
        study.optimize(objective)
    assert len(study.trials) == 4


@pytest.mark.parametrize(
    ("direction", "value", "wanted"),
    [("maximize", 93.5, "accuracies, to be maximized,"), ("minimize", -0.1, "errors, 1 less an accuracy,")],
)
def test_a_value_that_is_no_accuracy_is_refused(
    direction: str, value: float, wanted: str, make_strategy: Strategies, space: CellSpace
) -> None:
    study = study_of(ProgressiveSampler(make_strategy), direction=direction)
    with pytest.raises(SearchError, match=rf"trial 0 gave {value:g}, and this study must be of {wanted}"):
        study.optimize(lambda trial: suggested(trial, space) and value)


def test_several_objectives_are_refused(make_strategy: Strategies) -> None:
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=ProgressiveSampler(make_strategy))
    with pytest.raises(ValueError, match="multi-objective"):
        study.ask()


@pytest.mark.parametrize(
    ("operations", "n_blocks", "message"),
    [
        (("pool", "identity"), 3, "the strategy's cell has block_0_operation_1='conv', and the objective suggests it"),
        (("conv", "pool"), 2, "the strategy's cell has n_blocks=3, and the objective suggests it from"),
        (("conv",), 3, r"trial 1 was given the cell conv@-2\+pool@-2, and its objective took conv@-2\+conv@-2"),
        (("conv", "pool"), 1, "trial 10 was given the cell .*,.*, and its objective took"),
    ],
)
def test_an_objective_of_another_space_is_refused(
    operations: tuple[str, ...], n_blocks: int, message: str, make_strategy: Strategies,
    accuracy_of: Callable[[Cell], float],
) -> None:  # fmt: skip
    study = study_of(ProgressiveSampler(make_strategy))
    with pytest.raises(SearchError, match=f"{message}.*: have the objective call suggest_cell"):
        study.optimize(lambda trial: accuracy_of(suggest_cell(trial, CellSpace(operations), n_blocks)))


def test_an_objective_without_a_cell_is_refused(make_strategy: Strategies) -> None:
    study = study_of(ProgressiveSampler(make_strategy))
    with pytest.raises(SearchError, match=r"trial 0 was given the cell .*, and its objective took none"):
        study.optimize(lambda trial: trial.suggest_float("rate", 0, 1))


def test_a_trial_that_fails_before_it_took_its_cell_is_a_failure_of_that_cell(
    make_strategy: Strategies, objective: Callable[[optuna.Trial], float], in_order: list[Cell]
) -> None:
    def failing(trial: optuna.Trial) -> float:
        if trial.number < 2:
            raise RuntimeError("no device")
        return objective(trial)

    study = study_of(ProgressiveSampler(make_strategy))
    study.optimize(failing, catch=RuntimeError, n_trials=12)
    expected = [*in_order[2:10], *in_order[:2]]
    assert [trial.user_attrs.get("cell") for trial in study.trials] == [None, None, *(cell.key for cell in expected)]


def test_a_value_counts_though_two_trials_failed_if_it_comes_before_the_round_is_over(
    make_strategy: Strategies, objective: Callable[[optuna.Trial], float], space: CellSpace, in_order: list[Cell]
) -> None:
    study = study_of(ProgressiveSampler(make_strategy))
    first = study.ask()
    cell = suggested(first, space)
    study.tell(first, state=optuna.trial.TrialState.FAIL)
    for finish in (lambda trial: study.tell(trial, state=optuna.trial.TrialState.FAIL), None):
        study.enqueue_trial(study.trials[0].params)
        if finish is not None:
            again = study.ask()
            suggested(again, space)
            finish(again)
    study.optimize(objective)
    assert cell == in_order[0]
    assert Counter(keys(study)) == Counter(one.key for one in [*in_order, cell, cell])


class DyingOnce(Following):
    """Asking for the second round fails once, in a way of one's choice."""

    def __init__(self, space: CellSpace, die: Callable[[], None]) -> None:
        super().__init__(space)
        self.die: Callable[[], None] | None = die

    def ask(self) -> list[Candidate]:
        if self._levels and self.die is not None:
            die, self.die = self.die, None
            die()
        return super().ask()


def fail() -> None:
    raise RuntimeError("no memory for the surrogate")


def test_a_surrogate_that_fails_can_be_asked_again(
    space: CellSpace, objective: Callable[[optuna.Trial], float], in_order: list[Cell]
) -> None:
    study = study_of(ProgressiveSampler(lambda: DyingOnce(space, fail)))
    with pytest.raises(RuntimeError, match="no memory for the surrogate"):
        study.optimize(objective)
    study.optimize(objective)
    assert keys(study) == [cell.key for cell in in_order]


def test_a_process_that_is_killed_while_it_prepares_a_round_loses_no_value(
    make_strategy: Strategies, space: CellSpace, objective: Callable[[optuna.Trial], float], in_order: list[Cell],
    tmp_path: Path,
) -> None:  # fmt: skip
    settings = {"storage": f"sqlite:///{tmp_path / 'study.db'}", "study_name": "cells", "load_if_exists": True}

    def search() -> None:
        study_of(ProgressiveSampler(lambda: DyingOnce(space, lambda: os._exit(9))), **settings).optimize(objective)

    process = multiprocessing.get_context("fork").Process(target=search)
    process.start()
    process.join()
    assert process.exitcode == 9
    study = study_of(ProgressiveSampler(make_strategy), **settings)
    assert study.trials[-1].state == optuna.trial.TrialState.RUNNING
    study.optimize(objective)
    assert keys(study) == [cell.key for cell in in_order]


def test_of_two_values_of_a_cell_the_one_that_came_first_counts_for_everybody(
    make_strategy: Strategies, objective: Callable[[optuna.Trial], float], space: CellSpace, tmp_path: Path
) -> None:
    settings = {"storage": f"sqlite:///{tmp_path / 'study.db'}", "study_name": "cells", "load_if_exists": True}
    one, other = (study_of(ProgressiveSampler(make_strategy), **settings) for _ in range(2))
    one.optimize(objective, n_trials=9)
    late, early = one.ask(), other.ask()
    assert suggested(late, space) == suggested(early, space)
    other.tell(early, 0.0)
    one.tell(late, 1.0)
    third = study_of(ProgressiveSampler(make_strategy), **settings)
    asked = [[suggested(study.ask(), space)] for study in (one, other, third)]
    assert len({cell for cells in asked for cell in cells}) == 3
    study = study_of(ProgressiveSampler(make_strategy))
    study.optimize(lambda trial: objective(trial) * (trial.number != 9), n_trials=13)
    assert {cell for cells in asked for cell in cells} == {Cell.from_text(key) for key in keys(study)[10:13]}


def test_a_refused_trial_counts_as_a_failure_and_not_as_its_value(
    make_strategy: Strategies, objective: Callable[[optuna.Trial], float], in_order: list[Cell]
) -> None:
    study = study_of(ProgressiveSampler(make_strategy))
    for wrong in (lambda trial: trial.suggest_float("rate", 0, 1), lambda trial: objective(trial) + 90):
        with pytest.raises(SearchError):
            study.optimize(wrong)
    study.optimize(objective)
    assert {trial.user_attrs["cell"] for trial in study.trials[2:]} == {cell.key for cell in in_order}


def test_failures_of_other_cells_than_were_given_come_to_an_end(make_strategy: Strategies) -> None:
    def failing(trial: optuna.Trial) -> float:
        suggest_cell(trial, CellSpace(("conv",)), N_BLOCKS)
        raise RuntimeError("out of memory")

    study = study_of(ProgressiveSampler(make_strategy))
    study.optimize(failing, catch=RuntimeError)
    assert len(study.trials) == 2 * 10
    with pytest.raises(SearchError, match="none of the 10 children of 1 blocks finished training"):
        study.optimize(failing)


def test_trials_that_wait_are_run_though_the_search_is_over(
    make_strategy: Strategies, objective: Callable[[optuna.Trial], float]
) -> None:
    study = study_of(ProgressiveSampler(make_strategy))
    study.optimize(objective)
    n_before = len(study.trials)
    for _ in range(3):
        study.enqueue_trial(study.trials[0].params)
    study.optimize(objective)
    assert [trial.state for trial in study.trials[n_before:]] == [optuna.trial.TrialState.COMPLETE] * 3

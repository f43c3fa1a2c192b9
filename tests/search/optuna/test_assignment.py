import pytest

from pnas_searchspace import CellSpace

optuna = pytest.importorskip("optuna")

from pnas_search._optuna._assignment import CELL, needs_cell, next_cell  # noqa: E402
from pnas_search._optuna._parameters import parameters_of  # noqa: E402

ONE, TWO, THREE = CELLS = CellSpace().to_cells(CellSpace().one_block_cells()[:3])


def running(number: int, **system_attrs: object) -> "optuna.trial.FrozenTrial":
    trial = optuna.trial.create_trial(state=optuna.trial.TrialState.RUNNING, system_attrs=system_attrs)
    trial.number = number
    return trial


def with_cell(number: int, cell: object) -> "optuna.trial.FrozenTrial":
    return running(number, **{CELL: str(cell)})


def test_a_cell_that_nobody_is_at_comes_first() -> None:
    assert next_cell(CELLS, [], 0) == ONE
    assert next_cell(CELLS, [with_cell(0, ONE)], 1) == TWO
    assert next_cell(CELLS, [with_cell(0, ONE), with_cell(1, THREE), running(2)], 2) == TWO


def test_what_lower_numbers_are_choosing_at_this_moment_is_left_to_them() -> None:
    assert next_cell(CELLS, [running(0), running(1), running(9)], 2) == THREE
    assert next_cell(CELLS, [running(0), running(1), running(2)], 3) == ONE  # there are not enough for all


def test_when_all_are_given_out_the_one_that_fewest_are_at_is_given_out_again() -> None:
    trials = [with_cell(0, ONE), with_cell(1, TWO), with_cell(2, THREE), with_cell(3, ONE)]
    assert next_cell(CELLS, trials, 4) == TWO
    assert next_cell(CELLS, [*trials, with_cell(4, TWO)], 5) == THREE


def test_a_trial_that_brings_a_cell_needs_none() -> None:
    assert needs_cell(running(0))
    assert needs_cell(running(0, fixed_params={"rate": 0.1}))
    assert not needs_cell(running(0, fixed_params=parameters_of(ONE)))
    assert not needs_cell(with_cell(0, ONE))

import math

import numpy as np
import pytest

from pnas_search import Candidate, LedgerRow, Outcome
from pnas_searchspace import Cell
from pnas_tools._compare_trial import Trial, top_means

CELL = Cell([[-1, "identity", -2, "identity"]])


def row(
    status: str,
    accuracy: float | None,
    *,
    cell: Cell = CELL,
    fidelity: int = 1,
    n_examples: int = 10,
    **measured: float,
) -> LedgerRow:
    outcome = Outcome(
        status=status,  # type: ignore[arg-type]
        accuracy=accuracy,
        accuracies=(),
        n_examples=n_examples,
        seconds=1.0,
        measurements=measured,
    )
    return LedgerRow(round=0, position=0, candidate=Candidate(cell=cell, fidelity=fidelity), seed=1, outcome=outcome)


@pytest.mark.parametrize("top", [1, 5, 25])
def test_a_top_mean_is_that_of_the_highest_so_far(top: int) -> None:
    rng = np.random.default_rng(top)
    accuracies = np.where(rng.random(200) < 0.3, np.nan, rng.random(200).round(2))
    for index, mean in enumerate(top_means(accuracies, top)):
        so_far = np.sort(accuracies[: index + 1][~np.isnan(accuracies[: index + 1])])
        expected = so_far[-top:].mean() if len(so_far) >= top else math.nan
        assert mean == pytest.approx(expected, nan_ok=True)


def test_a_trial_is_what_its_ledger_holds_in_the_order_in_which_it_was_asked_for() -> None:
    rows = [
        row("finished", 0.5, n_examples=10, measured=1),
        row("diverged", None, n_examples=4),
        row("finished", 0.75, n_examples=10, measured=0),
        row("stopped", 0.9, n_examples=5),
    ]
    trial = Trial.of(3, rows)
    assert (trial.seed, trial.n_models) == (3, 4)
    assert trial.top_means[1].tolist() == [0.5, 0.5, 0.75, 0.75]
    assert np.isnan(trial.top_means[5]).all()
    assert trial.n_examples.tolist() == [10, 14, 24, 29]
    assert (trial.n_failed, trial.n_interpolated) == (2, 1)


def test_models_that_are_trained_again_cost_examples_and_nothing_else() -> None:
    again = row("finished", 0.99, fidelity=15, n_examples=150)
    once, twice = (Trial.of(0, [row("finished", 0.5), *more]) for more in ([], [again]))
    assert twice.n_models == once.n_models == 1
    assert twice.top_means[1].tolist() == [0.5]
    assert twice.n_examples.tolist() == [10]
    assert (once.n_examples_in_all, twice.n_examples_in_all) == (10, 160)


def test_the_best_cells_are_the_most_accurate_of_so_many_models() -> None:
    cells = [
        Cell([[-1, name, -2, "identity"]]) for name in ("conv_1x7_7x1", "dil_conv_3x3", "sep_conv_3x3", "sep_conv_5x5")
    ]
    accuracies = (0.5, None, 0.5, 0.75)
    rows = [
        row("finished" if accuracy else "crashed", accuracy, cell=cell)
        for cell, accuracy in zip(cells, accuracies, strict=True)
    ]
    trial = Trial.of(0, rows)
    assert trial.best(2, 4) == [cells[3], cells[0]]
    assert trial.best(1, 3) == [cells[0]]
    assert trial.best(5, 3) == [cells[0], cells[2]]

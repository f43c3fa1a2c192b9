import numpy as np
import pytest

from pnas_searchspace import Cell
from pnas_surrogate.benchmark import Interval
from pnas_tools._compare_efficiency import Efficiency, Target
from pnas_tools._compare_trial import Trial

CELL = Cell([[-1, "identity", -2, "identity"]])


def trial(accuracies: list[float], *, examples: int = 10, again: int = 0) -> Trial:
    return Trial(
        seed=0,
        cells=[CELL] * len(accuracies),
        accuracies=np.array(accuracies),
        n_examples=np.cumsum(np.full(len(accuracies), float(examples))),
        n_examples_again=again,
        n_interpolated=0,
    )


@pytest.mark.parametrize(
    ("accuracy", "n_models", "times_models", "times_examples"),
    [(0.9183, 5808, 5.0, 8.2), (0.9161, 4100, 3.5, 6.8), (0.9136, 3654, 3.2, 6.4)],
)
def test_from_the_papers_numbers_of_models_come_its_speed_ups(
    accuracy: float, n_models: int, times_models: float, times_examples: float
) -> None:
    """Table 2: a model takes 0.9 M examples; NAS trains 250 of its 6,000 again, on 13.5 M each (section 5.3)."""
    pnas = trial([*np.linspace(0.8, accuracy, 1160)], examples=900_000)
    nas = trial(
        [*np.linspace(0.8, accuracy - 1e-6, n_models - 1), *[accuracy] * (6001 - n_models)],
        examples=900_000,
        again=250 * 13_500_000,
    )
    found = Efficiency.of([nas] * 5, [pnas] * 5, 1)
    assert (found.is_reached, found.n_models) == (True, n_models)
    assert found.times_models == pytest.approx(times_models, abs=0.0501)  # 3654 / 1160 is 3.15
    assert found.times_examples == pytest.approx(times_examples, abs=0.05)


def test_a_strategy_is_as_accurate_when_its_mean_over_trials_is() -> None:
    reference = [trial([0.5, 0.6]), trial([0.5, 0.8])]
    others = [trial([0.1, 0.2, 0.3, 0.35, 0.4]), trial([0.9, 0.95, 0.97, 0.98, 1.0])]
    found = Efficiency.of(others, reference, 1)
    assert (found.is_reached, found.n_models, found.n_examples) == (True, 5, 50)
    assert (found.times_models, found.times_examples) == (2.5, 2.5)


def test_where_it_never_is_all_that_it_trained_counts() -> None:
    reference = [trial([0.5, 0.6], examples=20), trial([0.5, 0.8], examples=30)]
    others = [trial([0.1, 0.2, 0.3]), trial([0.2, 0.3, 0.4, 0.4])]
    found = Efficiency.of(others, reference, 1)
    assert (found.is_reached, found.n_models, found.n_examples) == (False, 4, 35)
    assert (found.times_models, found.times_examples) == (2, 0.7)


def test_accuracies_are_compared_after_as_many_models_seed_by_seed() -> None:
    reference = [trial([0.5, 0.6]), trial([0.5, 0.7, 0.8])]
    others = [trial([0.1, 0.5, 0.9]), trial([0.4, 0.6])]
    found = Efficiency.of(others, reference, 1)
    assert found.accuracy == Interval.of([0.5, 0.6])
    assert (found.difference.mean, found.difference.half_width) == pytest.approx(
        (-0.15, Interval.of([-0.1, -0.2]).half_width)
    )


def test_the_target_is_what_the_reference_ends_with() -> None:
    target = Target.of([trial([0.5, 0.6]), trial([0.4, 0.5, 0.8], again=100)], 1)
    assert target.accuracy == Interval.of([0.6, 0.8])
    assert (target.n_models, target.n_examples) == (2.5, (20 + 30 + 100) / 2)

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from pnas_search import load_benchmark
from pnas_searchspace import PNAS_OPERATIONS, Cell
from pnas_surrogate.benchmark import Interval
from pnas_tools._compare_expected import expected_accuracies
from pnas_tools._compare_result import CompareResult
from pnas_tools._compare_trial import Trial
from pnas_tools._config import PRESETS

CELLS = [Cell([[-1, name, -2, "identity"]]) for name in PNAS_OPERATIONS]


def trial(seed: int, accuracies: Sequence[float], n_interpolated: int = 0) -> Trial:
    return Trial(
        seed=seed,
        cells=CELLS[: len(accuracies)],
        accuracies=np.array(accuracies),
        n_examples=10.0 * np.arange(1, len(accuracies) + 1),
        n_examples_again=0,
        n_interpolated=n_interpolated,
    )


@pytest.fixture
def result() -> CompareResult:
    trials = {
        "progressive": [trial(4, [0.1, 0.2, 0.3, 0.4, 0.5]), trial(5, [0.7] * 5)],
        "random": [trial(4, [0.2, np.nan, 0.9], 1), trial(5, [0.2, 0.3, 0.4, 0.6], 4)],
    }
    configs = {name: replace(PRESETS["quick"], strategy=name, seed=4) for name in trials}
    return CompareResult(trials=trials, configs=configs, provenances=[{"python": "3"}])


def test_the_table_has_every_m_that_the_reference_has_so_many_models_for(result: CompareResult) -> None:
    assert (result.reference, result.others, result.seeds) == ("progressive", ["random"], [4, 5])
    assert result.tops == [1, 5]
    one_has_fewer = [trial(4, [0.1] * 4), trial(5, [0.7] * 5)]
    assert replace(result, trials={"progressive": one_has_fewer}).tops == [1]
    assert result.benchmark is None
    assert result.interpolated("random") == 5 / 6


def test_on_a_benchmark_the_best_models_have_what_another_training_is_expected_to_give(result: CompareResult) -> None:
    assert result.expected("random", 1) is None
    configs = {name: replace(config, evaluator="benchmark:micro-digits") for name, config in result.configs.items()}
    trials = {**result.trials, "random": [trial(4, [0.2, np.nan, 0.9]), trial(5, [0.2, 0.3, 0.4, 0.6, 0.5, 0.7])]}
    looked_up = replace(result, configs=configs, trials=trials)
    benchmark = load_benchmark("micro-digits")
    best = expected_accuracies(benchmark, [CELLS[2], CELLS[3]])  # of the second trial, the best of its first five
    assert looked_up.expected("random", 1) == Interval.of(best)
    five = looked_up.expected("progressive", 5)
    assert five is not None
    assert five.mean == pytest.approx(expected_accuracies(benchmark, CELLS[:5]).mean())
    missing = looked_up.expected("random", 5)
    assert missing is not None
    assert math.isnan(missing.mean)

"""Fitting an ensemble: all members in one batched computation against one after the other."""

from typing import Any

import numpy as np
import pytest

from pnas_surrogate import Ensemble, MLPPredictor, SequenceSpec

SPEC = SequenceSpec(kinds=("input", "operation") * 2, vocabulary={"input": 4, "operation": 8})
RNG = np.random.default_rng(0)
X = np.stack([RNG.integers(0, SPEC.vocabulary[kind], size=136) for kind in SPEC.kinds * 2], axis=1)
Y = RNG.uniform(size=136)


def batched() -> float:
    return Ensemble(MLPPredictor(SPEC, n_epochs=10)).fit(X, Y).predict(X).mean()


def one_after_the_other() -> float:
    means = []
    for fold in range(5):
        kept = np.arange(136) % 5 != fold
        means.append(MLPPredictor(SPEC, n_epochs=10).fit(X[kept], Y[kept]).predict(X).mean())
    return float(np.mean(means))


@pytest.mark.benchmark(group="fit 5 MLPs to 136 sequences")
@pytest.mark.parametrize("way", [batched, one_after_the_other])
def test_fit(benchmark: Any, way: Any) -> None:
    # Ten epochs are enough to come from the initial bias down to the scores.
    assert benchmark.pedantic(way, rounds=5, warmup_rounds=1) == pytest.approx(Y.mean(), abs=0.1)

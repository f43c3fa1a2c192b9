from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pnas_surrogate import SequenceSpec

DrawSequences = Callable[[int, int, int], NDArray[np.int64]]
Score = Callable[[NDArray[np.int64]], NDArray[np.float64]]


@pytest.fixture(scope="session")
def spec() -> SequenceSpec:
    return SequenceSpec(kinds=("input", "operation", "input", "operation"), vocabulary={"input": 6, "operation": 8})


@pytest.fixture(scope="session")
def draw_sequences() -> DrawSequences:
    def draw(n_sequences: int, n_groups: int, seed: int) -> NDArray[np.int64]:
        return np.random.default_rng(seed).integers(0, [6, 8, 6, 8] * n_groups, size=(n_sequences, 4 * n_groups))

    return draw


@pytest.fixture(scope="session")
def additive_score() -> Score:
    """Every operation has an effect of its own, and a score is the mean of its sequence's."""
    effects = np.random.default_rng(0).permutation(np.linspace(-0.3, 0.3, 8))

    def score(X: NDArray[np.int64]) -> NDArray[np.float64]:
        return 0.6 + effects[X[:, 1::2]].mean(axis=1)

    return score

from collections.abc import Callable

import numpy as np
import pytest

from pnas_surrogate import SequenceSpec
from pnas_surrogate._sequences import Tokens, pack

DrawRagged = Callable[[int, int], Tokens]


@pytest.fixture(scope="session")
def draw_ragged(spec: SequenceSpec) -> DrawRagged:
    """Packed sequences of one, two and three groups."""

    def draw(n_sequences: int, seed: int) -> Tokens:
        rng = np.random.default_rng(seed)
        return pack([rng.integers(0, [6, 8, 6, 8] * (1 + index % 3)) for index in range(n_sequences)], spec)

    return draw

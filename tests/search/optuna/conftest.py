import functools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from pnas_search import Progressive
from pnas_searchspace import Cell, CellSpace

N_BLOCKS = 3
BEAM_SIZE = 4


class Nearest:
    """Predicts the accuracy of the trained cell that has the most tokens in common."""

    def fit(self, X: Sequence[NDArray[np.int64]], y: NDArray[np.float64]) -> None:
        self._known = list(zip(X, y, strict=True))

    def predict(self, X: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.array([max((np.sum(x[: len(known)] == known), y) for known, y in self._known)[1] for x in X])


def make_progressive(space: CellSpace) -> Progressive:
    return Progressive(space, n_blocks=N_BLOCKS, beam_size=BEAM_SIZE, make_predictor=lambda _: Nearest())


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    optuna = pytest.importorskip("optuna")
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


@pytest.fixture
def make_strategy(space: CellSpace) -> Callable[[], Progressive]:
    """Of 10 cells of one block, and 4 each of two and three."""
    return functools.partial(make_progressive, space)


@pytest.fixture
def in_order(
    make_strategy: Callable[[], Progressive], accuracy_of: Callable[[Cell], float], rounds: Callable[..., Iterator]
) -> list[Cell]:
    """All cells that the search trains when nothing fails, in its order."""
    return [candidate.cell for asked in rounds(make_strategy(), accuracy_of) for candidate in asked]

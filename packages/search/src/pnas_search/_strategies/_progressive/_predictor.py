import inspect
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Predictor(Protocol):
    """Learns to predict a score from integer sequences; a scikit-learn regressor is one.

    One whose `predict` takes `return_std` as well also says how sure it is: with True, `predict` then gives the scores
    and their standard deviations, `(N,)` each.
    """

    def fit(self, X: Sequence[NDArray[np.int64]], y: NDArray[np.float64]) -> Any:
        """Fit to sequences of any lengths and their scores, `(N,)`."""
        ...

    def predict(self, X: NDArray[np.int64]) -> NDArray[np.float64]:
        """The scores of sequences `(N, L)`, `(N,)`."""
        ...


def gives_std(predictor: Predictor) -> bool:
    """Whether a predictor can say how sure it is."""
    return "return_std" in inspect.signature(predictor.predict).parameters


def predicted(predictor: Predictor, X: NDArray[np.int64]) -> tuple[Floats, Floats | None]:
    """The scores of sequences and, where the predictor can say, their standard deviations."""
    if not gives_std(predictor):
        return np.asarray(predictor.predict(X), dtype=np.float64), None
    unsure: Any = predictor
    mean, std = unsure.predict(X, return_std=True)
    return np.asarray(mean, dtype=np.float64), np.asarray(std, dtype=np.float64)

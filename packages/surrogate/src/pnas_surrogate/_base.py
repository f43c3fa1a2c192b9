import abc
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import NotFittedError

from pnas_surrogate._errors import SurrogateError
from pnas_surrogate._sequences import Tokens, pack
from pnas_surrogate._spec import SequenceSpec

Sequences = ArrayLike | Sequence[Sequence[int]]
"""An integer array `(N, L)`, or a sequence of integer sequences of any lengths."""

Floats = NDArray[np.float64]


class MemberPredictor(RegressorMixin, BaseEstimator, abc.ABC):  # type: ignore[misc]  # scikit-learn has no types
    """A predictor that can fit several copies of itself, its members, on different samples in one batched computation.

    A concrete class gives `fit_members` and `predict_members`; it has the attributes `spec` and `random_state`.
    """

    spec: SequenceSpec
    random_state: int

    @abc.abstractmethod
    def fit_members(self, tokens: Tokens, y: Floats, samples: Sequence[NDArray[np.int64]]) -> None:
        """Fit one member, from scratch, on each of `samples`, which are indices into `tokens` and `y`."""

    @abc.abstractmethod
    def predict_members(self, tokens: Tokens) -> Floats:
        """What every member predicts, `(n_members, N)`."""

    def fit(self, X: Sequences, y: ArrayLike) -> Self:
        """Fit to scores `y`, `(N,)`, in [0, 1].

        Raises:
            SurrogateError: a sequence does not fit the spec, or a score is missing, not finite or outside [0, 1].
        """
        tokens, scores = checked_samples(X, y, self.spec)
        self.fit_members(tokens, scores, [np.arange(len(scores))])
        self.is_fitted_ = True
        return self

    def predict(self, X: Sequences) -> Floats:
        """The score that is expected of each sequence, `(N,)`."""
        check_fitted(self)
        prediction: Floats = self.predict_members(pack(X, self.spec))[0]
        return prediction


def checked_samples(X: Sequences, y: ArrayLike, spec: SequenceSpec) -> tuple[Tokens, Floats]:
    """Packed sequences and their scores, or a sentence that says what is wrong with them."""
    tokens = pack(X, spec)
    # A copy: PyTorch takes no array that is read-only or reversed.
    scores = np.array(y, dtype=np.float64, order="C")
    if scores.shape != (len(tokens),):
        raise SurrogateError(f"expected one score for each of {len(tokens)} sequences, got shape {scores.shape}")
    outside = np.flatnonzero(~((scores >= 0) & (scores <= 1)))
    if len(outside):
        raise SurrogateError(f"score {outside[0]} is {scores[outside[0]]}; expected a number in [0, 1]")
    return tokens, scores


def check_fitted(estimator: Any) -> None:
    if not getattr(estimator, "is_fitted_", False):
        raise NotFittedError(f"this {type(estimator).__name__} has not been fitted: call fit before predict")

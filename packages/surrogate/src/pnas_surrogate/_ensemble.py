from typing import Literal, Self, overload

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin, clone

from pnas_surrogate._base import Floats, MemberPredictor, Sequences, check_fitted, checked_samples
from pnas_surrogate._errors import SurrogateError
from pnas_surrogate._sequences import pack


class Ensemble(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Several predictors of one kind, each fitted from scratch to a different part of the data (section 4.2 of the
    paper).

    The samples are dealt into `n_members` folds, and every member leaves out one: five members see 4/5 each. The
    members train together, as one batched computation.

    Args:
        predictor: what the members are copies of; it stays unfitted.
        n_members: how many, 2 or more.
        random_state: how the samples are dealt.
    """

    def __init__(self, predictor: MemberPredictor, n_members: int = 5, random_state: int = 0) -> None:
        self.predictor = predictor
        self.n_members = n_members
        self.random_state = random_state

    def fit(self, X: Sequences, y: ArrayLike) -> Self:
        """Fit to scores `y`, `(N,)`, in [0, 1].

        Raises:
            SurrogateError: there are fewer samples than members, or what the predictor's own `fit` refuses.
        """
        if self.n_members < 2:
            raise SurrogateError(f"n_members must be 2 or more, not {self.n_members!r}")
        tokens, scores = checked_samples(X, y, self.predictor.spec)
        if len(scores) < self.n_members:
            raise SurrogateError(f"an ensemble of {self.n_members} members needs as many samples, got {len(scores)}")
        order = np.random.default_rng(self.random_state).permutation(len(scores))
        folds = np.array_split(order, self.n_members)
        samples = [
            np.sort(np.concatenate(folds[:left_out] + folds[left_out + 1 :])) for left_out in range(self.n_members)
        ]
        self.predictor_ = clone(self.predictor)
        self.predictor_.fit_members(tokens, scores, samples)
        self.is_fitted_ = True
        return self

    @overload
    def predict(self, X: Sequences, return_std: Literal[False] = False) -> Floats: ...
    @overload
    def predict(self, X: Sequences, return_std: Literal[True]) -> tuple[Floats, Floats]: ...

    def predict(self, X: Sequences, return_std: bool = False) -> Floats | tuple[Floats, Floats]:
        """The mean of the members' predictions, `(N,)`, and with `return_std` their standard deviation, `(N,)`, too."""
        check_fitted(self)
        predictions = self.predictor_.predict_members(pack(X, self.predictor_.spec))
        mean: Floats = predictions.mean(0)
        if not return_std:
            return mean
        return mean, predictions.std(0)

import numpy as np
from sklearn.base import clone

from pnas_surrogate._base import Arrays, Floats, MemberPredictor, Predictor
from pnas_surrogate._errors import SurrogateError
from pnas_surrogate._parameters import check_integers
from pnas_surrogate._sequences import Tokens
from pnas_surrogate._spec import SequenceSpec


class Ensemble(Predictor):
    """Several predictors of one kind, each fitted from scratch to a different part of the data (section 4.2 of the
    paper).

    The samples are dealt into `n_members` folds, and every member leaves out one: five members see 4/5 each. The
    members train together, as one batched computation. Predictions are the members' mean and standard deviation.

    Args:
        predictor: what the members are copies of; it stays unfitted.
        n_members: how many, 2 or more; fitting needs as many samples.
        random_state: how the samples are dealt.
    """

    predictor_: MemberPredictor
    """All members."""

    def __init__(self, predictor: MemberPredictor, n_members: int = 5, random_state: int = 0) -> None:
        self.predictor = predictor
        self.n_members = n_members
        self.random_state = random_state

    @property
    def spec(self) -> SequenceSpec:  # type: ignore[override]  # its predictor's is the only one there is
        if not isinstance(self.predictor, MemberPredictor):
            raise SurrogateError(f"an ensemble's predictor must be a MemberPredictor, not {self.predictor!r}")
        return self.predictor.spec

    def _fit(self, tokens: Tokens, y: Floats) -> None:
        check_integers(self, n_members=2, random_state=0)
        if len(y) < self.n_members:
            raise SurrogateError(f"an ensemble of {self.n_members} members needs as many samples, got {len(y)}")
        order = np.random.default_rng(self.random_state).permutation(len(y))
        folds = np.array_split(order, self.n_members)
        samples = [
            np.sort(np.concatenate(folds[:left_out] + folds[left_out + 1 :])) for left_out in range(self.n_members)
        ]
        fitted = getattr(self, "predictor_", None)
        if self.predictor.warm_start and type(fitted) is type(self.predictor):
            self.predictor_.set_params(**self.predictor.get_params(deep=False))
        else:
            self.predictor_ = clone(self.predictor)
        self.predictor_.fit_members(tokens, y, samples)

    def _predict(self, tokens: Tokens, return_std: bool) -> tuple[Floats, Floats]:
        predictions = self.predictor_.predict_members(tokens)
        return predictions.mean(0), predictions.std(0)

    def _state(self) -> Arrays:
        return self.predictor_.member_state()

    def _restore(self, state: Arrays) -> None:
        self.predictor_ = clone(self.predictor)
        self.predictor_.restore_members(state)

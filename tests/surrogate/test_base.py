import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from pnas_surrogate import Ensemble, MLPPredictor, SurrogateError

TWO_GROUPS = [[0, 0, 0, 0], [1, 1, 1, 1]]


@pytest.fixture(params=["one", "ensemble"])
def estimator(request, spec):
    predictor = MLPPredictor(spec, n_epochs=1)
    return predictor if request.param == "one" else Ensemble(predictor, n_members=2)


def test_predicting_before_fitting_says_so(estimator):
    with pytest.raises(NotFittedError, match=f"this {type(estimator).__name__} has not been fitted: call fit"):
        estimator.predict(TWO_GROUPS)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0.5, np.nan], r"score 1 is nan; expected a number in \[0, 1\]"),
        ([0.5, None], "score 1 is nan"),
        ([np.inf, 0.5], "score 0 is inf"),
        ([0.5, 1.01], "score 1 is 1.01"),
        ([-0.25, 0.5], "score 0 is -0.25"),
        ([0.5], r"expected one score for each of 2 sequences, got shape \(1,\)"),
        ([[0.5, 0.5]], r"got shape \(1, 2\)"),
        (0.5, r"got shape \(\)"),
    ],
)
def test_scores_that_cannot_be_are_refused_by_position_and_value(estimator, y, message):
    with pytest.raises(SurrogateError, match=message):
        estimator.fit(TWO_GROUPS, y)


def test_sequences_that_do_not_fit_the_spec_are_refused_in_fit_and_in_predict(estimator):
    wrong = [[0, 0, 0, 0], [0, 0, 0, 8]]
    message = "sequence 1 has the token 8 at position 3; expected one of kind 'operation', from 0 to 7"
    with pytest.raises(SurrogateError, match=message):
        estimator.fit(wrong, [0.5, 0.5])
    with pytest.raises(SurrogateError, match=message):
        estimator.fit(TWO_GROUPS, [0, 1]).predict(wrong)

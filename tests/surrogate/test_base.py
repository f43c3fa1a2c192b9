import numpy as np
import pytest
from sklearn.base import is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from pnas_surrogate import Ensemble, MLPPredictor, SequenceSpec, SurrogateError

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
        ([0.5, np.nan], "score 1 is nan; expected a finite number"),
        ([0.5, None], "score 1 is nan"),
        ([np.inf, 0.5], "score 0 is inf"),
        ([0.5, -np.inf], "score 1 is -inf"),
        ([-1e101, 0.5], r"score 0 is -1e\+101; expected a finite number, and none beyond 1e\+100"),
        ([0.5, "high"], "expected numbers as scores: could not convert string to float"),
        ([0.5, 10**400], "expected numbers as scores: int too large"),
        ([0.5, [0.5]], "expected numbers as scores"),
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


@pytest.mark.parametrize("y", [[-3e9, 0.5], [1, 2], np.array([2.5, 1.5])[::-1], (np.float32(7), True)])
def test_scores_are_any_real_numbers(estimator, y):
    estimator.fit(TWO_GROUPS, y)
    mean, std = estimator.predict(TWO_GROUPS, return_std=True)
    assert np.isfinite([mean, std]).all()
    np.testing.assert_array_equal(estimator.predict(TWO_GROUPS), mean)


def test_the_deviation_of_a_predictor_alone_is_that_of_its_errors_on_its_samples(spec, draw_sequences):
    X, y = draw_sequences(30, 1, 0), np.random.default_rng(0).normal(size=30)
    predictor = MLPPredictor(spec, n_epochs=3).fit(X, y)
    mean, std = predictor.predict(X, return_std=True)
    np.testing.assert_allclose(std, np.sqrt(((mean - y) ** 2).mean()))


def test_what_a_fitted_predictor_accepts_is_what_it_was_fitted_for(estimator):
    fitted_for = estimator.spec
    estimator.fit(TWO_GROUPS, [0, 1])
    expected = estimator.predict(TWO_GROUPS)
    name = "predictor__spec" if isinstance(estimator, Ensemble) else "spec"
    estimator.set_params(**{name: SequenceSpec(kinds=("token",), vocabulary={"token": 2})})
    assert estimator.spec_ == fitted_for
    np.testing.assert_array_equal(estimator.predict(TWO_GROUPS), expected)
    np.testing.assert_array_equal(estimator.fit([[0], [1]], [0, 1]).predict([[0]]), estimator.predict([[0, 0]]))


def test_a_fit_that_is_refused_leaves_the_last_one_as_it_was(estimator):
    expected = estimator.fit(TWO_GROUPS, [0, 1]).predict(TWO_GROUPS)
    with pytest.raises(SurrogateError):
        estimator.fit([[1, 1, 1, 1], [2, 2, 2, 2]], [0, np.nan])
    np.testing.assert_array_equal(estimator.predict(TWO_GROUPS), expected)


def test_scikit_learn_sees_whether_it_is_fitted_and_shows_it(estimator):
    with pytest.raises(NotFittedError):
        check_is_fitted(estimator)
    check_is_fitted(estimator.fit(TWO_GROUPS, [0, 1]))
    assert repr(estimator).startswith(type(estimator).__name__)
    assert "vocabulary" in estimator._repr_html_()
    assert is_regressor(estimator)

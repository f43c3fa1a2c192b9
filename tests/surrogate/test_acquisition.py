import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from pnas_surrogate import SurrogateError
from pnas_surrogate.acquisition import ExpectedImprovement, Mean, ThompsonSampling, UpperConfidenceBound

MEAN, STD = np.array([0.2, 0.5, 0.5, 0.9]), np.array([0.3, 0.0, 0.1, 0.05])


def test_the_greedy_choice_is_the_mean():
    np.testing.assert_array_equal(Mean()(MEAN, STD, best=0.7), MEAN)


def test_an_upper_bound_prefers_the_less_certain_of_equals_and_a_lower_one_the_more_certain():
    optimistic, pessimistic = (UpperConfidenceBound(n_deviations=n)(MEAN, STD, 0.7) for n in (2.0, -2.0))
    np.testing.assert_allclose(optimistic, [0.8, 0.5, 0.7, 1.0])
    assert optimistic[2] > optimistic[1]
    assert pessimistic[2] < pessimistic[1]


@pytest.mark.parametrize("best", [-1.0, 0.45, 0.5, 0.88, 2.0])
def test_expected_improvement_is_the_integral_that_defines_it(best):
    expected = [
        quad(lambda y, m=m, s=s: (y - best) * norm.pdf(y, m, s), max(best, m - 12 * s), max(best, m + 12 * s))[0]
        if s > 0
        else max(m - best, 0.0)
        for m, s in zip(MEAN, STD, strict=True)
    ]
    np.testing.assert_allclose(ExpectedImprovement()(MEAN, STD, best), expected, atol=1e-9)


def test_expected_improvement_is_never_negative_however_far_behind():
    assert (ExpectedImprovement()(np.full(5, -1e3), np.geomspace(1e-12, 1e3, 5), 0.0) >= 0).all()


def test_thompson_sampling_draws_what_the_predictor_says():
    mean, std = np.full(20_000, 0.6), np.full(20_000, 0.1)
    draws = ThompsonSampling(random_state=3)(mean, std, 0.0)
    assert draws.mean() == pytest.approx(0.6, abs=0.003)
    assert draws.std() == pytest.approx(0.1, abs=0.003)
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 0.03
    np.testing.assert_array_equal(draws, ThompsonSampling(random_state=3)(mean, std, 0.9))
    assert (draws != ThompsonSampling(random_state=4)(mean, std, 0.0)).all()


def test_a_bound_that_is_no_number_is_refused():
    with pytest.raises(SurrogateError, match="n_deviations must be a finite number, not nan"):
        UpperConfidenceBound(n_deviations=float("nan"))

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnas_surrogate._neural._scale import SigmoidScale

START = 1 / (1 + np.exp(-1.8))
SCORES = st.lists(st.floats(-1e6, 1e6).map(lambda score: round(score, 3)), min_size=1, max_size=20).map(np.array)


@given(SCORES)
def test_the_mean_goes_to_the_start_and_all_others_to_where_a_sigmoid_reaches(y):
    scale = SigmoidScale.of(y, 1.8)
    scaled = scale.apply(y)
    assert scale.apply(y.mean()) == pytest.approx(START)
    assert scaled.min() > 0.05 - 1e-6
    assert scaled.max() < 0.95 + 1e-6
    if np.ptp(y):
        assert scaled.min() == pytest.approx(0.05, abs=1e-6) or scaled.max() == pytest.approx(0.95, abs=1e-6)
    np.testing.assert_allclose(scale.undo(scaled), y, rtol=1e-9, atol=1e-9 * (1 + np.abs(y).max()))


@given(SCORES, st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_another_unit_or_origin_of_the_scores_makes_no_difference(y, factor, origin):
    if 0 < np.ptp(y) < 1e-3 * np.abs(y).max():
        y = y * 0
    same = factor * y + origin
    np.testing.assert_allclose(SigmoidScale.of(same, 1.8).apply(same), SigmoidScale.of(y, 1.8).apply(y), atol=1e-6)


@pytest.mark.parametrize("initial_bias", [-9.0, 0.0, 9.0])
def test_a_start_that_is_near_an_end_keeps_the_order_of_the_scores(initial_bias):
    scale = SigmoidScale.of(np.array([0.1, 0.2, 0.9]), initial_bias)
    assert (np.diff(scale.apply(np.array([0.1, 0.2, 0.9]))) > 0).all()


def test_what_its_state_restores_is_equal_to_it():
    scale = SigmoidScale.of(np.array([0.1, 0.7, 0.25]), 1.8)
    assert SigmoidScale.restored(scale.state()) == scale

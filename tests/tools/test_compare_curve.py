import numpy as np
import pytest

from pnas_surrogate.benchmark import Interval
from pnas_tools._compare_curve import Curve, side_by_side


def test_a_curve_has_at_every_point_the_mean_and_students_interval() -> None:
    trials = np.random.default_rng(0).random((5, 30))
    curve = Curve.over(list(trials))
    for index, values in enumerate(trials.T):
        interval = Interval.of(values)
        assert curve.mean[index] == pytest.approx(interval.mean)
        assert (curve.low[index], curve.high[index]) == pytest.approx((interval.low, interval.high))


def test_one_trial_has_no_interval() -> None:
    curve = Curve.over([np.array([0.25, 0.5])])
    assert curve.mean.tolist() == [0.25, 0.5]
    assert np.isnan(curve.low).all()


def test_a_trial_that_has_ended_stays_at_what_it_had() -> None:
    trials = [np.array([0.1, 0.2]), np.array([0.3, 0.4, 0.5, 0.6])]
    assert side_by_side(trials).tolist() == [[0.1, 0.2, 0.2, 0.2], [0.3, 0.4, 0.5, 0.6]]
    assert Curve.over(trials).mean.tolist() == pytest.approx([0.2, 0.3, 0.35, 0.4])


def test_there_is_no_mean_before_every_trial_has_a_value() -> None:
    curve = Curve.over([np.array([np.nan, np.nan, 0.4]), np.array([np.nan, 0.2, 0.6])])
    assert curve.mean.tolist() == pytest.approx([np.nan, np.nan, 0.5], nan_ok=True)
    assert curve.reaches(0.1) == 3


def test_a_curve_reaches_what_its_mean_is_and_not_more() -> None:
    curve = Curve.over([np.array([0.25, 0.5, 0.5, 0.75])])
    assert [curve.reaches(value) for value in (0.1, 0.25, 0.5, 0.6, 0.75, 0.76)] == [1, 1, 2, 4, 4, None]

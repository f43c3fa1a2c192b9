import math

import numpy as np
import pytest

from pnas_surrogate.benchmark import Interval


def test_the_interval_of_three_values_is_the_one_worked_out_by_hand():
    interval = Interval.of([1, 2, 3])
    half_width = 4.302653 / math.sqrt(3)  # Student's t of two degrees of freedom, a deviation of 1
    assert interval.mean == 2
    assert interval.half_width == pytest.approx(half_width, rel=1e-6)
    assert (interval.low, interval.high) == (2 - interval.half_width, 2 + interval.half_width)


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_as_many_intervals_as_they_say_hold_the_true_mean(level):
    samples = np.random.default_rng(0).normal(3, 2, size=(4000, 6))
    intervals = [Interval.of(sample, level) for sample in samples]
    assert np.mean([one.low <= 3 <= one.high for one in intervals]) == pytest.approx(level, abs=0.02)


def test_equal_values_leave_no_doubt_and_one_value_does_not_say():
    assert Interval.of([0.5, 0.5]) == Interval(0.5, 0)
    assert Interval.of([0.5]).mean == 0.5
    assert math.isnan(Interval.of([0.5]).half_width)

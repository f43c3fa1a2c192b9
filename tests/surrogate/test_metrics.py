import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnas_surrogate import SurrogateError
from pnas_surrogate.metrics import calibration_error, interval_coverage, kendall, regret, spearman, top_k_recall

TRUE = [0.1, 0.4, 0.2, 0.9, 0.5]


@pytest.mark.parametrize("correlation", [spearman, kendall])
def test_rank_correlations_see_order_alone(correlation):
    assert correlation(TRUE, np.exp(TRUE)) == pytest.approx(1)
    assert correlation(TRUE, -np.array(TRUE)) == pytest.approx(-1)
    assert correlation(TRUE, np.ones(5)) == 0
    assert correlation(np.ones(5), TRUE) == 0


def test_rank_correlations_are_those_counted_by_hand():
    predicted = [0, 1, 2, 3, 4]  # ranks of TRUE are 0, 2, 1, 4, 3: two neighbouring pairs are swapped
    assert spearman(TRUE, predicted) == pytest.approx(1 - 6 * 4 / (5 * 24))
    assert kendall(TRUE, predicted) == pytest.approx((8 - 2) / 10)


def test_recall_and_regret_are_those_counted_by_hand():
    predicted = [5, 4, 3, 2, 1]
    assert top_k_recall(TRUE, predicted, 1) == 0
    assert top_k_recall(TRUE, predicted, 3) == pytest.approx(1 / 3)  # 3, 4, 1 are best, and 0, 1, 2 are predicted
    assert top_k_recall(TRUE, predicted, 5) == 1
    assert regret(TRUE, predicted) == pytest.approx(0.9 - 0.1)
    assert regret(TRUE, predicted, 2) == pytest.approx(0.9 - 0.4)
    assert regret(TRUE, predicted, 4) == 0


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(-10, 10)), min_size=1, max_size=20), st.data())
def test_regret_falls_as_more_are_tried_and_is_none_when_all_are(pairs, data):
    true, predicted = map(list, zip(*pairs, strict=True))
    k = data.draw(st.integers(1, len(true)))
    assert regret(true, predicted, k) >= regret(true, predicted, len(true)) == 0
    assert regret(true, true, k) == 0
    assert top_k_recall(true, true, k) == 1


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_coverage_is_the_level_where_deviations_are_true_and_not_where_they_are_not(level):
    rng = np.random.default_rng(0)
    std = rng.uniform(0.1, 2, 20_000)
    mean = rng.normal(size=20_000)
    y = mean + std * rng.standard_normal(20_000)
    assert interval_coverage(y, mean, std, level) == pytest.approx(level, abs=0.01)
    assert calibration_error(y, mean, std) < 0.01
    assert interval_coverage(y, mean, std / 3, level) < level - 0.2
    assert calibration_error(y, mean, std / 3) > 0.2
    assert calibration_error(y, mean, std * 3) > 0.2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: spearman([1, 2], [1]), r"as many predictions as scores, 1 or more, got \(1,\), \(2,\)"),
        (lambda: spearman([], []), r"got \(0,\), \(0,\)"),
        (lambda: kendall([[1]], [[1]]), r"got \(1, 1\), \(1, 1\)"),
        (lambda: spearman([1, np.nan], [1, 2]), "score 1 is nan; expected a finite number"),
        (lambda: spearman([1, 2], [np.inf, 2]), "prediction 0 is inf"),
        (lambda: regret([1, 2], [1, 2], 3), "k must be between 1 and the 2 samples, not 3"),
        (lambda: top_k_recall([1, 2], [1, 2], 0), "not 0"),
        (lambda: interval_coverage([1], [1], [1], 1.0), "level must be between 0 and 1, not 1.0"),
        (lambda: interval_coverage([1, 1], [1, 1], [1, -1]), "standard deviation 1 is -1.0; expected 0 or more"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(call, message):
    with pytest.raises(SurrogateError, match=message):
        call()

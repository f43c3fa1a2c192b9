import numpy as np
import pytest

from pnas_surrogate.benchmark import between_repeats

NAN = np.nan


def test_it_is_the_mean_of_the_correlations_counted_by_hand():
    first, second, third = [1, 2, 3, 4], [1, 2, 4, 3], [4, 3, 2, NAN]
    # 1 - 6 * 2 / (4 * 15), and of the first three sequences -1 twice.
    assert between_repeats(np.transpose([first, second, third])) == pytest.approx((0.8 - 1 - 1) / 3)


@pytest.mark.parametrize("scores", [[[1], [2], [3]], [[1, 2], [2, 1], [3, NAN]], np.empty((0, 2))])
def test_without_three_sequences_that_were_measured_twice_nothing_is_known(scores):
    assert between_repeats(scores) is None


def test_its_square_root_is_what_a_predictor_of_expected_scores_reaches():
    rng = np.random.default_rng(0)
    expected = rng.normal(size=5000)
    scores = expected[:, None] + 0.5 * rng.normal(size=(5000, 2))
    reached = between_repeats(np.stack([expected, scores[:, 0]], axis=1))
    assert reached == pytest.approx(np.sqrt(between_repeats(scores)), abs=0.01)

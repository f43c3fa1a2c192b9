import numpy as np
import pytest

from pnas_surrogate import GaussianProcess, SequenceSpec, SurrogateError
from pnas_surrogate.metrics import interval_coverage, spearman

KERNELS = ["string", "groups", "both"]


@pytest.fixture
def passes():
    return SequenceSpec(kinds=("pass",), vocabulary={"pass": 6})


@pytest.fixture
def samples(draw_sequences, additive_score):
    X = draw_sequences(40, 2, 0)
    return X, additive_score(X)


def of_pairs(X):
    """The two operations of a group have an effect together, and by themselves none."""
    effects = np.random.default_rng(1).choice([-1.0, 1.0], size=(4, 4))
    effects -= effects.mean(0)
    effects -= effects.mean(1, keepdims=True)
    operations = X.reshape(len(X), -1, 4)[..., 1::2]
    return effects[operations[..., 0], operations[..., 1]].mean(1)


def of_order(X):
    """By how many more of every two passes the smaller comes first."""
    first, second = np.triu_indices(X.shape[1], k=1)
    return np.sign(X[:, second] - X[:, first]).sum(1).astype(float)


@pytest.mark.parametrize("kernel", KERNELS)
def test_it_ranks_an_additive_law_on_sequences_one_group_longer_than_it_saw(
    spec, draw_sequences, additive_score, kernel
):
    short = [draw_sequences(n, n_groups, n_groups) for n, n_groups in [(20, 1), (60, 2)]]
    X = [row for rows in short for row in rows]
    model = GaussianProcess(spec, kernel=kernel).fit(X, np.concatenate([additive_score(rows) for rows in short]))
    unseen = draw_sequences(300, 3, 3)
    assert spearman(additive_score(unseen), model.predict(unseen)) > 0.9


@pytest.mark.parametrize("kernel", ["groups", "both"])
def test_it_ranks_what_two_tokens_of_a_group_do_together(draw_sequences, kernel):
    spec = SequenceSpec(kinds=("input", "operation") * 2, vocabulary={"input": 2, "operation": 4})
    X, longer = (draw_sequences(n, size, 0) % np.tile([2, 4], 2 * size) for n, size in [(120, 2), (300, 3)])
    model = GaussianProcess(spec, kernel=kernel).fit(X, of_pairs(X))
    assert spearman(of_pairs(longer), model.predict(longer)) > 0.9


def test_strings_have_an_order_and_groups_none(passes):
    X, unseen = (np.random.default_rng(seed).integers(0, 6, (150, 5)) for seed in (0, 1))
    correlations = {
        kernel: spearman(of_order(unseen), GaussianProcess(passes, kernel=kernel).fit(X, of_order(X)).predict(unseen))
        for kernel in KERNELS
    }
    assert min(correlations["string"], correlations["both"]) > 0.9
    assert correlations["groups"] < 0.3


def test_the_order_of_groups_makes_no_difference_to_groups_and_one_to_strings(spec, draw_sequences, additive_score):
    X, unseen = draw_sequences(60, 3, 0), draw_sequences(40, 3, 1)
    # Earlier groups matter more.
    y = additive_score(X) + additive_score(X[:, :4])
    turned = np.roll(unseen, 4, axis=1)
    for kernel in KERNELS:
        model = GaussianProcess(spec, kernel=kernel).fit(X, y)
        before, after = (np.stack(model.predict(rows, return_std=True)) for rows in (unseen, turned))
        if kernel == "groups":
            np.testing.assert_allclose(after, before, rtol=1e-6)
        else:
            assert (np.abs(after - before).max(1) > 0.01).all()


@pytest.mark.parametrize("seed", range(3))
def test_nine_in_ten_noisy_scores_are_in_its_intervals(spec, draw_sequences, additive_score, seed):
    X, unseen = draw_sequences(150, 2, 10 + seed), draw_sequences(1000, 2, 20 + seed)
    noise = 0.1 * np.random.default_rng(seed).normal(size=1150)
    model = GaussianProcess(spec).fit(X, additive_score(X) + noise[:150])
    mean, std = model.predict(unseen, return_std=True)
    assert 0.8 < interval_coverage(additive_score(unseen) + noise[150:], mean, std, 0.9) < 0.97
    assert std.mean() == pytest.approx(0.1, rel=0.3)


def test_it_is_surer_of_what_it_has_seen(spec, samples, draw_sequences):
    model = GaussianProcess(spec).fit(*samples)
    seen, unseen = (model.predict(X, return_std=True)[1] for X in (samples[0], draw_sequences(40, 2, 1)))
    assert seen.mean() < unseen.mean()


def test_a_sample_that_is_not_drawn_moves_the_prediction_all_the_same(spec, draw_sequences):
    X, y = draw_sequences(30, 2, 0), np.random.default_rng(0).normal(size=30)
    model = GaussianProcess(spec, n_likelihood_samples=10).fit(X, y)
    parameters, before = model.parameters_, model.predict(X)
    n_not_drawn = 0
    for first in range(0, 30, 2):
        swapped = y.copy()
        swapped[[first, first + 1]] = y[[first + 1, first]]
        # Parameters that stay as they are, but for rounding, show that neither was drawn.
        if np.allclose(model.fit(X, swapped).parameters_, parameters, rtol=0, atol=1e-4):
            n_not_drawn += 1
            moved = model.predict(X) - before
            assert np.sign(moved[first]) == np.sign(swapped[first] - y[first])
            assert np.sign(moved[first + 1]) == np.sign(y[first] - y[first + 1])
    assert 3 <= n_not_drawn <= 12


def test_a_fit_is_a_function_of_its_data_and_random_state(spec, samples):
    def fitted(random_state, n_likelihood_samples):
        model = GaussianProcess(spec, n_likelihood_samples=n_likelihood_samples, random_state=random_state)
        return np.stack(model.fit(*samples).predict(samples[0], return_std=True))

    np.testing.assert_array_equal(fitted(3, 10), fitted(3, 10))
    assert (fitted(3, 10) != fitted(4, 10)).any(1).all()
    # With all of them drawn, their order alone is random.
    np.testing.assert_allclose(fitted(3, 40), fitted(4, 40), atol=0.01)


def test_more_iterations_fit_the_parameters_more_closely(spec, samples):
    once, often = (GaussianProcess(spec, max_iterations=n).fit(*samples).parameters_ for n in (1, 60))
    assert (once != often).any()


@pytest.mark.parametrize("parameter", ["n_likelihood_samples", "max_iterations"])
@pytest.mark.parametrize("value", [0, -3, 2.5])
def test_fewer_than_one_sample_or_iteration_is_refused(spec, samples, parameter, value):
    with pytest.raises(SurrogateError, match=rf"^{parameter} must be an integer, 1 or more, not {value}$"):
        GaussianProcess(spec, **{parameter: value}).fit(*samples)


def test_an_unknown_kernel_is_refused(spec, samples):
    with pytest.raises(SurrogateError, match="kernel must be one of string, groups, both, not 'rbf'"):
        GaussianProcess(spec, kernel="rbf").fit(*samples)


@pytest.mark.parametrize("kernel", KERNELS)
def test_what_a_file_holds_predicts_the_same_bits(spec, samples, draw_sequences, tmp_path, kernel):
    unseen = draw_sequences(20, 3, 1)
    model = GaussianProcess(spec, kernel=kernel, n_likelihood_samples=20, max_iterations=7).fit(*samples)
    model.save(tmp_path / "process")
    loaded = GaussianProcess.load(tmp_path / "process")
    assert loaded.get_params() == model.get_params()
    expected = model.predict(unseen, return_std=True)
    for found, numbers in zip(loaded.predict(unseen, return_std=True), expected, strict=True):
        np.testing.assert_array_equal(found, numbers)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(
    "y",
    [np.full(5, 0.5), np.zeros(5), np.array([0, 0, 1, 1, 0.5]), np.array([0.9, 0.91, 0.92, 0.93, 0.1])],
    ids=["half", "0", "mixed", "one bad"],
)
@pytest.mark.parametrize("duplicated", [False, True], ids=["distinct", "duplicated"])
def test_five_samples_fit_whatever_they_are(spec, draw_sequences, y, kernel, duplicated):
    X = np.repeat(draw_sequences(1, 2, 0), 5, axis=0) if duplicated else draw_sequences(5, 2, 0)
    mean, std = GaussianProcess(spec, kernel=kernel).fit(X, y).predict(draw_sequences(50, 3, 1), return_std=True)
    assert np.abs(mean - np.median(y)).max() < (1.5 if np.ptp(y) else 1e-9)
    assert (std > 0).all()
    assert np.isfinite(std).all()


def test_one_sample_is_predicted_everywhere(spec, draw_sequences):
    mean, std = GaussianProcess(spec).fit(draw_sequences(1, 1, 0), [0.7]).predict(draw_sequences(9, 2, 1), True)
    np.testing.assert_allclose(mean, 0.7)
    assert (std > 0).all()


@pytest.mark.parametrize("kernel", KERNELS)
def test_sequences_that_come_again_with_other_scores_are_predicted_between_them(spec, samples, kernel):
    X, y = samples
    spread = 0.2
    model = GaussianProcess(spec, kernel=kernel).fit(np.tile(X, (2, 1)), np.concatenate([y - spread, y + spread]))
    mean, std = model.predict(X, return_std=True)
    assert (np.abs(mean - y) < spread).all()
    assert std.mean() == pytest.approx(spread, rel=0.3)


def test_predictions_are_medians_of_skewed_scores():
    """One sequence alone, again and again: the median of its scores is far from their mean."""
    spec = SequenceSpec(kinds=("token",), vocabulary={"token": 1})
    y = -np.random.default_rng(0).lognormal(sigma=1.5, size=300)
    median, mean = np.median(y), y.mean()
    predicted = GaussianProcess(spec).fit(np.zeros((300, 1), dtype=int), y).predict([[0]])[0]
    assert abs(predicted - median) < 0.3 * abs(mean - median)


def test_it_ranks_larger_sequences_after_samples_of_one_size(spec, draw_sequences, additive_score):
    # The mean of equal logarithms may be rounded to another number.
    for n_groups, n_samples in [(3, 70), (4, 90)]:
        X, larger = draw_sequences(n_samples, n_groups, 0), draw_sequences(300, n_groups + 1, 1)
        assert spearman(additive_score(larger), GaussianProcess(spec).fit(X, additive_score(X)).predict(larger)) > 0.8


def test_a_score_that_stands_for_a_failure_does_not_spoil_the_ranking(spec, draw_sequences, additive_score):
    X, unseen = draw_sequences(100, 2, 0), draw_sequences(300, 2, 1)
    y = additive_score(X)
    y[:2] = -1e6
    assert spearman(additive_score(unseen), GaussianProcess(spec).fit(X, y).predict(unseen)) > 0.8


def test_a_file_with_tokens_of_another_vocabulary_is_refused(spec, samples, tmp_path):
    model = GaussianProcess(spec).fit(*samples)
    model.tokens_[0, 0, 0] = 9
    model.save(tmp_path / "model")
    with pytest.raises(SurrogateError, match="sequence 0 has the token 9 at position 0"):
        GaussianProcess.load(tmp_path / "model")

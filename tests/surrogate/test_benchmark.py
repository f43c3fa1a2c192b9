import numpy as np
import pytest
from scipy.stats import spearmanr, ttest_rel
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pnas_surrogate import Ensemble, MLPPredictor, SequenceSpec, SurrogateError
from pnas_surrogate.benchmark import evaluate

SPEC = SequenceSpec(kinds=("name", "operation"), vocabulary={"name": 200, "operation": 10})
COUNTS = {1: 30, 2: 60, 3: 40}
SIZES = np.repeat(list(COUNTS), list(COUNTS.values()))
# Every sequence begins with its own index.
X = [[index, *np.random.default_rng(index).integers(0, 10, 2 * size - 1).tolist()] for index, size in enumerate(SIZES)]
Y = np.random.default_rng(0).normal(size=len(X))


class Oracle(RegressorMixin, BaseEstimator):
    """Knows the score of every sequence, and confuses some of them."""

    def __init__(self, noise=0.0, random_state=0):
        self.noise = noise
        self.random_state = random_state

    def fit(self, X, y):
        return self

    def predict(self, X):
        return Y[X[:, 0]] + self.noise * np.random.default_rng(self.random_state).normal(size=len(X))


class Guess(Oracle):
    def predict(self, X):
        return super().predict(X) - Y[X[:, 0]]


class Witness(RegressorMixin, BaseEstimator):
    """Keeps what it was fitted to and asked for, under its name."""

    seen = {}  # noqa: RUF012

    def __init__(self, name="witness", random_state=0):
        self.name = name
        self.random_state = random_state

    def fit(self, X, y):
        np.testing.assert_array_equal(y, Y[X[:, 0]])
        self.asked_ = []
        self.seen.setdefault(self.name, []).append((X[:, 0].tolist(), self.asked_, self.random_state))
        return self

    def predict(self, X):
        self.asked_.append(X[:, 0].tolist())
        return np.zeros(len(X))


@pytest.fixture(autouse=True)
def seen():
    Witness.seen.clear()
    return Witness.seen


def of_size(size):
    return set(np.flatnonzero(size == SIZES).tolist())


def fitted_sets(seen, name="a"):
    return [set(trained) for trained, _, _ in seen[name]]


def test_every_predictor_sees_the_same_sequences_and_seeds_trial_by_trial(seen):
    evaluate({"a": Witness("a"), "b": Witness("b")}, X, Y, SPEC, n_trials=4, n_samples=20, n_targets=10)
    assert len(seen["a"]) == 2 * 4
    assert seen["a"] == seen["b"]
    assert len({tuple(trained) for trained, _, _ in seen["a"]}) == len({seed for _, _, seed in seen["a"]}) == 8


def test_draws_depend_on_the_seed_alone(seen):
    evaluate({"a": Witness("a")}, X, Y, SPEC, n_trials=3, n_samples=20)
    evaluate({"other": Oracle(), "b": Witness("b")}, X, Y, SPEC, n_trials=3, n_samples=20)
    evaluate({"c": Witness("c")}, X, Y, SPEC, n_trials=3, n_samples=20, seed=1)
    small = SIZES <= 2
    evaluate({"d": Witness("d")}, [x for x in X if len(x) <= 4], Y[small], SPEC, n_trials=3, n_samples=20)
    assert fitted_sets(seen, "b") == fitted_sets(seen, "a")
    assert fitted_sets(seen, "c") != fitted_sets(seen, "a")
    assert fitted_sets(seen, "d") == fitted_sets(seen, "a")[:3]


def test_a_trial_fits_to_one_size_and_predicts_it_the_rest_of_it_and_all_of_the_next(seen):
    evaluate({"a": Witness("a")}, X, Y, SPEC, n_trials=1, n_samples=25)
    for size, (trained, asked, _) in enumerate(seen["a"], 1):
        assert len(set(trained)) == len(trained) == 25
        assert set(trained) < of_size(size)
        expected = {frozenset(trained), frozenset(of_size(size) - set(trained)), frozenset(of_size(size + 1))}
        assert {frozenset(one) for one in asked} == expected
        assert all(len(set(one)) == len(one) for one in asked)


def test_cumulative_trials_add_what_they_had_drawn_of_smaller_sizes(seen):
    evaluate({"a": Witness("a")}, X, Y, SPEC, n_trials=3, n_samples=25)
    found = evaluate({"b": Witness("b")}, X, Y, SPEC, n_trials=3, n_samples=25, cumulative=True)
    one_size, all_sizes = fitted_sets(seen, "a"), fitted_sets(seen, "b")
    assert all_sizes[:3] == one_size[:3]
    assert all_sizes[3:] == [first | second for first, second in zip(one_size[:3], one_size[3:], strict=True)]
    assert found.of("b", 2).training.true.shape == (3, 25)  # those of two groups


def test_a_size_with_too_few_sequences_gives_all_of_them(seen):
    found = evaluate({"a": Witness("a")}, X, Y, SPEC, n_trials=2, n_samples=59, n_targets=1000)
    assert fitted_sets(seen)[:2] == [of_size(1)] * 2
    assert found.of("a", 1).same_size is None
    assert found.of("a", 2).same_size is None  # one sequence has no order
    assert found.of("a", 2).unseen.true.shape == (2, 40)


def test_the_next_size_is_the_next_that_there_is():
    kept = SIZES != 2
    found = evaluate({"a": Oracle()}, [x for x in X if len(x) != 4], Y[kept], SPEC, n_trials=2, n_samples=20)
    assert found.sizes == (1,)
    assert (found.of("a", 1).size, found.of("a", 1).next_size) == (1, 3)


def test_in_a_table_of_one_size_the_sequences_that_are_left_count(seen):
    chosen = SIZES == 2
    found = evaluate(
        {"a": Witness("a"), "b": Oracle()}, [x for x in X if len(x) == 4], Y[chosen], SPEC, n_trials=2, n_samples=50
    )
    assert found.sizes == (2,)
    assert found.of("b", 2).next_size is None
    assert found.of("b", 2).unseen is found.of("b", 2).same_size
    for trained, asked, _ in seen["a"]:
        assert sorted(map(sorted, asked)) == sorted([sorted(trained), sorted(of_size(2) - set(trained))])


def test_a_trial_is_what_one_computes_by_hand(seen):
    """Of nearest neighbours, a predictor from elsewhere, which takes arrays of one width."""
    nearest = make_pipeline(StandardScaler(), KNeighborsRegressor(3))
    found = evaluate({"a": Witness("a"), "nearest": nearest}, X, Y, SPEC, n_trials=2, n_samples=25)
    filled = np.array([x + [-1] * (6 - len(x)) for x in X])
    for trial in range(2):
        trained = sorted(fitted_sets(seen)[2 + trial])
        nearest.fit(filled[trained], Y[trained])
        of_two = found.of("nearest", 2)
        for predictions, indices in (
            (of_two.training, trained),
            (of_two.same_size, sorted(of_size(2) - set(trained))),
            (of_two.unseen, sorted(of_size(3))),
        ):
            predicted = nearest.predict(filled[indices])
            np.testing.assert_array_equal(predictions.true[trial], Y[indices])
            np.testing.assert_allclose(predictions.predicted[trial], predicted)
            assert predictions.correlations[trial] == pytest.approx(spearmanr(Y[indices], predicted).statistic)


def test_who_knows_is_right_and_who_guesses_is_right_by_chance_alone():
    found = evaluate({"guess": Guess(1), "oracle": Oracle()}, X, Y, SPEC, n_trials=100, n_samples=25)
    for size in (1, 2):
        for predictions in (found.of("oracle", size).training, found.of("oracle", size).unseen):
            np.testing.assert_allclose(predictions.correlations, 1)
        assert found.difference("guess", "oracle", size).high < -0.9
        guessed = found.of("guess", size).unseen.correlations
        assert abs(guessed.mean()) < 4 * guessed.std() / 10
    assert found.best == "oracle"


def test_differences_are_paired():
    """The two make the same mistakes, though they differ from trial to trial."""
    found = evaluate({"worse": Oracle(1.05), "better": Oracle(1.0)}, X, Y, SPEC, n_trials=10, n_samples=25)
    worse, better = (found.of(name, 2).unseen.correlations for name in ("worse", "better"))
    expected = ttest_rel(worse, better).confidence_interval(0.95)
    difference = found.difference("worse", "better", 2)
    assert (difference.low, difference.high) == pytest.approx(tuple(expected))
    assert difference.half_width < better.std() / 5
    mean = np.mean([found.difference("worse", "better", size).mean for size in found.sizes])
    assert found.difference("worse", "better").mean == pytest.approx(mean)
    assert found.difference("worse", "worse").half_width == 0


def test_every_random_state_is_set_anew_and_the_predictors_that_were_given_are_not_touched(spec, draw_sequences):
    table = np.unique(draw_sequences(60, 1, 0), axis=0)
    mlp = Ensemble(MLPPredictor(spec, n_epochs=2), n_members=2)
    given = str(mlp.get_params())
    arguments = {"n_trials": 2, "n_samples": len(table) - 5}
    found, again = (
        evaluate({"mlp": mlp}, table, np.linspace(0, 1, len(table)), spec, **arguments).of("mlp", 1) for _ in range(2)
    )
    np.testing.assert_array_equal(found.unseen.predicted, again.unseen.predicted)
    assert str(mlp.get_params()) == given
    assert not hasattr(mlp, "spec_")


def test_it_says_what_it_has_found_as_it_goes():
    told = []
    found = evaluate({"a": Oracle(), "b": Guess(1)}, X, Y, SPEC, n_trials=2, n_samples=5, on_trials=told.append)
    assert [(one.size, one.predictor) for one in told] == [(1, "a"), (1, "b"), (2, "a"), (2, "b")]
    assert found.trials == tuple(told)
    assert (found.predictors, found.sizes) == (("a", "b"), (1, 2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_trials": 0}, "n_trials must be 1 or more, not 0"),
        ({"n_samples": 1}, "n_samples must be 2 or more, not 1"),
        ({"n_targets": 1}, "n_targets must be 2 or more, not 1"),
        ({"seed": -1}, "seed must be 0 or more, not -1"),
        ({"predictors": {}}, "expected one or more predictors, got none"),
        ({"X": [*X[:-1], X[3]]}, "sequences 3 and 129 are the same: give each once, with the mean of its scores"),
        ({"y": [*Y[:-1], np.nan]}, "score 129 is nan; expected a finite number"),
        ({"X": [*X[:-1], [1, 2, 3]]}, "sequence 129 must have a multiple of 2 tokens"),
        (
            {"X": [*X[:-1], [1] * 8]},
            "there is one sequence of size 4, which ranks nothing: give more, or leave it out",
        ),
        (
            {"X": X[:30], "y": Y[:30], "n_samples": 29},
            "all 30 sequences have size 1, and 29 samples leave fewer than 2 of them to rank",
        ),
    ],
)
def test_what_cannot_be_evaluated_is_refused_in_a_sentence(arguments, message):
    with pytest.raises(SurrogateError, match=message):
        evaluate(**{"predictors": {"a": Oracle()}, "X": X, "y": Y, "spec": SPEC, **arguments})

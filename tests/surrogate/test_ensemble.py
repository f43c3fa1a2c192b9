import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score

from pnas_surrogate import Ensemble, MemberPredictor, MLPPredictor, SequenceSpec, SurrogateError

COUNTER = SequenceSpec(kinds=("token",), vocabulary={"token": 100})


class MeanPredictor(MemberPredictor):
    """A third party's predictor: every member predicts the mean of its samples' scores, plus what it said before."""

    def __init__(self, spec=COUNTER, random_state=0, warm_start=False):
        self.spec = spec
        self.random_state = random_state
        self.warm_start = warm_start

    def fit_members(self, tokens, y, samples):
        self.samples_ = samples
        self.means_ = getattr(self, "means_", 0.0) + np.array([y[sample].mean() for sample in samples])

    def predict_members(self, tokens):
        return np.repeat(self.means_[:, None], len(tokens), axis=1)

    def member_state(self):
        return {"means": self.means_}

    def restore_members(self, state):
        self.means_ = state["means"]


class OtherPredictor(MeanPredictor):
    """The same by another name."""


def left_out(n_samples: int, n_members: int, random_state: int) -> list[set[int]]:
    model = Ensemble(MeanPredictor(), n_members=n_members, random_state=random_state)
    model.fit([[index] for index in range(n_samples)], np.zeros(n_samples))
    for sample in model.predictor_.samples_:
        assert len(set(sample.tolist())) == len(sample)
    return [set(range(n_samples)) - set(sample.tolist()) for sample in model.predictor_.samples_]


@given(st.integers(2, 8), st.integers(0, 60), st.integers(0, 5))
def test_every_sample_is_left_out_by_exactly_one_member_and_all_leave_out_as_many(n_members, surplus, random_state):
    n_samples = n_members + surplus
    parts = left_out(n_samples, n_members, random_state)
    assert sorted(index for part in parts for index in part) == list(range(n_samples))
    assert {len(part) for part in parts} <= {n_samples // n_members, -(-n_samples // n_members)}


def test_five_members_see_a_different_four_fifths_each():
    parts = left_out(100, 5, 0)
    assert [len(part) for part in parts] == [20] * 5
    assert parts == left_out(100, 5, 0)
    assert parts != left_out(100, 5, 1)
    # Folds of neighbours would be a deal too, but samples come sorted, and neighbours are alike.
    assert all(max(part) - min(part) > 19 for part in parts)


def test_mean_and_deviation_are_those_of_the_members():
    y = np.array([0.0, 0.1, 0.5, 0.9])
    model = Ensemble(MeanPredictor(), n_members=4).fit([[0], [1], [2], [3]], y)
    means = (y.sum() - y) / 3
    mean, std = model.predict([[7], [8]], return_std=True)
    np.testing.assert_allclose(mean, np.full(2, means.mean()))
    np.testing.assert_allclose(std, np.full(2, np.sqrt(((means - means.mean()) ** 2).mean())))
    np.testing.assert_array_equal(model.predict([[7], [8]]), mean)


def test_it_ranks_longer_sequences_and_its_members_differ(spec, draw_sequences, additive_score):
    X, longer = draw_sequences(200, 2, 0), draw_sequences(200, 3, 1)
    model = Ensemble(MLPPredictor(spec, n_epochs=50)).fit(X, additive_score(X))
    mean, std = model.predict(longer, return_std=True)
    assert spearmanr(mean, additive_score(longer)).statistic > 0.9
    assert (std > 0).all()
    members = model.predictor_.predict_members(longer.reshape(200, 3, 4))
    assert members.shape == (5, 200)
    np.testing.assert_allclose(mean, members.mean(0))


def test_a_fit_is_a_function_of_its_data_and_both_random_states(spec, draw_sequences, additive_score):
    X = draw_sequences(23, 2, 0)

    def fitted(predictor_state, state):
        predictor = MLPPredictor(spec, n_epochs=2, random_state=predictor_state)
        return Ensemble(predictor, random_state=state).fit(X, additive_score(X)).predict(X)

    np.testing.assert_array_equal(fitted(0, 0), fitted(0, 0))
    assert (fitted(0, 0) != fitted(0, 1)).any()
    assert (fitted(0, 0) != fitted(1, 0)).any()


def test_the_predictor_that_was_given_stays_unfitted_and_does_not_matter_afterwards(spec, draw_sequences):
    X = draw_sequences(5, 1, 0)
    predictor = MLPPredictor(spec, n_epochs=1)
    model = Ensemble(predictor).fit(X, np.linspace(0, 1, 5))
    before = model.predict(X)
    with pytest.raises(NotFittedError):
        predictor.predict(X)
    model.set_params(predictor=MeanPredictor())
    np.testing.assert_array_equal(model.predict(X), before)


@pytest.mark.parametrize(
    ("warm_start", "again", "expected"),
    [
        (False, MeanPredictor, 5.0),
        (True, MeanPredictor, 6.0),  # 1 was said before
        (True, OtherPredictor, 5.0),
    ],
)
def test_members_go_on_from_where_they_are_only_if_asked_to_and_of_one_kind(warm_start, again, expected):
    model = Ensemble(MeanPredictor(), n_members=2).fit([[0], [1]], [1.0, 1.0])
    model.set_params(predictor=again(warm_start=warm_start, random_state=3)).fit([[0], [1]], [5.0, 5.0])
    assert model.predict([[0]]) == [expected]
    assert type(model.predictor_) is again
    assert model.predictor_.get_params() == model.predictor.get_params()


def test_what_has_no_members_is_refused():
    outer = Ensemble(Ensemble(MeanPredictor()))
    with pytest.raises(SurrogateError, match=r"must be a MemberPredictor, not Ensemble\("):
        outer.fit([[0]] * 5, [0] * 5)


@pytest.mark.parametrize(
    ("n_members", "n_samples", "message"),
    [
        (1, 9, "n_members must be an integer, 2 or more, not 1"),
        (5, 4, "an ensemble of 5 members needs as many samples, got 4"),
    ],
)
def test_too_few_members_or_samples_are_refused(n_members, n_samples, message):
    with pytest.raises(SurrogateError, match=message):
        Ensemble(MeanPredictor(), n_members=n_members).fit([[0]] * n_samples, [0.5] * n_samples)


def test_parameters_reach_into_the_predictor_and_survive_clone(spec):
    model = Ensemble(MLPPredictor(spec), n_members=3).set_params(predictor__hidden_size=7, random_state=2)
    params = clone(model).get_params()
    assert (params["n_members"], params["random_state"], params["predictor__hidden_size"]) == (3, 2, 7)


@pytest.mark.parametrize("form", [np.asarray, lambda X: X.tolist()], ids=["array", "lists"])
def test_scikit_learn_cross_validates_it(spec, draw_sequences, additive_score, form):
    X = draw_sequences(60, 1, 0)
    model = Ensemble(MLPPredictor(spec, learning_rate=0.01, n_epochs=40), n_members=2)
    assert cross_val_score(model, form(X), additive_score(X), cv=2).min() > 0.3

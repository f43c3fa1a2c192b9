import inspect
import itertools
import random

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, RegressorMixin

from pnas_surrogate import Predictor, SurrogateError
from pnas_surrogate.testing import SPACES, PredictorSuite

NUMBERS = itertools.count()


class Linear(Predictor):
    """A third party's: ridge regression on how often each token is there."""

    def __init__(self, spec, strength=1e-3):
        self.spec = spec
        self.strength = strength

    def _fit(self, tokens, y):
        features = self._features(tokens)
        self.mean_ = y.mean()
        gram = features.T @ features + self.strength * np.eye(features.shape[1])
        self.effects_ = np.linalg.solve(gram, features.T @ (y - self.mean_))
        self.std_ = (self.mean_ + features @ self.effects_ - y).std()

    def _predict(self, tokens, return_std):
        return self.mean_ + self._features(tokens) @ self.effects_, np.full(len(tokens), self.std_)

    def _features(self, tokens):
        columns = [
            (tokens == token)[:, :, [other == kind for other in self.spec.kinds]].sum((1, 2))
            for kind, size in self.spec.vocabulary.items()
            for token in range(size)
        ]
        return np.stack(columns, axis=1) / (tokens[:, :, :1] >= 0).sum((1, 2))[:, None]

    def _state(self):
        return {"mean": np.array(self.mean_), "std": np.array(self.std_), "effects": self.effects_}

    def _restore(self, state):
        self.mean_, self.std_, self.effects_ = float(state["mean"]), float(state["std"]), state["effects"]


class Foreign(RegressorMixin, BaseEstimator):
    """One that inherits nothing from this package, and has no files."""

    def __init__(self, spec, strength=1e-3):
        self.spec = spec
        self.strength = strength

    def fit(self, X, y):
        self.fitted_ = Linear(self.spec, self.strength).fit(X, y)
        return self

    def predict(self, X, return_std=False):
        return getattr(self, "fitted_", Linear(self.spec)).predict(X, return_std)


class TestLinear(PredictorSuite):
    def make(self, spec):
        return Linear(spec)


class TestForeign(PredictorSuite):
    def make(self, spec):
        return Foreign(spec)


def spoiled(**methods):
    """A predictor with some methods that are not as they should be."""
    return type(f"Spoiled{next(NUMBERS)}", (Linear,), {"__module__": __name__, **methods})


def predicts(change):
    """One whose predictions are what `change(X, mean, std)` makes of them."""

    def predict(self, X, return_std=False):
        mean, std = change(X, *Linear.predict(self, X, return_std=True))
        return (mean, std) if return_std else mean

    return spoiled(predict=predict)


def fits(change):
    """One that is fitted to what `change(X, y)` gives."""
    return spoiled(fit=lambda self, X, y: Linear.fit(self, *change(X, y)))


def refuse(when):
    def change(X, y):
        if when(X):
            raise SurrogateError("not these")
        return X, y

    return change


def center_in_place(X, y):
    y -= y.mean()
    return X, y


def after(call):
    def change(X, y):
        call()
        return X, y

    return change


def remember(self, tokens, y):
    before = getattr(self, "mean_", 0.0)
    Linear._fit(self, tokens, y)
    self.mean_ += before


def count(self, tokens, return_std):
    self.mean_ += 1.0
    return Linear._predict(self, tokens, return_std)


def initialize(self, spec, strength=1e-3):
    self.spec, self.strength = spec, [strength]


BROKEN = [
    ("a_prediction_is_one_finite_number_for_each_sequence", predicts(lambda _, mean, std: (mean[:, None], std))),
    ("a_prediction_is_one_finite_number_for_each_sequence", predicts(lambda _, mean, std: (mean.tolist(), std))),
    (
        "a_deviation_is_finite_and_not_negative_and_comes_with_the_same_prediction",
        predicts(lambda _, mean, std: (mean, std - 1)),
    ),
    (
        "a_deviation_is_finite_and_not_negative_and_comes_with_the_same_prediction",
        spoiled(predict=lambda self, X, **_: Linear.predict(self, X)),
    ),
    (
        "every_form_of_the_same_sequences_predicts_the_same",
        predicts(lambda X, mean, std: (mean + isinstance(X, np.ndarray), std)),
    ),
    ("every_form_of_the_same_sequences_fits_the_same", fits(lambda X, y: (X, y + isinstance(X, tuple)))),
    ("a_sequence_predicts_alone_what_it_does_among_others", predicts(lambda _, mean, std: (mean - mean.mean(), std))),
    ("a_sequence_predicts_alone_what_it_does_among_others", predicts(lambda _, mean, std: (mean, std / len(mean)))),
    ("reordered_sequences_reorder_the_predictions", predicts(lambda _, mean, std: (np.sort(mean), std))),
    ("a_fit_is_a_function_of_its_data", fits(lambda X, y: (X, y + np.random.random()))),  # noqa: NPY002
    ("fitting_again_forgets_what_was_before", spoiled(_fit=remember)),
    ("predicting_changes_nothing", spoiled(_predict=count)),
    ("sequences_and_scores_are_left_as_they_are", fits(center_in_place)),
    ("the_global_random_generators_are_left_as_they_are", fits(after(lambda: np.random.seed(0)))),  # noqa: NPY002
    ("the_global_random_generators_are_left_as_they_are", fits(after(lambda: random.seed(0)))),
    ("the_global_random_generators_are_left_as_they_are", fits(after(lambda: torch.rand(1)))),
    ("a_clone_is_unfitted_and_has_the_same_parameters", spoiled(__init__=initialize)),
    ("set_params_takes_what_get_params_gives", spoiled(set_params=lambda *_, **__: None)),
    ("its_representation_names_its_class", spoiled(__repr__=lambda _: "a model")),
    ("copies_and_pickles_predict_the_same", spoiled(__deepcopy__=lambda self, _: Linear(self.spec))),
    ("it_can_be_cross_validated", fits(refuse(lambda X: isinstance(X, np.ndarray)))),
    ("its_parameters_can_be_searched", spoiled(__init__=initialize)),
    ("it_ranks_by_an_additive_law", predicts(lambda _, mean, std: (mean * 0, std))),
    ("it_ranks_by_an_additive_law", predicts(lambda _, mean, std: (-mean, std))),
    (
        "scaled_and_shifted_scores_scale_and_shift_the_predictions",
        fits(lambda X, y: (X, 1 / (1 + np.exp(-np.clip(y, -50, 50))))),
    ),
    ("a_constant_score_is_predicted", predicts(lambda _, mean, std: (mean / std, std))),
    (
        "sequences_that_come_again_with_other_scores_can_be_fitted",
        fits(refuse(lambda X: len(set(map(tuple, X))) < len(X))),
    ),
    ("few_samples_can_be_fitted", fits(refuse(lambda X: len(X) < 10))),
    ("tokens_that_no_sample_had_get_sensible_scores", predicts(lambda _, mean, std: (np.where(mean, 99, mean), std))),
    ("predicting_before_fitting_is_refused", spoiled(predict=lambda _, X: np.zeros(len(X)))),
    (
        "a_token_outside_its_vocabulary_is_refused_by_position_and_value",
        fits(lambda X, y: ([[min(token, 3) for token in row] for row in X], y)),
    ),
    (
        "a_sequence_that_ends_inside_a_group_is_refused_by_position_and_length",
        fits(refuse(lambda X: len(X[13]) % 4)),
    ),
    ("a_score_that_is_not_finite_is_refused_by_position_and_value", fits(lambda X, y: (X, np.nan_to_num(y)))),
    ("as_many_scores_as_sequences_are_needed", fits(lambda X, y: (X[: len(y)], y))),
    (
        "a_loaded_predictor_predicts_the_same_and_has_the_same_parameters",
        spoiled(_state=lambda self: Linear._state(self) | {"std": np.zeros(())}),
    ),
    (
        "a_file_for_other_sequences_is_refused",
        spoiled(load=classmethod(lambda _, path, *__: Predictor.load(path))),
    ),
]


def keeps(law, predictor_class, folder):
    """Whether a predictor does in all spaces."""
    suite = type("Suite", (PredictorSuite,), {"make": lambda _, spec: predictor_class(spec)})()
    test = getattr(suite, f"test_{law}")
    needs = inspect.signature(test).parameters
    try:
        for space in SPACES:
            given = {"space": space, "tmp_path": folder}
            test(**{name: given[name] for name in needs})
    except (AssertionError, AttributeError, RuntimeError, TypeError, ValueError):
        return False
    return True


@pytest.mark.parametrize(("law", "broken"), BROKEN, ids=[law for law, _ in BROKEN])
def test_a_predictor_that_breaks_a_law_is_found(law, broken, tmp_path):
    assert keeps(law, Linear, tmp_path)
    with np.errstate(all="ignore"):
        assert not keeps(law, broken, tmp_path)


def test_every_law_can_be_broken():
    assert {f"test_{law}" for law, _ in BROKEN} == {name for name in dir(PredictorSuite) if name.startswith("test_")}

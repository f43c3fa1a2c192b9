import numpy as np
import pytest

from pnas_surrogate import Ensemble, GaussianProcess, MLPPredictor, recommended
from pnas_surrogate.testing import SPACES, PredictorSuite


class TestMLP(PredictorSuite):
    def make(self, spec):
        return MLPPredictor(spec, n_epochs=30)

    def grid(self):
        return {"hidden_size": [10, 20], "random_state": [1]}


class TestMLPEnsemble(PredictorSuite):
    def make(self, spec):
        return Ensemble(MLPPredictor(spec, n_epochs=30))

    def grid(self):
        return {"n_members": [3, 4], "predictor__hidden_size": [10]}


class TestGaussianProcess(PredictorSuite):
    def make(self, spec):
        return GaussianProcess(spec)

    def grid(self):
        return {"kernel": ["string", "groups"]}


class TestRecommended(PredictorSuite):
    def make(self, spec):
        return recommended(spec)

    def grid(self):
        return {"random_state": [0, 1]}


def test_a_suite_that_makes_no_predictor_says_what_is_missing():
    with pytest.raises(NotImplementedError, match="PredictorSuite must say how to make its predictor"):
        PredictorSuite().make(SPACES[0].spec)


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_spaces_draw_what_their_specs_allow_and_score_by_each_tokens_effect(space):
    X = space.draw(50, seed=0)
    assert X == space.draw(50, seed=0) != space.draw(50, seed=1)
    width = len(space.spec.kinds)
    assert [len(row) // width for row in X[: len(space.sizes)]] == list(space.sizes)
    joined = [X[0] + X[1]]
    weights = np.array([len(X[0]), len(X[1])])
    assert space.score(joined)[0] == pytest.approx(weights @ space.score(X[:2]) / weights.sum())
    assert np.abs(space.score(X)).max() <= 1

from dataclasses import replace

import numpy as np
import pytest

from pnas_searchspace import CellSpace
from pnas_surrogate import GaussianProcess
from pnas_tools._config import PRESETS
from pnas_tools._surrogate import surrogate_factory
from pnas_tools._surrogate_predictors import PREDICTORS

QUICK = replace(PRESETS["quick"], seed=3, n_members=4, surrogate_epochs=2, surrogate_batch_size=64)


def made(name, n_blocks_fitted=2):
    return surrogate_factory(replace(QUICK, surrogate=name), CellSpace())(n_blocks_fitted)


@pytest.mark.parametrize("name", PREDICTORS)
def test_every_surrogate_ranks_cells_one_block_larger(name):
    space = CellSpace()
    cells, larger = space.sample(2, 40, 0), space.sample(3, 50, 1)
    y = np.linspace(0.6, 0.9, len(cells))
    predicted = made(name).fit(list(space.encode(cells)), y).predict(space.encode(larger))
    assert predicted.shape == (50,)
    assert len(set(predicted)) > 10
    again = made(name).fit(list(space.encode(cells)), y).predict(space.encode(larger))
    np.testing.assert_array_equal(predicted, again)


def test_the_papers_ensemble_is_the_default_and_has_the_settings():
    assert QUICK.surrogate == "mlp-ensemble"
    ensemble = made("mlp-ensemble")
    assert (ensemble.n_members, ensemble.random_state, ensemble.predictor.random_state) == (4, 3, 3)
    assert (ensemble.predictor.n_epochs, ensemble.predictor.batch_size) == (2, 64)
    assert ensemble.predictor.learning_rate == QUICK.surrogate_learning_rate
    assert made("lstm-ensemble", 1).predictor.learning_rate == QUICK.surrogate_first_learning_rate
    assert (made("mlp").n_epochs, made("lstm", 1).learning_rate) == (2, QUICK.surrogate_first_learning_rate)
    assert isinstance(made("recommended"), GaussianProcess)

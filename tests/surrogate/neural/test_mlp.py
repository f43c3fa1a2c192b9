import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.model_selection import cross_val_score

from pnas_surrogate import MLPPredictor


def test_it_ranks_an_additive_law_on_sequences_one_group_longer_than_it_saw(spec, draw_sequences, additive_score):
    short = [draw_sequences(n, n_groups, n_groups) for n, n_groups in [(64, 1), (192, 2)]]
    X = [row for rows in short for row in rows]
    model = MLPPredictor(spec, n_epochs=60).fit(X, np.concatenate([additive_score(rows) for rows in short]))
    unseen = draw_sequences(300, 3, 3)
    assert spearmanr(model.predict(unseen), additive_score(unseen)).statistic > 0.9


@pytest.mark.parametrize("form", [np.asarray, lambda X: X.tolist()], ids=["array", "lists"])
def test_scikit_learn_cross_validates_it(spec, draw_sequences, additive_score, form):
    X = draw_sequences(90, 1, 0)
    scores = cross_val_score(
        MLPPredictor(spec, learning_rate=0.01, n_epochs=60), form(X), additive_score(X), cv=3, scoring="r2"
    )
    assert scores.shape == (3,)
    assert scores.min() > 0.5

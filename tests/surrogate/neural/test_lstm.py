import numpy as np
from scipy.stats import spearmanr

from pnas_surrogate import LSTMPredictor


def test_it_ranks_an_additive_law_on_sequences_one_group_longer_than_it_saw(spec, draw_sequences, additive_score):
    short = [draw_sequences(n, n_groups, n_groups) for n, n_groups in [(64, 1), (192, 2)]]
    X = [row for rows in short for row in rows]
    model = LSTMPredictor(spec, n_epochs=60).fit(X, np.concatenate([additive_score(rows) for rows in short]))
    unseen = draw_sequences(300, 3, 3)
    assert spearmanr(model.predict(unseen), additive_score(unseen)).statistic > 0.9

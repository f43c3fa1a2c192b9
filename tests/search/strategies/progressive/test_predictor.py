import numpy as np

from pnas_search._strategies._progressive._predictor import gives_std, predicted

X = np.zeros((3, 4), dtype=np.int64)


class Sure:
    def fit(self, X, y): ...

    def predict(self, X):
        return np.arange(len(X), dtype=np.float32)


class Unsure(Sure):
    def predict(self, X, return_std=False):
        mean = super().predict(X)
        return (mean, mean + 1) if return_std else mean


def test_a_predictor_is_asked_how_sure_it_is_where_it_can_say():
    assert (gives_std(Sure()), gives_std(Unsure())) == (False, True)
    mean, std = predicted(Sure(), X)
    assert (mean.tolist(), mean.dtype, std) == ([0, 1, 2], np.float64, None)
    mean, std = predicted(Unsure(), X)
    assert (mean.tolist(), std.tolist(), std.dtype) == ([0, 1, 2], [1, 2, 3], np.float64)

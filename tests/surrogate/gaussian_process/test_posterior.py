from dataclasses import dataclass

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.gaussian_process import GaussianProcessRegressor, kernels

from pnas_surrogate._gaussian_process import _posterior
from pnas_surrogate._gaussian_process._features import Columns, features
from pnas_surrogate._gaussian_process._kernel import Kernel
from pnas_surrogate._gaussian_process._posterior import Posterior


@dataclass
class Known(kernels.Kernel):
    """Covariances that are known already, of what its inputs number."""

    matrix: NDArray[np.float64]

    def __call__(self, X, Y=None, eval_gradient=False):
        return self.matrix[np.ix_(X[:, 0], (X if Y is None else Y)[:, 0])]

    def diag(self, X):
        return self.matrix.diagonal()[X[:, 0]]

    def is_stationary(self):
        return False


@pytest.fixture
def samples(draw_ragged):
    return draw_ragged(40, 0)


@pytest.fixture
def kernel(spec, samples):
    return Kernel(features(samples, spec, "both"))


@pytest.fixture
def scores():
    return np.random.default_rng(0).normal(size=40)


def with_noise(kernel, logarithm):
    parameters = kernel.start.clone()
    parameters[-1] = logarithm
    return parameters


@pytest.mark.parametrize("noise", [-6.0, -2.0, 1.0])
def test_it_is_scikit_learns_with_the_same_covariances(kernel, samples, scores, draw_ragged, noise):
    unseen, parameters = draw_ragged(25, 1), with_noise(kernel, noise)
    inputs = kernel.inputs(np.concatenate([samples, unseen]))
    variance = np.exp(noise)
    reference = GaussianProcessRegressor(
        Known(kernel(parameters, inputs, inputs).numpy()), alpha=variance + 1e-6, optimizer=None
    )
    numbers = np.arange(65)[:, None]
    expected, std = reference.fit(numbers[:40], scores).predict(numbers[40:], return_std=True)
    posterior = Posterior(kernel, parameters, samples, scores)
    mean, found = posterior.predict(unseen, return_std=True)
    np.testing.assert_allclose(mean, expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found, np.sqrt(std**2 + variance), rtol=1e-6)
    without, zeros = posterior.predict(unseen, return_std=False)
    np.testing.assert_array_equal(without, mean)
    np.testing.assert_array_equal(zeros, np.zeros(25))


@pytest.mark.parametrize("n_sequences", [1, 7, 8, 9, 40])
def test_it_predicts_many_as_it_does_each(kernel, samples, scores, draw_ragged, monkeypatch, n_sequences):
    posterior, unseen = Posterior(kernel, kernel.start, samples, scores), draw_ragged(n_sequences, 1)
    each = [posterior.predict(row[None], return_std=True) for row in unseen]
    sizes, inputs = [], kernel.inputs
    monkeypatch.setattr(_posterior, "_BATCH_SIZE", 8)
    monkeypatch.setattr(kernel, "inputs", lambda tokens: sizes.append(len(tokens)) or inputs(tokens))
    for found, expected in zip(posterior.predict(unseen, return_std=True), zip(*each, strict=True), strict=True):
        np.testing.assert_allclose(found, np.concatenate(expected), rtol=1e-9, atol=1e-12)
    assert sum(sizes) == n_sequences
    assert max(sizes) <= 8


def test_more_sequences_than_a_batch_holds_are_predicted_in_their_order(kernel, samples, scores, draw_ragged):
    posterior, unseen = Posterior(kernel, kernel.start, samples, scores), draw_ragged(30, 1)
    expected = posterior.predict(unseen, return_std=True)
    for found, one in zip(posterior.predict(np.tile(unseen, (150, 1, 1)), return_std=True), expected, strict=True):
        np.testing.assert_allclose(found, np.tile(one, 150), rtol=1e-9, atol=1e-12)


def test_with_little_noise_it_goes_through_the_samples(kernel, samples, scores, draw_ragged):
    posterior = Posterior(kernel, with_noise(kernel, -25.0), samples, scores)
    mean, std = posterior.predict(samples, return_std=True)
    np.testing.assert_allclose(mean, scores, atol=1e-3)
    assert std.max() < 0.01
    assert posterior.predict(draw_ragged(40, 1), return_std=True)[1].min() > 0.1


def test_with_much_noise_it_takes_no_notice_of_them(kernel, samples, scores):
    mean, std = Posterior(kernel, with_noise(kernel, 15.0), samples, scores).predict(samples, return_std=True)
    np.testing.assert_allclose(mean, 0, atol=1e-3)
    np.testing.assert_allclose(std, np.exp(7.5), rtol=1e-3)


def test_far_from_all_samples_it_is_what_it_was_before_them(samples, scores):
    kernel = Kernel([Columns(lambda tokens: tokens[:, 0].astype(float), samples)])
    part = kernel._parts(kernel.start.clone())
    # Linear effects have no end.
    part["linear"][:] = -60
    posterior = Posterior(kernel, torch.cat(list(part.values())), samples, scores)
    mean, std = posterior.predict(1000 + samples, return_std=True)
    np.testing.assert_allclose(mean, 0, atol=1e-9)
    prior = sum(part[name].exp().item() for name in ("exponential", "product", "noise"))
    np.testing.assert_allclose(std, np.sqrt(prior), rtol=1e-9)
    assert posterior.predict(samples, return_std=True)[1].max() < 0.95 * np.sqrt(prior)

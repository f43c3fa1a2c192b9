import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal, norm

from pnas_surrogate import SequenceSpec
from pnas_surrogate._gaussian_process._features import features
from pnas_surrogate._gaussian_process._kernel import Kernel, covariances, log_likelihood, most_likely
from pnas_surrogate._sequences import pack

KERNELS = ["string", "groups", "both"]


@pytest.fixture(params=KERNELS)
def families(request, spec, draw_ragged):
    return features(draw_ragged(30, 0), spec, request.param)


@pytest.fixture
def kernel(families):
    return Kernel(families)


def some(kernel, seed):
    """Parameters that are as likely as any."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(len(kernel.start), generator=generator, dtype=torch.float64)
    return kernel.start + kernel.spread * noise


def plain_covariance(kernel, parameters, families, left, right):
    """That of two sequences, one family after another."""
    part = {name: values.numpy() for name, values in kernel._parts(parameters).items()}
    total = distance = 0.0
    for index, family in enumerate(families):
        scale = np.array([np.exp(part["weights"][which]) if which >= 0 else 1.0 for which in family.weights])
        a, b = family(left[None])[0] * scale, family(right[None])[0] * scale
        square = ((a - b) ** 2).sum() / 2
        total += np.exp(part["linear"][index]) * (a @ b)
        total += np.exp(part["exponential"][index]) * np.exp(-square / np.exp(part["distances"][index]) ** 2)
        distance += square / np.exp(part["product_distances"][index]) ** 2
    return total + np.exp(part["product"][0]) * np.exp(-distance)


@pytest.mark.parametrize("seed", range(3))
def test_covariances_are_those_of_every_two_sequences(kernel, families, draw_ragged, seed):
    rows, columns, parameters = draw_ragged(7, 1), draw_ragged(5, 2), some(kernel, seed)
    expected = [[plain_covariance(kernel, parameters, families, row, column) for column in columns] for row in rows]
    found = kernel(parameters, kernel.inputs(rows), kernel.inputs(columns))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_covariances_are_symmetric_and_positive_semidefinite(kernel, draw_ragged, seed):
    inputs = kernel.inputs(draw_ragged(60, 10 + seed))
    found = kernel(some(kernel, seed), inputs, inputs)
    torch.testing.assert_close(found, found.T)
    eigenvalues = torch.linalg.eigvalsh(found)
    assert eigenvalues[0] > -1e-10 * eigenvalues[-1]


@pytest.mark.parametrize("seed", range(3))
def test_variances_are_the_diagonal(kernel, draw_ragged, seed):
    inputs, parameters = kernel.inputs(draw_ragged(20, 1)), some(kernel, seed)
    torch.testing.assert_close(kernel.variances(parameters, inputs), kernel(parameters, inputs, inputs).diagonal())


def test_noise_is_on_the_diagonal_alone(kernel, draw_ragged):
    inputs, parameters = kernel.inputs(draw_ragged(9, 1)), some(kernel, 0)
    added = covariances(kernel, parameters, inputs) - kernel(parameters, inputs, inputs)
    expected = (parameters[-1].exp() + 1e-6) * torch.eye(9, dtype=torch.float64)
    torch.testing.assert_close(added, expected, rtol=1e-7, atol=1e-10)
    torch.testing.assert_close(kernel.noise(parameters), parameters[-1:].exp())


@pytest.mark.parametrize("seed", range(3))
def test_the_likelihood_is_scipys_with_the_prior_of_the_parameters(kernel, draw_ragged, seed):
    inputs, scores = kernel.inputs(draw_ragged(12, 1)), np.random.default_rng(0).normal(size=12)

    def expected(parameters):
        density = multivariate_normal(cov=covariances(kernel, parameters, inputs).numpy()).logpdf(scores)
        return density + norm(kernel.start.numpy(), kernel.spread.numpy()).logpdf(parameters.numpy()).sum()

    def found(parameters):
        return log_likelihood(kernel, parameters, inputs, torch.from_numpy(scores)).item()

    # It leaves constants out.
    parameters = some(kernel, seed)
    assert found(parameters) - found(kernel.start) == pytest.approx(expected(parameters) - expected(kernel.start))


@pytest.mark.parametrize("seed", range(2))
def test_the_gradient_is_that_of_small_differences(kernel, draw_ragged, seed):
    inputs = kernel.inputs(draw_ragged(8, 1))
    scores = torch.from_numpy(np.random.default_rng(0).normal(size=8))
    parameters = some(kernel, seed).requires_grad_()
    assert torch.autograd.gradcheck(lambda values: log_likelihood(kernel, values, inputs, scores), [parameters])


def test_what_is_most_likely_is_likelier_than_the_start_and_a_peak(kernel, draw_ragged):
    inputs, scores = kernel.inputs(draw_ragged(30, 1)), np.random.default_rng(0).normal(size=30)
    target = torch.from_numpy(scores)
    by_steps = [log_likelihood(kernel, kernel.start, inputs, target).item()]
    for n_steps in (1, 5, 200):
        parameters = most_likely(kernel, inputs, scores, n_steps).requires_grad_()
        by_steps.append(log_likelihood(kernel, parameters, inputs, target).item())
    assert by_steps == sorted(by_steps)
    assert by_steps[0] < by_steps[1] < by_steps[-1]
    gradient = torch.autograd.grad(log_likelihood(kernel, parameters, inputs, target), parameters)[0]
    assert gradient.abs().max() < 0.01


@pytest.mark.parametrize("scores", [np.zeros(60), np.repeat([-1.0, 1.0], 30), np.tile([-1e3, 1e3], 30)])
def test_parameters_stay_where_the_covariances_are_positive_definite(kernel, draw_ragged, scores):
    inputs = kernel.inputs(draw_ragged(60, 1))
    parameters = most_likely(kernel, inputs, scores, 60)
    assert ((parameters - kernel.start).abs() <= 4 * kernel.spread + 1e-9).all()
    torch.linalg.cholesky(covariances(kernel, parameters, inputs))
    if not scores.any():
        # It would be less, if it could.
        assert parameters[-1] == kernel.start[-1] - 4 * kernel.spread[-1]


@pytest.fixture
def lists():
    return SequenceSpec(kinds=("pass",), vocabulary={"pass": 5})


@pytest.fixture
def of_lists(lists):
    """A kernel, its inputs and the tokens, of sequences of four."""
    tokens = pack(np.random.default_rng(0).integers(0, 5, (80, 4)), lists)
    kernel = Kernel(features(tokens, lists, "string"))
    return kernel, kernel.inputs(tokens), tokens


@pytest.mark.parametrize("place", range(4))
def test_a_place_that_alone_matters_gets_the_largest_weight(of_lists, place):
    kernel, inputs, tokens = of_lists
    effects = np.array([0.5, -1.5, 1.0, -0.5, 1.5])
    parameters = most_likely(kernel, inputs, effects[tokens[:, place, 0]], 60)
    # The first weight is that of sizes.
    weights = kernel._parts(parameters)["weights"][1:]
    assert weights.argmax() == place
    assert (weights[place] - weights.sort()[0][-2]).exp() > 1.5


def test_sizes_that_alone_matter_get_more_than_they_start_with(of_lists):
    kernel, inputs, tokens = of_lists
    scores = tokens.sum((1, 2)).astype(float)
    part = kernel._parts(most_likely(kernel, inputs, (scores - scores.mean()) / scores.std(), 60))
    assert part["linear"].argmax() == 1
    assert part["linear"][1] > kernel._parts(kernel.start)["linear"][1] + 1


@pytest.mark.parametrize("noise", [0.05, 0.5])
def test_the_noise_is_about_that_of_the_scores(of_lists, noise):
    kernel, inputs, tokens = of_lists
    rng = np.random.default_rng(1)
    scores = np.array([0.5, -1.5, 1.0, -0.5, 1.5])[tokens[:, 1, 0]] + noise * rng.normal(size=len(tokens))
    parameters = most_likely(kernel, inputs, scores, 60)
    assert kernel.noise(parameters).sqrt() == pytest.approx(noise, rel=0.4)


def test_sizes_of_tokens_start_out_rarer_than_what_tokens_are(of_lists):
    kernel, *_ = of_lists
    part = kernel._parts(kernel.start)
    for name in ("linear", "exponential"):
        assert part[name][1] < part[name][[0, 2, 3, 4]].min()
    assert part["product_distances"][1] > part["product_distances"][[0, 2, 3, 4]].max()

from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

from pnas_surrogate._base import Floats
from pnas_surrogate._gaussian_process._features import Columns
from pnas_surrogate._sequences import Tokens

_ORDERS_ARE_RARE = 1.5
"""By how much the logarithms of what the sizes of tokens contribute start lower than those of other families."""


class Kernel:
    """A sum over families of a linear and a squared exponential kernel, and a product over all of them.

    The first two find effects that add up and those within a family, the last one how near sequences are by all of
    them. What is learned is a vector of logarithms: weights of places in the sequence, how much each term contributes,
    over which distances, and the noise.

    Args:
        families: what sequences are compared by.
    """

    def __init__(self, families: Sequence[Columns]) -> None:
        self._families = list(families)
        n_families = len(families)
        self._n_weights = 1 + max(int(family.weights.max()) for family in families)
        orders = torch.tensor([_ORDERS_ARE_RARE if family.are_orders else 0.0 for family in families])
        # Where each starts and how far it may go were chosen on made-up laws, and are no one's theory: scores have
        # variance 1, and families are scaled so that sequences are at distance 1 of their mean.
        parts = {
            "weights": (torch.zeros(self._n_weights), 0.35),
            "linear": (-1.5 - orders, 1.5),
            "exponential": (-1.5 - orders, 1.5),
            "distances": (torch.zeros(n_families), 1.5),
            "product": (torch.tensor([-1.0]), 1.5),
            "product_distances": (0.7 + orders / 2, 1.5),
            "noise": (torch.tensor([-2.0]), 1.5),
        }
        self._sizes = {name: len(start) for name, (start, _) in parts.items()}
        self.start = torch.cat([start for start, _ in parts.values()]).double()
        self.spread = torch.cat([torch.full((len(start),), spread) for start, spread in parts.values()]).double()
        """Of the normal distribution around `start` which is taken as likely before any score is seen."""

    def inputs(self, tokens: Tokens) -> list[Tensor]:
        """For every family `(N, n_columns)`."""
        return [torch.from_numpy(family(tokens)) for family in self._families]

    def __call__(self, parameters: Tensor, rows: Sequence[Tensor], columns: Sequence[Tensor]) -> Tensor:
        """The covariances of N sequences with M others, `(N, M)`, of what is no noise; differentiable."""
        part = self._parts(parameters)
        total, distance = torch.zeros(()), torch.zeros(())
        for index, (left, right) in enumerate(zip(rows, columns, strict=True)):
            scale = self._scale(index, part["weights"])
            left, right = left * scale, right * scale
            products = left @ right.T
            squares = ((left**2).sum(1)[:, None] + (right**2).sum(1) - 2 * products).clamp_min(0) / 2
            total = total + part["linear"][index].exp() * products
            total = total + part["exponential"][index].exp() * (-squares * (-2 * part["distances"][index]).exp()).exp()
            distance = distance + squares * (-2 * part["product_distances"][index]).exp()
        return total + part["product"].exp() * (-distance).exp()

    def variances(self, parameters: Tensor, rows: Sequence[Tensor]) -> Tensor:
        """Those of each sequence alone, `(N,)`: the diagonal of its covariances with itself."""
        part = self._parts(parameters)
        total = part["exponential"].exp().sum() + part["product"].exp()
        for index, row in enumerate(rows):
            scaled = row * self._scale(index, part["weights"])
            total = total + part["linear"][index].exp() * (scaled**2).sum(1)
        return total

    def noise(self, parameters: Tensor) -> Tensor:
        """The variance of what two equal sequences differ by."""
        return self._parts(parameters)["noise"].exp()

    def _parts(self, parameters: Tensor) -> dict[str, Tensor]:
        return dict(zip(self._sizes, parameters.split(list(self._sizes.values())), strict=True))

    def _scale(self, index: int, weights: Tensor) -> Tensor:
        with_fixed = torch.cat([weights, weights.new_zeros(1)])
        return with_fixed[torch.from_numpy(self._families[index].weights)].exp()


def log_likelihood(kernel: Kernel, parameters: Tensor, inputs: Sequence[Tensor], scores: Tensor) -> Tensor:
    """The log density of scores `(N,)`, and of the parameters before them, but for a constant; differentiable."""
    factor: Tensor = torch.linalg.cholesky(covariances(kernel, parameters, inputs))
    solved = torch.cholesky_solve(scores[:, None], factor)[:, 0]
    unlikely: Tensor = scores @ solved + (((parameters - kernel.start) / kernel.spread) ** 2).sum()
    return -unlikely / 2 - factor.diagonal().log().sum()


def covariances(kernel: Kernel, parameters: Tensor, inputs: Sequence[Tensor]) -> Tensor:
    """Those of noisy scores, `(N, N)`."""
    signal = kernel(parameters, inputs, inputs)
    return signal + (kernel.noise(parameters) + 1e-6) * torch.eye(len(signal), dtype=signal.dtype)


def most_likely(kernel: Kernel, inputs: Sequence[Tensor], scores: Floats, max_iterations: int) -> Tensor:
    """The parameters that make the scores most likely, found by L-BFGS from where the kernel starts."""
    target = torch.from_numpy(scores)

    def loss(values: Floats) -> tuple[float, Floats]:
        parameters = torch.from_numpy(values).requires_grad_()
        negative = -log_likelihood(kernel, parameters, inputs, target)
        (gradient,) = torch.autograd.grad(negative, parameters)
        return negative.item(), gradient.numpy()

    # As far as this none is likely, and there covariances are still positive definite in double precision.
    start, reach = kernel.start.numpy(), 4 * kernel.spread.numpy()
    bounds = np.stack([start - reach, start + reach], axis=1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": max_iterations})
    return torch.from_numpy(found.x)

import numpy as np
import torch
from torch import Tensor

from pnas_surrogate._base import Floats
from pnas_surrogate._gaussian_process._kernel import Kernel, covariances
from pnas_surrogate._sequences import Tokens

_BATCH_SIZE = 512


class Posterior:
    """What is known of all sequences, given samples and their scores: a normal distribution each, exactly.

    Args:
        kernel: of the process.
        parameters: the kernel's.
        samples: packed sequences.
        scores: theirs, `(N,)`, of mean 0 and variance 1.
    """

    def __init__(self, kernel: Kernel, parameters: Tensor, samples: Tokens, scores: Floats) -> None:
        self._kernel = kernel
        self._parameters = parameters
        self._inputs = kernel.inputs(samples)
        self._factor = torch.linalg.cholesky(covariances(kernel, parameters, self._inputs))
        self._solved = torch.cholesky_solve(torch.from_numpy(scores)[:, None], self._factor)

    def predict(self, tokens: Tokens, return_std: bool) -> tuple[Floats, Floats]:
        """Means and standard deviations of scores, their noise included, `(M,)` each; the latter 0 if not asked for."""
        batches = np.array_split(tokens, -(-len(tokens) // _BATCH_SIZE))
        means, stds = zip(*(self._predict(batch, return_std) for batch in batches), strict=True)
        return np.concatenate(means), np.concatenate(stds)

    def _predict(self, tokens: Tokens, return_std: bool) -> tuple[Floats, Floats]:
        rows = self._kernel.inputs(tokens)
        shared = self._kernel(self._parameters, rows, self._inputs)
        mean = (shared @ self._solved)[:, 0]
        if not return_std:
            return mean.numpy(), np.zeros(len(tokens))
        known = torch.linalg.solve_triangular(self._factor, shared.T, upper=False)
        variance = self._kernel.variances(self._parameters, rows) - (known**2).sum(0)
        return mean.numpy(), (variance.clamp_min(0) + self._kernel.noise(self._parameters)).sqrt().numpy()

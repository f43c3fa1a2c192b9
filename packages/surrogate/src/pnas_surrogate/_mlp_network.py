import math
from itertools import pairwise

import torch
from torch import Tensor

from pnas_surrogate._sequences import PADDING
from pnas_surrogate._spec import SequenceSpec


class MLPNetwork:
    """Several multi-layer perceptrons of one shape, their parameters stacked along a leading member axis."""

    def __init__(
        self,
        spec: SequenceSpec,
        *,
        n_members: int,
        embedding_size: int,
        hidden_size: int,
        initial_bias: float,
        embedding_range: float,
        generator: torch.Generator,
    ) -> None:
        self._kinds = spec.kinds

        def uniform(*shape: int, bound: float) -> Tensor:
            values = torch.empty(n_members, *shape).uniform_(-bound, bound, generator=generator)
            return values.requires_grad_()

        self._embeddings = {
            kind: uniform(size, embedding_size, bound=embedding_range) for kind, size in spec.vocabulary.items()
        }
        widths = [len(spec.kinds) * embedding_size, hidden_size, hidden_size, 1]
        # The paper gives no initialization for the layers; this is PyTorch's for linear ones.
        self._layers = [
            (uniform(n_in, n_out, bound=1 / math.sqrt(n_in)), uniform(1, n_out, bound=1 / math.sqrt(n_in)))
            for n_in, n_out in pairwise(widths)
        ]
        with torch.no_grad():
            self._layers[-1][1].fill_(initial_bias)

    @property
    def parameters(self) -> list[Tensor]:
        return [*self._embeddings.values(), *(tensor for layer in self._layers for tensor in layer)]

    def __call__(self, tokens: Tensor) -> Tensor:
        """Tokens `(n_members, N, n_groups, len(kinds))`, or without the first axis for all members alike, to
        `(n_members, N)`.
        """
        there = (tokens[..., :1] != PADDING).float()
        groups = torch.cat(
            [self._embedded(kind, tokens[..., position].clamp_min(0)) for position, kind in enumerate(self._kinds)],
            dim=-1,
        )
        x = (groups * there).sum(-2) / there.sum(-2)
        for weight, bias in self._layers[:-1]:
            x = torch.relu(torch.baddbmm(bias, x, weight))
        weight, bias = self._layers[-1]
        return torch.sigmoid(torch.baddbmm(bias, x, weight)).squeeze(-1)

    def _embedded(self, kind: str, tokens: Tensor) -> Tensor:
        table = self._embeddings[kind]
        if tokens.ndim == 2:
            return table[:, tokens]
        member = torch.arange(len(table))[:, None, None]
        return table[member, tokens]

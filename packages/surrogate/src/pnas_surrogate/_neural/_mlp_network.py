import math
from itertools import accumulate, pairwise

import torch
from torch import Tensor

from pnas_surrogate._base import Floats
from pnas_surrogate._neural._initial import initial_embeddings, uniform
from pnas_surrogate._sequences import PADDING, Tokens
from pnas_surrogate._spec import SequenceSpec

_PREDICTION_BATCH_SIZE = 2048
"""So that a batch's activations stay in a processor's cache."""


class MLPNetwork:
    """Several multi-layer perceptrons of one shape, their parameters stacked along a leading member axis.

    Averaging a sequence's groups of embeddings and multiplying by the first layer's weights is linear in how often a
    token is at a position of a group. So sequences are prepared as these shares, and the first layer's weights on them
    are products of embeddings and weights.
    """

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
        sizes = [spec.vocabulary[kind] for kind in spec.kinds]
        *self._offsets, self._n_shares = accumulate(sizes, initial=0)
        self.embeddings = initial_embeddings(spec, n_members, embedding_size, embedding_range, generator)
        widths = [len(spec.kinds) * embedding_size, hidden_size, hidden_size, 1]
        # The paper gives no initialization for the layers; this is PyTorch's for linear ones.
        self._layers = [
            tuple(uniform((n_members, rows, n_out), 1 / math.sqrt(n_in), generator) for rows in (n_in, 1))
            for n_in, n_out in pairwise(widths)
        ]
        with torch.no_grad():
            self._layers[-1][1].fill_(initial_bias)

    @property
    def parameters(self) -> list[Tensor]:
        return [*self.embeddings.values(), *(tensor for layer in self._layers for tensor in layer)]

    def prepare(self, tokens: Tokens) -> Tensor:
        """The share of a sequence's groups that have a token at a position, `(N, n_shares)`."""
        columns = (torch.from_numpy(tokens) + torch.tensor(self._offsets)).clamp_min_(0).flatten(1)
        there = torch.from_numpy(tokens != PADDING).float()
        counts = torch.zeros(len(tokens), self._n_shares).scatter_add_(1, columns, there.flatten(1))
        return counts / there[:, :, 0].sum(1, keepdim=True)

    def training_scores(self, inputs: Tensor) -> Tensor:
        return self._forward(inputs, self._first_weight())

    @torch.no_grad()
    def scores(self, tokens: Tokens) -> Floats:
        weight, predictions = self._first_weight(), torch.empty(len(self._layers[0][0]), len(tokens))
        for start in range(0, len(tokens), _PREDICTION_BATCH_SIZE):
            batch = slice(start, start + _PREDICTION_BATCH_SIZE)
            predictions[:, batch] = self._forward(self.prepare(tokens[batch]).expand(len(weight), -1, -1), weight)
        scores: Floats = predictions.double().numpy()
        return scores

    def _first_weight(self) -> Tensor:
        """The first layer's weights on shares, `(n_members, n_shares, hidden_size)`."""
        by_position = self._layers[0][0].chunk(len(self._kinds), dim=1)
        return torch.cat([self.embeddings[kind] @ rows for kind, rows in zip(self._kinds, by_position, strict=True)], 1)

    def _forward(self, inputs: Tensor, first_weight: Tensor) -> Tensor:
        (_, bias), (weight_2, bias_2), (weight_3, bias_3) = self._layers
        hidden = torch.baddbmm(bias, inputs, first_weight).relu_()
        hidden = torch.baddbmm(bias_2, hidden, weight_2).relu_()
        return torch.baddbmm(bias_3, hidden, weight_3).sigmoid().squeeze(-1)

import math
from itertools import accumulate

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pnas_surrogate._base import Floats
from pnas_surrogate._neural._initial import initial_embeddings, uniform
from pnas_surrogate._neural._lstm_layer import LastHidden, activate, squash
from pnas_surrogate._neural._prefixes import levels, sorted_order
from pnas_surrogate._sequences import PADDING, Tokens
from pnas_surrogate._spec import SequenceSpec

_FORGET_BIAS = 1.0
"""More than PyTorch gives the forget gate, as TensorFlow's cells have it; it ranks large cells better."""

_PREDICTION_BATCH_SIZE = 256
"""So that a batch's gates stay in a processor's cache."""


class LSTMNetwork:
    """Several LSTMs of one shape, their parameters stacked along a leading member axis.

    A token's embedding times the input weights depends on the token alone. So sequences are prepared as one-hot
    vectors, and these products, with the bias added, are the weights on them.
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
        offsets = dict(zip(spec.vocabulary, accumulate(spec.vocabulary.values(), initial=0), strict=False))
        self._offsets = np.array([offsets[kind] for kind in spec.kinds])
        self._n_tokens = sum(spec.vocabulary.values())
        self._hidden_size = hidden_size
        self.embeddings = initial_embeddings(spec, n_members, embedding_size, embedding_range, generator)
        # The paper gives no initialization for these; this is PyTorch's.
        bound = 1 / math.sqrt(hidden_size)
        self._input_weight, self._recurrent_weight, self._gate_bias = (
            uniform((n_members, rows, 4 * hidden_size), bound, generator) for rows in (embedding_size, hidden_size, 1)
        )
        with torch.no_grad():
            self._gate_bias[:, :, hidden_size : 2 * hidden_size] += _FORGET_BIAS
        self._output_weight = uniform((n_members, hidden_size, 1), bound, generator)
        self._output_bias = torch.full((n_members, 1, 1), initial_bias, requires_grad=True)

    @property
    def parameters(self) -> list[Tensor]:
        return [
            *self.embeddings.values(),
            self._input_weight,
            self._recurrent_weight,
            self._gate_bias,
            self._output_weight,
            self._output_bias,
        ]

    def prepare(self, tokens: Tokens) -> Tensor:
        """One-hot vectors `(N, length, n_tokens)`, with zeros before a sequence's start, so that all end together."""
        sequences = self._numbered(tokens)
        n_absent = (sequences == PADDING).sum(axis=1)
        places = np.arange(sequences.shape[1]) - n_absent[:, None]
        aligned = torch.from_numpy(np.take_along_axis(sequences, places, axis=1))  # negative places hold padding
        return (aligned[:, :, None] == torch.arange(self._n_tokens)).float()

    def training_scores(self, inputs: Tensor) -> Tensor:
        lengths = inputs.sum((2, 3)).long()
        lengths, order = lengths.sort(dim=1, descending=True)
        starts = inputs.shape[2] - lengths.amax(0)
        n_running = (starts[:, None] <= torch.arange(inputs.shape[2])).sum(0).tolist()
        inputs = inputs[torch.arange(len(inputs))[:, None], order]
        weight = torch.cat([self._recurrent_weight, self._token_gates()], 1)
        scores = self._head(LastHidden.apply(inputs, weight, n_running))
        return scores.gather(1, order.argsort(1))

    @torch.no_grad()
    def scores(self, tokens: Tokens) -> Floats:
        token_gates = self._token_gates()
        order = sorted_order(tokens.reshape(len(tokens), -1))
        scores = np.empty((len(token_gates), len(tokens)))
        for start in range(0, len(order), _PREDICTION_BATCH_SIZE):
            batch = order[start : start + _PREDICTION_BATCH_SIZE]
            scores[:, batch] = self._scores_of_sorted(self._numbered(tokens[batch]), token_gates).numpy()
        return scores

    def _scores_of_sorted(self, sequences: NDArray[np.int64], token_gates: Tensor) -> Tensor:
        """Every prefix once, from its parent's state, and products of states once per parent."""
        n_members = len(token_gates)
        scores = torch.empty(n_members, len(sequences))
        hidden, cell = (torch.zeros(n_members, 1, self._hidden_size) for _ in range(2))
        for level in levels(sequences):
            parents = torch.from_numpy(level.parents)
            gates = (hidden @ self._recurrent_weight).index_select(1, parents)
            gates += token_gates.index_select(1, torch.from_numpy(level.tokens))
            i, f, g, o = activate(gates)
            cell = cell.index_select(1, parents).mul_(f).addcmul_(i, g)
            hidden = squash(cell).mul_(o)
            if len(level.ends):
                scores[:, level.ends] = self._head(hidden)[:, level.prefixes]
        return scores

    def _numbered(self, tokens: Tokens) -> NDArray[np.int64]:
        """Sequences `(N, length)` of tokens that are numbered through over all kinds, or `PADDING`."""
        return np.where(tokens == PADDING, PADDING, tokens + self._offsets).reshape(len(tokens), -1)

    def _token_gates(self) -> Tensor:
        """What every token adds to the gates, `(n_members, n_tokens, 4 * hidden_size)`."""
        return torch.baddbmm(self._gate_bias, torch.cat([*self.embeddings.values()], 1), self._input_weight)

    def _head(self, hidden: Tensor) -> Tensor:
        return torch.baddbmm(self._output_bias, hidden, self._output_weight).sigmoid().squeeze(-1)

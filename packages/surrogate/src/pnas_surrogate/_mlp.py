import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pnas_surrogate._adam import Adam
from pnas_surrogate._base import Floats, MemberPredictor
from pnas_surrogate._mlp_network import MLPNetwork
from pnas_surrogate._sequences import Tokens
from pnas_surrogate._spec import SequenceSpec

_PREDICTION_BATCH_SIZE = 4096


class MLPPredictor(MemberPredictor):
    """The paper's multi-layer perceptron (sections 4.2 and 5.1).

    Every token is embedded, the embeddings of a group are concatenated and averaged over the groups, and two hidden
    layers and a sigmoid follow. L1 loss, Adam. A token that no sample held keeps the embedding it was initialized with.

    Args:
        spec: what the positions of a sequence mean.
        embedding_size: D of a token.
        hidden_size: units in each of the two hidden layers.
        learning_rate: Adam's; the paper has 0.01 for samples of one block and 0.002 later.
        n_epochs: passes over the samples; the paper does not say.
        batch_size: samples in a step at most; the paper does not say.
        initial_bias: of the last layer; 1.8 is a score of 0.86 after the sigmoid.
        embedding_range: embeddings start uniform in [-embedding_range, embedding_range].
        random_state: of the initial weights and the order of the samples.
    """

    def __init__(
        self,
        spec: SequenceSpec,
        *,
        embedding_size: int = 100,
        hidden_size: int = 100,
        learning_rate: float = 0.002,
        n_epochs: int = 100,
        batch_size: int = 32,
        initial_bias: float = 1.8,
        embedding_range: float = 0.1,
        random_state: int = 0,
    ) -> None:
        self.spec = spec
        self.embedding_size = embedding_size
        self.hidden_size = hidden_size
        self.learning_rate = learning_rate
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.initial_bias = initial_bias
        self.embedding_range = embedding_range
        self.random_state = random_state

    def fit_members(self, tokens: Tokens, y: Floats, samples: Sequence[NDArray[np.int64]]) -> None:
        generator = torch.Generator().manual_seed(int(self.random_state))
        self.network_ = MLPNetwork(
            self.spec,
            n_members=len(samples),
            embedding_size=self.embedding_size,
            hidden_size=self.hidden_size,
            initial_bias=self.initial_bias,
            embedding_range=self.embedding_range,
            generator=generator,
        )
        optimizer = Adam(self.network_.parameters, learning_rate=self.learning_rate)
        inputs, targets = torch.from_numpy(tokens), torch.from_numpy(y).float()
        index, present = _padded(samples)
        # Batches of about one size, so that no member meets an empty one, on which Adam would move it all the same.
        n_steps = math.ceil(index.shape[1] / self.batch_size)
        width = math.ceil(index.shape[1] / n_steps)
        for _ in range(self.n_epochs):
            # Absent entries sort last, so that only the last batches of the smaller samples have some.
            order = (torch.rand(index.shape, generator=generator) + ~present).argsort(dim=1)
            shuffled, weights = index.gather(1, order), present.gather(1, order).float()
            for batch, weight in zip(shuffled.split(width, 1), weights.split(width, 1), strict=True):
                error = (self.network_(inputs[batch]) - targets[batch]).abs()
                # The sum over members of each one's mean: no member's gradient depends on another.
                loss = ((error * weight).sum(1) / weight.sum(1).clamp_min(1)).sum()
                optimizer.step(torch.autograd.grad(loss, self.network_.parameters))

    @torch.no_grad()
    def predict_members(self, tokens: Tokens) -> Floats:
        batches = torch.from_numpy(tokens).split(_PREDICTION_BATCH_SIZE)
        predictions: Floats = torch.cat([self.network_(batch) for batch in batches], dim=1).double().numpy()
        return predictions


def _padded(samples: Sequence[NDArray[np.int64]]) -> tuple[Tensor, Tensor]:
    """Indices `(n_members, longest)` and which of them are there; samples may differ in length."""
    longest = max(map(len, samples))
    index = torch.zeros(len(samples), longest, dtype=torch.int64)
    present = torch.zeros(len(samples), longest, dtype=torch.bool)
    for member, sample in enumerate(samples):
        index[member, : len(sample)] = torch.from_numpy(sample)
        present[member, : len(sample)] = True
    return index, present

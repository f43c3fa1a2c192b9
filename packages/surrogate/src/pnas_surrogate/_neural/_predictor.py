import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pnas_surrogate._base import Arrays, Floats, MemberPredictor
from pnas_surrogate._errors import SurrogateError
from pnas_surrogate._neural._adam import Adam
from pnas_surrogate._neural._scale import SigmoidScale
from pnas_surrogate._parameters import check_finite, check_integers
from pnas_surrogate._sequences import PADDING, Tokens
from pnas_surrogate._spec import SequenceSpec

FIRST_LEARNING_RATE, LEARNING_RATE = 0.01, 0.002
"""The paper's, for samples of one block, and for larger ones (section 5.1)."""


class Network(Protocol):
    """Several networks of one shape, the members, their tensors stacked along a leading axis."""

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
    ) -> None: ...

    @property
    def embeddings(self) -> Mapping[str, Tensor]:
        """Of every kind, `(n_members, n_tokens, embedding_size)`."""
        ...

    @property
    def parameters(self) -> list[Tensor]: ...

    def prepare(self, tokens: Tokens) -> Tensor:
        """Tokens `(N, n_groups, len(kinds))` as `training_scores` takes them, `(N, …)`; it depends on no parameter."""
        ...

    def training_scores(self, inputs: Tensor) -> Tensor:
        """Prepared sequences, of every member its own, `(n_members, N, …)`, to `(n_members, N)`; differentiable."""
        ...

    def scores(self, tokens: Tokens) -> Floats:
        """Tokens `(N, n_groups, len(kinds))`, the same for all members, to `(n_members, N)`."""
        ...


class NetworkPredictor(MemberPredictor):
    """What the paper's two predictors share: a network that ends in a sigmoid, L1 loss, Adam."""

    embedding_size: int
    hidden_size: int
    learning_rate: float | None
    n_epochs: int
    batch_size: int
    initial_bias: float
    embedding_range: float
    random_state: int

    _network_class: ClassVar[type[Network]]

    network_: Network
    scale_: SigmoidScale
    shape_: tuple[SequenceSpec, int, int, int]
    """What a network must have in common with the one before it to go on from its weights."""
    seen_: list[dict[str, NDArray[np.bool_]]]
    """By member and kind, which tokens its samples have held."""

    def fit_members(self, tokens: Tokens, y: Floats, samples: Sequence[NDArray[np.int64]]) -> None:
        self._check_parameters()
        generator = torch.Generator().manual_seed(int(self.random_state))
        shape = (self.spec, self.embedding_size, self.hidden_size, len(samples))
        if not self.warm_start or getattr(self, "shape_", None) != shape:
            self.shape_ = shape
            self.network_ = self._make_network(len(samples), generator)
            self.seen_ = [{kind: np.zeros(size, bool) for kind, size in self.spec.vocabulary.items()} for _ in samples]
        self.scale_ = SigmoidScale.of(y, self.initial_bias)
        self._train(tokens, self.scale_.apply(y), samples, generator)
        self._fill_unseen(tokens, samples)

    def predict_members(self, tokens: Tokens) -> Floats:
        return self.scale_.undo(self.network_.scores(tokens))

    def _check_parameters(self) -> None:
        check_integers(self, embedding_size=1, hidden_size=1, n_epochs=0, batch_size=1, random_state=0)
        check_finite(self, "initial_bias")
        check_finite(self, "embedding_range", *(["learning_rate"] if self.learning_rate is not None else []), least=0)

    def _make_network(self, n_members: int, generator: torch.Generator) -> Network:
        return self._network_class(
            self.spec,
            n_members=n_members,
            embedding_size=self.embedding_size,
            hidden_size=self.hidden_size,
            initial_bias=self.initial_bias,
            embedding_range=self.embedding_range,
            generator=generator,
        )

    def _train(
        self, tokens: Tokens, y: Floats, samples: Sequence[NDArray[np.int64]], generator: torch.Generator
    ) -> None:
        learning_rate = self.learning_rate
        if learning_rate is None:
            learning_rate = FIRST_LEARNING_RATE if tokens.shape[1] == 1 else LEARNING_RATE
        optimizer = Adam(self.network_.parameters, learning_rate=learning_rate)
        inputs, targets = self.network_.prepare(tokens), torch.from_numpy(y).float()
        index, present = _padded(samples)
        # Batches of about one size, so that no member meets an empty one, on which Adam would move it all the same.
        n_steps = math.ceil(index.shape[1] / self.batch_size)
        width = math.ceil(index.shape[1] / n_steps)
        for _ in range(self.n_epochs):
            # Absent entries sort last, so that only the last batches of the smaller samples have some.
            order = (torch.rand(index.shape, generator=generator) + ~present).argsort(dim=1)
            shuffled, weights = index.gather(1, order), present.gather(1, order).float()
            for batch, weight in zip(shuffled.split(width, 1), weights.split(width, 1), strict=True):
                error = (self.network_.training_scores(inputs[batch]) - targets[batch]).abs()
                # The sum over members of each one's mean: no member's gradient depends on another.
                loss = ((error * weight).sum(1) / weight.sum(1).clamp_min(1)).sum()
                optimizer.step(torch.autograd.grad(loss, self.network_.parameters))

    @torch.no_grad()
    def _fill_unseen(self, tokens: Tokens, samples: Sequence[NDArray[np.int64]]) -> None:
        """A token that no sample held stands for the average of those of its kind that did, member by member."""
        for member, sample in enumerate(samples):
            for kind, seen in self.seen_[member].items():
                held = tokens[sample][:, :, [other == kind for other in self.spec.kinds]]
                seen[held[held != PADDING]] = True
                table = self.network_.embeddings[kind][member]
                table[torch.from_numpy(~seen)] = table[torch.from_numpy(seen)].mean(0)

    def member_state(self) -> Arrays:
        tensors = {f"parameter.{index}": tensor for index, tensor in enumerate(self.network_.parameters)}
        seen = {f"seen.{kind}": np.stack([member[kind] for member in self.seen_]) for kind in self.spec.vocabulary}
        return {name: tensor.detach().numpy() for name, tensor in tensors.items()} | seen | self.scale_.state()

    @torch.no_grad()
    def restore_members(self, state: Arrays) -> None:
        self.scale_ = SigmoidScale.restored(state)
        seen = {kind: state[f"seen.{kind}"] for kind in self.spec.vocabulary}
        n_members = len(next(iter(seen.values())))
        self.seen_ = [{kind: rows[member].copy() for kind, rows in seen.items()} for member in range(n_members)]
        self.shape_ = (self.spec, self.embedding_size, self.hidden_size, n_members)
        self.network_ = self._make_network(n_members, torch.Generator())
        for index, parameter in enumerate(self.network_.parameters):
            saved = torch.from_numpy(state[f"parameter.{index}"])
            if saved.shape != parameter.shape:
                raise SurrogateError(
                    f"parameter {index} has the shape {list(saved.shape)}, not {list(parameter.shape)}"
                )
            parameter.copy_(saved)


def _padded(samples: Sequence[NDArray[np.int64]]) -> tuple[Tensor, Tensor]:
    """Indices `(n_members, longest)` and which of them are there; samples may differ in length."""
    longest = max(map(len, samples))
    index = torch.zeros(len(samples), longest, dtype=torch.int64)
    present = torch.zeros(len(samples), longest, dtype=torch.bool)
    for member, sample in enumerate(samples):
        index[member, : len(sample)] = torch.from_numpy(sample)
        present[member, : len(sample)] = True
    return index, present

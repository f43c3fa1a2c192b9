import torch
from torch import Tensor

from pnas_surrogate._spec import SequenceSpec


def uniform(shape: tuple[int, ...], bound: float, generator: torch.Generator) -> Tensor:
    """A parameter that starts uniform in [-bound, bound]."""
    return torch.empty(shape).uniform_(-bound, bound, generator=generator).requires_grad_()


def initial_embeddings(
    spec: SequenceSpec, n_members: int, embedding_size: int, bound: float, generator: torch.Generator
) -> dict[str, Tensor]:
    """Of every kind, `(n_members, n_tokens, embedding_size)`."""
    return {
        kind: uniform((n_members, size, embedding_size), bound, generator) for kind, size in spec.vocabulary.items()
    }

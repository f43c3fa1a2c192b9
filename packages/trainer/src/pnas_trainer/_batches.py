import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from pnas_trainer._errors import TrainerError


class Batches(ABC):
    """The images of a training: an epoch's in batches, in an order of each child's own, and those that measure it.

    Where several processes train one network, each gets its share of every batch.

    Attributes:
        n_children: how many networks are trained at once.
        n_images: that an epoch trains on, of all processes.
        n_validation_images: that measure, of all processes.
        evaluation_batch_size: images to measure with at once, where there is memory for them.
        bounds: where the batch of every step begins and ends among an epoch's images.
    """

    n_children: int
    n_images: int
    n_validation_images: int
    evaluation_batch_size: int
    bounds: list[tuple[int, int]]

    @abstractmethod
    def shuffle(self) -> None:
        """Begin an epoch."""

    @abstractmethod
    def get(self, step: int) -> tuple[Tensor, Tensor]:
        """Images `(n_children, N, C, H, W)`, float32, and labels `(n_children, N)` of a step of this epoch."""

    @abstractmethod
    def validation(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Images `(N, C, H, W)`, float32, and labels `(N,)`, `batch_size` or fewer at a time."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """What the rest of the epoch, and those after it, depend on."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on in the epoch that `state_dict` was called in; raises `TrainerError` where it was of other images."""


def batch_bounds(n_images: int, batch_size: int, n_processes: int) -> list[tuple[int, int]]:
    """Where batches begin and end; too few images left over, so that a process would have one or none of them, go with
    the last whole batch.

    Raises:
        TrainerError: there are fewer images than processes.
    """
    if n_images < n_processes:
        raise TrainerError(f"{n_processes} processes need an image each to train on, and there are {n_images} in all")
    smallest = 2 * n_processes if batch_size > 1 else 1
    starts = list(range(0, n_images, batch_size))
    if len(starts) > 1 and n_images - starts[-1] < smallest:
        starts.pop()
    return list(zip(starts, [*starts[1:], n_images], strict=True))


def validation_bounds(n_images: int, batch_size: int, index: int, n_processes: int) -> Iterator[tuple[int, int]]:
    """Where the batches begin and end with which one of several processes measures; all are about as large."""
    n_batches = math.ceil(n_images / batch_size)
    for batch in range(index, n_batches, n_processes):
        yield batch * n_images // n_batches, (batch + 1) * n_images // n_batches

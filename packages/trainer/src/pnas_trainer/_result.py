from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

Status = Literal["finished", "diverged", "stopped", "out_of_memory"]


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """What a training gave and what it cost.

    Attributes:
        status: `"diverged"` when the loss, or what the network gives, stopped being finite, in the last of `losses`'
            epochs; `"stopped"` when it was judged unpromising after an epoch; `"out_of_memory"` when not even steps of
            one image at a time fit. Each of these ends the training.
        accuracies: share of the validation images classified right after every epoch, each in [0, 1].
        losses: mean training loss of every epoch, in nats.
        n_examples: images that went through the optimizer.
        seconds: spent in training; evaluation and set-up, compiling included, are left out.
        n_parameters: trainable numbers in the network.
        multiply_adds: of convolutions and linear layers, for one image in evaluation mode.
        micro_batch_size: images that went through the network at a time; fewer than the batch's where memory was
            short, and then batch normalization saw that many.
        seed: that it was trained with.
        device: that it was trained on.
        versions: of what computed it, by name.
        weights: the network's state dict after training, on the CPU, where it was asked for; else None.
    """

    status: Status
    accuracies: tuple[float, ...]
    losses: tuple[float, ...]
    n_examples: int
    seconds: float
    n_parameters: int
    multiply_adds: int
    micro_batch_size: int
    seed: int
    device: str
    versions: Mapping[str, str]
    weights: Mapping[str, Tensor] | None = field(default=None, repr=False, compare=False)

    @property
    def accuracy(self) -> float | None:
        """After the last epoch that was trained; None for a training that diverged or ran out of memory."""
        return self.accuracies[-1] if self.status in ("finished", "stopped") else None

    @property
    def images_per_second(self) -> float:
        return self.n_examples / self.seconds if self.seconds else 0.0

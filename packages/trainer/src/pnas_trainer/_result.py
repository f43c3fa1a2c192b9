from dataclasses import dataclass
from typing import Literal

Status = Literal["finished", "diverged"]


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """What a training gave and what it cost.

    Attributes:
        status: `"diverged"` when the loss, or what the network gives, stopped being finite; that ends the training.
        accuracies: share of the validation images classified right after every epoch, each in [0, 1].
        losses: mean training loss of every epoch, in nats.
        n_examples: images that went through SGD.
        seconds: spent in training; evaluation and set-up are left out.
        n_parameters: trainable numbers in the network.
        seed: that it was trained with.
        device: that it was trained on.
    """

    status: Status
    accuracies: tuple[float, ...]
    losses: tuple[float, ...]
    n_examples: int
    seconds: float
    n_parameters: int
    seed: int
    device: str

    @property
    def accuracy(self) -> float | None:
        """After the last epoch; None for a training that diverged."""
        return self.accuracies[-1] if self.status == "finished" else None

    @property
    def images_per_second(self) -> float:
        return self.n_examples / self.seconds

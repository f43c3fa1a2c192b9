import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from pnas_trainer._checks import check_not_negative
from pnas_trainer._errors import TrainerError


@dataclass(frozen=True, kw_only=True)
class Schedule(ABC):
    """How the learning rate changes over a training: it climbs to its full value, and from there a method lowers it.

    Attributes:
        warmup_epochs: over which it climbs linearly; what the method does begins after them.
        warmup_from: share of the full learning rate that the climb starts from, in [0, 1].
    """

    warmup_epochs: float = 0.0
    warmup_from: float = 0.0

    def __post_init__(self) -> None:
        check_not_negative(warmup_epochs=self.warmup_epochs, warmup_from=self.warmup_from)
        if self.warmup_from > 1:
            raise TrainerError(f"warmup_from must lie in [0, 1], not {self.warmup_from!r}")

    def factor(self, epochs_done: float, n_epochs: int) -> float:
        """Share of the full learning rate, in [0, 1].

        Args:
            epochs_done: in [0, n_epochs]; the steps of an epoch are fractions of it.
            n_epochs: E, of the training.

        Raises:
            TrainerError: the training would be over before the warm-up.
        """
        if not self.warmup_epochs < n_epochs:
            raise TrainerError(
                f"warmup_epochs must be fewer than the training's {n_epochs} epochs, not {self.warmup_epochs!r}"
            )
        if epochs_done < self.warmup_epochs:
            return self.warmup_from + (1 - self.warmup_from) * epochs_done / self.warmup_epochs
        return self._factor(epochs_done - self.warmup_epochs, n_epochs - self.warmup_epochs)

    @abstractmethod
    def _factor(self, epochs_done: float, n_epochs: float) -> float:
        """Without the warm-up, whose epochs neither number counts; 1 at the start."""


@dataclass(frozen=True, kw_only=True)
class ConstantSchedule(Schedule):
    """The full learning rate to the end."""

    def _factor(self, epochs_done: float, n_epochs: float) -> float:
        return 1.0


@dataclass(frozen=True, kw_only=True)
class CosineSchedule(Schedule):
    """Half a cosine down to 0 at the end, without restarts (Loshchilov and Hutter, 2017)."""

    def _factor(self, epochs_done: float, n_epochs: float) -> float:
        return (1 + math.cos(math.pi * epochs_done / n_epochs)) / 2


@dataclass(frozen=True, kw_only=True)
class ExponentialSchedule(Schedule):
    """`decay_rate ** (epochs_done / decay_epochs)`: the paper's on ImageNet is 0.97 every 2.2 epochs, or every 2.4.

    Attributes:
        decay_rate: in (0, 1].
        decay_epochs: in which the learning rate falls by the decay rate.
        staircase: whether it falls at once after that many epochs, as in TF-Slim, or a little in every step.
    """

    decay_rate: float
    decay_epochs: float
    staircase: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.decay_rate <= 1:
            raise TrainerError(f"decay_rate must lie in (0, 1], not {self.decay_rate!r}")
        if not 0 < self.decay_epochs < math.inf:
            raise TrainerError(f"decay_epochs must be greater than 0, not {self.decay_epochs!r}")

    def _factor(self, epochs_done: float, n_epochs: float) -> float:
        n_decays = epochs_done / self.decay_epochs
        # The little more is for rounding: 6.6 / 2.2 gives 2.9999999999999996.
        return self.decay_rate ** (math.floor(n_decays + 1e-9) if self.staircase else n_decays)

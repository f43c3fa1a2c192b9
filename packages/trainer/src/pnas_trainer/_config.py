from dataclasses import dataclass, field

from pnas_trainer._errors import TrainerError
from pnas_trainer._preprocessing import Preprocessing


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How a classifier is trained: SGD with momentum, its learning rate on a cosine from `learning_rate` to 0.

    The defaults are those of the search in the paper (section 5.1) where it gives them; batch size, momentum, weight
    decay and clipping it does not give, and they are NASNet's for CIFAR-10.

    Attributes:
        n_epochs: E, passes over the training images.
        batch_size: images in a step; the last step of an epoch may have fewer.
        learning_rate: at the first step.
        momentum: of SGD.
        nesterov: whether the momentum is Nesterov's.
        weight_decay: added to the gradient, times the weight.
        max_gradient_norm: the norm over all gradients that they are scaled down to; None leaves them.
        preprocessing: of the images.
    """

    n_epochs: int = 20
    batch_size: int = 32
    learning_rate: float = 0.01
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 5e-4
    max_gradient_norm: float | None = 5.0
    preprocessing: Preprocessing = field(default_factory=Preprocessing)

    def __post_init__(self) -> None:
        for name in ("n_epochs", "batch_size"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise TrainerError(f"{name} must be a whole number of 1 or more, not {value!r}")
        if not self.learning_rate > 0:
            raise TrainerError(f"learning_rate must be greater than 0, not {self.learning_rate!r}")
        if not 0 <= self.momentum < 1:
            raise TrainerError(f"momentum must lie in [0, 1), not {self.momentum!r}")
        if self.nesterov and self.momentum == 0:
            raise TrainerError("nesterov needs a momentum greater than 0, not 0")
        if not self.weight_decay >= 0:
            raise TrainerError(f"weight_decay must be 0 or more, not {self.weight_decay!r}")
        if self.max_gradient_norm is not None and not self.max_gradient_norm > 0:
            raise TrainerError(f"max_gradient_norm must be greater than 0, or None, not {self.max_gradient_norm!r}")

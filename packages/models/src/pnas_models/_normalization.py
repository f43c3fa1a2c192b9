import math
from dataclasses import dataclass

from torch import nn

from pnas_models._errors import ModelError


@dataclass(frozen=True, kw_only=True)
class BatchNorm:
    """The settings that all batch normalizations of a network share; calling it makes one.

    `decay` is TensorFlow's: the share of the old moving average that is kept, so PyTorch's momentum is `1 - decay`.
    """

    eps: float
    decay: float

    def __post_init__(self) -> None:
        for name, value, highest in (("eps", self.eps, math.inf), ("decay", self.decay, 1.0)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= highest:
                raise ModelError(
                    f"{name} of a batch normalization must be a number from 0 to {highest:g}, not {value!r}"
                )

    def __call__(self, channels: int) -> nn.BatchNorm2d:
        return nn.BatchNorm2d(channels, eps=self.eps, momentum=1.0 - self.decay)


CIFAR_BATCH_NORM = BatchNorm(eps=1e-5, decay=0.9)
"""TF-Slim's settings for CIFAR (`nasnet_cifar_arg_scope`)."""

IMAGENET_BATCH_NORM = BatchNorm(eps=1e-3, decay=0.9997)
"""TF-Slim's settings for ImageNet (`pnasnet_large_arg_scope`, `pnasnet_mobile_arg_scope`)."""

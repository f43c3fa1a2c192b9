from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

ExplicitPadding = Callable[[int, int], tuple[int, int, int, int]]
"""The pixels left, right, above and below, as `torch.nn.functional.pad` takes them, for images of some height and
width."""


@dataclass(frozen=True, kw_only=True)
class Layers:
    """Layers that follow each other: a ReLU and a depthwise convolution or not, a 1x1 convolution, and a batch norm.

    The stride is that of whichever convolution comes first; the other one has none.
    """

    all: Sequence[nn.Module]
    rectify: bool
    depthwise: nn.Conv2d | None
    pointwise: nn.Conv2d
    batch_norm: nn.BatchNorm2d
    stride: int
    dilation: int
    padding: ExplicitPadding

    def tensors(self) -> tuple[Tensor | None, ...]:
        """Weights of the depthwise and of the 1x1 convolution, and the batch norm's weight, bias, mean and variance."""
        norm = self.batch_norm
        taps = self.depthwise.weight if self.depthwise is not None else None
        return taps, self.pointwise.weight, norm.weight, norm.bias, norm.running_mean, norm.running_var

    def have_hooks(self) -> bool:
        """Whether somebody wants to see what goes through one of them."""
        return bool(_has_any_global_hook()) or any(
            hooks
            for layer in self.all
            for hooks in (
                layer._forward_hooks,  # noqa: SLF001
                layer._forward_pre_hooks,  # noqa: SLF001
                layer._backward_hooks,  # noqa: SLF001
                layer._backward_pre_hooks,  # noqa: SLF001
            )
        )

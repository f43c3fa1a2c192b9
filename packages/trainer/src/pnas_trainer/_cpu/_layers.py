from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

ExplicitPadding = Callable[[int, int], tuple[int, int, int, int]]
"""The pixels left, right, above and below, as `torch.nn.functional.pad` takes them, for images of some height and
width."""


@dataclass(frozen=True, kw_only=True)
class Layers:
    """Layers that follow each other: a ReLU and a depthwise convolution or not, a 1x1 convolution, and a batch norm.

    Stride, dilation and padding are those of whichever convolution comes first; the other one has none.
    """

    sequence: Sequence[nn.Module]
    rectify: bool
    overwrites: bool
    depthwise: nn.Conv2d | None
    pointwise: nn.Conv2d
    batch_norm: nn.BatchNorm2d
    stride: int
    dilation: int
    padding: ExplicitPadding
    _settings: list[object] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_settings", self._current_settings())

    def are_as_planned(self) -> bool:
        """Whether they still do what they did, and nobody wants to see what goes through one of them."""
        if _has_any_global_hook() or self._current_settings() != self._settings:
            return False
        return not any(
            "forward" in vars(layer)
            or layer._forward_hooks  # noqa: SLF001
            or layer._forward_pre_hooks  # noqa: SLF001
            or layer._backward_hooks  # noqa: SLF001
            or layer._backward_pre_hooks  # noqa: SLF001
            for layer in self.sequence
        )

    def tensors(self) -> tuple[Tensor | None, ...]:
        """Weights of the depthwise and of the 1x1 convolution, and the batch norm's weight, bias, mean and variance."""
        norm = self.batch_norm
        taps = self.depthwise.weight if self.depthwise is not None else None
        return taps, self.pointwise.weight, norm.weight, norm.bias, norm.running_mean, norm.running_var

    def fit_together(self) -> bool:
        """Whether the tensors have the shapes, the type and the device that they need; PyTorch says so if not."""
        taps, weight, scale, shift, mean, variance = self.tensors()
        if weight is None or scale is None or shift is None or (mean is None) != (variance is None):
            return False
        out_channels, in_channels = weight.shape[:2]
        size = self.depthwise.kernel_size if self.depthwise is not None else ()
        shapes = ((taps, (in_channels, 1, *size)), (weight, (out_channels, in_channels, 1, 1)))
        vectors = ((x, (out_channels,)) for x in (scale, shift, mean, variance))
        return all(
            x is None or (x.shape == shape and x.dtype == torch.float32 and x.device.type == "cpu")
            for x, shape in (*shapes, *vectors)
        )

    def _current_settings(self) -> list[object]:
        settings: list[object] = [self.batch_norm.momentum is None]
        for convolution in (self.depthwise, self.pointwise):
            if convolution is not None:
                settings += (
                    convolution.stride,
                    convolution.padding,
                    convolution.dilation,
                    convolution.groups,
                    convolution.padding_mode,
                    convolution.bias is None,
                )
        return settings

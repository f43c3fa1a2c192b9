"""TensorFlow's SAME padding: at stride 2 and even sizes, one more pixel on the right and at the bottom.

Sizes may be symbols (`torch.export`, `torch.compile`), so nothing here branches on them, and the quotient is written as
`(size + stride - 1) // stride`: `-(-size // stride)` is the same number, but exporters get it wrong.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def same_padding(size: int, kernel_size: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """The pixels that SAME adds before and after one dimension of `size` pixels."""
    extent = (kernel_size - 1) * dilation + 1
    if extent == 1:
        return 0, 0
    total = (size + stride - 1) // stride * stride - stride + extent - size
    if extent < stride:  # the only case where pixels may be left over
        total = cast(int, torch.sym_max(total, 0))
    return total // 2, total - total // 2


class SameConv2d(nn.Conv2d):
    """A convolution without bias, padded as TensorFlow's SAME: `(N, C, H, W) -> (N, C', ceil(H / s), ceil(W / s))`."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = False,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, 0, dilation, groups, bias)

    def forward(self, input: Tensor) -> Tensor:
        input = same_padded(input, self.kernel_size, self.stride, self.dilation)
        if self.stride == self.dilation or self.kernel_size == (1, 1):
            # All taps fall on every s-th pixel. oneDNN's backward pass of the strided and dilated form is 20 times
            # slower.
            vertical, horizontal = self.stride
            return F.conv2d(input[:, :, ::vertical, ::horizontal], self.weight, self.bias, groups=self.groups)
        return F.conv2d(input, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


def same_padded(
    x: Tensor,
    kernel_size: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...] = (1, 1),
    value: float = 0.0,
) -> Tensor:
    """The images `(N, C, H, W)` with the pixels that SAME adds for a window of that form."""
    top, bottom = same_padding(x.shape[-2], kernel_size[0], stride[0], dilation[0])
    left, right = same_padding(x.shape[-1], kernel_size[1], stride[1], dilation[1])
    return F.pad(x, (left, right, top, bottom), value=value)


def same_max_pool_3x3(x: Tensor, stride: int) -> Tensor:
    """Max pooling, 3x3, padded with -inf: `(N, C, H, W) -> (N, C, ceil(H / s), ceil(W / s))`."""
    if stride == 1:
        return F.max_pool2d(x, 3, 1, padding=1)
    return F.max_pool2d(same_padded(x, (3, 3), (stride, stride), value=-torch.inf), 3, stride)


def same_avg_pool_3x3(x: Tensor, stride: int) -> Tensor:
    """Average pooling, 3x3, that leaves the padding out of its count: `(N, C, H, W) -> (N, C, ceil(H / s), ceil(W /
    s))`.
    """
    if stride == 1:
        return F.avg_pool2d(x, 3, 1, padding=1, count_include_pad=False)
    window = (3, 3), (stride, stride)
    inside = same_padded(x.new_ones(1, 1, x.shape[-2], x.shape[-1]), *window)
    return F.avg_pool2d(same_padded(x, *window), 3, stride) / F.avg_pool2d(inside, 3, stride)

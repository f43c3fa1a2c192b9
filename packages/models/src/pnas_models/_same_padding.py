"""TensorFlow's SAME padding: at stride 2 and even sizes, one more pixel on the right and at the bottom."""

from torch import Tensor, nn
from torch.nn import functional as F


def same_padding(size: int, kernel_size: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """The pixels that SAME adds before and after one dimension of `size` pixels."""
    n_outputs = (size + stride - 1) // stride
    total = max((n_outputs - 1) * stride + (kernel_size - 1) * dilation + 1 - size, 0)
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
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, 0, dilation, groups, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        if self.stride == (1, 1):
            # An odd kernel pads evenly here, which the convolution does itself, without a copy of the image.
            padding = [dilation * (size // 2) for dilation, size in zip(self.dilation, self.kernel_size, strict=True)]
            return F.conv2d(input, self.weight, None, 1, padding, self.dilation, self.groups)
        input = self._padded(input)
        if self.stride == self.dilation:
            # All taps fall on every s-th pixel. oneDNN's backward pass of the strided and dilated form is 20 times
            # slower.
            vertical, horizontal = self.stride
            return F.conv2d(input[:, :, ::vertical, ::horizontal], self.weight, None, 1, 0, 1, self.groups)
        return F.conv2d(input, self.weight, None, self.stride, 0, self.dilation, self.groups)

    def _padded(self, input: Tensor) -> Tensor:
        top, bottom = same_padding(input.shape[-2], self.kernel_size[0], self.stride[0], self.dilation[0])
        left, right = same_padding(input.shape[-1], self.kernel_size[1], self.stride[1], self.dilation[1])
        return F.pad(input, (left, right, top, bottom))


def same_max_pool_3x3(x: Tensor, stride: int) -> Tensor:
    """Max pooling, 3x3, padded with -inf: `(N, C, H, W) -> (N, C, ceil(H / s), ceil(W / s))`."""
    return F.max_pool2d(x, 3, stride, _pool_padding(x, stride), ceil_mode=True)


def same_avg_pool_3x3(x: Tensor, stride: int) -> Tensor:
    """Average pooling, 3x3, that leaves the padding out of its count: `(N, C, H, W) -> (N, C, ceil(H / s), ceil(W /
    s))`.
    """
    return F.avg_pool2d(x, 3, stride, _pool_padding(x, stride), ceil_mode=True, count_include_pad=False)


def _pool_padding(x: Tensor, stride: int) -> tuple[int, int]:
    """Padding that, together with `ceil_mode`, gives SAME: PyTorch fills up the right and the bottom by itself."""
    height, width = x.shape[-2:]
    return same_padding(height, 3, stride)[0], same_padding(width, 3, stride)[0]

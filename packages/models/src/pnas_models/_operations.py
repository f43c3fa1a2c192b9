from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import Tensor, nn

from pnas_models._initialization import initialize_convolution
from pnas_models._normalization import BatchNorm
from pnas_models._same_padding import SameConv2d, same_avg_pool_3x3, same_max_pool_3x3

OperationBuilder = Callable[[int, int, int, BatchNorm], nn.Module]
"""Makes an operation: `(in_channels, out_channels, stride, batch_norm) -> module`, where the module maps
`(N, in_channels, H, W)` to `(N, out_channels, ceil(H / stride), ceil(W / stride))` and `batch_norm(channels)` makes a
batch normalization with the network's settings."""


def convolution(
    in_channels: int,
    out_channels: int,
    kernel_size: int | tuple[int, int] = 1,
    stride: int | tuple[int, int] = 1,
    dilation: int = 1,
    groups: int = 1,
) -> nn.Conv2d:
    """A convolution without bias, padded as SAME and initialized as TF-Slim does."""
    module: nn.Conv2d
    sizes = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    if stride in (1, (1, 1)) and all(size % 2 == 1 for size in sizes):
        # PyTorch's own pads by itself here, and whoever reads its type knows what it does.
        height, width = (dilation * (size // 2) for size in sizes)
        module = nn.Conv2d(in_channels, out_channels, sizes, 1, (height, width), dilation, groups, bias=False)
    else:
        module = SameConv2d(in_channels, out_channels, kernel_size, stride, dilation, groups)
    initialize_convolution(module)
    return module


def relu_conv_bn(in_channels: int, out_channels: int, stride: int, batch_norm: BatchNorm) -> nn.Sequential:
    """ReLU, 1x1 convolution, BN: the adaptor of section 3.1's footnote."""
    return nn.Sequential(nn.ReLU(), convolution(in_channels, out_channels, 1, stride), batch_norm(out_channels))


def _separable(kernel_size: int) -> OperationBuilder:
    def build(in_channels: int, out_channels: int, stride: int, batch_norm: BatchNorm) -> nn.Module:
        return nn.Sequential(
            *_relu_separable_bn(in_channels, out_channels, kernel_size, stride, 1, batch_norm),
            # Nobody else reads what this ReLU overwrites: batch normalization's gradient does not need its output.
            *_relu_separable_bn(out_channels, out_channels, kernel_size, 1, 1, batch_norm, inplace=True),
        )

    return build


def _dilated_3x3(in_channels: int, out_channels: int, stride: int, batch_norm: BatchNorm) -> nn.Module:
    return nn.Sequential(*_relu_separable_bn(in_channels, out_channels, 3, stride, 2, batch_norm))


def _relu_separable_bn(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    stride: int,
    dilation: int,
    batch_norm: BatchNorm,
    inplace: bool = False,
) -> tuple[nn.Module, ...]:
    return (
        nn.ReLU(inplace),
        convolution(in_channels, in_channels, kernel_size, stride, dilation, groups=in_channels),
        convolution(in_channels, out_channels),
        batch_norm(out_channels),
    )


def _conv_1x7_7x1(in_channels: int, out_channels: int, stride: int, batch_norm: BatchNorm) -> nn.Module:
    # Neither the paper nor TF-Slim says where the stride goes; each convolution here strides along its own length.
    return nn.Sequential(
        nn.ReLU(),
        convolution(in_channels, out_channels, (1, 7), (1, stride)),
        convolution(out_channels, out_channels, (7, 1), (stride, 1)),
        batch_norm(out_channels),
    )


def _identity(in_channels: int, out_channels: int, stride: int, batch_norm: BatchNorm) -> nn.Module:
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    return relu_conv_bn(in_channels, out_channels, stride, batch_norm)


class Pool(nn.Module):
    """Pooling padded as SAME."""

    def __init__(self, pool: Callable[[Tensor, int], Tensor], stride: int) -> None:
        super().__init__()
        self._pool = pool
        self._stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return self._pool(x, self._stride)


def _pooling(pool: Callable[[Tensor, int], Tensor]) -> OperationBuilder:
    def build(in_channels: int, out_channels: int, stride: int, batch_norm: BatchNorm) -> nn.Module:
        module = Pool(pool, stride)
        if in_channels == out_channels:
            return module
        return nn.Sequential(module, convolution(in_channels, out_channels), batch_norm(out_channels))

    return build


PNAS_OPERATIONS: Mapping[str, OperationBuilder] = MappingProxyType(
    {
        "sep_conv_3x3": _separable(3),
        "sep_conv_5x5": _separable(5),
        "sep_conv_7x7": _separable(7),
        "conv_1x7_7x1": _conv_1x7_7x1,
        "identity": _identity,
        "avg_pool_3x3": _pooling(same_avg_pool_3x3),
        "max_pool_3x3": _pooling(same_max_pool_3x3),
        "dil_conv_3x3": _dilated_3x3,
    }
)
"""The paper's eight operations (section 3.1), in the order that is part of the format."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from pnas_trainer._cpu._arrays import in_layout, in_threads, kernels, rows, undisturbed, undisturbed_once

Pair = tuple[int, int]


class Geometry(NamedTuple):
    """Of a convolution, for rows and columns; the padding is the same on both sides."""

    stride: Pair
    padding: Pair
    dilation: Pair

    def keeps_size(self, kernel: Pair) -> bool:
        """Whether the output is as large as the input."""
        extents = zip(self.padding, self.dilation, kernel, strict=True)
        return self.stride == (1, 1) and all(2 * p == d * (k - 1) for p, d, k in extents)


class DepthwiseConvolution(torch.autograd.Function):
    """A convolution of each channel with a kernel of its own."""

    @staticmethod
    @undisturbed
    def forward(ctx: Any, x: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
        x = in_layout(x)
        ctx.save_for_backward(x, weight)
        ctx.geometry = geometry
        return F.conv2d(x, weight, None, *geometry, x.shape[1])

    @staticmethod
    @undisturbed_once
    def backward(ctx: Any, saved: tuple[Tensor, ...], gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, weight = saved
        return *depthwise_gradients(gradient, x, weight, ctx.geometry, ctx.needs_input_grad[:2]), None


def depthwise_gradients(
    gradient: Tensor, x: Tensor, weight: Tensor, geometry: Geometry, wanted: Sequence[bool] = (True, True)
) -> tuple[Tensor | None, Tensor | None]:
    """What the input and the weights of a depthwise convolution get, as far as they are `wanted`."""
    gradient = in_layout(gradient)
    height, width = weight.shape[2:]
    x_gradient = weight_gradient = None
    if wanted[0]:
        if geometry.keeps_size((height, width)):
            # The same convolution with the kernel turned round: oneDNN does forward passes faster.
            x_gradient = F.conv2d(gradient, weight.flip(2, 3), None, *geometry, x.shape[1])
        else:
            x_gradient = _convolution_backward(gradient, x, weight, geometry, [True, False])
    if wanted[1]:
        if width <= 3 and geometry.dilation == (1, 1) and geometry.padding[1] <= width // 2:
            weight_gradient = _convolution_backward(gradient, x, weight, geometry, [False, True])
        else:
            weight_gradient = _depthwise_weight_gradient(x, gradient, (height, width), *geometry)
    return x_gradient, weight_gradient


def _convolution_backward(
    gradient: Tensor,
    x: Tensor,
    weight: Tensor,
    geometry: Geometry,
    wanted: list[bool],
) -> Tensor:
    stride, padding, dilation = map(list, geometry)
    gradients = torch.ops.aten.convolution_backward(
        gradient, x, weight, [0], stride, padding, dilation, False, [0, 0], x.shape[1], [*wanted, False]
    )
    return gradients[wanted.index(True)]  # type: ignore[no-any-return]  # torch.ops is untyped


def _depthwise_weight_gradient(
    x: Tensor, gradient: Tensor, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> Tensor:
    """`(C, 1, KH, KW)`."""
    before = -padding[0], -padding[1]
    windows = (*kernel, *gradient.shape[2:], *before, *stride, *dilation)
    parts = in_threads(
        partial(_part_of_weight_gradient, shape=(x.shape[1], *kernel), windows=windows), rows(x), rows(gradient)
    )
    return torch.from_numpy(sum(parts[1:], start=parts[0])).unsqueeze(1)


def _part_of_weight_gradient(
    x: NDArray[np.float32], gradient: NDArray[np.float32], shape: tuple[int, int, int], windows: tuple[int, ...]
) -> NDArray[np.float32]:
    """What some of the images contribute."""
    weight_gradient = np.empty(shape, dtype=np.float32)
    kernels().depthwise_weight_gradient(True, x, gradient, weight_gradient, windows)
    return weight_gradient

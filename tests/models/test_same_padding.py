from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

from pnas_models._same_padding import SameConv2d, same_avg_pool_3x3, same_max_pool_3x3, same_padding

SIZES = [(7, 7), (8, 8), (9, 10), (12, 11), (11, 8), (1, 2)]


@pytest.mark.parametrize(
    ("size", "kernel_size", "stride", "dilation", "expected"),
    [
        # At stride 2 and even sizes there is one pixel more behind: 0/1, 1/2 and 2/3.
        (8, 3, 2, 1, (0, 1)),
        (8, 5, 2, 1, (1, 2)),
        (8, 7, 2, 1, (2, 3)),
        (8, 3, 2, 2, (1, 2)),
        (7, 3, 2, 1, (1, 1)),
        (7, 7, 2, 1, (3, 3)),
        (8, 7, 1, 1, (3, 3)),
        (8, 1, 2, 1, (0, 0)),
    ],
)
def test_padding_is_that_of_tensorflow(
    size: int, kernel_size: int, stride: int, dilation: int, expected: tuple[int, int]
) -> None:
    assert same_padding(size, kernel_size, stride, dilation) == expected


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("kernel_size", "stride", "dilation", "groups"),
    [
        *[(kernel, stride, dilation, 1) for kernel, stride, dilation in product((1, 3, 5, 7), (1, 2), (1, 2))],
        (3, 2, 2, 4),
        (5, 2, 1, 4),
        ((1, 7), (1, 2), 1, 1),
        ((7, 1), (2, 1), 1, 1),
        (3, 3, 3, 1),
        (3, 3, 1, 1),
        (2, 3, 1, 1),
        (2, 1, 1, 1),
        (4, 2, 1, 1),
    ],
)
def test_a_convolution_and_its_gradients_equal_tensorflows(
    size: tuple[int, int],
    kernel_size: Any,
    stride: Any,
    dilation: int,
    groups: int,
    tensorflow: Any,
    images: Callable[..., Tensor],
) -> None:
    convolution = SameConv2d(4, 4, kernel_size, stride, dilation, groups).double()
    x = images(2, 4, *size).requires_grad_()
    actual = convolution(x)
    expected = tensorflow.convolve(x, convolution.weight, convolution.stride, dilation, groups)
    assert actual.shape[2:] == tuple(-(-pixels // step) for pixels, step in zip(size, convolution.stride, strict=True))
    torch.testing.assert_close(actual, expected)
    gradient = images(*actual.shape)
    parameters = (x, convolution.weight)
    torch.testing.assert_close(
        torch.autograd.grad(actual, parameters, gradient), torch.autograd.grad(expected, parameters, gradient)
    )


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", SIZES)
def test_pools_ignore_the_padding(
    size: tuple[int, int], stride: int, tensorflow: Any, images: Callable[..., Tensor]
) -> None:
    # All negative and far from zero: padding with zeros would win every maximum and shrink every average.
    x = images(2, 3, *size) - 9.0
    torch.testing.assert_close(same_max_pool_3x3(x, stride), tensorflow.max_pool(x, stride))
    torch.testing.assert_close(same_avg_pool_3x3(x, stride), tensorflow.avg_pool(x, stride))
    torch.testing.assert_close(
        same_avg_pool_3x3(torch.ones_like(x), stride), torch.ones_like(x)[..., ::stride, ::stride]
    )

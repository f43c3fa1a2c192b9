"""Depthwise convolutions and pools of several images side by side, against PyTorch's in float64."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from pnas_trainer._cpu._kernels import (
    average_pool,
    depthwise,
    depthwise_input_gradient,
    depthwise_weight_gradient,
    max_pool,
    max_pool_gradient,
)

N_IMAGES, CHANNELS = 6, 5

FORMS = [
    # taps, stride, dilation; pixels before and after rows, before and after columns: below 0 they are cut off
    ((3, 3), (1, 1), (1, 1), (1, 1, 1, 1)),
    ((1, 2), (1, 1), (1, 1), (0, 0, 0, 1)),
    ((2, 3), (1, 1), (1, 1), (1, 0, 1, 1)),
    ((5, 5), (1, 1), (1, 1), (2, 2, 2, 2)),
    ((6, 3), (1, 1), (1, 1), (2, 3, 1, 1)),
    ((3, 3), (2, 2), (1, 1), (0, 1, 0, 1)),
    ((3, 3), (1, 1), (2, 2), (2, 2, 2, 2)),
    ((3, 3), (2, 2), (2, 2), (2, 1, 1, 2)),
    ((5, 5), (2, 2), (1, 1), (2, 2, 2, 2)),
    ((7, 7), (1, 1), (1, 1), (3, 3, 3, 3)),
    ((7, 7), (2, 2), (1, 1), (3, 2, 3, 2)),
    ((5, 2), (3, 1), (2, 1), (4, 4, 0, 1)),
    ((1, 7), (1, 2), (1, 1), (0, 0, 2, 3)),
    ((2, 3), (3, 2), (1, 3), (0, 2, 4, 3)),
    ((4, 4), (4, 6), (6, 4), (9, 9, 9, 9)),
    ((3, 2), (2, 1), (1, 1), (-1, -1, 1, -1)),
    ((3, 3), (1, 1), (1, 1), (5, 4, 6, 5)),  # some outputs see no pixel
]


def as_rows(x: Tensor, together: int) -> np.ndarray:
    """`(N, C, H, W)` as `(N / G, H, W * G * C)`."""
    x = x.detach().float().unflatten(0, (-1, together)).permute(0, 3, 4, 1, 2)
    return x.flatten(2).contiguous().numpy()


@pytest.mark.parametrize("together", [1, 3, 6])
@pytest.mark.parametrize("size", [(14, 5), (8, 8), (5, 9), (1, 3)])
@pytest.mark.parametrize("form", FORMS)
def test_a_convolution_and_its_gradients_are_pytorchs(form, size, together):
    kernel, stride, dilation, (top, bottom, left, right) = form
    totals = size[0] + top + bottom, size[1] + left + right
    if any(total < d * (k - 1) + 1 for total, k, d in zip(totals, kernel, dilation, strict=True)):
        pytest.skip("PyTorch has no output of that size")
    torch.manual_seed(0)
    x = torch.randn(N_IMAGES, CHANNELS, *size, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(CHANNELS, 1, *kernel, dtype=torch.float64, requires_grad=True)
    y = F.conv2d(F.pad(x, (left, right, top, bottom)), weight, None, stride, 0, dilation, CHANNELS)
    gradient = torch.randn_like(y)
    y.backward(gradient)
    windows = (*kernel, *y.shape[2:], -top, -left, *stride, *dilation)
    taps = weight.detach().float().numpy()[:, 0]
    ours, x_gradient, weight_gradient = (
        np.full(shape, np.nan, np.float32)
        for shape in (as_rows(y, together).shape, as_rows(x, together).shape, taps.shape)
    )
    depthwise(as_rows(x, together), taps, ours, windows)
    depthwise_input_gradient(taps, as_rows(gradient, together), x_gradient, windows)
    for is_first in (True, False):  # half of the images, and the others on top of it
        some = slice(None, 3) if is_first else slice(3, None)
        rows = (as_rows(part[some], together if together < N_IMAGES else 3) for part in (x, gradient))
        depthwise_weight_gradient(is_first, *rows, weight_gradient, windows)
    np.testing.assert_allclose(ours, as_rows(y, together), atol=2e-5)
    np.testing.assert_allclose(x_gradient, as_rows(x.grad, together), atol=2e-5)
    np.testing.assert_allclose(weight_gradient, weight.grad[:, 0], atol=2e-4)


@pytest.mark.parametrize("together", [1, 3])
@pytest.mark.parametrize("size", [(8, 8), (2, 2), (1, 5), (4, 1), (1, 1)])
def test_pools_and_their_gradients_are_pytorchs(size, together):
    torch.manual_seed(0)
    x = torch.randn(N_IMAGES, CHANNELS, *size, dtype=torch.float64, requires_grad=True)
    gradient = torch.randn_like(x)
    rows, gradient_rows, pixel = as_rows(x, together), as_rows(gradient, together), CHANNELS * together
    ours, x_gradient, taps = np.empty_like(rows), np.empty_like(rows), np.empty(rows.shape, np.uint8)

    y = F.max_pool2d(x, 3, stride=1, padding=1)
    y.backward(gradient)
    max_pool(rows, ours, taps, pixel)
    max_pool_gradient(gradient_rows, taps, x_gradient, pixel)
    np.testing.assert_array_equal(ours, as_rows(y, together))
    np.testing.assert_allclose(x_gradient, as_rows(x.grad, together), atol=1e-6)

    x.grad = None
    y = F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
    y.backward(gradient)
    average_pool(rows, ours, pixel, False)
    average_pool(gradient_rows, x_gradient, pixel, True)
    np.testing.assert_allclose(ours, as_rows(y, together), atol=1e-6)
    np.testing.assert_allclose(x_gradient, as_rows(x.grad, together), atol=1e-6)

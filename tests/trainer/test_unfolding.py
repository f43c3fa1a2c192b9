"""Images unfolded and folded again, against PyTorch's `unfold` of padded or cut images and its gradient."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from pnas_trainer._cpu._kernels import fold, unfold

FORMS = [
    # kernel, stride, dilation; pixels before and after rows, before and after columns: below 0 they are cut off
    ((1, 1), (1, 1), (1, 1), (0, 0, 0, 0)),
    ((3, 3), (1, 1), (1, 1), (1, 1, 1, 1)),
    ((3, 3), (2, 2), (1, 1), (0, 1, 0, 1)),
    ((3, 3), (1, 1), (2, 2), (2, 2, 2, 2)),
    ((3, 3), (2, 2), (2, 2), (2, 1, 1, 2)),
    ((1, 7), (1, 2), (1, 1), (0, 0, 2, 3)),
    ((7, 1), (2, 1), (1, 1), (3, 3, 0, 0)),
    ((2, 3), (3, 1), (1, 3), (0, 2, 4, 3)),
    ((1, 1), (2, 2), (1, 1), (-1, 1, -1, 1)),
    ((3, 2), (2, 1), (1, 1), (-1, -1, 1, -1)),
    ((3, 3), (1, 1), (1, 1), (5, 4, 6, 5)),  # some outputs see no pixel
]


def unfolded(x: Tensor, kernel, stride, dilation, padding) -> Tensor:
    """Of `(N, C, H, W)`, what each output sees: `(N * H' * W', KH * KW * C)`."""
    top, bottom, left, right = padding
    columns = F.unfold(F.pad(x, (left, right, top, bottom)), kernel, dilation, 0, stride)
    n_images, channels = x.shape[:2]
    return columns.reshape(n_images, channels, -1, columns.shape[2]).permute(0, 3, 2, 1).flatten(0, 1).flatten(1)


def rows(x: Tensor) -> np.ndarray:
    return x.detach().permute(0, 2, 3, 1).flatten(2).contiguous().numpy()


def windows(size, kernel, stride, dilation, padding) -> tuple[int, ...]:
    befores = padding[0], padding[2]
    totals = size[0] + sum(padding[:2]), size[1] + sum(padding[2:])
    n_outputs = [
        (total - d * (k - 1) - 1) // s + 1 for total, k, s, d in zip(totals, kernel, stride, dilation, strict=True)
    ]
    return *kernel, *n_outputs, *(-before for before in befores), *stride, *dilation


@pytest.mark.parametrize("size", [(8, 8), (5, 9)])
@pytest.mark.parametrize("form", FORMS)
def test_both_are_pytorchs(form, size):
    x = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0)).requires_grad_()
    expected = unfolded(x, *form)
    columns = np.full(expected.shape, np.nan, np.float32)
    unfold(rows(x), columns, windows(size, *form))
    assert np.array_equal(columns, expected.detach().numpy())

    upstream = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad(expected, x, upstream)
    folded = np.full_like(rows(x), np.nan)
    fold(upstream.numpy(), folded, windows(size, *form))
    np.testing.assert_allclose(folded, rows(gradient), rtol=1e-5, atol=1e-5)


def test_zeros_that_are_padded_stay_zeros_beside_numbers_that_are_none():
    x = torch.full((1, 2, 2, 2), torch.nan)
    columns = np.ones((4, 18), np.float32)
    unfold(rows(x), columns, windows((2, 2), (3, 3), (1, 1), (1, 1), (1, 1, 1, 1)))
    assert np.isnan(columns).sum() == 4 * 4 * 2  # each output sees all four pixels
    assert (columns[~np.isnan(columns)] == 0).all()


@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("form", FORMS)
def test_images_that_lie_side_by_side_are_unfolded_as_alone(form, channels):
    """Four images, as two rows of two of them, pixel by pixel."""
    x = torch.randn(4, channels, 6, 5, generator=torch.Generator().manual_seed(0))
    alone = unfolded(x, *form)
    n_pixels = len(alone) // 4
    side_by_side = x.reshape(2, 2, channels, 6, 5).permute(0, 3, 4, 1, 2).reshape(2, 6, -1).contiguous().numpy()
    columns = np.full(alone.shape, np.nan, np.float32)
    unfold(side_by_side, columns, windows((6, 5), *form))
    by_image = columns.reshape(2, n_pixels, 2, -1).swapaxes(1, 2).reshape(alone.shape)
    assert np.array_equal(by_image, alone.numpy())

    whole, folded = np.empty((4, 6, 5 * channels), np.float32), np.full_like(side_by_side, np.nan)
    fold(alone.numpy(), whole, windows((6, 5), *form))
    fold(columns, folded, windows((6, 5), *form))
    apart = folded.reshape(2, 6, 5, 2, channels).transpose(0, 3, 1, 2, 4).reshape(whole.shape)
    assert np.array_equal(apart, whole)

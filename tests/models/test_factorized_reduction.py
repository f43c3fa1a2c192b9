from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from pnas_models import BatchNorm
from pnas_models._factorized_reduction import FactorizedReduction


def _expected(x: Tensor, path_1: Tensor, path_2: Tensor, eps: float) -> Tensor:
    """Pixel by pixel: the first path reads (2i, 2j), the second (2i + 1, 2j + 1), or zero outside of the map."""
    x = torch.relu(x)
    n, _, height, width = x.shape
    outputs = torch.zeros(n, len(path_1) + len(path_2), -(-height // 2), -(-width // 2), dtype=x.dtype)
    for i in range(outputs.shape[2]):
        for j in range(outputs.shape[3]):
            outputs[:, : len(path_1), i, j] = x[:, :, 2 * i, 2 * j] @ path_1.T
            if 2 * i + 1 < height and 2 * j + 1 < width:
                outputs[:, len(path_1) :, i, j] = x[:, :, 2 * i + 1, 2 * j + 1] @ path_2.T
    return F.batch_norm(outputs, None, None, training=True, eps=eps)


@pytest.mark.parametrize("out_channels", [2, 5, 8])
@pytest.mark.parametrize("size", [(8, 8), (7, 7), (7, 10), (12, 9)])
def test_it_equals_the_reference_at_even_and_odd_sizes_and_filters(
    size: tuple[int, int], out_channels: int, images: Callable[..., Tensor]
) -> None:
    module = FactorizedReduction(3, out_channels, BatchNorm(eps=1e-3, decay=0.9)).double()
    x = images(2, 3, *size)
    expected = _expected(x, module.path_1.weight[:, :, 0, 0], module.path_2.weight[:, :, 0, 0], eps=1e-3)
    torch.testing.assert_close(module(x), expected)


def test_the_second_path_takes_the_extra_filter() -> None:
    module = FactorizedReduction(3, 7, BatchNorm(eps=1e-3, decay=0.9))
    assert (module.path_1.out_channels, module.path_2.out_channels) == (3, 4)

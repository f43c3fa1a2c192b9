from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F


def _padded(x: Tensor, kernel_size: tuple[int, int], stride: tuple[int, int], dilation: int, value: float) -> Tensor:
    pads: list[int] = []
    for size, kernel, step in reversed(list(zip(x.shape[2:], kernel_size, stride, strict=True))):
        n_outputs = -(-size // step)
        total = max((n_outputs - 1) * step + dilation * (kernel - 1) + 1 - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads, value=value)


class TensorFlowSame:
    """TensorFlow's operations with SAME padding, as its documentation gives the formula: padded first, then VALID."""

    def convolve(
        self, x: Tensor, weight: Tensor, stride: tuple[int, int] = (1, 1), dilation: int = 1, groups: int = 1
    ) -> Tensor:
        kernel_size = (weight.shape[2], weight.shape[3])
        return F.conv2d(_padded(x, kernel_size, stride, dilation, 0.0), weight, None, stride, 0, dilation, groups)

    def max_pool(self, x: Tensor, stride: int) -> Tensor:
        return F.max_pool2d(_padded(x, (3, 3), (stride, stride), 1, -torch.inf), 3, stride)

    def avg_pool(self, x: Tensor, stride: int) -> Tensor:
        inside = _padded(torch.ones_like(x), (3, 3), (stride, stride), 1, 0.0)
        zero_padded = _padded(x, (3, 3), (stride, stride), 1, 0.0)
        return F.avg_pool2d(zero_padded, 3, stride) / F.avg_pool2d(inside, 3, stride)


@pytest.fixture(scope="session")
def tensorflow() -> TensorFlowSame:
    return TensorFlowSame()


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def images() -> Callable[..., Tensor]:
    """Makes images of noise in float64, so that two ways to the same values agree to many digits."""
    return lambda *shape: torch.randn(*shape, dtype=torch.float64)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Maps of 8x8 pixels are too small to share: on busy cores, threads would mostly wait for each other."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture
def nasnet_a() -> dict[str, Any]:
    """NASNet-A's two cells (Zoph et al., 2018, figure 4) in this package's terms; the normal one gives h(-2), too."""
    return {
        "cell": [
            (-1, "sep_conv_5x5", -2, "sep_conv_3x3"),
            (-2, "sep_conv_5x5", -2, "sep_conv_3x3"),
            (-1, "avg_pool_3x3", -2, "identity"),
            (-2, "avg_pool_3x3", -2, "avg_pool_3x3"),
            (-1, "sep_conv_3x3", -1, "identity"),
        ],
        "concat": (-2, 0, 1, 2, 3, 4),
        "reduction_cell": [
            (-1, "sep_conv_5x5", -2, "sep_conv_7x7"),
            (-1, "max_pool_3x3", -2, "sep_conv_7x7"),
            (-1, "avg_pool_3x3", -2, "sep_conv_5x5"),
            (-1, "max_pool_3x3", 0, "sep_conv_3x3"),
            (0, "avg_pool_3x3", 1, "identity"),
        ],
        "reduction_concat": (1, 2, 3, 4),
    }

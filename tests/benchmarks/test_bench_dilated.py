"""Forward and backward of the dilated depthwise convolution at stride 2: on every second pixel, or as it is written."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from pnas_models._same_padding import SameConv2d

CONVOLUTION = SameConv2d(16, 16, 3, stride=2, dilation=2, groups=16).to(memory_format=torch.channels_last)
X = torch.randn(64, 16, 8, 8).contiguous(memory_format=torch.channels_last)


def on_every_second_pixel(x: Tensor) -> Tensor:
    y: Tensor = CONVOLUTION(x)
    return y


def as_written(x: Tensor) -> Tensor:
    return F.conv2d(F.pad(x, (1, 2, 1, 2)), CONVOLUTION.weight, stride=2, dilation=2, groups=16)


@pytest.mark.benchmark(group="dilated 3x3 at stride 2, (64, 16, 8, 8)")
@pytest.mark.parametrize("way", [on_every_second_pixel, as_written])
def test_dilated(benchmark: Any, way: Callable[[Tensor], Tensor]) -> None:
    torch.testing.assert_close(way(X), on_every_second_pixel(X))
    benchmark(lambda: way(X).sum().backward())

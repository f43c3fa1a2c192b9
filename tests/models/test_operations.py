from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pnas_models import PNAS_OPERATIONS, BatchNorm

BATCH_NORM = BatchNorm(eps=1e-3, decay=0.9)
SIZES = [(7, 7), (8, 8), (9, 10), (12, 11), (10, 12)]
CHANNELS = [(4, 4), (3, 5)]


def _normalized(x: Tensor) -> Tensor:
    return F.batch_norm(x, None, None, training=True, eps=BATCH_NORM.eps)


def _expected(name: str, x: Tensor, weights: list[Tensor], stride: int, tensorflow: Any) -> Tensor:
    """What TF-Slim's operation of that name gives, from nothing but the weights of its convolutions in order."""
    strides = (stride, stride)
    if name.startswith("sep_conv"):
        for depthwise, pointwise, step in ((*weights[:2], strides), (*weights[2:], (1, 1))):
            x = tensorflow.convolve(torch.relu(x), depthwise, step, groups=x.shape[1])
            x = _normalized(tensorflow.convolve(x, pointwise))
        return x
    if name == "dil_conv_3x3":
        x = tensorflow.convolve(torch.relu(x), weights[0], strides, dilation=2, groups=x.shape[1])
        return _normalized(tensorflow.convolve(x, weights[1]))
    if name == "conv_1x7_7x1":
        x = tensorflow.convolve(torch.relu(x), weights[0], (1, stride))
        return _normalized(tensorflow.convolve(x, weights[1], (stride, 1)))
    if name == "identity":
        return _normalized(tensorflow.convolve(torch.relu(x), weights[0], strides)) if weights else x
    pooled: Tensor = getattr(tensorflow, name.removesuffix("_3x3"))(x, stride)
    return _normalized(tensorflow.convolve(pooled, weights[0])) if weights else pooled


def _convolutions(module: nn.Module) -> list[Tensor]:
    return [part.weight for part in module.modules() if isinstance(part, nn.Conv2d)]


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("name", PNAS_OPERATIONS)
def test_an_operation_equals_tf_slims(
    name: str, stride: int, channels: tuple[int, int], tensorflow: Any, images: Callable[..., Tensor]
) -> None:
    module = PNAS_OPERATIONS[name](*channels, stride, BATCH_NORM).double()
    for size in SIZES:
        x = images(2, channels[0], *size)
        expected = _expected(name, x, _convolutions(module), stride, tensorflow)
        assert expected.shape == (2, channels[1], -(-size[0] // stride), -(-size[1] // stride))
        torch.testing.assert_close(module(x), expected)


# Shapes of the convolutions' weights from 3 to 5 channels; whatever else has parameters is batch normalization.
SEPARABLE = {k: [(3, 1, k, k), (5, 3, 1, 1), (5, 1, k, k), (5, 5, 1, 1)] for k in (3, 5, 7)}
WEIGHTS = {
    "sep_conv_3x3": SEPARABLE[3],
    "sep_conv_5x5": SEPARABLE[5],
    "sep_conv_7x7": SEPARABLE[7],
    "conv_1x7_7x1": [(5, 3, 1, 7), (5, 5, 7, 1)],
    "identity": [(5, 3, 1, 1)],
    "avg_pool_3x3": [(5, 3, 1, 1)],
    "max_pool_3x3": [(5, 3, 1, 1)],
    "dil_conv_3x3": [(3, 1, 3, 3), (5, 3, 1, 1)],
}


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("name", WEIGHTS)
def test_an_operation_has_the_convolutions_of_tf_slim_without_biases(name: str, stride: int) -> None:
    module = PNAS_OPERATIONS[name](3, 5, stride, BATCH_NORM)
    assert [tuple(weight.shape) for weight in _convolutions(module)] == WEIGHTS[name]
    normalizations = [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]
    assert {part.num_features for part in normalizations} == {5}
    n_parameters = sum(weight.numel() for weight in _convolutions(module)) + 2 * 5 * len(normalizations)
    assert sum(parameter.numel() for parameter in module.parameters()) == n_parameters


@pytest.mark.parametrize(
    ("name", "stride", "n_parameters"),
    [
        ("identity", 1, 0),
        ("identity", 2, 16 + 8),
        *[(f"{pool}_pool_3x3", s, 0) for pool in ("avg", "max") for s in (1, 2)],
    ],
)
def test_between_equal_channels_only_a_strided_identity_has_parameters(
    name: str, stride: int, n_parameters: int
) -> None:
    module = PNAS_OPERATIONS[name](4, 4, stride, BATCH_NORM)
    assert sum(parameter.numel() for parameter in module.parameters()) == n_parameters


def test_the_papers_operations_keep_the_order_that_is_part_of_the_format() -> None:
    assert tuple(PNAS_OPERATIONS) == (
        "sep_conv_3x3",
        "sep_conv_5x5",
        "sep_conv_7x7",
        "conv_1x7_7x1",
        "identity",
        "avg_pool_3x3",
        "max_pool_3x3",
        "dil_conv_3x3",
    )


def test_the_papers_operations_cannot_be_changed_for_everyone() -> None:
    with pytest.raises(TypeError):
        PNAS_OPERATIONS["identity"] = PNAS_OPERATIONS["max_pool_3x3"]  # type: ignore[index]

"""Our operations against PyTorch's: values and all gradients, at every geometry that the networks use."""

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from pnas_trainer._cpu import fast_operations


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def _threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


def images(*shape: int, seed: int = 0) -> Tensor:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return x.contiguous(memory_format=torch.channels_last).requires_grad_()


def gradients(function, *inputs: Tensor) -> list[Tensor]:
    """What the function gives, and the gradients of its inputs for a random gradient of that."""
    y = function(*inputs)
    upstream = torch.randn(y.shape, generator=torch.Generator().manual_seed(1))
    return [y.detach(), *torch.autograd.grad(y, inputs, upstream)]


def assert_same(function, *inputs: Tensor, name: str) -> None:
    expected = gradients(function, *inputs)
    with fast_operations():
        actual = gradients(function, *inputs)
        assert name in type(function(*inputs).grad_fn).__name__  # ours is what ran
    for ours, theirs in zip(actual, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4 * float(theirs.abs().max()))


@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize("size", [(8, 8), (5, 9), (1, 1), (2, 3)])
@pytest.mark.parametrize(
    ("kernel", "dilation", "stride"),
    [
        ((3, 3), 2, 1),
        *((kernel, 1, stride) for kernel in ((3, 3), (5, 5), (7, 7), (1, 7), (7, 1), (5, 3)) for stride in (1, 2)),
    ],
)
def test_depthwise_convolution_is_pytorchs(kernel, dilation, stride, size) -> None:
    padding = tuple(dilation * (k - 1) // 2 for k in kernel)
    weight = torch.randn(6, 1, *kernel, generator=torch.Generator().manual_seed(2)).requires_grad_()
    assert_same(
        lambda x, w: F.conv2d(x, w, None, stride, padding, dilation, 6),
        images(3, 6, *size),
        weight,
        name="DepthwiseConvolution",
    )


@pytest.mark.parametrize(
    ("kernel", "padding"),
    [
        ((3, 3), "same"),  # of even kernels PyTorch pads "same" unevenly, and keeps them
        ((5, 5), "same"),
        *itertools.product([(5, 5), (4, 6), (3, 3)], [0, 1, (0, 2), (3, 1), "valid"]),
    ],
)
def test_depthwise_convolution_pads_as_pytorch(kernel, padding) -> None:
    weight = torch.randn(4, 1, *kernel, generator=torch.Generator().manual_seed(2)).requires_grad_()
    assert_same(
        lambda x, w: F.conv2d(x, w, None, 1, padding, 1, 4), images(2, 4, 9, 10), weight, name="DepthwiseConvolution"
    )


@pytest.mark.parametrize("bias", [True, False])
def test_pointwise_convolution_is_pytorchs(bias: bool) -> None:
    generator = torch.Generator().manual_seed(2)
    weight = torch.randn(5, 6, 1, 1, generator=generator).requires_grad_()
    inputs = [images(3, 6, 7, 8), weight] + ([torch.randn(5, generator=generator).requires_grad_()] if bias else [])
    assert_same(F.conv2d, *inputs, name="Permute")


@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize("size", [(8, 8), (5, 9), (1, 1), (1, 4), (3, 1)])
def test_pools_are_pytorchs(size: tuple[int, int]) -> None:
    assert_same(lambda x: F.max_pool2d(x, 3, 1, 1), images(3, 6, *size), name="MaxPool3x3")
    assert_same(lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False), images(3, 6, *size), name="AveragePool3x3")


def test_max_pool_gives_the_gradient_to_the_first_of_equal_pixels() -> None:
    x = torch.zeros(2, 3, 5, 5).contiguous(memory_format=torch.channels_last).requires_grad_()
    assert_same(lambda x: F.max_pool2d(x, 3, 1, 1), x, name="MaxPool3x3")


def test_max_pool_lets_nan_through() -> None:
    x = images(1, 2, 5, 5).detach()
    x[0, 0, 2, 2] = torch.nan
    with fast_operations():
        y = F.max_pool2d(x.requires_grad_(), 3, 1, 1)
    assert torch.equal(y.isnan(), F.max_pool2d(x, 3, 1, 1).isnan())
    assert y.isnan().sum() == 9


def test_batch_norm_is_pytorchs_and_moves_the_same_statistics() -> None:
    x, weight, bias = images(4, 6, 5, 5), torch.rand(6).requires_grad_(), torch.rand(6).requires_grad_()
    statistics = {}

    def normalized(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        mean, var = torch.zeros(6), torch.ones(6)
        y = F.batch_norm(x, mean, var, weight, bias, training=True, momentum=0.3)
        statistics.setdefault("all", []).append((mean, var))
        return y

    assert_same(normalized, x, weight, bias, name="BatchNorm")
    first, *others = statistics["all"]
    assert all(torch.allclose(a, b) for other in others for a, b in zip(first, other, strict=True))


def test_batch_norm_takes_a_gradient_that_is_a_slice() -> None:
    weight, bias = torch.rand(6).requires_grad_(), torch.rand(6).requires_grad_()

    def concatenated(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        y = F.batch_norm(x, None, None, weight, bias, training=True)
        return torch.cat([y, x, y + 1], dim=1)

    assert_same(concatenated, images(4, 6, 5, 5), weight, bias, name="Concatenation")


@pytest.mark.parametrize(
    ("name", "x"),
    [
        ("double precision", torch.randn(2, 4, 6, 6, dtype=torch.float64)),
        ("contiguous", torch.randn(2, 4, 6, 6)),
        ("three dimensions", torch.randn(4, 6, 6)),
    ],
)
def test_everything_else_is_left_to_pytorch(name: str, x: Tensor) -> None:
    weight = torch.randn(4, 1, 5, 5, dtype=x.dtype)
    expected = F.conv2d(x, weight, padding=2, groups=4), F.max_pool2d(x, 3, 1, 1)
    with fast_operations():
        actual = F.conv2d(x, weight, padding=2, groups=4), F.max_pool2d(x, 3, 1, 1)
        assert torch.equal(torch.cat([x, x], 0), torch.cat((x, x)))
    assert all(torch.equal(a, b) for a, b in zip(actual, expected, strict=True))


def test_pools_of_other_forms_are_left_to_pytorch() -> None:
    x = images(2, 4, 8, 8)
    forms = [
        lambda: F.max_pool2d(x, 2),
        lambda: F.max_pool2d(x, 3, 2, 1),
        lambda: F.max_pool2d(x, 3, 1, 1, dilation=1, ceil_mode=True),
        lambda: F.max_pool2d(x, 3, 1, 1, return_indices=True)[1],
        lambda: F.avg_pool2d(x, 3, 1, 1),
        lambda: F.avg_pool2d(x, (2, 3)),
        lambda: F.conv2d(x, torch.ones(8, 4, 3, 3), padding=1),
        lambda: F.conv2d(x, torch.ones(8, 1, 3, 3), padding=1, groups=4),
    ]
    expected = [form() for form in forms]
    with fast_operations():
        actual = [form() for form in forms]
    assert all(torch.equal(a, b) for a, b in zip(actual, expected, strict=True))


def test_calls_in_other_forms_are_left_to_pytorch() -> None:
    x = images(2, 4, 8, 8)
    forms = [
        lambda: torch.cat((x, x), axis=1),
        lambda: F.max_pool2d(x, np.int64(3), stride=np.int64(1), padding=np.int64(1)),
        lambda: F.conv2d(x, torch.ones(4, 1, 3, 3), padding=np.int64(1), groups=4),
        lambda: F.conv2d(input=x, weight=torch.ones(4, 1, 5, 5), groups=4),
    ]
    expected = [form() for form in forms]
    with fast_operations():
        actual = [form() for form in forms]
    for ours, theirs in zip(actual, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_what_pytorch_refuses_is_refused() -> None:
    with fast_operations(), pytest.raises(RuntimeError, match="padding='same' is not supported for strided"):
        F.conv2d(images(2, 4, 8, 8), torch.ones(4, 1, 5, 5), None, 2, "same", 1, 4)


def test_a_gradient_of_a_gradient_is_an_error_and_no_wrong_number() -> None:
    x, weight = images(2, 4, 6, 6), torch.randn(4, 1, 5, 5, requires_grad=True)
    with fast_operations():
        y = F.conv2d(x, weight, padding=2, groups=4)
        (gradient,) = torch.autograd.grad((y**2).sum(), weight, create_graph=True)
        with pytest.raises(RuntimeError, match="once_differentiable"):
            (gradient**2).sum().backward()

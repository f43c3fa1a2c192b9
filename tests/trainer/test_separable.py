"""Separable layers by our kernels against PyTorch's modules: on a GPU, or as `test_kernels` runs this."""

import contextlib
import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from pnas_trainer._cuda._chains import Chain
from pnas_trainer._cuda._separable import separable_layers


class UnevenConv2d(nn.Conv2d):
    """Pads one pixel more on the right and at the bottom, as TensorFlow does."""

    def forward(self, input):
        height, width = (d * (k - 1) // 2 for d, k in zip(self.dilation, self.kernel_size, strict=True))
        padded = F.pad(input, (max(0, width - 1), width, max(0, height - 1), height))
        return F.conv2d(padded, self.weight, None, self.stride, 0, self.dilation, self.groups)


class SlicedConv2d(nn.Conv2d):
    """Sees every second pixel alone."""

    def forward(self, input):
        return F.conv2d(input[:, :, ::2, ::2], self.weight, None, 1, self.padding, 1, self.groups)


NETWORKS = {
    "3x3": lambda layer: layer(24, 24, 3),
    "5x5 twice": lambda layer: layer(24, 24, 5) + layer(24, 24, 5, inplace=True),
    "7x7 at stride 2, twice": lambda layer: layer(20, 33, 7, stride=2) + layer(33, 33, 7),
    "dilated": lambda layer: layer(16, 8, 3, dilation=2),
    "rows and columns of their own": lambda layer: layer(5, 6, (3, 1), stride=(2, 1)) + layer(6, 7, (1, 5), dilation=2),
    "groups": lambda layer: layer(6, 7, 5, 3, stride=2) + layer(7, 7, 5, 3),
    "uneven padding": lambda layer: layer(8, 8, 5, kind=UnevenConv2d, stride=2) + layer(8, 8, 5),
    "every second pixel": lambda layer: layer(8, 12, 3, 2, kind=SlicedConv2d),
    "few channels": lambda layer: layer(2, 3, 3) + layer(3, 1, 1),
    "many channels": lambda layer: layer(128, 100, 3),
}


def results(compute, modules, x, gradient):
    """By name: what comes out, all gradients, and the buffers after it."""
    x = x.clone(memory_format=torch.preserve_format).requires_grad_()
    y = compute(x)
    y.backward(gradient(y))
    named = [*modules.named_parameters()]
    return {"y": y, "x": x.grad, **{name: p.grad for name, p in named}, **dict(modules.named_buffers())}


@torch.no_grad()
def apart(a, b):
    return float((a.float() - b.float()).norm() / b.float().norm().clamp_min(1e-12))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
@pytest.mark.parametrize("network", NETWORKS)
def test_it_is_what_the_modules_compute(kernel_device, separable_layer, network, dtype):
    torch.manual_seed(0)
    plain = nn.Sequential(*NETWORKS[network](separable_layer)).to(kernel_device, memory_format=torch.channels_last)
    ours = copy.deepcopy(plain)
    x = torch.randn(2, plain[1].in_channels, 7, 8, device=kernel_device).to(memory_format=torch.channels_last)

    def gradient(y):
        generator = torch.Generator().manual_seed(1)
        return torch.randn(y.shape, generator=generator).to(y)

    def fused(x):
        return separable_layers(x, Chain(list(ours)).layers(x))

    is_short = dtype != torch.float32
    with torch.autocast(kernel_device, dtype if is_short else None, enabled=is_short):
        expected = results(plain, plain, x.to(dtype), gradient)
    actual = results(fused, ours, x.to(dtype), gradient)
    assert actual["y"].dtype == expected["y"].dtype == dtype
    assert actual["y"].is_contiguous(memory_format=torch.channels_last)
    assert actual.keys() == expected.keys()
    most = 0.05 if is_short or kernel_device == "cuda" else 1e-5
    for name, value in expected.items():
        assert apart(actual[name], value) < most, name


def test_counters_count(kernel_device, separable_layer):
    modules = nn.Sequential(*separable_layer(4, 4, 3, 2))
    modules[3].num_batches_tracked = torch.tensor([3, 5])
    modules.to(kernel_device)
    x = torch.randn(2, 8, 5, 5, device=kernel_device)
    separable_layers(x, Chain(list(modules)).layers(x))
    assert modules[3].num_batches_tracked.tolist() == [4, 6]


def test_statistics_survive_a_mean_far_from_zero(kernel_device, separable_layer, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)  # in which 1000 and 1000.5 are neighbours
    modules = nn.Sequential(*separable_layer(4, 4, 1))
    for parameter in (modules[1].weight, modules[3].weight):
        nn.init.ones_(parameter)
    nn.init.zeros_(modules[3].bias)
    modules[2].weight.data.copy_(torch.eye(4).view(4, 4, 1, 1))
    modules.to(kernel_device)
    x = (1000 + torch.rand(8, 4, 16, 16, device=kernel_device)).to(memory_format=torch.channels_last)
    y = separable_layers(x, Chain(list(modules)).layers(x))
    expected = (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), keepdim=True, correction=0)
    assert apart(y, expected) < 0.01


def test_it_has_no_second_derivative(kernel_device, separable_layer):
    modules = nn.Sequential(*separable_layer(4, 4, 3)).to(kernel_device)
    x = torch.randn(2, 4, 5, 5, device=kernel_device, requires_grad=True)
    y = separable_layers(x, Chain(list(modules)).layers(x))
    (gradient,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_what_is_not_a_number_stays_so(kernel_device, separable_layer):
    modules = nn.Sequential(*separable_layer(4, 4, 3)).to(kernel_device)
    x = torch.randn(2, 4, 5, 5, device=kernel_device)
    x[0, 1, 2, 2] = torch.nan
    y = separable_layers(x, Chain(list(modules)).layers(x))
    assert y.isnan().all()
    assert modules[3].running_mean.isnan().all()


def test_a_layer_is_computed_again_in_a_checkpoint(kernel_device, separable_layer):
    """As pnas-models does it, whose normalizations leave their statistics alone the second time."""
    modules = nn.Sequential(*separable_layer(4, 4, 3)).to(kernel_device)
    norm, x = modules[3], torch.randn(2, 4, 5, 5, device=kernel_device, requires_grad=True)

    def run(x):
        return separable_layers(x, Chain(list(modules)).layers(x))

    @contextlib.contextmanager
    def second_time():
        counter, momentum = norm.num_batches_tracked, norm.momentum
        norm.num_batches_tracked, norm.momentum = None, 0.0
        try:
            yield
        finally:
            norm.num_batches_tracked, norm.momentum = counter, momentum

    (expected,) = torch.autograd.grad(run(x).square().sum(), x)
    y = checkpoint(run, x, use_reentrant=False, context_fn=lambda: (contextlib.nullcontext(), second_time()))
    (gradient,) = torch.autograd.grad(y.square().sum(), x)
    assert torch.equal(gradient, expected)
    assert norm.num_batches_tracked == 2

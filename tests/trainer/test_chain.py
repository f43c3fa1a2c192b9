"""Chains of layers as one operation against the same layers one by one."""

import copy
import io
import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from pnas_trainer._cpu import fused_chains


class SameConvolution(nn.Conv2d):
    """Padded as TensorFlow does, which depends on the size."""

    def explicit_padding(self, height: int, width: int) -> tuple[int, int, int, int]:
        sides = []
        for index, size in ((1, width), (0, height)):
            stride, extent = self.stride[index], self.dilation[index] * (self.kernel_size[index] - 1) + 1
            total = max(0, (-(-size // stride) - 1) * stride + extent - size)
            sides += [total // 2, total - total // 2]
        return sides[0], sides[1], sides[2], sides[3]

    def forward(self, input: Tensor) -> Tensor:
        padded = F.pad(input, self.explicit_padding(*input.shape[2:]))
        return F.conv2d(padded, self.weight, None, self.stride, 0, self.dilation, self.groups)


def layers(*, relu=True, kernel=(3, 3), stride=1, dilation=1, conv=SameConvolution, channels=6, out=5) -> nn.Sequential:
    torch.manual_seed(0)
    parts: list[nn.Module] = [nn.ReLU()] if relu else []
    if kernel is not None:
        parts.append(conv(channels, channels, kernel, stride, dilation=dilation, groups=channels, bias=False))
    pointwise = conv if kernel is None else nn.Conv2d
    parts += [pointwise(channels, out, 1, stride if kernel is None else 1, bias=False), nn.BatchNorm2d(out)]
    with torch.no_grad():
        parts[-1].weight.uniform_(0.5, 2)
        parts[-1].bias.uniform_(-1, 1)
    return nn.Sequential(*parts).to(memory_format=torch.channels_last).train()


def images(*shape: int, seed: int = 0) -> Tensor:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(seed)) + 0.3
    return x.contiguous(memory_format=torch.channels_last).requires_grad_()


def is_chain(y: Tensor) -> bool:
    return "ChainFunction" in type(y.grad_fn).__name__


def trained(model: nn.Module, x: Tensor, *, must_be_chain: bool = False) -> list[Tensor]:
    """Outputs, gradients and the statistics after it."""
    y = model(x)
    assert is_chain(y) or not must_be_chain
    upstream = torch.randn(y.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(y.dtype)
    return [y.detach(), *torch.autograd.grad(y, [x, *model.parameters()], upstream), *model.buffers()]


def assert_close(actual: list[Tensor], expected: list[Tensor]) -> None:
    for ours, theirs in zip(actual, expected, strict=True):
        scale = max(1.0, float(theirs.detach().abs().max()))
        torch.testing.assert_close(ours.to(theirs.dtype), theirs, rtol=1e-4, atol=1e-5 * scale)


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("size", [(8, 8), (5, 7), (2, 2), (1, 1), (3, 9)])
@pytest.mark.parametrize(
    ("kernel", "dilation"), [(None, 1), *itertools.product([(3, 3), (5, 5), (7, 7), (1, 7), (5, 1)], [1, 2])]
)
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("relu", [True, False])
def test_a_chain_computes_what_its_layers_do(size, kernel, dilation, stride, relu):
    model = layers(relu=relu, kernel=kernel, dilation=dilation, stride=stride)
    x = images(4, 6, *size)
    expected = trained(copy.deepcopy(model).double(), x.detach().double().requires_grad_())
    with fused_chains(model):
        actual = trained(model, x, must_be_chain=True)
    assert_close(actual, expected)


@pytest.mark.parametrize("padding", [0, 1, (2, 0), "same", "valid"])
def test_pytorchs_own_paddings(padding):
    model = nn.Sequential(
        nn.Conv2d(6, 6, 3, padding=padding, groups=6, bias=False), nn.Conv2d(6, 5, 1, bias=False), nn.BatchNorm2d(5)
    ).to(memory_format=torch.channels_last)
    x = images(4, 6, 5, 6)
    expected = trained(copy.deepcopy(model).double(), x.detach().double().requires_grad_())
    with fused_chains(model):
        assert_close(trained(model, x, must_be_chain=True), expected)


def test_two_chains_follow_each_other_and_the_relu_between_them_may_overwrite_its_input():
    first, second = layers(out=6), layers(kernel=(5, 5))
    second[0].inplace = True
    model = nn.Sequential(*first, *second)
    x = images(4, 6, 8, 8)
    expected = trained(copy.deepcopy(model).double(), x.detach().double().requires_grad_())
    with fused_chains(model):
        assert_close(trained(model, x, must_be_chain=True), expected)


def with_hook(model: nn.Sequential) -> None:
    model[1].register_forward_hook(lambda *_: None)


def with_inplace_relu(model: nn.Sequential) -> None:
    model[0].inplace = True  # the caller may see it


def without_training(model: nn.Sequential) -> None:
    model[-1].eval()


def with_cumulative_average(model: nn.Sequential) -> None:
    model[-1].momentum = None


def with_bias(model: nn.Sequential) -> None:
    model[2].bias = nn.Parameter(torch.ones(5))


def with_padding_of_its_own(model: nn.Sequential) -> None:
    model[1].padding_mode = "reflect"


def with_a_forward_put_on_a_layer(model: nn.Sequential) -> None:
    convolution = model[1]
    model[1].forward = lambda x: 2 * F.conv2d(x, convolution.weight, padding=1, groups=6)


def without_a_bias_of_the_norm(model: nn.Sequential) -> None:
    model[-1].bias = None


def with_a_parametrization(model: nn.Sequential) -> None:
    nn.utils.parametrizations.weight_norm(model[1])


def with_a_same_convolution_that_does_more(model: nn.Sequential) -> None:
    class Standardized(SameConvolution):
        def forward(self, input):
            return 3 * super().forward(input)

    model[1] = Standardized(6, 6, 3, groups=6, bias=False)


def with_a_parametrized_same_convolution(model: nn.Sequential) -> None:
    model[1] = nn.utils.parametrizations.weight_norm(SameConvolution(6, 6, 3, groups=6, bias=False))


def with_a_layer_of_ones_own(model: nn.Sequential) -> None:
    class Doubled(nn.ReLU):
        def forward(self, input):
            return 2 * super().forward(input)

    model[0] = Doubled()


@pytest.mark.parametrize(
    "change",
    [
        with_hook,
        with_inplace_relu,
        without_training,
        with_cumulative_average,
        with_bias,
        with_padding_of_its_own,
        with_a_layer_of_ones_own,
        with_a_forward_put_on_a_layer,
        without_a_bias_of_the_norm,
        with_a_parametrization,
        with_a_same_convolution_that_does_more,
        with_a_parametrized_same_convolution,
    ],
)
def test_what_is_not_quite_a_chain_is_computed_as_it_is(change):
    model = layers(conv=lambda *args, **kwargs: nn.Conv2d(*args, **kwargs, padding=1))
    change(model)
    plain = copy.deepcopy(model)
    x = images(4, 6, 8, 8).detach()
    expected = plain(x.clone())
    with fused_chains(model):
        assert_close([model(x.clone())], [expected])
        assert_close(list(model.buffers()), list(plain.buffers()))


@pytest.mark.parametrize(
    "change",
    [
        with_hook,
        with_bias,
        with_cumulative_average,
        with_a_layer_of_ones_own,
        with_a_forward_put_on_a_layer,
        without_a_bias_of_the_norm,
        with_a_parametrization,
    ],
)
def test_what_changes_in_the_middle_of_an_epoch_is_seen(change):
    model = layers(conv=lambda *args, **kwargs: nn.Conv2d(*args, **kwargs, padding=1))
    plain = copy.deepcopy(model)
    x = images(4, 6, 8, 8).detach()
    plain(x.clone())
    change(plain)
    with fused_chains(model):
        assert is_chain(model(x.clone()))
        change(model)
        assert_close([model(x.clone())], [plain(x.clone())])


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(nn.Conv2d(6, 20, 1, bias=False), nn.BatchNorm2d(6)),
        nn.Sequential(nn.Conv2d(6, 4, 1, bias=False), nn.BatchNorm2d(8)),
        nn.Sequential(nn.Conv2d(6, 6, 3, groups=6, bias=False), nn.Conv2d(8, 4, 1, bias=False), nn.BatchNorm2d(4)),
        nn.Sequential(nn.Conv2d(8, 8, 3, groups=8, bias=False), nn.Conv2d(6, 4, 1, bias=False), nn.BatchNorm2d(4)),
        nn.Sequential(
            nn.Conv2d(6, 6, 3, padding=-1, groups=6, bias=False), nn.Conv2d(6, 4, 1, bias=False), nn.BatchNorm2d(4)
        ),
        nn.Sequential(nn.Conv2d(6, 6, 9, groups=6, bias=False), nn.Conv2d(6, 4, 1, bias=False), nn.BatchNorm2d(4)),
    ],
)
def test_layers_that_do_not_fit_together_are_pytorchs_error(model):
    with fused_chains(model), pytest.raises(RuntimeError):
        model(images(4, 6, 8, 8))


@pytest.mark.parametrize("kernel", [None, (3, 3)])
def test_what_came_before_a_relu_may_be_overwritten(kernel):
    model, x = layers(kernel=kernel, out=6), images(4, 6, 8, 8)

    def gradient(body):
        path = x * 1
        path += body(path)
        return list(torch.autograd.grad(path.square().sum(), x))

    expected = gradient(copy.deepcopy(model))
    with fused_chains(model):
        assert_close(gradient(model), expected)


def test_a_hook_sees_what_an_in_place_relu_leaves():
    def made():
        torch.manual_seed(0)
        model = nn.Sequential(*layers(out=6), *layers())
        model[4].inplace = True
        seen = []
        model[3].register_forward_hook(lambda *arguments: seen.append(arguments[2]))
        return model, seen

    (plain, expected), (model, actual) = made(), made()
    x = images(4, 6, 8, 8)
    plain(x)
    with fused_chains(model):
        model(x)
    assert_close(actual, expected)


def test_copies_made_on_the_way_compute_layer_by_layer():
    model, x = layers(), images(4, 6, 8, 8)
    with fused_chains(model):
        model(x)
        copied = copy.deepcopy(model)
        buffer = io.BytesIO()
        torch.save(model, buffer)
    with torch.no_grad():
        copied[1].weight.mul_(3)
    buffer.seek(0)
    loaded = torch.load(buffer, weights_only=False)
    assert_close([loaded(x)], [model(x)])
    assert_close([copied(x)], [nn.Sequential(*copied)(x)])


def test_the_default_type_of_pytorch_has_no_say():
    model, x = layers(), images(4, 6, 8, 8)
    torch.set_default_dtype(torch.float64)
    try:
        with fused_chains(model):
            results = trained(model, x, must_be_chain=True)
    finally:
        torch.set_default_dtype(torch.float32)
    assert {result.dtype for result in results if result.is_floating_point()} == {torch.float32}


def test_threads_may_share_a_model():
    model = layers()
    inputs = [images(4, 6, 8, 8, seed=seed) for seed in range(40)]

    def gradient(x):
        torch.set_num_threads(1)
        return torch.autograd.grad(model(x).pow(3).sum(), x)[0]

    expected = list(map(gradient, inputs))
    with fused_chains(model), ThreadPoolExecutor(4) as pool:
        assert_close(list(pool.map(gradient, inputs)), expected)


def test_hooks_see_what_goes_through_a_layer():
    model, seen = layers(), []
    model[1].register_forward_hook(lambda *seen_by_hook: seen.append(seen_by_hook[2].shape))
    with fused_chains(model):
        model(images(4, 6, 8, 8))
    assert seen == [(4, 6, 8, 8)]


@pytest.mark.parametrize(
    ("x", "n_threads"),
    [(images(4, 6, 8, 8), 2), (images(64, 6, 32, 32), 1), (images(4, 6, 8, 8).double(), 1)],
    ids=["two threads", "large images", "float64"],
)
def test_where_layers_one_by_one_are_faster_they_are_left_alone(x, n_threads):
    torch.set_num_threads(n_threads)
    model = layers(conv=lambda *args, **kwargs: nn.Conv2d(*args, **kwargs, padding=1)).to(x.dtype)
    with fused_chains(model):
        assert not is_chain(model(x))


def test_what_cannot_be_computed_is_pytorchs_error():
    model = layers(kernel=None)
    with fused_chains(model):
        with pytest.raises(ValueError, match="more than 1 value per channel"):
            model(images(1, 6, 1, 1))
        with pytest.raises(RuntimeError, match="expected input"):
            model(images(4, 7, 8, 8))


def test_a_graph_may_be_kept_and_several_may_be_open():
    model = layers()
    first, second = images(4, 6, 8, 8), images(4, 6, 8, 8, seed=5)
    expected = [torch.autograd.grad(copy.deepcopy(model)(x).square().sum(), x)[0] for x in (first, second)]
    with fused_chains(model):
        losses = [model(x).square().sum() for x in (first, second)]
        for _ in range(2):
            kept = [
                torch.autograd.grad(y, x, retain_graph=True)[0] for y, x in zip(losses, (first, second), strict=True)
            ]
            assert_close(kept, expected)
        (again,) = torch.autograd.grad(model(second).square().sum(), second)
    assert_close([again], expected[1:])


def test_weights_that_change_between_the_passes_are_pytorchs_error():
    model = layers()
    with fused_chains(model):
        loss = model(images(4, 6, 8, 8)).sum()
        with torch.no_grad():
            model[1].weight.mul_(2)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()


def test_weights_may_be_exchanged_at_any_time():
    model, x = layers(), images(4, 6, 8, 8)
    with fused_chains(model):
        before = model(x)
        model[1].weight = nn.Parameter(torch.zeros_like(model[1].weight))
        model[-1].bias.data = torch.full((5,), 7.0)
        after = model(x)
    assert before.std() > 0.5
    assert_close([after], [torch.full_like(after, 7.0)])


def test_activation_checkpointing_gives_the_same_gradients():
    model, x = layers(), images(4, 6, 8, 8)
    expected = torch.autograd.grad(copy.deepcopy(model)(x).square().sum(), x)
    with fused_chains(model):
        actual = torch.autograd.grad(checkpoint(model, x, use_reentrant=False).square().sum(), x)
    assert_close(list(actual), list(expected))


def test_not_a_number_stays_one():
    model = layers()
    x = images(4, 6, 8, 8)
    with torch.no_grad():
        x[0, 0, 0, 0] = torch.nan
    with fused_chains(model):
        assert model(x).isnan().any()

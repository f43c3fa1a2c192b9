"""Models that do what no program is written for: recorded or not, they train as without."""

import random
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from pnas_trainer._cpu import Recorded

Forward = Callable[..., Tensor]


class Network(nn.Module):
    """A function of a map of 6 channels and of the network, which has some layers to take, before a head."""

    def __init__(self, forward: Forward) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 1, bias=False), nn.BatchNorm2d(6))
        self.pointwise = nn.Conv2d(6, 6, 1, bias=False)
        self.convolution = nn.Conv2d(6, 6, 3, padding=1, bias=False)
        self.inside = nn.Conv2d(6, 6, 3, bias=False)
        self.depthwise = nn.Conv2d(6, 6, 3, groups=6, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.dropout = nn.Dropout(0.0)
        self.head = nn.Linear(6, 4)
        self.computed = forward
        self.n_calls = 0
        self.number = torch.zeros(())
        self.maps: tuple[Tensor, ...] = (torch.ones(2),)
        self.generator = torch.Generator().manual_seed(0)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.computed(self.stem(images), self).mean((2, 3)))


def network(forward: Forward, change: Callable[[Network], object] = lambda _: None) -> Network:
    """The same weights at every call."""
    generator = torch.Generator().manual_seed(0)
    model = Network(forward)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / parameter[0].numel() ** 0.5)
    model = model.to(memory_format=torch.channels_last)
    change(model)
    return model


def images(seed: int, n: int = 5) -> Tensor:
    x = torch.randn(n, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    return x.contiguous(memory_format=torch.channels_last)


def one_step(model: nn.Module, run: Forward, seed: int) -> dict[str, Tensor]:
    """All that a user sees of a step: outputs, gradients where there are any, and the rest of the state."""
    model.zero_grad()
    torch.manual_seed(seed)
    random.seed(seed)
    batch = images(seed)
    outputs = run(batch)
    outputs.pow(3).mean().backward()
    results = {"images": batch, "outputs": outputs.detach(), "random": torch.rand(1), "randoms": random.random()}
    for name, parameter in model.named_parameters():
        results[f"whether {name} has a gradient"] = parameter.grad is not None
        if parameter.grad is not None:
            results[f"gradient of {name}"] = parameter.grad.clone()
    return results | {name: tensor.clone() for name, tensor in model.state_dict().items()}


def assert_same(actual: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert actual.keys() == expected.keys()
    for name, theirs in expected.items():
        ours, theirs = torch.as_tensor(actual[name]).double(), torch.as_tensor(theirs).double()
        assert (ours - theirs).norm() <= 1e-3 * theirs.norm() + 1e-5, f"{name}: {ours} is not {theirs}"


pytestmark = pytest.mark.usefixtures("one_thread")


class Reversed(torch.autograd.Function):
    @staticmethod
    def forward(_ctx, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(_ctx, gradient: Tensor) -> Tensor:
        return -gradient


def without_gradient(function: Forward) -> Forward:
    def computed(x: Tensor, model: Network) -> Tensor:
        with torch.no_grad():
            y = function(x)
        return model.inside(F.pad(y, (1, 1, 1, 1))) + x

    return computed


def padded_without_gradient(x: Tensor, model: Network) -> Tensor:
    with torch.no_grad():
        padded = F.pad(x, (1, 1, 1, 1))
    return model.inside(padded) + x


def rectified_again_without_gradient(x: Tensor, model: Network) -> Tensor:
    y = torch.relu(x)
    with torch.no_grad():
        again = torch.relu(x)
    return y + model.pointwise(again)


def rectified_below_a_slice(x: Tensor, model: Network) -> Tensor:
    y = x + x
    cut = y[:, :, 1:, 1:]
    F.relu(y, inplace=True)
    return model.inside(cut)


def rectified_slice(x: Tensor, model: Network) -> Tensor:
    y = x + x
    F.relu(y[:, :, 1:, 1:], inplace=True)
    return model.convolution(y)


def rectified_after_a_sum(x: Tensor, model: Network) -> Tensor:
    y = model.norm(model.pointwise(x))
    total = y + x
    return F.relu(y, inplace=True) + total


def changed_below_a_slice(x: Tensor, model: Network) -> Tensor:
    y = x + x
    y[:, :, 0, 0].zero_()
    y[:, :, 1] = 0
    y += x
    torch.ops.aten.neg_(y)
    return y


def counted(x: Tensor, model: Network) -> Tensor:
    model.n_calls += 1
    return x if model.n_calls % 2 else torch.relu(x)


def numbered(x: Tensor, model: Network) -> Tensor:
    model.number += 1
    return x if model.number % 2 else torch.relu(x)


def remembered(x: Tensor, model: Network) -> Tensor:
    model.maps = (x,)
    return model.pointwise(x)


def shrunk(x: Tensor, model: Network) -> Tensor:
    with torch.no_grad():
        model.pointwise.weight.mul_(0.5)
    return model.pointwise(x)


MODELS: dict[str, Callable[[], nn.Module]] = {
    "a bias": lambda: network(lambda x, model: F.conv2d(x, model.pointwise.weight, model.head.bias.repeat(2)[:6])),
    "groups": lambda: network(lambda x, model: F.conv2d(x, model.pointwise.weight[:, :3], groups=2)),
    "a frozen weight": lambda: network(
        lambda x, model: model.pointwise(x), lambda model: model.pointwise.weight.requires_grad_(False)
    ),
    "a frozen norm": lambda: network(lambda x, model: model.norm(x), lambda model: model.norm.requires_grad_(False)),
    "a norm that evaluates": lambda: network(lambda x, model: model.norm(x), lambda model: model.norm.eval()),
    "a norm of all batches": lambda: network(
        lambda x, model: model.norm(x), lambda model: setattr(model.norm, "momentum", None)
    ),
    "weights in another layout": lambda: network(
        lambda x, model: model.convolution(x),
        lambda model: model.convolution.to(memory_format=torch.contiguous_format),
    ),
    "weight normalization": lambda: network(
        lambda x, model: model.pointwise(x), lambda model: nn.utils.parametrizations.weight_norm(model.pointwise)
    ),
    "dropout": lambda: network(lambda x, _: F.dropout(x, 0.3)),
    "dropout of everything": lambda: network(lambda x, model: F.dropout(x, 1.0) + model.pointwise(x)),
    "noise": lambda: network(lambda x, _: x + torch.rand(x.shape)),
    "chance": lambda: network(lambda x, _: x if torch.rand(()) < 0.5 else torch.relu(x)),
    "Python's chance": lambda: network(lambda x, _: x if random.random() < 0.5 else torch.relu(x)),
    "chance of its own": lambda: network(
        lambda x, model: x if torch.rand((), generator=model.generator) < 0.5 else torch.relu(x)
    ),
    "a decision by numbers": lambda: network(lambda x, _: x if x[:, :, 0, 0].sum().item() > 0 else torch.relu(x)),
    "shared weights": lambda: network(lambda x, model: model.pointwise(torch.relu(model.pointwise(x)))),
    "a scaled weight": lambda: network(lambda x, model: F.conv2d(x, 2 * model.pointwise.weight)),
    "a function of somebody's own": lambda: network(lambda x, model: Reversed.apply(x) + model.pointwise(x)),
    "checkpointing": lambda: network(lambda x, model: checkpoint(model.convolution, x, use_reentrant=False)),
    "reentrant checkpointing": lambda: network(lambda x, model: checkpoint(model.convolution, x, use_reentrant=True)),
    "detached": lambda: network(lambda x, model: model.pointwise(x.detach())),
    "added without gradient": lambda: network(without_gradient(lambda x: x + x)),
    "padded without gradient": lambda: network(padded_without_gradient),
    "cut without gradient": lambda: network(without_gradient(lambda x: x[:, :, :, :])),
    "pooled without gradient": lambda: network(without_gradient(lambda x: F.max_pool2d(x, 3, 1, 1))),
    "averaged without gradient": lambda: network(
        without_gradient(lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False))
    ),
    "rectified again without gradient": lambda: network(rectified_again_without_gradient),
    "in place below a slice": lambda: network(rectified_below_a_slice),
    "in place in a slice": lambda: network(rectified_slice),
    "in place after a sum": lambda: network(rectified_after_a_sum),
    "in place in many ways": lambda: network(changed_below_a_slice),
    "in place in images": lambda: nn.Sequential(Changed(), network(lambda x, _: x)),
    "a ReLU in images": lambda: nn.Sequential(nn.ReLU(inplace=True), network(lambda x, _: x)),
    "a counter": lambda: network(counted),
    "a tensor that is no buffer": lambda: network(numbered),
    "a map in a tuple": lambda: network(remembered),
    "a weight that shrinks": lambda: network(shrunk),
    "another activation": lambda: network(lambda x, _: F.silu(x) + F.relu6(x)),
    "sums with numbers": lambda: network(lambda x, _: torch.add(x + 1, x, alpha=2) - x / 3),
    "rows side by side": lambda: network(lambda x, _: torch.cat([x, torch.relu(x)], dim=2)),
    "transposed": lambda: network(lambda x, model: model.convolution(x.transpose(2, 3))),
    "one row": lambda: network(lambda x, model: model.pointwise(x[:, :, 1:2] + x)),
    "a norm of a slice": lambda: network(lambda x, model: model.norm(torch.relu(x[:, :, 1:, 1:]))),
    "padded with ones": lambda: network(lambda x, model: model.inside(F.pad(x, (1, 1, 1, 1), value=1.0))),
    "padded with two numbers": lambda: network(lambda x, model: model.convolution(F.pad(x, (1, 1, 1, 1), value=1.0))),
    "padded by reflection": lambda: network(lambda x, model: model.inside(F.pad(x, (1, 1, 1, 1), mode="reflect"))),
    "padding cuts": lambda: network(lambda x, model: model.inside(F.pad(x, (-1, 1, 0, -1)))),
    "padding within": lambda: network(lambda x, model: model.convolution(x[:, :, 1:-1, 1:-1])),
    "depthwise, cut above": lambda: network(lambda x, model: model.depthwise(x[:, :, 1:, 2:])),
    "depthwise, cut far above": lambda: network(lambda x, model: model.depthwise(x[:, :, 4:, 5:])),
    "max pool with zeros around": lambda: network(lambda x, _: F.max_pool2d(F.pad(x, (1, 1, 1, 1)), 3, 1)),
    "max pool, dilated": lambda: network(lambda x, _: F.max_pool2d(x, 3, 1, 1, dilation=2)),
    "max pool of every second pixel": lambda: network(lambda x, _: F.max_pool2d(x[:, :, ::2, ::2], 3, 1)),
    "max pool, padded twice": lambda: network(
        lambda x, _: F.max_pool2d(F.pad(x, (2, 1, 2, 1), value=-torch.inf), 3, 1, 1).clamp(min=-9)
    ),
    "max pool, padded by two": lambda: network(
        lambda x, _: F.max_pool2d(F.pad(x, (2, 2, 2, 2), value=-torch.inf), 3, 1)
    ),
    "max pool, ceil_mode": lambda: network(lambda x, _: F.max_pool2d(x, 3, 2, ceil_mode=True)),
    "pools of 2x2": lambda: network(lambda x, _: F.max_pool2d(x, 2) + F.avg_pool2d(x, 2)),
    "average pool that counts its padding": lambda: network(lambda x, _: F.avg_pool2d(x, 3, 1, 1)),
    "average pool of a part": lambda: network(
        lambda x, _: F.avg_pool2d(x[:, :, 1:, 1:], 3, 1, 1, count_include_pad=False)
    ),
    "average pool of every second pixel": lambda: network(lambda x, _: F.avg_pool2d(x[:, :, ::2, ::2], 3, 1)),
    "means kept": lambda: network(lambda x, _: x.mean((2, 3), keepdim=True)),
    "logits divided": lambda: Then(lambda x: x / x.new_full((1, 1), 2.0)),
    "logits divided by ones": lambda: Then(lambda x: x / x.new_ones(1, 1)),
    "logits padded": lambda: Then(lambda x: F.pad(x, (0, 1))),
    "logits cut": lambda: Then(lambda x: x[:, 1:]),
    "log softmax": lambda: Then(lambda x: F.log_softmax(x, dim=1)),
}


class Changed(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.sub_(1)


class Then(nn.Module):
    """A network, and something more of its logits."""

    def __init__(self, then: Forward) -> None:
        super().__init__()
        self.network = network(lambda x, _: x)
        self.then = then

    def forward(self, x: Tensor) -> Tensor:
        return self.then(self.network(x))


def without_the_images(results: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in results.items() if name != "images"}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad=True")
def test_whatever_a_model_does_it_trains_as_without(name):
    model, plain = MODELS[name](), MODELS[name]()
    recorded = Recorded(model)
    for seed in range(3):
        actual, expected = one_step(model, recorded, seed), one_step(plain, plain, seed)
        if recorded._replays and None not in recorded._replays.values():  # then it leaves images alone
            actual, expected = without_the_images(actual), without_the_images(expected)
        assert_same(actual, expected)
    for module, its_plain in zip(model.modules(), plain.modules(), strict=True):
        if isinstance(module, Network):
            assert (module.n_calls, module.number) == (
                its_plain.n_calls,
                its_plain.number,
            )


def test_what_a_model_keeps_of_a_step_is_of_its_last():
    model, plain = network(remembered), network(remembered)
    model.maps = plain.maps = ()
    recorded = Recorded(model)
    for seed in range(2):
        recorded(images(seed))
        plain(images(seed))
    torch.testing.assert_close(model.maps[0], plain.maps[0])


HOOKS = {
    "forward hook": lambda model, hook: model.pointwise.register_forward_hook(lambda *arguments: hook(arguments[2])),
    "forward pre-hook": lambda model, hook: model.register_forward_pre_hook(lambda _, inputs: hook(inputs[0])),
    "backward hook": lambda model, hook: model.pointwise.register_full_backward_hook(
        lambda _, gradients, __: (hook(gradients[0]),)
    ),
    "backward pre-hook": lambda model, hook: model.pointwise.register_full_backward_pre_hook(
        lambda _, gradients: (hook(gradients[0]),)
    ),
    "parameter's hook": lambda model, hook: model.pointwise.weight.register_hook(hook),
    "parameter's hook after accumulation": lambda model, hook: (
        model.pointwise.weight.register_post_accumulate_grad_hook(
            lambda weight: setattr(weight, "grad", hook(weight.grad))
        )
    ),
}


@pytest.mark.parametrize("is_late", [False, True], ids=["before", "between"])
@pytest.mark.parametrize("name", HOOKS)
def test_hooks_are_run(name, is_late):
    results = []
    for is_recorded in (True, False):
        model = network(lambda x, model: model.pointwise(x))
        run = Recorded(model) if is_recorded else model
        if is_late:
            one_step(model, run, 0)
        HOOKS[name](model, lambda x: 2 * x)
        results.append(one_step(model, run, 1))
    assert_same(*results)


CHANGES = {
    "storage": lambda model: setattr(model.pointwise.weight, "data", model.pointwise.weight.data * 2),
    "numbers": lambda model: model.pointwise.weight.data.mul_(2),
    "statistics": lambda model: model.norm.reset_running_stats(),
    "parameter": lambda model: setattr(model.pointwise, "weight", nn.Parameter(model.pointwise.weight.data * 2)),
    "buffer": lambda model: setattr(model.norm, "running_mean", torch.ones(6)),
    "module": lambda model: setattr(model, "pointwise", nn.Conv2d(6, 6, 1)),
    "momentum": lambda model: setattr(model.norm, "momentum", 0.5),
    "dropout": lambda model: setattr(model.dropout, "p", 0.5),
    "a norm that evaluates": lambda model: model.norm.eval(),
    "a frozen weight": lambda model: model.pointwise.weight.requires_grad_(False),
    "a frozen norm": lambda model: model.norm.bias.requires_grad_(False),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_between_steps_is_seen(name):
    results = []
    for is_recorded in (True, False):
        model = network(lambda x, model: model.norm(model.pointwise(model.dropout(x))))
        run = Recorded(model) if is_recorded else model
        one_step(model, run, 0)
        torch.manual_seed(0)  # a new module's weights
        CHANGES[name](model)
        results.append(one_step(model, run, 1))
    assert_same(*results)


def test_dropout_hooks_and_evaluation_are_not_recorded():
    for name in ("dropout", "chance", "Python's chance", "a norm that evaluates", "a counter", "shared weights"):
        recorded = Recorded(MODELS[name]())
        recorded(images(0))
        assert list(recorded._replays.values()) == [None], name

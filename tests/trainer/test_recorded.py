"""What is recorded trains as PyTorch does in twice the precision, and everything around it stays PyTorch's."""

import copy
import random
from collections.abc import Callable, Iterable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pnas_trainer._cpu import Recorded, fast_operations
from pnas_trainer._cpu._program import _recorded, _replay, _sections

Forward = Callable[..., Tensor]


@pytest.fixture(autouse=True, params=["all images at once", "some at a time"])
def _parts(request, monkeypatch):
    if request.param == "some at a time":
        monkeypatch.setattr(_replay, "_LARGE", 0)
        monkeypatch.setattr(_replay, "_ROW", 1)  # or all of these few images would lie side by side
        monkeypatch.setattr(_sections, "_BYTES", 1000)


class Network(nn.Module):
    """A function of 6 channels and some layers, between a stem and a head."""

    def __init__(self, forward: Forward, *layers: nn.Module, channels: int = 6) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 1, bias=False), nn.BatchNorm2d(6))
        self.layers = nn.ModuleList(layers)
        self.head = nn.Linear(channels, 4)
        self.computed = forward

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.computed(self.stem(images), *self.layers).mean((2, 3)))


def initialized(model: nn.Module) -> nn.Module:
    """The same weights at every call."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / parameter[0].numel() ** 0.5)
    return model.to(memory_format=torch.channels_last)


def network(forward: Forward, *layers: nn.Module, **settings: int) -> nn.Module:
    return initialized(Network(forward, *layers, **settings))


def convolution(kernel: int | tuple[int, int] = 1, *, channels: int = 6, **settings: object) -> nn.Conv2d:
    return nn.Conv2d(6, channels, kernel, bias=False, **settings)


def depthwise(kernel: int, **settings: int) -> nn.Conv2d:
    return convolution(kernel, groups=6, **settings)


def images(n: int = 5, height: int = 8, width: int = 8, seed: int = 0) -> Tensor:
    x = torch.randn(n, 3, height, width, generator=torch.Generator().manual_seed(seed))
    return x.contiguous(memory_format=torch.channels_last)


def trained(model: nn.Module, run: Forward, batches: Iterable[Tensor]) -> dict[str, Tensor]:
    """What comes of some steps: outputs, gradients where there are any, and the buffers at last."""
    results = {}
    for index, batch in enumerate(batches):
        model.zero_grad()
        torch.manual_seed(index)
        outputs = run(batch)
        outputs.pow(3).mean().backward()
        results[f"outputs of step {index}"] = outputs.detach()
        for name, parameter in model.named_parameters():
            if parameter.grad is not None:
                results[f"gradient of {name} at step {index}"] = parameter.grad.clone()
                parameter.data -= 0.01 * parameter.grad
    return results | {name: buffer.clone() for name, buffer in model.named_buffers()}


def assert_same(actual: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert actual.keys() == expected.keys()
    for name, theirs in expected.items():
        distance = (actual[name].double() - theirs.double()).norm()
        assert distance <= 1e-4 * theirs.double().norm() + 1e-5, f"{name}: {actual[name]} is not {theirs}"


def is_recorded(recorded: Recorded) -> bool:
    assert recorded._replays
    return None not in recorded._replays.values()


pytestmark = pytest.mark.usefixtures("one_thread")


def same_convolution(x: Tensor, layer: nn.Conv2d) -> Tensor:
    return layer(F.pad(x, (0, 1, 0, 1)))


def factorized_reduction(x: Tensor, first: nn.Module, second: nn.Module, norm: nn.Module) -> Tensor:
    x = torch.relu(x)
    shifted = F.pad(x[:, :, 1:, 1:], (0, 1, 0, 1))
    return norm(torch.cat([first(x[:, :, ::2, ::2]), second(shifted[:, :, ::2, ::2])], dim=1))


def average_of_the_inside(x: Tensor) -> Tensor:
    inside = F.pad(x.new_ones(1, 1, x.shape[2], x.shape[3]), (0, 1, 0, 1))
    return F.avg_pool2d(F.pad(x, (0, 1, 0, 1)), 3, 2) / F.avg_pool2d(inside, 3, 2)


def read_by_many(x: Tensor, first: nn.Module, second: nn.Module) -> Tensor:
    y = first(torch.relu(x))
    return torch.cat([y + x, second(x), torch.relu(x) + y, x, x], dim=1)


def rectified_after_it_was_read(x: Tensor, norm: nn.Module) -> Tensor:
    y = norm(x + x)
    return (y + x) + F.relu(y, inplace=True)


RECORDED = {
    "as it is": lambda: network(lambda x: x),
    "ReLU": lambda: network(torch.relu),
    "ReLU in place": lambda: network(rectified_after_it_was_read, nn.BatchNorm2d(6)),
    "ReLU of a ReLU": lambda: network(lambda x: F.relu(x.relu()) + torch.relu(x)),
    "1x1": lambda: network(lambda x, layer: layer(x), convolution()),
    "1x1, stride 2": lambda: network(lambda x, layer: layer(x), convolution(stride=2)),
    "1x1, fewer channels": lambda: network(lambda x, layer: layer(x), convolution(channels=5), channels=5),
    "3x3": lambda: network(lambda x, layer: layer(x), convolution(3, padding=1)),
    "3x3, same": lambda: network(lambda x, layer: layer(x), convolution(3, padding="same")),
    "3x3, stride 2": lambda: network(same_convolution, convolution(3, stride=2)),
    "3x3, stride 3, dilation 2": lambda: network(same_convolution, convolution(3, stride=3, dilation=2)),
    "3x3 of the inside": lambda: network(lambda x, layer: layer(x[:, :, 1:-2, 2:-1]), convolution(3)),
    "1x7": lambda: network(lambda x, layer: layer(x), convolution((1, 7), padding=(0, 3))),
    "1x7, 7x1, stride 2": lambda: network(
        lambda x, wide, high: high(F.pad(wide(F.pad(x, (2, 3))), (0, 0, 2, 3))),
        convolution((1, 7), stride=(1, 2)),
        convolution((7, 1), stride=(2, 1)),
    ),
    "depthwise 3x3": lambda: network(lambda x, layer: layer(x), depthwise(3, padding=1)),
    "depthwise 5x5": lambda: network(lambda x, layer: layer(x), depthwise(5, padding=2)),
    "depthwise 7x7, wide": lambda: network(lambda x, layer: layer(x), depthwise(7, padding=5)),
    "depthwise 5x5, stride 2": lambda: network(lambda x, layer: layer(F.pad(x, (1, 2, 1, 2))), depthwise(5, stride=2)),
    "depthwise, dilated": lambda: network(lambda x, layer: layer(x), depthwise(3, padding=2, dilation=2)),
    "depthwise, stride 2, dilated": lambda: network(
        lambda x, layer: layer(F.pad(x, (1, 2, 1, 2))), depthwise(3, stride=2, dilation=2)
    ),
    "depthwise of every second pixel": lambda: network(
        lambda x, layer: layer(F.pad(x, (2, 2, 2, 2))[:, :, ::2, ::2]), depthwise(3)
    ),
    "depthwise, cut below": lambda: network(lambda x, layer: layer(x[:, :, :-2, :-1]), depthwise(3)),
    "max pool": lambda: network(lambda x: F.max_pool2d(x, 3, 1, 1)),
    "max pool, stride 2": lambda: network(lambda x: F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-torch.inf), 3, 2)),
    "max pool, unpadded": lambda: network(lambda x: F.max_pool2d(x[:, :, 1:, :], 3, (2, 1))),
    "average pool": lambda: network(lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)),
    "average pool, stride 2": lambda: network(average_of_the_inside),
    "average pool, stride 2, padded": lambda: network(lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)),
    "factorized reduction": lambda: network(
        factorized_reduction, convolution(channels=3), convolution(channels=4), nn.BatchNorm2d(7), channels=7
    ),
    "doubled": lambda: network(lambda x: x + x),
    "read by many": lambda: network(read_by_many, convolution(), convolution(3, padding=1), channels=30),
    "residual": lambda: network(
        lambda x, layer, norm: torch.add(x, norm(layer(torch.relu(x)))), convolution(3, padding=1), nn.BatchNorm2d(6)
    ),
    "other momentum": lambda: network(lambda x, norm: norm(x), nn.BatchNorm2d(6, eps=0.1, momentum=0.7)),
    "no running statistics": lambda: network(lambda x, norm: norm(x), nn.BatchNorm2d(6, track_running_stats=False)),
    "dropout of nothing": lambda: network(lambda x, layer: layer(x), nn.Dropout(0.0)),
    "unused head": lambda: network(lambda x, used, unused: (unused(x), used(x))[1], convolution(), convolution()),
    "vectors": lambda: initialized(
        nn.Sequential(network(torch.relu), nn.ReLU(inplace=True), nn.Linear(4, 5), nn.Dropout(0.0), nn.Linear(5, 2))
    ),
    "of images alone": lambda: initialized(Heads()),
}


class Heads(nn.Module):
    """Pools, sums and ReLUs of images, which nobody wants a gradient of."""

    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(3, 3, 3, padding=1, groups=3, bias=False)
        self.norm = nn.BatchNorm2d(3)
        self.head = nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        pooled = F.max_pool2d(x, 3, 1, 1) + F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        y = torch.cat([torch.relu(pooled), self.depthwise(x), self.norm(x), x], dim=1)
        return self.head(y.mean((-2, -1)))


@pytest.mark.parametrize("size", [(8, 8), (7, 9)])
@pytest.mark.parametrize("name", RECORDED)
def test_what_is_recorded_trains_as_in_twice_the_precision(name, size):
    batches = [images(5, *size, seed=1), images(5, *size, seed=2), images(2, *size, seed=3), images(5, *size, seed=4)]
    model, twice = RECORDED[name](), RECORDED[name]().double()
    recorded = Recorded(model)
    actual = trained(model, recorded, batches)
    assert is_recorded(recorded)
    assert len(recorded._replays) == 2
    assert_same(actual, trained(twice, lambda x: twice(x.double()), batches))


def counted(model: nn.Module) -> list[int]:
    """Fills with the numbers of images that its own code is run for."""
    sizes, forward = [], model.forward

    def run(x: Tensor) -> Tensor:
        sizes.append(x.shape[0])
        return forward(x)

    model.forward = run
    return sizes


@pytest.mark.parametrize("name", RECORDED)
def test_a_model_runs_once_for_all_sizes_of_batches_that_will_come(name):
    batches = [images(5, seed=1), images(5, seed=2), images(2, seed=3), images(3, seed=4), images(2, seed=5)]
    results, run = [], []
    for batch_sizes in ((), (5, 2)):
        model = RECORDED[name]()
        run.append(counted(model))
        recorded = Recorded(model, batch_sizes)
        results.append(trained(model, recorded, batches))
        assert is_recorded(recorded)
    assert run == [[5, 2, 3], [5, 3]]
    assert results[0].keys() == results[1].keys()
    assert all(torch.equal(a, b) for a, b in zip(*map(dict.values, results), strict=True))


def test_a_size_that_was_seen_not_to_be_recordable_is_not_recorded_by_another_one():
    def by_parts(x: Tensor, norm: nn.Module) -> Tensor:
        return norm(x) if x.shape[0] <= 4 else torch.cat([norm(part) for part in x.split(4)])

    batches = [images(8, seed=1), images(8, seed=2), images(4, seed=3), images(8, seed=4)]
    results = []
    for batch_sizes in ((), (8, 4)):
        model = network(by_parts, nn.BatchNorm2d(6))
        results.append(trained(model, Recorded(model, batch_sizes), batches))
    assert all(torch.equal(a, b) for a, b in zip(*map(dict.values, results), strict=True))


def test_a_size_that_there_is_memory_for_is_replayed_where_there_is_none_for_another(monkeypatch):
    make = _recorded.Replay

    def short(recording, outputs):
        if recording.images.shape[0] > 2:
            raise MemoryError
        return make(recording, outputs)

    monkeypatch.setattr(_recorded, "Replay", short)
    recorded = Recorded(RECORDED["read by many"](), (5, 2))
    with pytest.raises(MemoryError):
        recorded(images(5))
    step(recorded, images(2))
    assert is_recorded(recorded)


def test_a_size_of_batches_that_no_normalization_can_be_recorded_with_leaves_the_model_to_pytorch():
    model, x = network(torch.relu), images(5, 1, 1)
    recorded = Recorded(model, (5, 1))
    recorded(x)
    assert recorded._replays == {x.shape: None}
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        recorded(x[:1])


def step(run: Forward, x: Tensor) -> None:
    run(x).pow(3).mean().backward()


def gradients(model: nn.Module) -> dict[str, Tensor]:
    return {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}


def example() -> tuple[nn.Module, Recorded]:
    model = RECORDED["read by many"]()
    return model, Recorded(model)


def test_a_recording_leaves_everything_as_it_was():
    model, recorded = example()
    plain, x = copy.deepcopy(model), images()
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    recorded(x)
    assert is_recorded(recorded)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states[1:]  # noqa: NPY002
    assert torch.equal(x, images())
    plain(x)
    assert_same(model.state_dict(), plain.state_dict())
    assert model.stem[1].num_batches_tracked == 1
    assert not gradients(model)
    assert model.training


def test_gradients_are_added_to_those_that_are_there():
    model, recorded = example()
    plain = copy.deepcopy(model)
    for run, parameters in ((recorded, model.parameters()), (plain, plain.parameters())):
        next(parameters).grad = torch.ones(6, 3, 1, 1).contiguous(memory_format=torch.channels_last)
        for n, seed in ((5, 0), (5, 1), (2, 2), (5, 3), (2, 4)):
            step(run, images(n, seed=seed))
    assert_same(gradients(model), gradients(plain))
    for one in (model, plain):
        one.zero_grad(set_to_none=False)
    for run in (recorded, plain):
        step(run, images(seed=5))
    assert_same(gradients(model), gradients(plain))


def test_two_losses_of_one_step_are_right_or_an_error():
    model, recorded = example()
    plain, x = copy.deepcopy(model), images()
    expected = plain(x)
    expected.pow(2).sum().backward(retain_graph=True)
    expected.sum().backward()
    outputs = recorded(x)
    outputs.pow(2).sum().backward(retain_graph=True)
    try:
        outputs.sum().backward()
    except RuntimeError:
        return
    assert_same(gradients(model), gradients(plain))


@pytest.mark.parametrize("n", [5, 2])
def test_an_earlier_step_than_the_last_has_no_way_back(n):
    model, recorded = example()
    earlier = recorded(images())
    last = recorded(images(n, seed=1))
    with pytest.raises(RuntimeError, match="once through its last step"):
        earlier.sum().backward()
    assert not gradients(model)
    last.pow(3).mean().backward()
    plain, _ = example()
    plain(images())
    step(plain, images(n, seed=1))
    assert_same(gradients(model), gradients(plain))


def test_outputs_stay_what_they_were():
    _, recorded = example()
    first = recorded(images())
    kept = first.detach().clone()
    recorded(images(seed=1))
    assert torch.equal(first, kept)


def test_a_normalization_and_its_relu_keep_what_is_no_number():
    model, x = network(torch.relu), images()
    x[0, 0, 0, 0] = torch.nan
    recorded = Recorded(model)
    assert recorded(x).isnan().all()
    assert is_recorded(recorded)


def test_numbers_that_are_none_stay_so():
    model, x = network(torch.relu), images()
    model.stem[1] = nn.Identity()
    x[0, 0, 0, 0] = torch.nan
    recorded = Recorded(model)
    outputs = recorded(x)
    assert is_recorded(recorded)
    assert outputs[0].isnan().all()
    assert outputs[1:].isfinite().all()
    outputs[0].sum().backward()
    assert model.stem[0].weight.grad[:, 0].isnan().all()
    assert model.stem[0].weight.grad[:, 1:].isfinite().all()


def test_the_default_type_of_pytorch_has_no_say():
    model, recorded = example()
    torch.set_default_dtype(torch.float64)
    try:
        step(recorded, images().float())
    finally:
        torch.set_default_dtype(torch.float32)
    plain, _ = example()
    step(plain, images())
    assert {gradient.dtype for gradient in gradients(model).values()} == {torch.float32}
    assert recorded(images()).dtype == torch.float32


def test_faster_operations_around_it_change_nothing():
    model, recorded = example()
    alone, recorded_alone = example()
    with fast_operations():
        step(recorded, images())
    assert is_recorded(recorded)
    step(recorded_alone, images())
    assert all(torch.equal(gradient, gradients(alone)[name]) for name, gradient in gradients(model).items())


@pytest.mark.parametrize("shape", [(5, 4, 8, 8), (1, 3, 1, 1)])
def test_what_cannot_be_computed_is_pytorchs_error(shape):
    _, recorded = example()
    with pytest.raises((RuntimeError, ValueError), match=r"more than 1 value per channel|expected input"):
        recorded(torch.ones(shape).contiguous(memory_format=torch.channels_last))


def test_images_may_lie_in_memory_as_they_like():
    model, recorded = example()
    plain, _ = example()
    x = images().contiguous(memory_format=torch.contiguous_format)
    actual, expected = trained(model, recorded, [x, x]), trained(plain, plain, [x, x])
    assert is_recorded(recorded)
    assert_same(actual, expected)


def test_images_that_want_a_gradient_are_left_to_pytorch():
    x = images().requires_grad_()
    model, recorded = example()
    plain, _ = example()
    expected = trained(plain, plain, [x])
    actual = trained(model, recorded, [x])
    assert not recorded._replays
    assert all(torch.equal(actual[name], theirs) for name, theirs in expected.items())


def test_without_gradients_and_with_several_threads_pytorch_computes():
    _, recorded = example()
    with torch.no_grad():
        assert not recorded(images()).requires_grad
    torch.set_num_threads(2)
    assert recorded(images()).grad_fn.name() == "AddmmBackward0"
    assert not recorded._replays
    torch.set_num_threads(1)
    recorded(images())
    assert is_recorded(recorded)


def test_images_are_computed_in_as_many_parts_as_asked_for(request, monkeypatch):
    n_parts = []
    parts = _sections._parts

    def seen(*args, **settings):
        found = parts(*args, **settings)
        n_parts.append(len(found))
        return found

    monkeypatch.setattr(_sections, "_parts", seen)
    _, recorded = example()
    step(recorded, images())
    assert max(n_parts) == (5 if "some at a time" in request.node.name else 1)

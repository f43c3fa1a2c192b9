import dataclasses
import weakref
from functools import partial

import pytest
import torch
from torch import nn

from pnas_trainer import TrainConfig, TrainerError, _train_many, train, train_many

CONFIG = TrainConfig(n_epochs=2, batch_size=100, learning_rate=0.05)


def make_convnet(n_filters: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, n_filters, 3, padding=1, bias=False),
        nn.BatchNorm2d(n_filters),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(4 * n_filters, 10),
    )


def outcome(result) -> dict:
    return {name: value for name, value in dataclasses.asdict(result).items() if name not in ("seconds", "weights")}


class SideBySide(nn.Module):
    """Combines by running one after the other; what counts here is what the trainer makes of it."""

    def __init__(self, networks):
        super().__init__()
        self.children_ = nn.ModuleList(networks)
        self.n_children = len(networks)

    def forward(self, x):
        shown = x if x.ndim == 5 else [x] * self.n_children
        return torch.stack([network(images) for network, images in zip(self.children_, shown, strict=True)])

    def gradients(self):
        return [[p.grad for p in network.parameters()] for network in self.children_]

    def networks(self):
        return tuple(self.children_)


@pytest.fixture(params=[1, 2], ids=["one process", "two processes"])
def n_processes(request) -> int:
    return request.param


@pytest.mark.usefixtures("importable")
def test_every_child_is_as_if_trained_alone(digits, n_processes):
    makes, seeds = [partial(make_convnet, n) for n in (4, 6, 8)], [3, 1, 2]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    alone = [train(make, digits, CONFIG, seed=seed) for make, seed in zip(makes, seeds, strict=True)]
    torch.set_num_threads(threads)
    together = train_many(makes, digits, CONFIG, seeds=seeds, n_processes=n_processes)
    assert [outcome(result) for result in together] == [outcome(result) for result in alone]
    assert torch.get_num_threads() == threads


def test_combined_children_are_as_if_trained_alone(digits):
    makes, seeds = [partial(make_convnet, n) for n in (4, 6, 8)], [3, 1, 2]
    config = dataclasses.replace(CONFIG, max_gradient_norm=0.5, momentum=0.5)
    alone = train_many(makes, digits, config, seeds=seeds, keep_weights=True)
    together = train_many(
        makes, digits, config, seeds=seeds, combine=SideBySide, children_per_step=2, keep_weights=True
    )
    for ours, expected in zip(together, alone, strict=True):
        assert ours.losses == pytest.approx(expected.losses, rel=1e-4)
        assert ours.accuracies == pytest.approx(expected.accuracies, abs=0.006)
        assert (ours.n_parameters, ours.multiply_adds) == (expected.n_parameters, expected.multiply_adds)
        assert ours.n_examples == expected.n_examples
        torch.testing.assert_close(dict(ours.weights), dict(expected.weights), rtol=1e-3, atol=1e-4)


class Broken(nn.Module):
    """Its loss is NaN from the start."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        return self.linear(x.flatten(1)) * torch.nan


def test_a_child_that_diverges_takes_nobody_with_it(digits):
    makes = [partial(make_convnet, 4), Broken]
    good, broken = train_many(makes, digits, CONFIG, seeds=[0, 0], combine=SideBySide)
    assert (good.status, broken.status) == ("finished", "diverged")
    assert len(good.losses) == 2
    assert len(broken.losses) == 1
    assert good.losses == pytest.approx(train(makes[0], digits, CONFIG, seed=0).losses, rel=1e-4)


def test_children_that_do_not_fit_together_are_trained_in_smaller_company(digits):
    sizes = []

    class Greedy(SideBySide):
        def forward(self, x):
            sizes.append(self.n_children)
            if self.n_children > 1:
                torch.empty(2**60)
            return super().forward(x)

    makes = [partial(make_convnet, n) for n in (4, 6, 8)]
    results = train_many(makes, digits, CONFIG, seeds=[0, 1, 2], combine=Greedy)
    assert [result.status for result in results] == ["finished"] * 3
    assert sizes == [3, 2]  # then each by itself, without the combined module


class Dropping(nn.Sequential):
    """Draws from PyTorch's global generator at every step."""

    def __init__(self, n_hidden: int) -> None:
        super().__init__(nn.Flatten(), nn.Linear(64, n_hidden), nn.ReLU(), nn.Dropout(0.3), nn.Linear(n_hidden, 10))


@pytest.mark.usefixtures("importable")
@pytest.mark.parametrize("side_by_side", [2, 5])
def test_trainings_side_by_side_are_as_if_alone(digits, side_by_side, n_processes):
    makes = [partial(make_convnet, 4), partial(Dropping, 8), Broken, partial(Dropping, 12), partial(make_convnet, 6)]
    settings = {"seeds": [3, 1, 2, 1, 5], "keep_weights": True}
    alone = train_many(makes, digits, CONFIG, **settings)
    beside = train_many(makes, digits, CONFIG, **settings, side_by_side=side_by_side, n_processes=n_processes)
    assert str([outcome(result) for result in beside]) == str([outcome(result) for result in alone])  # NaN is not NaN
    assert [result.status for result in beside] == ["finished", "finished", "diverged", "finished", "finished"]
    for ours, expected in zip(beside, alone, strict=True):
        torch.testing.assert_close(dict(ours.weights), dict(expected.weights), rtol=0, atol=0, equal_nan=True)
        assert ours.seconds > 0


def test_who_has_diverged_takes_no_more_turns(digits):
    n_steps = []

    class Counted(Broken):
        def forward(self, x):
            n_steps.append(self.training)
            return super().forward(x)

    train_many([Counted, partial(Dropping, 8)], digits, CONFIG, seeds=[0, 1], side_by_side=2)
    assert sum(n_steps) == 15  # of one epoch


def test_seconds_on_a_shared_device_are_shared_out_by_work(digits):
    settings = _train_many._Settings(
        config=CONFIG, device=torch.device("cpu"), combine=None, threads_per_child=1, keep_weights=False
    )
    begun = [_train_many._Begun(([partial(make_convnet, n)], [0]), digits, settings) for n in (2, 64)]
    for each in begun:
        each.training.run_epoch()
    total = sum(each.training.seconds for each in begun)
    _train_many._share_seconds(begun)
    small, large = (each.training.seconds for each in begun)
    assert small + large == pytest.approx(total)
    assert large / small == pytest.approx(begun[1].multiply_adds / begun[0].multiply_adds, rel=0.01)


def test_trainings_side_by_side_leave_the_random_state_as_it_was(digits):
    before = torch.get_rng_state()
    train_many([partial(Dropping, 8)] * 2, digits, CONFIG, seeds=[1, 2], side_by_side=2)
    assert torch.equal(before, torch.get_rng_state())


def test_averaged_weights_are_what_is_kept_side_by_side(digits):
    config = dataclasses.replace(CONFIG, ema_decay=0.9)
    alone, beside = (
        train_many([partial(Dropping, 8)] * 2, digits, config, seeds=[1, 2], keep_weights=True, side_by_side=n)
        for n in (1, 2)
    )
    for ours, expected in zip(beside, alone, strict=True):
        assert ours.accuracies == expected.accuracies
        assert all(torch.equal(ours.weights[name], tensor) for name, tensor in expected.weights.items())


def test_combined_children_train_side_by_side(digits):
    makes, settings = [partial(make_convnet, n) for n in (4, 6, 8, 5)], {"seeds": [3, 1, 2, 4], "combine": SideBySide}
    alone = train_many(makes, digits, CONFIG, **settings, children_per_step=2)
    beside = train_many(makes, digits, CONFIG, **settings, children_per_step=2, side_by_side=2)
    assert [outcome(result) for result in beside] == [outcome(result) for result in alone]


def test_trainings_that_do_not_fit_side_by_side_go_in_smaller_company(digits):
    n_alive = [0]

    class Large(Dropping):
        """Two of it are too many."""

        def forward(self, x):
            if self.training and n_alive[0] > 1:
                torch.empty(2**60)
            return super().forward(x)

    def make():
        n_alive[0] += 1
        model = Large(8)
        weakref.finalize(model, lambda: n_alive.__setitem__(0, n_alive[0] - 1))
        return model

    results = train_many([make] * 3, digits, CONFIG, seeds=[0, 1, 2], side_by_side=3)
    assert [result.status for result in results] == ["finished"] * 3
    assert [result.micro_batch_size for result in results] == [100] * 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seeds": [1]}, "needs a seed for each of 2 models, not 1 seeds"),
        ({"n_processes": 0}, "n_processes must be a whole number of 1 or more, not 0"),
        ({"side_by_side": 0}, "side_by_side must be a whole number of 1 or more, not 0"),
        ({"children_per_step": 1.5}, r"children_per_step must be a whole number of 1 or more, not 1\.5"),
        ({"combine": lambda networks: networks[0]}, "combine must give a module with n_children, gradients"),
    ],
)
def test_bad_arguments_are_refused_by_name(digits, settings, message):
    with pytest.raises(TrainerError, match=message):
        train_many([partial(make_convnet, 4)] * 2, digits, CONFIG, **{"seeds": [1, 2], **settings})


def test_no_children_give_no_results(digits):
    assert train_many([], digits, CONFIG, seeds=[]) == []


def test_what_cannot_be_sent_to_processes_is_said_before_they_start(digits):
    with pytest.raises(TrainerError, match=r"with n_processes=2, make_models and combine must be picklable"):
        train_many([lambda: make_convnet(4)] * 2, digits, CONFIG, seeds=[1, 2], n_processes=2)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_trainings_side_by_side_on_a_gpu_are_about_as_if_alone(digits):
    makes = [partial(make_convnet, 4), partial(Dropping, 32), partial(make_convnet, 8), partial(Dropping, 24)]
    alone, beside = (
        train_many(makes, digits, CONFIG, seeds=[3, 1, 2, 4], device="cuda", side_by_side=n) for n in (1, 3)
    )
    for ours, expected in zip(beside, alone, strict=True):
        assert ours.losses == pytest.approx(expected.losses, rel=0.02)
        assert ours.accuracies == pytest.approx(expected.accuracies, abs=0.05)

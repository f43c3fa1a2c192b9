"""Trainings whose steps are recorded, against the same ones that run operation by operation since a hook looks on."""

import dataclasses
import subprocess
import sys

import pytest
import torch
from torch import nn

from pnas_trainer import TrainConfig, train

CONFIG = TrainConfig(n_epochs=2, batch_size=300, learning_rate=0.5, momentum=0.0, max_gradient_norm=0.01)


pytestmark = pytest.mark.usefixtures("one_thread")


class Recordable(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.classifier = nn.Linear(8, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.second(torch.relu(self.norm(self.first(x)))).mean((2, 3)))


class LateBias(Recordable):
    """A weight that is frozen when the training begins, and later not."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier.bias.requires_grad_(False)

    def set_training_progress(self, progress: float) -> None:
        self.classifier.bias.requires_grad_(progress >= 0.5)


def in_float64() -> nn.Module:
    return Float64(Recordable().double())


class Float64(nn.Module):
    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x.double())


def watched(make) -> nn.Module:
    model = make()
    model.register_forward_hook(lambda *_: None)
    return model


@pytest.mark.parametrize("make", [Recordable, LateBias, in_float64])
def test_gradients_are_clipped_whether_or_not_steps_are_recorded(digits, make):
    clipped = train(make, digits, CONFIG, seed=0, keep_weights=True)
    plain = train(lambda: watched(make), digits, CONFIG, seed=0, keep_weights=True)
    unclipped = train(make, digits, dataclasses.replace(CONFIG, max_gradient_norm=None), seed=0)
    assert clipped.losses == pytest.approx(plain.losses, rel=1e-4)
    for name, weights in plain.weights.items():
        torch.testing.assert_close(clipped.weights[name], weights, rtol=1e-3, atol=1e-5)
    assert unclipped.losses != pytest.approx(plain.losses, rel=1e-3)


@pytest.mark.parametrize("before", [(False, False), (True, True), (True, False)])
@pytest.mark.parametrize("deterministic", [False, True])
def test_algorithms_are_deterministic_where_that_is_asked_for_and_then_as_they_were(digits, before, deterministic):
    seen = []

    def make() -> nn.Module:
        model = Recordable()
        model.register_forward_hook(lambda *_: seen.append(state()))
        return model

    def state() -> tuple[bool, bool]:
        return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()

    torch.use_deterministic_algorithms(before[0], warn_only=before[1])
    try:
        train(make, digits, TrainConfig(n_epochs=1, batch_size=500, deterministic=deterministic), seed=0)
        assert state() == before
    finally:
        torch.use_deterministic_algorithms(False)
    assert set(seen) == {(True, False) if deterministic else before}


def test_a_training_does_not_import_pytorchs_compiler():
    code = """
import sys
from torch import nn
from pnas_trainer import TrainConfig, load_dataset, train
make = lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
assert train(make, load_dataset("digits"), TrainConfig(n_epochs=1), seed=0).status == "finished"
sys.exit("torch._dynamo" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)

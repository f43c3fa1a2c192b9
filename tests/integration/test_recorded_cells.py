"""The operations of the paper's cells, as pnas-models makes them and pnas-trainer records them."""

import copy
import dataclasses
from functools import partial

import pytest
import torch
from torch import nn

from pnas_models import PNAS_OPERATIONS, cifar_network
from pnas_trainer import Checkpoint, ImageDataset, TrainConfig, load_dataset, train
from pnas_trainer._cpu import Recorded
from pnas_trainer._cpu._program import _replay, _sections
from pnas_trainer._training import Training

FIVE_BLOCKS = [
    (-2, "sep_conv_7x7", -1, "max_pool_3x3"),
    (-1, "sep_conv_5x5", 0, "avg_pool_3x3"),
    (-2, "conv_1x7_7x1", 1, "sep_conv_3x3"),
    (-1, "dil_conv_3x3", -2, "identity"),
    (1, "max_pool_3x3", 3, "identity"),
]


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True, params=["all images at once", "some at a time"])
def _parts(request, monkeypatch):
    if request.param == "some at a time":
        monkeypatch.setattr(_replay, "_LARGE", 0)
        monkeypatch.setattr(_replay, "_ROW", 1)  # or all of these few images would lie side by side
        monkeypatch.setattr(_sections, "_BYTES", 1000)


def steps(model: nn.Module, run, batches) -> list[torch.Tensor]:
    """Losses and gradients of some steps of SGD, and the statistics after them."""
    results = []
    for images in batches:
        model.zero_grad()
        loss = run(images).square().mean()
        loss.backward()
        results.append(loss.detach())
        for parameter in model.parameters():
            results.append(parameter.grad.clone() if parameter.grad is not None else torch.zeros(()))
            if parameter.grad is not None:
                parameter.data -= 0.01 * parameter.grad
    return [*results, *(buffer.clone() for buffer in model.buffers())]


def assert_recorded_and_right(cell, size: int, n_filters: int = 4) -> None:
    torch.manual_seed(1)  # no ReLU sees anything that is 0 but for rounding
    model = cifar_network(cell, n_filters, 1, num_classes=5).to(memory_format=torch.channels_last)
    batches = [
        torch.randn(n_images, 3, size, size).contiguous(memory_format=torch.channels_last) for n_images in (16, 16, 7)
    ]
    recorded, twice = Recorded(model), copy.deepcopy(model).double()
    expected = steps(twice, lambda images: twice(images.double()), batches)
    actual = steps(model, recorded, batches)
    assert len(recorded._replays) == 2
    assert None not in recorded._replays.values()
    for ours, theirs in zip(actual, expected, strict=True):
        assert (ours.double() - theirs.double()).norm() <= 1e-3 * theirs.double().norm() + 1e-5


@pytest.mark.parametrize("operation", list(PNAS_OPERATIONS))
@pytest.mark.parametrize("size", [8, 7])
def test_every_operation_trains_as_in_twice_the_precision(operation, size):
    assert_recorded_and_right([(-2, operation, -1, "identity"), (-1, operation, 0, operation)], size)


@pytest.mark.parametrize("size", [8, 9])
def test_a_cell_of_five_blocks_trains_as_in_twice_the_precision(size):
    assert_recorded_and_right(FIVE_BLOCKS, size, n_filters=6)


class Killed(BaseException):
    """As a Ctrl-C would, at a step of the test's choice."""


@pytest.fixture(scope="module")
def digits() -> ImageDataset:
    """A few: three batches of 64, and one of 8."""
    data = load_dataset("digits", validation_fraction=0.2)
    return dataclasses.replace(data, train_images=data.train_images[:200], train_labels=data.train_labels[:200])


def test_an_interrupted_training_is_recorded_again_to_the_same_result_to_the_last_bit(tmp_path, digits, monkeypatch):
    made: list[Recorded] = []
    original = Training._train_step

    def train_step(self, *, killed_at=None) -> None:
        if (self.epoch, self.step) == killed_at:
            raise Killed
        original(self)
        made.append(self._computed)

    make = partial(cifar_network, FIVE_BLOCKS[:2], 4, 1, num_classes=10, in_channels=1)
    config = TrainConfig(n_epochs=2, batch_size=64, learning_rate=0.05, ema_decay=0.9)
    monkeypatch.setattr(Training, "_train_step", train_step)
    undisturbed = train(make, digits, config, seed=3, keep_weights=True)
    checkpoint = Checkpoint(path=tmp_path / "checkpoint.pt", seconds=0)
    monkeypatch.setattr(Training, "_train_step", lambda self: train_step(self, killed_at=(1, 2)))
    with pytest.raises(Killed):
        train(make, digits, config, seed=3, checkpoint=checkpoint)
    monkeypatch.setattr(Training, "_train_step", train_step)
    resumed = train(make, digits, config, seed=3, checkpoint=checkpoint, keep_weights=True)

    assert len(set(made)) == 3
    assert all(isinstance(recorded, Recorded) and recorded._replays for recorded in made)
    assert all(None not in recorded._replays.values() for recorded in made)
    assert resumed.losses == undisturbed.losses
    assert resumed.accuracies == undisturbed.accuracies
    assert resumed.weights.keys() == undisturbed.weights.keys()
    assert all(torch.equal(resumed.weights[name], tensor) for name, tensor in undisturbed.weights.items())

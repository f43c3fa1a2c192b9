"""Training steps as CUDA graphs: on a GPU alone."""

import gc
import warnings
import weakref

import pytest
import torch
from torch import nn

from pnas_trainer import Preprocessing, TrainConfig, train
from pnas_trainer import _training as training_module
from pnas_trainer._child import Child
from pnas_trainer._data import example_image, make_batches
from pnas_trainer._graphed import in_stream, is_captured
from pnas_trainer._processes import Processes
from pnas_trainer._training import Training

on_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
CUDA = torch.device("cuda")


def test_on_the_cpu_there_are_no_streams_and_no_graphs():
    with in_stream(None):
        assert not is_captured(torch.device("cpu"))


def begun(make_model, data, config: TrainConfig) -> Training:
    child = Child.made(make_model, example_image(data, config.preprocessing), data.num_classes, 0, CUDA)
    return Training(child.model, make_batches(data, config, [0], CUDA, Processes()), config, CUDA, Processes())


@pytest.mark.cuda
@on_cuda
@pytest.mark.parametrize(
    "config",
    [
        TrainConfig(n_epochs=3, batch_size=64, learning_rate=0.05, preprocessing=Preprocessing(flip=True)),
        TrainConfig(n_epochs=3, batch_size=64, learning_rate=0.05, precision="bfloat16"),
        TrainConfig(n_epochs=3, batch_size=64, optimizer="adam", rms_decay=0.99, learning_rate=0.003),
        TrainConfig(n_epochs=3, batch_size=64, optimizer="rmsprop", learning_rate=0.003, ema_decay=0.9),
    ],
    ids=["sgd", "bfloat16", "adam", "rmsprop and averages"],
)
def test_a_graph_trains_as_its_steps_one_by_one_do(digits, make_convnet, config):
    graphed, plain = (begun(make_convnet, digits, config) for _ in range(2))
    plain._graphed = None
    for _ in range(config.n_epochs):
        graphed.run_epoch()
        plain.run_epoch()
    assert graphed._graphed._graph is not None
    for ours, theirs in zip(graphed.losses, plain.losses, strict=True):
        assert ours == pytest.approx(theirs, rel=0.02 if config.precision == "float32" else 0.1)
    assert graphed.curve(0)[-1] == pytest.approx(plain.curve(0)[-1], abs=0.05)


@pytest.mark.cuda
@on_cuda
def test_the_host_does_not_wait_within_an_epoch(digits, make_convnet):
    training = begun(make_convnet, digits, TrainConfig(batch_size=64, preprocessing=Preprocessing(flip=True, cutout=3)))
    training.run_epoch()
    training.model.train()
    training.batches.shuffle()
    with in_stream(training._stream):
        torch.cuda.set_sync_debug_mode("error")
        try:
            for step in range(5):
                training.step = step
                training._train_step()
        finally:
            torch.cuda.set_sync_debug_mode("default")


class Waiting(nn.Module):
    """Looks at a number of its output on the host; and drops some, which a failed capture would make impossible."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 10)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x):
        logits = self.dropout(self.linear(x.flatten(1)))
        assert logits.sum().item() != 42
        return logits


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.n_calls = 0
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        self.n_calls += 1
        return self.linear(x.flatten(1))


@pytest.mark.cuda
@on_cuda
def test_a_step_that_waits_for_the_device_is_taken_as_it_is(digits):
    for _ in range(2):
        with pytest.warns(UserWarning, match="runs without a CUDA graph: it waits for the device"):
            result = train(Waiting, digits, TrainConfig(n_epochs=2, batch_size=64), seed=0, device="cuda")
        assert result.status == "finished"


@pytest.mark.cuda
@on_cuda
def test_a_model_that_is_changed_is_captured_anew(digits, make_convnet):
    training = begun(make_convnet, digits, TrainConfig(batch_size=64))
    training.run_epoch()
    first = training._graphed._graph
    training.model.seen = "something else"
    training.run_epoch()
    assert training._graphed._graph not in (None, first)


@pytest.mark.cuda
@on_cuda
def test_a_training_gives_its_memory_back_when_nobody_holds_it(digits, make_convnet):
    training = begun(make_convnet, digits, TrainConfig(batch_size=64))
    training.run_epoch()
    model = weakref.ref(training.model)
    gc.disable()
    try:
        del training
        assert model() is None
    finally:
        gc.enable()


@pytest.mark.cuda
@on_cuda
def test_a_model_that_counts_its_steps_is_never_captured(digits):
    training = begun(Counting, digits, TrainConfig(n_epochs=1, batch_size=64))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        training.run_epoch()
    assert training._graphed._graph is None
    assert training.model.n_calls >= len(training.batches.bounds)


@pytest.mark.cuda
@on_cuda
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_fused_layers_train_in_a_graph_as_pytorchs_do(digits, separable_layer, monkeypatch, precision):
    def make():
        convolutions = nn.Sequential(*separable_layer(8, 8, 5, stride=2), *separable_layer(8, 8, 5, inplace=True))
        return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), convolutions, nn.Flatten(), nn.Linear(128, 10))

    monkeypatch.setattr(training_module, "is_faster", lambda *_: True)
    config = TrainConfig(n_epochs=3, batch_size=64, learning_rate=0.05, precision=precision)
    fused, plain = (begun(make, digits, config) for _ in range(2))
    plain._has_fused_layers = False
    for _ in range(config.n_epochs):
        fused.run_epoch()
        plain.run_epoch()
    assert fused._graphed._graph is not None
    for ours, theirs in zip(fused.losses, plain.losses, strict=True):
        assert ours == pytest.approx(theirs, rel=0.02 if precision == "float32" else 0.1)
    assert fused.curve(0)[-1] == pytest.approx(plain.curve(0)[-1], abs=0.05)


@pytest.mark.cuda
@on_cuda
def test_a_model_that_overwrites_what_fused_layers_keep_trains_without_them(digits, separable_layer, monkeypatch):
    class Adding(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.inner = nn.Conv2d(1, 8, 3, padding=1), nn.Sequential(*separable_layer(8, 8, 3))
            self.head = nn.Linear(8, 10)

        def forward(self, x):
            x = self.stem(x)
            x += self.inner(x)
            return self.head(x.mean((2, 3)))

    monkeypatch.setattr(training_module, "is_faster", lambda *_: True)
    training = begun(Adding, digits, TrainConfig(n_epochs=1, batch_size=64))
    training.run_epoch()
    assert not training._has_fused_layers
    assert training._graphed._graph is not None

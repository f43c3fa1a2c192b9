import copy

import pytest
import torch
from torch import nn

from pnas_trainer._cuda import fused_layers
from pnas_trainer._sameness import Snapshot


def never(_chain, _layers, _x):
    return False


def always(_chain, _layers, _x):
    return True


class Network(nn.Module):
    def __init__(self, separable_layer):
        super().__init__()
        self.stem = nn.Conv2d(2, 8, 3, padding=1)
        self.inner = nn.ModuleList(
            [
                nn.Sequential(*separable_layer(8, 8, 3), *separable_layer(8, 8, 5, inplace=True)),
                nn.Sequential(nn.MaxPool2d(2), *separable_layer(8, 12, 3), nn.ReLU()),
            ]
        )

    def forward(self, x):
        x = self.stem(x)
        for layer in self.inner:
            x = layer(x)
        return x.mean((2, 3))


def test_nothing_of_the_model_stays_changed(separable_layer):
    model = Network(separable_layer)
    before = Snapshot(model)
    with fused_layers(model, never):
        assert not before.still_holds()
    assert before.still_holds()
    with pytest.raises(ZeroDivisionError), fused_layers(model, never):
        1 / 0  # noqa: B018
    assert before.still_holds()


def test_what_is_not_chosen_is_pytorchs(separable_layer):
    model = Network(separable_layer)
    ours, x = copy.deepcopy(model), torch.randn(3, 2, 6, 6)
    asked = []

    def choose(chain, layers, maps):
        asked.append((len(chain.modules), len(layers), tuple(maps.shape), maps.dtype))
        return False

    with fused_layers(ours, choose):
        assert torch.equal(ours(x), model(x))
        with torch.autocast("cpu", torch.bfloat16):
            ours(x)
    assert asked == [
        (8, 2, (3, 8, 6, 6), torch.float32),
        (4, 1, (3, 8, 3, 3), torch.float32),
        (8, 2, (3, 8, 6, 6), torch.bfloat16),
        (4, 1, (3, 8, 3, 3), torch.bfloat16),
    ]


@pytest.mark.parametrize("surroundings", [torch.no_grad, torch.inference_mode])
def test_without_gradients_nobody_is_asked(separable_layer, surroundings):
    def refuse(_chain, _layers, _x):
        raise AssertionError

    model = Network(separable_layer)
    with fused_layers(model, refuse), surroundings():
        model(torch.randn(3, 2, 6, 6))


def test_in_evaluation_it_is_pytorchs(separable_layer):
    model = Network(separable_layer).eval()
    before = Snapshot(model)
    with fused_layers(model, always):
        assert before.still_holds()


@pytest.mark.parametrize("precision", [None, torch.float16], ids=str)
def test_a_network_trains_the_same(kernel_device, separable_layer, precision):
    torch.manual_seed(0)
    plain = Network(separable_layer).to(kernel_device, memory_format=torch.channels_last)
    ours = copy.deepcopy(plain)
    x = torch.randn(6, 2, 8, 8, device=kernel_device).to(memory_format=torch.channels_last)
    gradient = torch.randn(6, 12, device=kernel_device)
    with torch.autocast(kernel_device, precision, enabled=precision is not None):
        expected = plain(x)
        with fused_layers(ours, always):
            actual = ours(x)
    for logits in (expected, actual):
        logits.backward(gradient.to(logits.dtype))
    assert actual.dtype == expected.dtype
    close = (
        {"rtol": 1e-3, "atol": 1e-4} if precision is None and kernel_device == "cpu" else {"rtol": 0.1, "atol": 0.05}
    )
    torch.testing.assert_close(actual, expected, **close)
    for mine, theirs in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, **close)
    for mine, theirs in zip(ours.buffers(), plain.buffers(), strict=True):
        torch.testing.assert_close(mine, theirs, **close)

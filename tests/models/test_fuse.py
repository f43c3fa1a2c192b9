from typing import Any

import pytest
import torch
from torch import nn

from pnas_models import PNAS_OPERATIONS, PNASNET_5, BatchNorm, cifar_network, fuse, imagenet_network

EVERY_OPERATION = [(-2, name, -1, name) for name in PNAS_OPERATIONS]


@pytest.mark.parametrize("cell", [PNASNET_5, EVERY_OPERATION])
@pytest.mark.parametrize(
    ("build", "size"), [(cifar_network, 11), (lambda *arguments: imagenet_network(*arguments, 7), 50)]
)
def test_logits_are_the_same_without_any_batch_normalization(build: Any, size: int, cell: Any) -> None:
    network = build(cell, 5, 1, 4)
    images = torch.randn(4, 3, size, size)
    for _ in range(3):
        network(images)  # so that there are moving averages to fold
    network.eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    fused = fuse(network)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in fused.modules())
    with torch.no_grad():
        expected = network(images)
        assert (fused(images) - expected).abs().max() < 1e-5 * expected.abs().max()
    torch.testing.assert_close(network.state_dict(), before, rtol=0.0, atol=0.0)
    assert not any(parameter.requires_grad for parameter in fused.parameters())
    assert all(parameter.requires_grad for parameter in network.parameters())


class _Standardized(nn.Conv2d):
    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return nn.functional.conv2d(input, self.weight - self.weight.mean(), self.bias)


def test_what_computes_something_else_is_left_as_it_is() -> None:
    def mine(in_channels: int, out_channels: int, stride: int, batch_norm: BatchNorm) -> nn.Module:
        own_statistics = nn.BatchNorm2d(out_channels, track_running_stats=False)
        weight_norm = nn.utils.parametrizations.weight_norm(nn.Conv2d(out_channels, out_channels, 1))
        return nn.Sequential(
            *(_Standardized(in_channels, out_channels, 1), batch_norm(out_channels)),
            *(nn.Conv2d(out_channels, out_channels, 1), own_statistics),
            *(weight_norm, batch_norm(out_channels)),
            nn.AvgPool2d(1, stride),
        )

    network = cifar_network([(-2, "mine", -1, "identity")], 4, 1, operations={"mine": mine})
    images = torch.randn(4, 3, 12, 12)
    network(images)
    network.eval()
    torch.testing.assert_close(fuse(network)(images), network(images))
    torch.testing.assert_close(fuse(fuse(network))(images), network(images))


def test_a_network_in_training_is_fused_as_it_evaluates() -> None:
    network = cifar_network(PNASNET_5, 4, 1, auxiliary=True, image_size=16, drop_path_rate=0.5)
    images = torch.randn(2, 3, 16, 16)
    network(images)
    fused = fuse(network)
    assert network.training
    assert not fused.training
    assert fused.aux is None
    torch.testing.assert_close(fused(images), network.eval()(images))


class _Parallel(nn.Sequential):
    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return self[0](input) + self[1](input)


def test_a_container_of_ones_own_and_a_layer_with_a_hook_are_left_as_they_are() -> None:
    def mine(in_channels: int, out_channels: int, stride: int, batch_norm: BatchNorm) -> nn.Module:
        first = nn.Conv2d(in_channels, out_channels, 1, stride)
        return nn.Sequential(first, _Parallel(nn.Conv2d(out_channels, out_channels, 1), batch_norm(out_channels)))

    network = cifar_network([(-2, "mine", -1, "identity")], 4, 1, operations={"mine": mine})
    network.stem[0].register_forward_hook(lambda _module, _inputs, output: 2 * output)
    images = torch.randn(4, 3, 12, 12)
    network(images)
    network.eval()
    torch.testing.assert_close(fuse(network)(images), network(images))

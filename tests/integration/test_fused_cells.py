"""The operations of the paper's cells, as pnas-models makes them and pnas-trainer computes them."""

import copy

import pytest
import torch
from torch import Tensor, nn

from pnas_models import PNAS_OPERATIONS, cifar_network
from pnas_trainer._cpu import fast_operations, fused_chains


def gradients(model: nn.Module, x: Tensor) -> list[Tensor]:
    loss = model(x).square().mean()
    loss.backward()
    return [loss.detach(), *(parameter.grad for parameter in model.parameters() if parameter.grad is not None)]


@pytest.mark.parametrize("operation", list(PNAS_OPERATIONS))
@pytest.mark.parametrize("size", [8, 7])
def test_networks_train_as_with_pytorch_in_twice_the_precision(operation, size):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = cifar_network([(-2, operation, -1, "identity")], 4, 1, num_classes=5).to(memory_format=torch.channels_last)
    x = torch.randn(16, 3, size, size).contiguous(memory_format=torch.channels_last)
    expected = gradients(copy.deepcopy(model).double(), x.double())
    with fused_chains(model), fast_operations():
        actual = gradients(model, x)
    torch.set_num_threads(before)
    for ours, theirs in zip(actual, expected, strict=True):
        assert (ours - theirs).norm() <= 1e-3 * theirs.norm() + 1e-6


def test_most_of_a_cell_is_chains():
    model = cifar_network([(-2, "sep_conv_5x5", -1, "dil_conv_3x3")], 4, 1, num_classes=5)
    with fused_chains(model):
        n_fused = sum("forward" in vars(module) for module in model.modules())
    n_sequences = sum(type(module) is nn.Sequential for module in model.modules())
    assert n_fused == n_sequences - 1  # the stem's 3x3 convolution is another matter

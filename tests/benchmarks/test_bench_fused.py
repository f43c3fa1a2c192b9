"""A separable convolution of the paper's search on a GPU, forward and backward: our kernels against PyTorch's.

Both are replayed as CUDA graphs, so that the host does not count, and both compute in bfloat16.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from pnas_models import PNAS_OPERATIONS
from pnas_models._normalization import CIFAR_BATCH_NORM
from pnas_trainer._cuda._chains import Chain, chains
from pnas_trainer._cuda._separable import separable_layers

N_REPLAYS = 20
SIZES = {24: 32, 48: 16, 96: 8}
"""Of the maps, by their channels."""


def ours(chain: Chain, x: Tensor) -> Tensor:
    layers = chain.layers(x)
    assert layers is not None
    return separable_layers(x, layers)


def plain(chain: Chain, x: Tensor) -> Tensor:
    with torch.autocast("cuda", torch.bfloat16, cache_enabled=False):
        return chain(x)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.benchmark(group="a separable convolution forward and backward, 64 images, bfloat16")
@pytest.mark.parametrize("way", [ours, plain])
@pytest.mark.parametrize("channels", SIZES)
@pytest.mark.parametrize("operation", ["sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7", "dil_conv_3x3"])
def test_separable(benchmark: Any, operation: str, channels: int, way: Callable[[Chain, Tensor], Tensor]) -> None:
    module = PNAS_OPERATIONS[operation](channels, channels, 1, CIFAR_BATCH_NORM)
    (chain,) = chains(module.to("cuda", memory_format=torch.channels_last))
    assert isinstance(chain, Chain)
    size = SIZES[channels]
    x = torch.randn(64, channels, size, size, device="cuda").to(torch.bfloat16, memory_format=torch.channels_last)
    x.requires_grad_()
    parameters = list(module.parameters())

    def step() -> None:
        y = way(chain, x)
        torch.autograd.grad(y, [x, *parameters], torch.ones_like(y))

    with torch.cuda.stream(torch.cuda.Stream()):
        for _ in range(3):
            step()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
            step()

        def replays() -> None:
            for _ in range(N_REPLAYS):
                graph.replay()
            torch.cuda.synchronize()

        benchmark.pedantic(replays, rounds=10, warmup_rounds=2)
    benchmark.extra_info["microseconds"] = 1e6 * benchmark.stats.stats.min / N_REPLAYS

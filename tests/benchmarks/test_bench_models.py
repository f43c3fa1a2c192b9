"""Forward pass of PNASNet-5 Large at 331x331: ours as it is, and made for inference, against timm's `pnasnet5large`."""

from collections.abc import Callable
from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn

from pnas_models import create_model, fuse, load_weights, save_weights

_N_ROUNDS = {"cpu": 3, "cuda": 30}
DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=[pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]
    ),
]


def _plain(_theirs: nn.Module, ours: Any) -> tuple[nn.Module, torch.memory_format]:
    return ours, torch.contiguous_format


def _fused(_theirs: nn.Module, ours: Any) -> tuple[nn.Module, torch.memory_format]:
    return fuse(ours), torch.channels_last


def _timm(theirs: nn.Module, _ours: Any) -> tuple[nn.Module, torch.memory_format]:
    return theirs, torch.contiguous_format


def _timm_channels_last(theirs: nn.Module, _ours: Any) -> tuple[nn.Module, torch.memory_format]:
    return theirs, torch.channels_last


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, nn.Module]:
    """The network of timm, and ours with the same weights."""
    path = tmp_path_factory.mktemp("weights") / "large.safetensors"
    ours = create_model("pnasnet5_large").eval()
    save_weights(ours, path, target="timm")
    load_weights(ours, path, source="timm")
    return timm.create_model("pnasnet5large", checkpoint_path=path).eval(), ours


@pytest.mark.benchmark(group="PNASNet-5 Large, forward")
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("batch_size", [1, 8])
@pytest.mark.parametrize("way", [_timm, _timm_channels_last, _plain, _fused])
def test_forward(
    benchmark: Any,
    networks: tuple[nn.Module, nn.Module],
    way: Callable[[nn.Module, nn.Module], tuple[nn.Module, torch.memory_format]],
    batch_size: int,
    device: str,
) -> None:
    benchmark.group = f"PNASNet-5 Large, forward, {device}, batch of {batch_size}"
    torch.set_num_threads(2)
    network, layout = way(*networks)
    network = network.to(device, memory_format=layout)
    images = torch.randn(batch_size, 3, 331, 331, generator=torch.Generator().manual_seed(0))
    images = images.to(device).contiguous(memory_format=layout)

    def forward() -> Tensor:
        with torch.inference_mode():
            logits: Tensor = network(images)
            if device == "cuda":
                torch.cuda.synchronize()
        return logits

    forward()
    logits = benchmark.pedantic(forward, rounds=_N_ROUNDS[device], iterations=1)
    with torch.inference_mode():
        expected = networks[0].to(device)(images)
    assert (logits - expected).abs().max() <= 1e-4 * expected.abs().max()
    networks[0].to(memory_format=torch.contiguous_format)
    networks[1].to(memory_format=torch.contiguous_format)

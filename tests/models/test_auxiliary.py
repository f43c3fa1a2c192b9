from typing import Any

import pytest
import torch

from pnas_models import PNASNET_5, BatchNorm, ModelError, cifar_network, imagenet_network
from pnas_models._auxiliary import AuxiliaryHead

BATCH_NORM = BatchNorm(eps=1e-3, decay=0.9)


@pytest.mark.parametrize(
    ("build", "image_size", "kernel"),
    [
        (imagenet_network, 224, (4, 4)),
        (imagenet_network, 331, (6, 6)),
        (imagenet_network, (224, 331), (4, 6)),
        (imagenet_network, 32, (1, 1)),
        (cifar_network, 32, (4, 4)),
        (cifar_network, 33, (5, 5)),
        (cifar_network, 8, (1, 1)),
        (cifar_network, (32, 8), (1, 1)),
    ],
)
def test_its_kernel_is_as_large_as_tf_slims(build: Any, image_size: Any, kernel: tuple[int, int]) -> None:
    network = build(PNASNET_5, 4, 1, 5, auxiliary=True, image_size=image_size)
    assert network.aux.conv.kernel_size == kernel
    assert network.aux.conv.out_channels == 768
    assert network.aux.proj.out_channels == 128


def test_it_is_pool_projection_and_a_convolution_of_the_whole_map() -> None:
    head = AuxiliaryHead(3, (8, 11), 4, BATCH_NORM).eval()
    x = torch.randn(2, 3, 8, 11)
    rectified = x.clamp(min=0)
    windows = [[rectified[:, :, r : r + 5, c : c + 5].mean((2, 3)) for c in (0, 3, 6)] for r in (0, 3)]
    pooled = torch.stack([torch.stack(row, -1) for row in windows], -2)
    projected = torch.einsum("nchw,kc->nkhw", pooled, head.proj.weight[:, :, 0, 0])
    scale = (1 + BATCH_NORM.eps) ** -0.5  # of a batch normalization that has seen nothing
    hidden = torch.einsum("nkhw,fkhw->nf", (scale * projected).clamp(min=0), head.conv.weight)
    torch.testing.assert_close(head(x), head.classifier((scale * hidden).clamp(min=0)))


def test_images_of_another_size_are_refused_with_the_way_out() -> None:
    network = cifar_network(PNASNET_5, 4, 1, auxiliary=True, image_size=16)
    with pytest.raises(ModelError, match=r"was made for maps of 8x8 and got 6x8: build the network with image_size="):
        network(torch.zeros(2, 3, 12, 16))


def test_it_needs_to_know_the_size_of_the_images() -> None:
    with pytest.raises(ModelError, match="auxiliary=True needs image_size="):
        cifar_network(PNASNET_5, auxiliary=True)
    with pytest.raises(
        ModelError, match=r"image_size must be larger than \[2, 64\]: nothing is left of it after the stem"
    ):
        imagenet_network(PNASNET_5, auxiliary=True, image_size=(2, 64))

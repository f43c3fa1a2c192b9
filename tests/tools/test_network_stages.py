"""The stages of a network are those that images really go through."""

from typing import Any

import pytest
import torch

from pnas_models import CellNetwork, cifar_network, imagenet_network
from pnas_tools._network_stages import network_stages

CELL = [[-2, "identity", -1, "max_pool_3x3"], [0, "sep_conv_3x3", -1, "identity"]]
NETWORKS = {
    "cifar": (cifar_network(CELL, 4, 3), 17),
    "one cell a stage": (cifar_network(CELL, 4, 1, num_classes=0), 16),
    "imagenet": (imagenet_network(CELL, 8, 2, num_classes=7, stem_filters=5), 65),
    "reduction cell": (cifar_network(CELL, 4, 2, reduction_cell=CELL[:1], concat=(-2, 1)), 16),
}


def shapes(network: CellNetwork, size: int) -> list[tuple[int, int]]:
    """Channels and pixels after the first layer and after every cell, as they are computed."""
    found: list[tuple[int, int]] = []

    def note(module: Any, images: Any, output: torch.Tensor) -> None:
        found.append((output.shape[1], output.shape[2]))

    for module in (network.stem, *network.cells):
        module.register_forward_hook(note)
    network.eval()(torch.zeros(1, 3, size, size))
    return found


@pytest.mark.parametrize("name", NETWORKS)
def test_maps_are_as_large_as_those_that_are_computed(name: str) -> None:
    network, size = NETWORKS[name]
    stages = network_stages(network, size)
    image, *layers, pooling = stages if network.num_classes == 0 else stages[:-1]
    told = [stage.note.removesuffix(" channels") for stage in layers for _ in range(stage.n_repeats)]
    assert [note.rpartition(": ")[2] for note in told] == [f"{px}×{px}, {n}" for n, px in shapes(network, size)]
    assert (image.note, pooling.label) == (f"{size}×{size}", "global pooling")
    if network.num_classes:
        assert stages[-1].note == f"{network.num_classes} classes"


def labels(name: str) -> list[tuple[str, int]]:
    return [(stage.label, stage.n_repeats) for stage in network_stages(*NETWORKS[name])][2:-2]


def test_the_first_cell_of_a_later_stage_strides_and_is_one_of_the_n() -> None:
    later = [("cell, stride 2", 1), ("cell, stride 1", 2)]
    assert labels("cifar") == [("cell, stride 1", 3), *later, *later]


def test_a_network_for_imagenet_begins_with_two_cells_that_stride() -> None:
    later = [("cell, stride 2", 1), ("cell, stride 1", 1)]
    assert labels("imagenet") == [("cell, stride 2", 1), ("cell, stride 2", 1), ("cell, stride 1", 2), *later, *later]


def test_a_reduction_cell_comes_before_the_n() -> None:
    later = [("reduction cell, stride 2", 1), ("cell, stride 1", 2)]
    assert labels("reduction cell") == [("cell, stride 1", 2), *later, *later]


def test_without_a_size_of_the_image_maps_are_told_by_their_stride() -> None:
    network, _ = NETWORKS["cifar"]
    assert [stage.note for stage in network_stages(network, None)][:4] == [
        "",
        "1/1 of the image, 12 channels",
        "F = 4: 1/1 of the image, 8 channels",
        "F = 8: 1/2 of the image, 16 channels",
    ]

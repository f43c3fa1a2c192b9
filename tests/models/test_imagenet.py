import random
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pnas_models import PNAS_OPERATIONS, PNASNET_5, CellNetwork, ModelError, cifar_network, imagenet_network

EVERY_OPERATION = [(-2, name, -1, name) for name in PNAS_OPERATIONS]


def _shapes(network: CellNetwork, *size: int) -> list[tuple[int, ...]]:
    shapes: list[tuple[int, ...]] = []
    for layer in (network.stem, *network.cells):
        layer.register_forward_hook(lambda _module, _inputs, output: shapes.append(tuple(output.shape[1:])))
    network(torch.zeros(2, 3, *size))
    return shapes


@pytest.mark.parametrize(
    ("size", "sides"),
    [(64, (31, 16, 8, 8, 4, 2)), (65, (32, 16, 8, 8, 4, 2)), (71, (35, 18, 9, 9, 5, 3)), (8, (3, 2, 1, 1, 1, 1))],
)
def test_maps_are_those_of_tf_slim(size: int, sides: tuple[int, ...]) -> None:
    network = imagenet_network(PNASNET_5, n_filters=6, n_repeats=2, num_classes=5, stem_filters=8)
    conv0, stem_0, stem_1, stage_1, stage_2, stage_3 = sides
    expected = [
        (8, conv0),
        (5, stem_0),
        (15, stem_1),
        *[(30, stage_1)] * 2,
        *[(60, stage_2)] * 2,
        *[(120, stage_3)] * 2,
    ]
    assert _shapes(network, size, size) == [(channels, side, side) for channels, side in expected]


def test_the_first_convolution_is_valid_and_no_relu_follows_it() -> None:
    network = imagenet_network(PNASNET_5, 4, 1, 3, stem_filters=5)
    assert [type(layer) for layer in network.stem] == [nn.Conv2d, nn.BatchNorm2d]
    first = network.stem[0]
    assert (first.kernel_size, first.stride, first.padding, first.bias) == ((3, 3), (2, 2), (0, 0), None)


def test_all_batch_normalizations_have_the_eps_and_momentum_of_imagenet() -> None:
    network = imagenet_network(PNASNET_5, 4, 1, 3, auxiliary=True, image_size=64)
    settings = {(part.eps, round(part.momentum, 9)) for part in network.modules() if isinstance(part, nn.BatchNorm2d)}
    assert settings == {(1e-3, 0.0003)}


def _random_cell(seed: int) -> list[tuple[int, str, int, str]]:
    generator = random.Random(seed)

    def path(index: int) -> tuple[int, str]:
        return generator.randrange(-2, index), generator.choice(list(PNAS_OPERATIONS))

    return [(*path(index), *path(index)) for index in range(1 + seed % 5)]


@pytest.mark.parametrize("cell", [PNASNET_5, EVERY_OPERATION, *map(_random_cell, range(10))])
@pytest.mark.parametrize("stem", ["cifar", "imagenet"])
def test_a_few_steps_on_one_batch_lower_the_loss(stem: str, cell: Any) -> None:
    build: Any = cifar_network if stem == "cifar" else partial(imagenet_network, stem_filters=8)
    size = 9 if stem == "cifar" else 33
    images, labels = torch.randn(12, 3, size, size), torch.arange(12) % 4
    network = build(cell, n_filters=4, n_repeats=1, num_classes=4, drop_rate=0.0)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    losses = []
    for _ in range(25):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("first", PNAS_OPERATIONS)
def test_every_cell_of_one_block_builds_and_runs(first: str) -> None:
    for second in PNAS_OPERATIONS:
        for input_1, input_2 in ((-2, -2), (-2, -1), (-1, -1)):
            network = imagenet_network([(input_1, first, input_2, second)], 4, 1, 3, 2)
            logits = network(torch.randn(2, 3, 23, 23))
            assert logits.shape == (2, 3)
            assert logits.isfinite().all()


def test_a_separate_reduction_cell_comes_before_the_repeats_of_later_stages_and_makes_the_stem(
    nasnet_a: dict[str, Any],
) -> None:
    network = imagenet_network(n_filters=8, n_repeats=2, num_classes=5, stem_filters=8, **nasnet_a)
    n_blocks = [len(cell.spec.blocks) for cell in network.cells]
    assert n_blocks == [5] * 10
    reductions = [index for index, cell in enumerate(network.cells) if cell.stride == 2]
    assert reductions == [0, 1, 4, 7]
    sides = [31, 16, 8, 8, 8, 4, 4, 4, 2, 2, 2]
    channels = [8, 8, 16, 48, 48, 64, 96, 96, 128, 192, 192]
    assert _shapes(network, 64, 64) == [(c, side, side) for c, side in zip(channels, sides, strict=True)]


def test_too_few_filters_for_the_stem_are_refused() -> None:
    with pytest.raises(
        ModelError, match="n_filters must be 4 or more, not 3: the first cell of the stem has a quarter"
    ):
        imagenet_network(PNASNET_5, n_filters=3)

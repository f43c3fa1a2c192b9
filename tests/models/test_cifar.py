import copy
import pickle
from itertools import combinations_with_replacement, product
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pnas_models import PNAS_OPERATIONS, BatchNorm, CellNetwork, cifar_network

Cell = list[tuple[int, str, int, str]]

PNASNET_5: Cell = [
    (-2, "sep_conv_5x5", -2, "max_pool_3x3"),
    (-1, "sep_conv_7x7", -1, "max_pool_3x3"),
    (-1, "sep_conv_5x5", -1, "sep_conv_3x3"),
    (2, "sep_conv_3x3", -1, "max_pool_3x3"),
    (-2, "sep_conv_3x3", -1, "identity"),
]
IDENTITIES: Cell = [(-2, "identity", -1, "identity")]
ONE_BLOCK_CELLS: list[Cell] = [
    [(*first, *second)] for first, second in combinations_with_replacement(product((-2, -1), PNAS_OPERATIONS), 2)
]
SOME_CELLS: list[Cell] = [
    PNASNET_5,
    [(-1, "conv_1x7_7x1", -2, "dil_conv_3x3")],
    [(-2, "avg_pool_3x3", -2, "identity"), (0, "sep_conv_3x3", -1, "dil_conv_3x3")],
    [(-1, "max_pool_3x3", -1, "max_pool_3x3"), (0, "identity", -2, "sep_conv_7x7"), (1, "conv_1x7_7x1", 0, "identity")],
]


def _n_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _expected_of_operation(name: str, inputs: int, outputs: int, stride: int) -> int:
    """Weights of the convolutions, and two per channel of every batch normalization."""
    if name.startswith("sep_conv"):
        area = int(name[-1]) ** 2
        return area * inputs + inputs * outputs + area * outputs + outputs * outputs + 4 * outputs
    if name == "dil_conv_3x3":
        return 9 * inputs + inputs * outputs + 2 * outputs
    if name == "conv_1x7_7x1":
        return 7 * inputs * outputs + 7 * outputs * outputs + 2 * outputs
    projects = inputs != outputs or (name == "identity" and stride == 2)
    return inputs * outputs + 2 * outputs if projects else 0


def _expected_n_parameters(cell: Cell, n_filters: int, n_repeats: int) -> int:
    """Of a network for 3 channels and 10 classes, from section 3.2 and TF-Slim's adaptors alone."""
    read = {index for block in cell for index in (block[0], block[2])}
    stem = 3 * n_filters
    total = 27 * stem + 2 * stem
    channels, sizes = [stem, stem], [1, 1]  # of all feature maps so far; the stem is both inputs of the first cell
    for index in range(3 * n_repeats):
        width = n_filters * 2 ** (index // n_repeats)
        stride = 2 if index in (n_repeats, 2 * n_repeats) else 1
        before_previous, previous = channels[-2:]
        if -1 in read:
            total += previous * width + 2 * width
        differs = sizes[-2] != sizes[-1] or before_previous != width
        if -2 in read and index > 0 and differs:
            total += before_previous * width + 2 * width
        inputs = {-1: width, -2: before_previous if index == 0 else width}
        for input_1, operation_1, input_2, operation_2 in cell:
            for source, operation in ((input_1, operation_1), (input_2, operation_2)):
                step = stride if source < 0 else 1
                total += _expected_of_operation(operation, inputs.get(source, width), width, step)
        channels.append(len(cell) * width)
        sizes.append(sizes[-1] * stride)
    return total + channels[-1] * 10 + 10


def test_the_published_cell_has_the_papers_3_2_million_parameters() -> None:
    assert _n_parameters(cifar_network(PNASNET_5, n_filters=48, n_repeats=3, num_classes=10)) == 3_189_082
    assert _expected_n_parameters(PNASNET_5, n_filters=48, n_repeats=3) == 3_189_082


@pytest.mark.parametrize("cell", [*SOME_CELLS, IDENTITIES])
@pytest.mark.parametrize(("n_filters", "n_repeats"), [(1, 1), (3, 2), (4, 3)])
def test_the_number_of_parameters_is_that_of_the_papers_network(cell: Cell, n_filters: int, n_repeats: int) -> None:
    network = cifar_network(cell, n_filters, n_repeats, num_classes=10)
    assert _n_parameters(network) == _expected_n_parameters(cell, n_filters, n_repeats)


def test_there_are_136_cells_of_one_block() -> None:
    assert len(ONE_BLOCK_CELLS) == 136


@pytest.mark.parametrize("first", PNAS_OPERATIONS)
def test_every_cell_of_one_block_learns_from_small_grey_images(first: str) -> None:
    images, labels = torch.randn(2, 1, 8, 8), torch.tensor([0, 2])
    for cell in ONE_BLOCK_CELLS:
        if cell[0][1] != first:
            continue
        network = cifar_network(cell, n_filters=2, n_repeats=1, num_classes=3, in_channels=1)
        logits = network(images)
        F.cross_entropy(logits, labels).backward()
        assert logits.shape == (2, 3)
        gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        assert all(bool(gradient.isfinite().all()) for gradient in gradients)
        stem_gradient = network.stem[0].weight.grad
        assert stem_gradient is not None
        assert stem_gradient.abs().max() > 0, cell


@pytest.mark.parametrize(
    ("n_filters", "n_repeats", "size"),
    [(1, 1, (8, 8)), (3, 1, (11, 9)), (3, 2, (9, 11)), (4, 2, (8, 8)), (1, 3, (7, 12))],
)
def test_the_first_cells_of_the_second_and_third_stage_halve_the_map_and_double_the_filters(
    n_filters: int, n_repeats: int, size: tuple[int, int]
) -> None:
    network = cifar_network(PNASNET_5, n_filters, n_repeats, num_classes=7)
    shapes: list[torch.Size] = []
    for cell in network.cells:
        cell.register_forward_hook(lambda _module, _inputs, output: shapes.append(output.shape))
    assert network(torch.randn(2, 3, *size)).shape == (2, 7)
    stages = [(5 * n_filters * 2**s, -(-size[0] // 2**s), -(-size[1] // 2**s)) for s in range(3)]
    assert shapes == [(2, *stage) for stage in stages for _ in range(n_repeats)]


def test_the_operations_of_the_first_cell_read_the_raw_stem_and_project_it() -> None:
    seen: list[tuple[int, int, int]] = []

    def probe(in_channels: int, out_channels: int, stride: int, batch_norm: BatchNorm) -> nn.Module:
        seen.append((in_channels, out_channels, stride))
        return PNAS_OPERATIONS["max_pool_3x3"](in_channels, out_channels, stride, batch_norm)

    network = cifar_network([(-2, "probe", -2, "identity")], 4, 2, 10, operations={"probe": probe})
    assert seen == [(12, 4, 1), (4, 4, 1), (8, 8, 2), (8, 8, 1), (16, 16, 2), (16, 16, 1)]
    inputs: list[Tensor] = []
    network.cells[0].operations_1[0].register_forward_pre_hook(lambda _module, args: inputs.append(args[0]))
    network.stem.register_forward_hook(lambda _module, _inputs, output: inputs.append(output))
    network(torch.randn(2, 3, 8, 8))
    stem, read = inputs
    assert torch.equal(stem, read)
    assert (read < 0).any()


# The mean of (4, 0, 0, 0) is 1 and that of (-2, 2, -2, 0) is 0.5 only when the negative values are cut off before.
FEATURES = [
    [
        [[4.0, 0.0], [0.0, 0.0]],
        [[-2.0, 2.0], [-2.0, 0.0]],
        *[[[-1.0, -1.0], [-1.0, -1.0]]] * 5,
        [[2.0, 2.0], [2.0, 2.0]],
    ]
]


def test_classification_ends_in_relu_global_average_pooling_and_a_linear_layer() -> None:
    network = cifar_network(IDENTITIES, 2, 1, num_classes=3)
    network.cells[-1].register_forward_hook(lambda _module, _inputs, _output: torch.tensor(FEATURES))
    expected = network.classifier(torch.tensor([[1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0]]))
    torch.testing.assert_close(network(torch.zeros(1, 3, 8, 8)), expected)


def test_all_batch_normalizations_have_the_eps_and_momentum_of_cifar() -> None:
    network = cifar_network(PNASNET_5, 4, 2, num_classes=10)
    settings = {(part.eps, round(part.momentum, 9)) for part in network.modules() if isinstance(part, nn.BatchNorm2d)}
    assert settings == {(1e-5, 0.1)}


@pytest.mark.parametrize("cell", SOME_CELLS)
def test_a_few_steps_on_one_batch_lower_the_loss(cell: Cell) -> None:
    images, labels = torch.randn(16, 1, 8, 8), torch.arange(16) % 4
    network = cifar_network(cell, n_filters=4, n_repeats=1, num_classes=4, in_channels=1)
    losses = []
    for _ in range(12):
        network.zero_grad()
        loss = F.cross_entropy(network(images), labels)
        loss.backward()
        losses.append(loss.item())
        with torch.no_grad():
            for parameter in network.parameters():
                if parameter.grad is not None:  # a cell that nothing reads has none
                    parameter -= 0.1 * parameter.grad
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("cell", SOME_CELLS)
def test_in_evaluation_an_image_is_classified_alike_alone_and_in_a_batch(cell: Cell) -> None:
    network = cifar_network(cell, 3, 1, num_classes=5)
    images = torch.randn(4, 3, 9, 8)
    network(images)
    network.eval()
    with torch.no_grad():
        alone = torch.cat([network(image[None]) for image in images])
        torch.testing.assert_close(network(images), alone)


def test_the_same_seed_gives_the_same_network() -> None:
    def build(seed: int) -> dict[str, Any]:
        torch.manual_seed(seed)
        return dict(cifar_network(PNASNET_5, 2, 1, num_classes=3).state_dict())

    torch.testing.assert_close(build(1), build(1), rtol=0.0, atol=0.0)
    assert not torch.equal(build(1)["stem.0.weight"], build(2)["stem.0.weight"])


def test_copies_and_loaded_weights_give_the_same_logits() -> None:
    every_operation = [(-2, name, -1, name) for name in PNAS_OPERATIONS]
    network = cifar_network(every_operation, 2, 1, num_classes=3).eval()
    loaded = cifar_network([list(block) for block in every_operation], 2, 1, num_classes=3).eval()
    loaded.load_state_dict(network.state_dict())
    images = torch.randn(2, 3, 8, 8)
    copies: list[CellNetwork] = [copy.deepcopy(network), pickle.loads(pickle.dumps(network)), loaded]
    for duplicate in copies:
        assert torch.equal(duplicate(images), network(images))


def test_further_operations_come_by_name_and_may_replace_one_of_the_papers() -> None:
    def blank(in_channels: int, out_channels: int, stride: int, batch_norm: BatchNorm) -> nn.Module:
        return nn.Conv2d(in_channels, out_channels, 1, stride)

    cell = [(-2, "mine", -1, "identity")]
    network = cifar_network(cell, 2, 1, num_classes=3, operations={"mine": blank, "identity": blank})
    used = {type(operation) for c in network.cells for operation in (*c.operations_1, *c.operations_2)}
    assert used == {nn.Conv2d}
    assert network(torch.randn(2, 3, 8, 8)).shape == (2, 3)
    assert _n_parameters(cifar_network(IDENTITIES, 2, 1, num_classes=10)) == _expected_n_parameters(IDENTITIES, 2, 1)

import random
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pnas_models import PNAS_OPERATIONS, BatchNorm, CellNetwork, ModelError, cifar_network, imagenet_network
from pnas_models._correspondence import correspondence
from pnas_models._inherit import inherit

Block = tuple[int, str, int, str]
Images = Callable[..., Tensor]

CIFAR = partial(cifar_network, n_filters=4, num_classes=5, auxiliary=True, image_size=(9, 8))
IMAGENET = partial(
    imagenet_network, n_filters=4, num_classes=5, stem_filters=3, drop_rate=0.0, auxiliary=True, image_size=(33, 40)
)
SIZES: dict[Callable[..., CellNetwork], tuple[int, int]] = {CIFAR: (9, 8), IMAGENET: (33, 40)}
ONLY_PREVIOUS: list[Block] = [(-1, "sep_conv_3x3", -1, "max_pool_3x3")]
ONLY_BEFORE_PREVIOUS: list[Block] = [(-2, "sep_conv_3x3", -2, "max_pool_3x3")]
BOTH: list[Block] = [(-2, "avg_pool_3x3", -1, "sep_conv_5x5"), (0, "identity", -2, "conv_1x7_7x1")]


def _random_block(rng: random.Random, index: int) -> Block:
    names = list(PNAS_OPERATIONS)
    return rng.randrange(-2, index), rng.choice(names), rng.randrange(-2, index), rng.choice(names)


def _random_family(rng: random.Random, n_blocks: int, n_more: int) -> tuple[list[Block], list[Block]]:
    """A parent, and a child whose blocks are in another order and have some of their operands swapped."""
    blocks = [_random_block(rng, index) for index in range(n_blocks + n_more)]
    return blocks[:n_blocks], _relabelled(rng, blocks)


def _relabelled(rng: random.Random, cell: Sequence[Block]) -> list[Block]:
    places = {-2: -2, -1: -1}
    relabelled: list[Block] = []
    while len(relabelled) < len(cell):
        ready = [i for i, b in enumerate(cell) if i not in places and b[0] in places and b[2] in places]
        index = rng.choice(ready)
        input_1, operation_1, input_2, operation_2 = cell[index]
        places[index] = len(relabelled)
        first, second = rng.sample([(places[input_1], operation_1), (places[input_2], operation_2)], 2)
        relabelled.append((*first, *second))
    return relabelled


def _trained(network: CellNetwork, images: Tensor) -> CellNetwork:
    """Weights and statistics as no fresh network has them."""
    network = network.to(images.dtype)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        network(images)
    return network


def _heir(build: Callable[..., CellNetwork], parent: CellNetwork, cell: list[Block], child_cell: list[Block]) -> Any:
    """The child, and the names of what it did not inherit."""
    like = next(parent.parameters())
    child = build(child_cell).to(like.dtype)
    keys = child.load_state_dict(inherit(parent.state_dict(), cell, child_cell), strict=False)
    assert keys.unexpected_keys == []
    return child, keys.missing_keys


def _assert_same_function(child: CellNetwork, parent: CellNetwork, images: Tensor, atol: float) -> None:
    with torch.no_grad():
        torch.testing.assert_close(child.eval()(images), parent.eval()(images), rtol=0.0, atol=atol)
        for actual, expected in zip(child.train()(images), parent.train()(images), strict=True):
            torch.testing.assert_close(actual, expected, rtol=0.0, atol=atol)


@pytest.mark.parametrize("n_more", [1, 2])
@pytest.mark.parametrize(
    ("build", "n_repeats", "n_blocks"),
    [(CIFAR, 1, 1), (CIFAR, 1, 2), (CIFAR, 1, 4), (CIFAR, 2, 3), (CIFAR, 3, 3), (IMAGENET, 1, 1), (IMAGENET, 2, 3)],
)
def test_a_child_of_a_random_cell_computes_what_its_parent_computes(
    build: Callable[..., CellNetwork], n_repeats: int, n_blocks: int, n_more: int, images: Images
) -> None:
    rng = random.Random(n_repeats + 10 * n_blocks)
    build_repeated = partial(build, n_repeats=n_repeats)
    for _ in range(3):
        cell, child_cell = _random_family(rng, n_blocks, n_more)
        batch = images(3, 3, *SIZES[build])
        parent = _trained(build_repeated(cell), batch)
        child, _ = _heir(build_repeated, parent, cell, child_cell)
        _assert_same_function(child, parent, batch, atol=1e-9)


@pytest.mark.parametrize("operation", PNAS_OPERATIONS)
@pytest.mark.parametrize("inputs", [(-1, -2), (-2, -2), (-1, -1)])
def test_single_precision_is_enough(inputs: tuple[int, int], operation: str) -> None:
    cell = [(inputs[0], operation, inputs[1], "sep_conv_3x3")]
    child_cell = [(-2, "dil_conv_3x3", -1, "identity"), *cell]
    build = partial(CIFAR, n_repeats=1)
    batch = torch.randn(8, 3, 9, 8)
    parent = _trained(build(cell), batch)
    child, _ = _heir(build, parent, cell, child_cell)
    _assert_same_function(child, parent, batch, atol=1e-5)


def test_the_same_cell_in_another_order_inherits_everything(images: Images) -> None:
    rng = random.Random(1)
    build = partial(CIFAR, n_repeats=2)
    for _ in range(3):
        cell, child_cell = _random_family(rng, n_blocks=4, n_more=0)
        parent = _trained(build(cell), images(3, 3, 9, 8))
        child, missing = _heir(build, parent, cell, child_cell)
        assert missing == []
        _assert_same_function(child, parent, images(3, 3, 9, 8), atol=1e-9)


def test_new_blocks_and_adaptors_that_only_they_read_are_not_inherited() -> None:
    build = partial(CIFAR, n_repeats=2)
    child_cell: list[Block] = [(-2, "dil_conv_3x3", -2, "conv_1x7_7x1"), *ONLY_PREVIOUS]
    _, missing = _heir(build, build(ONLY_PREVIOUS), ONLY_PREVIOUS, child_cell)
    parts = {re.sub(r"^cells\.\d+\.(adapt_before_previous|operations_[12]\.\d+)\..*", r"\1", name) for name in missing}
    assert parts == {"adapt_before_previous", "operations_1.0", "operations_2.0"}


@pytest.mark.parametrize("inputs", [(-1, -1), (-2, -1)])
def test_the_gradient_lets_new_blocks_in(inputs: tuple[int, int], images: Images) -> None:
    cell = ONLY_PREVIOUS
    child_cell: list[Block] = [(inputs[0], "sep_conv_3x3", inputs[1], "identity"), *cell]
    build = partial(CIFAR, n_repeats=1)
    batch = images(4, 3, 9, 8)
    parent = _trained(build(cell), batch)
    child, _ = _heir(build, parent, cell, child_cell)
    readers = {
        "cells.1.adapt_previous.1.weight": 4,
        "cells.2.adapt_previous.1.weight": 8,
        "aux.proj.weight": 8,
        "classifier.weight": 16,
    }
    new_columns = {name: child.get_parameter(name)[:, :n_filters] for name, n_filters in readers.items()}
    assert all((columns == 0).all() for columns in new_columns.values())
    logits, auxiliary_logits = child(batch)
    labels = torch.arange(4)
    (F.cross_entropy(logits, labels) + F.cross_entropy(auxiliary_logits, labels)).backward()
    torch.optim.SGD(child.parameters(), 0.1).step()
    assert all((columns != 0).any(dim=0).all() for columns in new_columns.values())


def test_factorized_reductions_get_zeros_in_both_of_their_paths() -> None:
    build = partial(CIFAR, n_repeats=1)
    child_cell: list[Block] = [(-1, "sep_conv_3x3", -1, "identity"), *ONLY_BEFORE_PREVIOUS]
    parent = build(ONLY_BEFORE_PREVIOUS)
    child, _ = _heir(build, parent, ONLY_BEFORE_PREVIOUS, child_cell)
    for path in ("path_1", "path_2"):
        name = f"cells.2.adapt_before_previous.{path}.weight"
        wide = child.get_parameter(name)
        assert torch.equal(wide[:, 4:], parent.get_parameter(name))
        assert (wide[:, :4] == 0).all()


def test_a_chain_of_generations_keeps_the_function(images: Images) -> None:
    rng = random.Random(5)
    build = partial(IMAGENET, n_repeats=2)
    blocks = [_random_block(rng, index) for index in range(5)]
    batch = images(3, 3, 33, 40)
    first = parent = _trained(build(blocks[:3]), batch)
    cell = blocks[:3]
    for n_blocks in (4, 5):
        child_cell = _relabelled(rng, [*cell, (-1, "identity", rng.randrange(-2, n_blocks - 1), "sep_conv_3x3")])
        parent, _ = _heir(build, parent, cell, child_cell)
        cell = child_cell
    assert len(cell) == 5
    _assert_same_function(parent, first, batch, atol=1e-9)


def test_where_only_the_child_adapts_its_adaptor_passes_the_parents_blocks_on(images: Images) -> None:
    """Of 2 blocks and 2 repeats, the cell of stride 2 reads as many channels as it has filters, as they are."""
    cell: list[Block] = [(-2, "sep_conv_3x3", -1, "max_pool_3x3"), (-2, "conv_1x7_7x1", 0, "identity")]
    child_cell: list[Block] = [cell[0], (-1, "dil_conv_3x3", 0, "identity"), cell[1]]
    build = partial(CIFAR, n_repeats=2)
    batch = images(3, 3, 9, 8)
    parent = _trained(build(cell), batch)
    child, missing = _heir(build, parent, cell, child_cell)
    assert isinstance(parent.cells[2].adapt_before_previous, nn.Identity)
    weight = child.get_parameter("cells.2.adapt_before_previous.1.weight")[:, :, 0, 0]
    assert torch.equal(weight.unflatten(1, (3, 4))[:, [0, 2]].flatten(1), torch.eye(8, dtype=weight.dtype))
    assert (weight.unflatten(1, (3, 4))[:, 1] == 0).all()
    assert "cells.2.adapt_before_previous.2.running_mean" in missing
    # Fresh statistics leave all but the eps as it is, and convolutions have a ReLU of their own: near is very near.
    with torch.no_grad():
        torch.testing.assert_close(child.eval()(batch), parent.eval()(batch), rtol=1e-3, atol=1e-3)


def test_where_only_the_parent_adapts_the_rest_is_inherited() -> None:
    cell: list[Block] = [(-2, "sep_conv_3x3", -1, "max_pool_3x3")]
    child_cell: list[Block] = [*cell, (-2, "sep_conv_5x5", -1, "dil_conv_3x3")]
    build = partial(CIFAR, n_repeats=2)
    parent = build(cell)
    child, missing = _heir(build, parent, cell, child_cell)
    assert isinstance(parent.cells[2].adapt_before_previous, nn.Sequential)
    assert isinstance(child.cells[2].adapt_before_previous, nn.Identity)
    assert all("operations_1.1" in name or "operations_2.1" in name for name in missing)


def _one_by_one(in_channels: int, out_channels: int, stride: int, batch_norm: BatchNorm) -> nn.Module:
    return nn.Sequential(nn.ReLU(), nn.Conv2d(in_channels, out_channels, 1, stride), batch_norm(out_channels))


def test_operations_of_ones_own_are_inherited(images: Images) -> None:
    build = partial(CIFAR, n_repeats=1, operations={"mine": _one_by_one})
    cell: list[Block] = [(-2, "mine", -1, "mine")]
    child_cell: list[Block] = [(-1, "identity", -1, "mine"), (-1, "mine", -2, "mine")]
    parent = _trained(build(cell), images(3, 3, 9, 8))
    child, _ = _heir(build, parent, cell, child_cell)
    _assert_same_function(child, parent, images(3, 3, 9, 8), atol=1e-9)


def test_the_parents_state_stays_as_it_is_and_keeps_its_dtype() -> None:
    parent = CIFAR(ONLY_PREVIOUS, n_repeats=1).double()
    before = {name: tensor.clone() for name, tensor in parent.state_dict().items()}
    state = parent.state_dict(keep_vars=True)
    inherited = inherit(state, ONLY_PREVIOUS, [*ONLY_PREVIOUS, *BOTH[:1]])
    assert not any(tensor.requires_grad for tensor in inherited.values())
    assert {tensor.dtype for tensor in inherited.values()} == {torch.float64, torch.int64}
    torch.testing.assert_close(dict(parent.state_dict()), before, rtol=0.0, atol=0.0)


@pytest.mark.parametrize(
    ("parent", "child", "places"),
    [
        (BOTH, BOTH, [(0, False), (1, False)]),
        (BOTH, [*ONLY_PREVIOUS, *BOTH[:1], (-2, "conv_1x7_7x1", 1, "identity")], [(1, False), (2, True)]),
        # The second block must read the first, so the first of two equal ones will not do.
        (
            [ONLY_PREVIOUS[0], (0, "identity", 0, "identity")],
            [ONLY_PREVIOUS[0], ONLY_PREVIOUS[0], (1, "identity", 1, "identity")],
            [(1, False), (2, False)],
        ),
        # Of two equal blocks, either could be the first: the earlier one is taken.
        (ONLY_PREVIOUS, ONLY_PREVIOUS * 2, [(0, False)]),
        (ONLY_PREVIOUS * 2, ONLY_PREVIOUS, None),
        (BOTH, [BOTH[0], (-1, "identity", -2, "conv_1x7_7x1")], None),
        (ONLY_PREVIOUS, ONLY_BEFORE_PREVIOUS, None),
    ],
)
def test_blocks_are_found_where_they_are(
    parent: list[Block], child: list[Block], places: list[tuple[int, bool]] | None
) -> None:
    assert correspondence(parent, child) == places


def test_every_relabelled_child_is_found_to_have_its_parents_blocks() -> None:
    rng = random.Random(2)
    for _ in range(300):
        cell, child_cell = _random_family(rng, rng.randint(1, 5), rng.randint(0, 3))
        places = correspondence(cell, child_cell)
        assert places is not None
        at = {-2: -2, -1: -1, **{index: place.block for index, place in enumerate(places)}}
        assert len({place.block for place in places}) == len(cell)
        for (input_1, operation_1, input_2, operation_2), place in zip(cell, places, strict=True):
            block = child_cell[place.block]
            first, second = (block[2:], block[:2]) if place.swapped else (block[:2], block[2:])
            assert (first, second) == ((at[input_1], operation_1), (at[input_2], operation_2))


def test_a_child_without_the_parents_blocks_is_refused() -> None:
    with pytest.raises(ModelError, match="must have all blocks of the parent"):
        inherit({}, BOTH, ONLY_PREVIOUS * 3)


@pytest.mark.parametrize("cell", [[], "cell", [(-3, "identity", -1, "identity")], [(-1, "identity")], None])
def test_malformed_cells_are_refused(cell: Any) -> None:
    with pytest.raises(ModelError):
        inherit({}, cell, BOTH)
    with pytest.raises(ModelError):
        inherit({}, BOTH, cell)


def test_a_state_that_is_not_of_the_parents_cell_is_refused() -> None:
    state = CIFAR(BOTH, n_repeats=1).state_dict()
    with pytest.raises(ModelError, match="a block 1, but parent_cell has 1"):
        inherit(state, ONLY_PREVIOUS, ONLY_PREVIOUS * 2)
    state = CIFAR(ONLY_PREVIOUS, n_repeats=1).state_dict()
    with pytest.raises(ModelError, match="4 channels of a cell's output, which parent_cell's 3 blocks cannot share"):
        inherit(state, ONLY_PREVIOUS * 3, ONLY_PREVIOUS * 4)


def test_a_state_of_something_else_is_refused() -> None:
    state = {f"module.{name}": x for name, x in CIFAR(BOTH, n_repeats=1).state_dict().items()}
    with pytest.raises(ModelError, match=r"'module\.stem\.0\.weight'"):
        inherit(state, BOTH, [*BOTH, *ONLY_PREVIOUS])
    concatenated = cifar_network(BOTH, 4, 1, concat=[-2, 1], reduction_cell=BOTH).state_dict()
    with pytest.raises(ModelError, match="project_output"):
        inherit(concatenated, BOTH, [*BOTH, *ONLY_PREVIOUS])


def test_a_child_without_the_parents_operations_is_refused_at_once() -> None:
    equal = (-2, "identity", -1, "identity")
    parent = [*[equal] * 12, (0, "identity", -1, "avg_pool_3x3")]
    child = [*[equal] * 13, (0, "max_pool_3x3", -1, "avg_pool_3x3")]
    with pytest.raises(ModelError, match="the child must have all blocks of the parent"):
        inherit({}, parent, child)

import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from pnas_models._cell import BlockSpec
from pnas_models._checks import checked_cell
from pnas_models._correspondence import Place, correspondence
from pnas_models._errors import ModelError

_OPERATION = re.compile(r"(cells\.\d+\.operations)_([12])\.(\d+)\.(.+)")
_ADAPTOR = re.compile(r"cells\.(\d+)\.adapt_(previous|before_previous)\.(.+)")
_WEIGHTS_OF_ADAPTORS = frozenset({"1.weight", "path_1.weight", "path_2.weight"})
_WEIGHTS_BEHIND_CELLS = frozenset({"classifier.weight", "aux.proj.weight"})
_OTHERS = re.compile(r"stem\.\d+\.\w+|classifier\.bias|aux\.(bn_0|conv|bn_1|classifier)\.\w+")


def inherit(
    parent_state: Mapping[str, Tensor], parent_cell: Sequence[Sequence[object]], child_cell: Sequence[Sequence[object]]
) -> dict[str, Tensor]:
    """A warm start: the weights of a child whose cell is its parent's with further blocks.

    The networks of both are made by the same function with the same settings (`n_filters`, `n_repeats`, `num_classes`,
    ...), without `reduction_cell` and `concat`; neither network is needed. The parent's blocks may stand anywhere in
    the child's cell, with their operands swapped; if there are several ways to find them, the first is taken.

        child.load_state_dict(inherit(parent.state_dict(), parent_cell, child_cell), strict=False)

    The child then computes what the parent computes, in training mode, too: layers that read a cell's output, with
    weights `(C', n_blocks * C, ...)`, get zeros for the new blocks. The gradient that reaches these zeros lets the new
    blocks in. Not in the result are the new blocks' own weights, and adaptors of inputs that no block of the parent
    reads.

    There is one exception. A network adapts the cell before the previous one only where it has other channels than a
    block, which depends on the number of blocks: cells of two blocks with `n_repeats` of 2 or more, and of one with 3
    or more, read some as they are (and `imagenet_network` has one such place for four blocks and `n_repeats` of 1).
    Where a parent does and the child cannot, the child's adaptor gets weights that pass the parent's blocks on, but its
    ReLU and its batch normalization, which are not in the result, act on them: the child starts near its parent. Where
    a child does, it has no place for the parent's adaptor, and has to learn again what such cells make of -2.

    Args:
        parent_state: the parent's state dict.
        parent_cell: its cell, blocks `(input_1, operation_1, input_2, operation_2)`.
        child_cell: the child's, with all of the parent's blocks.

    Returns:
        Tensors under the names of the child's state dict, with the parent's dtypes and devices. Those that need no
        change share their memory with the parent's.

    Raises:
        ModelError: a malformed cell, a child without all of the parent's blocks, or a state that is not of the parent.
    """
    parent, child = _blocks(parent_cell), _blocks(child_cell)
    places = correspondence(parent, child)
    if places is None:
        raise ModelError(
            f"the child must have all blocks of the parent, {list(parent)}, but it is {list(child)}: "
            "choose another parent, or train it from random weights"
        )
    inherited: dict[str, Tensor] = {}
    for name, tensor in parent_state.items():
        adaptor = _ADAPTOR.fullmatch(name)
        if operation := _OPERATION.fullmatch(name):
            inherited[_moved(operation, places)] = tensor.detach()
        elif adaptor and _reads_cell(adaptor):
            if not _child_lacks(parent_state, adaptor, len(parent), len(child)):
                is_weight = adaptor[3] in _WEIGHTS_OF_ADAPTORS
                inherited[name] = _widened(tensor, places, len(child)) if is_weight else tensor.detach()
        elif name in _WEIGHTS_BEHIND_CELLS:
            inherited[name] = _widened(tensor, places, len(child))
        elif adaptor or _OTHERS.fullmatch(name):
            inherited[name] = tensor.detach()
        else:
            raise ModelError(
                f"parent_state has the key {name!r}, which no network without reduction_cell and concat has: "
                "pass the state_dict() of one"
            )
    if any(-2 in (block[0], block[2]) for block in parent):
        inherited |= _passing_adaptors(parent_state, places, len(child))
    return inherited


def _blocks(cell: Sequence[Sequence[object]]) -> tuple[BlockSpec, ...]:
    """The cell as plain data; its operations may be anybody's."""
    blocks = cell if isinstance(cell, Sequence) else ()
    names = {value for block in blocks if isinstance(block, Sequence) for value in block if isinstance(value, str)}
    return checked_cell(cell, None, names, strides=True).blocks


def _moved(operation: re.Match[str], places: Sequence[Place]) -> str:
    prefix, slot, block, name = operation.groups()
    if int(block) >= len(places):
        raise ModelError(
            f"parent_state has a block {block}, but parent_cell has {len(places)} blocks: "
            "pass the cell of the network that the state is of"
        )
    place = places[int(block)]
    moved_slot = 3 - int(slot) if place.swapped else int(slot)
    return f"{prefix}_{moved_slot}.{place.block}.{name}"


def _reads_cell(adaptor: re.Match[str]) -> bool:
    """Whether it reads another cell, and not the stem."""
    return int(adaptor[1]) >= (1 if adaptor[2] == "previous" else 2)


def _child_lacks(state: Mapping[str, Tensor], adaptor: re.Match[str], n_parent: int, n_child: int) -> bool:
    """Whether the child's cell before the previous one has the channels of a block as it is."""
    weight = state.get(f"cells.{adaptor[1]}.adapt_before_previous.1.weight")
    if adaptor[2] == "previous" or weight is None:
        return False
    n_filters, n_inputs = weight.shape[:2]
    return n_inputs // n_parent * n_child == n_filters


def _passing_adaptors(state: Mapping[str, Tensor], places: Sequence[Place], n_child: int) -> dict[str, Tensor]:
    """Weights of the adaptors that the child needs where the parent reads the cell before the previous one as it is."""
    if n_child == len(places):
        return {}
    cells = {int(name.split(".")[1]) for name in state if name.startswith("cells.")}
    adaptors: dict[str, Tensor] = {}
    for index in sorted(cells - {0, 1}):  # the first two read the stem
        adaptor = f"cells.{index}.adapt_before_previous."
        scales = [x for name, x in state.items() if name.startswith(f"cells.{index}.") and x.ndim == 1]
        # All batch normalizations of a cell have its filters, unless somebody's own operation differs.
        is_known = len({len(scale) for scale in scales}) == 1 and len(scales[0]) % len(places) == 0
        if is_known and not any(name.startswith(adaptor) for name in state):
            passing = torch.diag(torch.ones_like(scales[0]))[:, :, None, None]
            adaptors[f"{adaptor}1.weight"] = _widened(passing, places, n_child)
    return adaptors


def _widened(weight: Tensor, places: Sequence[Place], n_child: int) -> Tensor:
    """Weights `(C', n_parent * C, ...)` as `(C', n_child * C, ...)`: zeros but for the parent's blocks."""
    if weight.shape[1] % len(places) != 0:
        raise ModelError(
            f"parent_state has weights for {weight.shape[1]} channels of a cell's output, which parent_cell's "
            f"{len(places)} blocks cannot share: pass the cell of the network that the state is of"
        )
    by_block = weight.detach().unflatten(1, (len(places), -1))
    wide = weight.new_zeros(weight.shape[0], n_child, *by_block.shape[2:])
    wide[:, [place.block for place in places]] = by_block
    return wide.flatten(1, 2)

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pnas_models import PNAS_OPERATIONS, BatchNorm, OperationBuilder
from pnas_models._cell import BlockSpec, CellModule, CellSpec
from pnas_models._factorized_reduction import FactorizedReduction

BATCH_NORM = BatchNorm(eps=1e-5, decay=0.9)


class _Times(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self._factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return self._factor * x


OPERATIONS: Mapping[str, OperationBuilder] = {
    "double": lambda *_: _Times(2.0),
    "triple": lambda *_: _Times(3.0),
    "negate": lambda *_: _Times(-1.0),
}


def _cell(blocks: list[BlockSpec], concat: tuple[int, ...] | None = None, **settings: Any) -> CellModule:
    spec = CellSpec(blocks=tuple(blocks), concat=tuple(range(len(blocks))) if concat is None else concat)
    defaults: dict[str, Any] = {
        "channels": (5, 6),
        "n_filters": 4,
        "stride": 1,
        "batch_norm": BATCH_NORM,
        "operations": PNAS_OPERATIONS,
        "shrink_before_previous": False,
        "project_before_previous": True,
    }
    return CellModule(spec, **(defaults | settings))


def test_blocks_add_their_operations_and_all_of_them_are_concatenated_in_order() -> None:
    blocks = [(-2, "double", -1, "triple"), (0, "negate", -1, "double"), (-2, "triple", 1, "double")]
    cell = _cell(blocks, channels=(1, 1), n_filters=1, operations=OPERATIONS, project_before_previous=False)
    nn.init.ones_(cell.adapt_previous[1].weight)
    cell.eval()  # at first, batch normalization then leaves all but its eps as it is
    before_previous, previous = torch.full((1, 1, 2, 2), 10.0), torch.full((1, 1, 2, 2), 1.0)
    # 2*10 + 3*1, then -23 + 2*1, then 3*10 + 2*(-21): the first block counts although others read it.
    expected = torch.tensor([23.0, -21.0, -12.0]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    torch.testing.assert_close(cell(before_previous, previous), expected, rtol=0.0, atol=1e-3)


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({}, nn.Sequential),
        ({"channels": (4, 6)}, nn.Identity),
        ({"project_before_previous": False}, nn.Identity),
        ({"shrink_before_previous": True}, FactorizedReduction),
        ({"shrink_before_previous": True, "channels": (4, 6)}, FactorizedReduction),
    ],
)
def test_the_cell_before_the_previous_one_is_adapted_only_where_it_differs(
    settings: dict[str, Any], kind: type[nn.Module]
) -> None:
    assert type(_cell([(-2, "identity", -1, "identity")], **settings).adapt_before_previous) is kind


def test_an_input_that_no_block_reads_has_no_parameters() -> None:
    only_previous = _cell([(-1, "identity", -1, "identity")], shrink_before_previous=True)
    only_before_previous = _cell([(-2, "identity", -2, "identity"), (0, "identity", -2, "identity")])
    assert not list(only_previous.adapt_before_previous.parameters())
    assert not list(only_before_previous.adapt_previous.parameters())


def test_only_operations_that_read_the_cells_inputs_stride() -> None:
    strides: list[int] = []

    def probe(in_channels: int, out_channels: int, stride: int, batch_norm: BatchNorm) -> nn.Module:
        strides.append(stride)
        return PNAS_OPERATIONS["identity"](in_channels, out_channels, stride, batch_norm)

    cell = _cell([(-2, "probe", -1, "probe"), (0, "probe", 0, "probe")], stride=2, operations={"probe": probe})
    assert sorted(strides) == [1, 1, 2, 2]
    assert cell(torch.zeros(2, 5, 7, 8), torch.zeros(2, 6, 7, 8)).shape == (2, 8, 4, 4)


def test_an_output_may_be_made_of_any_states_in_any_order() -> None:
    settings: dict[str, Any] = {"channels": (1, 1), "n_filters": 1, "operations": OPERATIONS}
    cell = _cell([(-2, "double", -2, "triple"), (0, "negate", 0, "negate")], concat=(1, -2), **settings).eval()
    before_previous = torch.full((1, 1, 2, 2), 10.0)
    expected = torch.tensor([-100.0, 10.0]).view(1, 2, 1, 1).expand(1, 2, 2, 2)
    torch.testing.assert_close(cell(before_previous, torch.zeros(1, 1, 2, 2)), expected)
    assert cell.out_channels == 2


def test_a_raw_stem_in_the_output_is_projected_there_and_read_raw_by_the_blocks() -> None:
    cell = _cell([(-2, "identity", -2, "max_pool_3x3")], concat=(-2, 0), project_before_previous=False)
    assert cell(torch.randn(2, 5, 6, 6), torch.randn(2, 6, 6, 6)).shape == (2, 8, 6, 6)
    assert [tuple(p.shape) for p in cell.project_output.parameters()] == [(4, 5, 1, 1), (4,), (4,)]
    assert tuple(cell.operations_1[0][1].weight.shape) == (4, 5, 1, 1)


def test_paths_are_dropped_but_for_identities() -> None:
    blocks = [(-2, "double", -2, "identity"), (-2, "triple", -2, "negate")]
    operations = {**OPERATIONS, "identity": PNAS_OPERATIONS["identity"]}
    settings: dict[str, Any] = {"channels": (1, 1), "n_filters": 1, "operations": operations, "drop_path_rate": 0.5}
    outputs = _cell(blocks, **settings)(torch.ones(400, 1, 1, 1), torch.ones(400, 1, 1, 1))[:, :, 0, 0]
    # Kept with one half and then doubled: 2*2 or 0, plus 1; and 2*3 or 0, plus -2 or 0, independently.
    assert set(outputs[:, 0].tolist()) == {1.0, 5.0}
    assert set(outputs[:, 1].tolist()) == {-2.0, 0.0, 4.0, 6.0}
    assert torch.equal(
        _cell(blocks, **settings).eval()(torch.ones(1, 1, 1, 1), torch.ones(1, 1, 1, 1))[0, :, 0, 0],
        torch.tensor([3.0, 2.0]),
    )

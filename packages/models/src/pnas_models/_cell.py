from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pnas_models._drop_path import DropPath
from pnas_models._factorized_reduction import FactorizedReduction
from pnas_models._normalization import BatchNorm
from pnas_models._operations import OperationBuilder, convolution, relu_conv_bn

BlockSpec = tuple[int, str, int, str]
"""`(input_1, operation_1, input_2, operation_2)`."""


@dataclass(frozen=True, kw_only=True)
class CellSpec:
    """A cell as a network uses it.

    `blocks` read -1 (the previous cell), -2 (the one before it) or the index of an earlier block; `concat` says which
    of these make up the output, in that order.
    """

    blocks: tuple[BlockSpec, ...]
    concat: tuple[int, ...]

    @property
    def read(self) -> frozenset[int]:
        """What the blocks and the output read."""
        return frozenset(index for block in self.blocks for index in (block[0], block[2])) | frozenset(self.concat)


class CellModule(nn.Module):
    """One cell as a layer: `(previous previous, previous) -> concatenation of its blocks` (section 3.1).

    Args:
        spec: the cell.
        channels: of the cell before the previous one, and of the previous one.
        n_filters: channels of every block, so that the cell has `len(spec.concat) * n_filters` of them.
        stride: 2 for a reduction cell: the operations that read -1 and -2 stride.
        shrink_before_previous: whether the cell before the previous one is twice as large as the previous one.
        project_before_previous: whether its channels are brought to `n_filters`; the raw stem is left as it is.
        drop_path_rate: with which an operation's output is dropped at the end of training, identities excepted.
    """

    def __init__(
        self,
        spec: CellSpec,
        channels: tuple[int, int],
        n_filters: int,
        stride: int,
        batch_norm: BatchNorm,
        operations: Mapping[str, OperationBuilder],
        *,
        shrink_before_previous: bool,
        project_before_previous: bool,
        drop_path_rate: float = 0.0,
    ) -> None:
        super().__init__()
        self.spec = spec
        self.stride = stride
        self.out_channels = len(spec.concat) * n_filters
        before_previous, previous = channels
        self.adapt_before_previous: nn.Module = nn.Identity()
        if -2 in spec.read and shrink_before_previous:
            self.adapt_before_previous = FactorizedReduction(before_previous, n_filters, batch_norm)
        elif -2 in spec.read and project_before_previous and before_previous != n_filters:
            self.adapt_before_previous = relu_conv_bn(before_previous, n_filters, 1, batch_norm)
        # An input that nothing reads gets no adaptor: it would be dead weight.
        self.adapt_previous = relu_conv_bn(previous, n_filters, 1, batch_norm) if -1 in spec.read else nn.Identity()
        adapted = shrink_before_previous or project_before_previous
        channels_of = {-2: n_filters if adapted else before_previous, -1: n_filters}

        def build(index: int, operation: str) -> nn.Module:
            return operations[operation](
                channels_of.get(index, n_filters), n_filters, stride if index < 0 else 1, batch_norm
            )

        self.operations_1 = nn.ModuleList(build(block[0], block[1]) for block in spec.blocks)
        self.operations_2 = nn.ModuleList(build(block[2], block[3]) for block in spec.blocks)
        self.project_output: nn.Module = nn.Identity()
        if -2 in spec.concat and channels_of[-2] != n_filters:
            self.project_output = nn.Sequential(convolution(channels_of[-2], n_filters), batch_norm(n_filters))
        self.drop_path = DropPath(drop_path_rate) if drop_path_rate > 0 else None

    def forward(self, before_previous: Tensor, previous: Tensor) -> Tensor:
        states = {-2: self.adapt_before_previous(before_previous), -1: self.adapt_previous(previous)}
        paths = zip(self.spec.blocks, self.operations_1, self.operations_2, strict=True)
        for index, ((input_1, name_1, input_2, name_2), operation_1, operation_2) in enumerate(paths):
            path_1 = self._dropped(operation_1(states[input_1]), name_1)
            path_2 = self._dropped(operation_2(states[input_2]), name_2)
            states[index] = path_1 + path_2
        states[-2] = self.project_output(states[-2])
        return torch.cat([states[index] for index in self.spec.concat], dim=1)

    def _dropped(self, path: Tensor, operation: str) -> Tensor:
        if self.drop_path is None or operation == "identity":
            return path
        dropped: Tensor = self.drop_path(path)
        return dropped


def stack_cells(
    cells: Sequence[tuple[CellSpec, int, int]],
    stem_channels: int,
    batch_norm: BatchNorm,
    operations: Mapping[str, OperationBuilder],
    drop_path_rate: float,
) -> list[CellModule]:
    """Modules of the cells `(spec, n_filters, stride)`, each of which reads the two before it.

    The first cell has one predecessor only: the raw stem stands in for the other. The share of dropped paths grows from
    cell to cell up to `drop_path_rate` (section 4 of the NASNet paper's appendix; TF-Slim, `_apply_drop_path`).
    """
    channels = (stem_channels, stem_channels)
    modules: list[CellModule] = []
    for index, (spec, n_filters, stride) in enumerate(cells):
        module = CellModule(
            spec,
            channels,
            n_filters,
            stride,
            batch_norm,
            operations,
            shrink_before_previous=index > 0 and modules[-1].stride == 2,
            project_before_previous=index > 0,
            drop_path_rate=drop_path_rate * (index + 1) / len(cells),
        )
        modules.append(module)
        channels = (channels[1], module.out_channels)
    return modules

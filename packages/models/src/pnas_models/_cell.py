from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from pnas_models._factorized_reduction import FactorizedReduction
from pnas_models._normalization import BatchNorm
from pnas_models._operations import OperationBuilder, relu_conv_bn

BlockSpec = tuple[int, str, int, str]
"""`(input_1, operation_1, input_2, operation_2)`."""


class CellModule(nn.Module):
    """One cell as a layer: `(previous previous, previous) -> concatenation of all its blocks` (section 3.1).

    Args:
        blocks: the cell; inputs are -1 (the previous cell), -2 (the one before it) or the index of an earlier block.
        channels: of the cell before the previous one, and of the previous one.
        n_filters: channels of every block, so that the cell has `len(blocks) * n_filters` of them.
        stride: 2 for a reduction cell: the operations that read -1 and -2 stride.
        shrink_before_previous: whether the cell before the previous one is twice as large as the previous one.
        project_before_previous: whether its channels are brought to `n_filters`; the raw stem is left as it is.
    """

    def __init__(
        self,
        blocks: Sequence[BlockSpec],
        channels: tuple[int, int],
        n_filters: int,
        stride: int,
        batch_norm: BatchNorm,
        operations: Mapping[str, OperationBuilder],
        *,
        shrink_before_previous: bool,
        project_before_previous: bool,
    ) -> None:
        super().__init__()
        self._inputs = [(input_1, input_2) for input_1, _, input_2, _ in blocks]
        read = {index for pair in self._inputs for index in pair}
        before_previous, previous = channels
        self.adapt_before_previous: nn.Module = nn.Identity()
        if -2 in read and shrink_before_previous:
            self.adapt_before_previous = FactorizedReduction(before_previous, n_filters, batch_norm)
        elif -2 in read and project_before_previous and before_previous != n_filters:
            self.adapt_before_previous = relu_conv_bn(before_previous, n_filters, 1, batch_norm)
        # An input that no block reads gets no adaptor: it would be dead weight.
        self.adapt_previous = relu_conv_bn(previous, n_filters, 1, batch_norm) if -1 in read else nn.Identity()
        adapted = shrink_before_previous or project_before_previous
        channels_of = {-2: n_filters if adapted else before_previous, -1: n_filters}

        def build(index: int, operation: str) -> nn.Module:
            return operations[operation](
                channels_of.get(index, n_filters), n_filters, stride if index < 0 else 1, batch_norm
            )

        self.operations_1 = nn.ModuleList(build(block[0], block[1]) for block in blocks)
        self.operations_2 = nn.ModuleList(build(block[2], block[3]) for block in blocks)

    def forward(self, before_previous: Tensor, previous: Tensor) -> Tensor:
        states = {-2: self.adapt_before_previous(before_previous), -1: self.adapt_previous(previous)}
        for block, (input_1, input_2) in enumerate(self._inputs):
            operation_1, operation_2 = self.operations_1[block], self.operations_2[block]
            states[block] = operation_1(states[input_1]) + operation_2(states[input_2])
        return torch.cat([states[block] for block in range(len(self._inputs))], dim=1)

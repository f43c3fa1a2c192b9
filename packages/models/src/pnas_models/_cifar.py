from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from pnas_models._cell import CellModule
from pnas_models._checks import checked_blocks, checked_positive
from pnas_models._normalization import CIFAR_BATCH_NORM
from pnas_models._operations import PNAS_OPERATIONS, OperationBuilder, convolution

_STEM_MULTIPLIER = 3
_N_STAGES = 3


class CifarNetwork(nn.Module):
    """A stack of one cell for small images; `cifar_network` builds it."""

    def __init__(self, stem: nn.Sequential, cells: Sequence[CellModule], classifier: nn.Linear) -> None:
        super().__init__()
        self.stem = stem
        self.cells = nn.ModuleList(cells)
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        """Images `(N, in_channels, H, W)`, float32, to logits `(N, num_classes)`."""
        # The first cell has one predecessor only: the stem stands in for the other.
        before_previous = previous = self.stem(images)
        for cell in self.cells:
            before_previous, previous = previous, cell(before_previous, previous)
        features = torch.relu(previous).mean(dim=(2, 3))
        logits: Tensor = self.classifier(features)
        return logits


def cifar_network(
    cell: Sequence[Sequence[object]],
    n_filters: int,
    n_repeats: int,
    num_classes: int,
    in_channels: int = 3,
    *,
    operations: Mapping[str, OperationBuilder] | None = None,
) -> CifarNetwork:
    """The paper's CIFAR network of a cell (section 3.2, figure 1 right), for images of 8x8 pixels and more.

    A 3x3 convolution with 3 F filters and BN, then three stages of N cells; the first cell of the second and of the
    third stage has stride 2, and F doubles there. ReLU, global average pooling and a linear layer end it.

    Args:
        cell: blocks `(input_1, operation_1, input_2, operation_2)`; a `pnas_searchspace.Cell` is one, and so is JSON.
        n_filters: F, the channels of a block in the first stage.
        n_repeats: N, the cells in a stage.
        num_classes: of the classifier.
        in_channels: of the images.
        operations: builders for further operations by name; they may replace one of the paper's eight.

    Raises:
        ModelError: a malformed cell, an unknown operation, or a number that is not positive.
    """
    known = {**PNAS_OPERATIONS, **(operations or {})}
    blocks = checked_blocks(cell, known)
    checked_positive(n_filters=n_filters, n_repeats=n_repeats, num_classes=num_classes, in_channels=in_channels)
    stem_channels = _STEM_MULTIPLIER * n_filters
    stem = nn.Sequential(convolution(in_channels, stem_channels, 3), CIFAR_BATCH_NORM(stem_channels))
    channels = (stem_channels, stem_channels)
    cells = []
    for index in range(_N_STAGES * n_repeats):
        width = n_filters * 2 ** (index // n_repeats)
        cells.append(
            CellModule(
                blocks,
                channels,
                width,
                2 if _has_stride(index, n_repeats) else 1,
                CIFAR_BATCH_NORM,
                known,
                shrink_before_previous=_has_stride(index - 1, n_repeats),
                project_before_previous=index > 0,
            )
        )
        channels = (channels[1], len(blocks) * width)
    return CifarNetwork(stem, cells, nn.Linear(channels[1], num_classes))


def _has_stride(index: int, n_repeats: int) -> bool:
    """Whether a cell is the first of the second or the third stage."""
    return index > 0 and index % n_repeats == 0

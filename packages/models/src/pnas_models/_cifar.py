import dataclasses
from collections.abc import Mapping, Sequence

from torch import nn

from pnas_models._assembly import assemble
from pnas_models._checks import checked_positive
from pnas_models._network import CellNetwork
from pnas_models._normalization import CIFAR_BATCH_NORM, BatchNorm
from pnas_models._operations import OperationBuilder, convolution

_STEM_MULTIPLIER = 3


def cifar_network(
    cell: Sequence[Sequence[object]],
    n_filters: int = 16,
    n_repeats: int = 3,
    num_classes: int = 10,
    in_channels: int = 3,
    *,
    reduction_cell: Sequence[Sequence[object]] | None = None,
    concat: Sequence[int] | None = None,
    reduction_concat: Sequence[int] | None = None,
    operations: Mapping[str, OperationBuilder] | None = None,
    auxiliary: bool = False,
    image_size: int | tuple[int, int] | None = None,
    drop_rate: float = 0.0,
    drop_path_rate: float = 0.0,
    batch_norm: BatchNorm = CIFAR_BATCH_NORM,
) -> CellNetwork:
    """The paper's CIFAR network of a cell (section 3.2, figure 1 right), for images of any size.

    A 3x3 convolution with 3 F filters and BN, then three stages of N cells; the first cell of the second and of the
    third stage has stride 2, and F doubles there. ReLU, global average pooling and a linear layer end it.

    Args:
        cell: blocks `(input_1, operation_1, input_2, operation_2)`; a `pnas_searchspace.Cell` is one, and so is JSON.
        n_filters: F, the channels of a block in the first stage.
        n_repeats: N, the cells in a stage.
        num_classes: of the classifier; 0 leaves it away, and the network gives pooled features.
        in_channels: of the images.
        reduction_cell: where a search space has one (NASNet, AmoebaNet): it comes before the N cells of the second and
            of the third stage, and they have stride 1 then.
        concat: what the cell's output is made of, by the numbers that blocks use for their inputs; all blocks when
            None. NASNet-A's normal cell, for one, gives -2 as well.
        reduction_concat: the same of the reduction cell.
        operations: builders for further operations by name; they may replace one of the paper's eight.
        auxiliary: whether a second classifier stands at two thirds of the depth. In training mode the network then
            gives `(logits, auxiliary_logits)`; its parameters are under `aux.`.
        image_size: pixels of the training images, or `(height, width)`; the auxiliary head needs it.
        drop_rate: dropout before the classifier.
        drop_path_rate: share of paths that the last cell drops at the end of training; see
            `CellNetwork.set_training_progress`.
        batch_norm: settings of all batch normalizations.

    Raises:
        ModelError: a malformed cell, an unknown operation, or a number out of its range.
    """
    checked_positive(n_filters=n_filters)
    stem_filters = _STEM_MULTIPLIER * n_filters

    def make_stem(batch_norm: BatchNorm) -> nn.Sequential:
        return nn.Sequential(convolution(in_channels, stem_filters, 3), batch_norm(stem_filters))

    return assemble(
        make_stem,
        stem_filters,
        stem_size=lambda pixels: pixels,
        stem_stride=1,
        stem_cell_filters=(),
        operations=operations,
        config={
            "network": "cifar",
            "cell": cell,
            "n_filters": n_filters,
            "n_repeats": n_repeats,
            "num_classes": num_classes,
            "in_channels": in_channels,
            "reduction_cell": reduction_cell,
            "concat": concat,
            "reduction_concat": reduction_concat,
            "auxiliary": auxiliary,
            "image_size": image_size,
            "drop_rate": drop_rate,
            "drop_path_rate": drop_path_rate,
            "batch_norm": dataclasses.asdict(batch_norm),
        },
    )

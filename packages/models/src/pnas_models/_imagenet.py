import dataclasses
from collections.abc import Mapping, Sequence

from torch import nn

from pnas_models._assembly import assemble
from pnas_models._checks import checked_positive
from pnas_models._errors import ModelError
from pnas_models._initialization import initialize_convolution
from pnas_models._network import CellNetwork
from pnas_models._normalization import IMAGENET_BATCH_NORM, BatchNorm
from pnas_models._operations import OperationBuilder


def imagenet_network(
    cell: Sequence[Sequence[object]],
    n_filters: int = 36,
    n_repeats: int = 4,
    num_classes: int = 1001,
    stem_filters: int = 96,
    in_channels: int = 3,
    *,
    reduction_cell: Sequence[Sequence[object]] | None = None,
    concat: Sequence[int] | None = None,
    reduction_concat: Sequence[int] | None = None,
    operations: Mapping[str, OperationBuilder] | None = None,
    auxiliary: bool = False,
    image_size: int | tuple[int, int] | None = None,
    drop_rate: float = 0.5,
    drop_path_rate: float = 0.0,
    batch_norm: BatchNorm = IMAGENET_BATCH_NORM,
) -> CellNetwork:
    """The paper's ImageNet network of a cell (section 3.2, figure 1 right; TF-Slim, `build_pnasnet_large`).

    A 3x3 convolution of stride 2 without padding, BN, two cells of stride 2 with F/4 and F/2 filters, then three stages
    of N cells; the first cell of the second and of the third stage has stride 2, and F doubles there. ReLU, global
    average pooling, dropout and a linear layer end it. The map is 32 times smaller than the image.

    Args:
        cell: blocks `(input_1, operation_1, input_2, operation_2)`; a `pnas_searchspace.Cell` is one, and so is JSON.
        n_filters: F, the channels of a block in the first stage; 4 or more.
        n_repeats: N, the cells in a stage.
        num_classes: of the classifier; TensorFlow's 1001 have a background class first. 0 leaves it away.
        stem_filters: of the first convolution: 96 in PNASNet-5 Large, 32 in Mobile.
        in_channels: of the images.
        reduction_cell: where a search space has one (NASNet, AmoebaNet): the stem's two cells are such cells, and one
            comes before the N cells of the second and of the third stage, which have stride 1 then.
        concat: as of `cifar_network`.
        reduction_concat: as of `cifar_network`.
        operations: as of `cifar_network`.
        auxiliary: as of `cifar_network`.
        image_size: as of `cifar_network`.
        drop_rate: dropout before the classifier.
        drop_path_rate: share of paths that the last cell drops at the end of training; 0.4 in PNASNet-5 Large's recipe.
        batch_norm: settings of all batch normalizations.

    Raises:
        ModelError: a malformed cell, an unknown operation, or a number out of its range.
    """
    checked_positive(n_filters=n_filters, stem_filters=stem_filters)
    if n_filters < 4:
        raise ModelError(
            f"n_filters must be 4 or more, not {n_filters}: the first cell of the stem has a quarter of them"
        )

    def make_stem(batch_norm: BatchNorm) -> nn.Sequential:
        first = nn.Conv2d(in_channels, stem_filters, 3, stride=2, bias=False)
        initialize_convolution(first)
        return nn.Sequential(first, batch_norm(stem_filters))

    return assemble(
        make_stem,
        stem_filters,
        stem_size=lambda pixels: (pixels - 3) // 2 + 1,
        stem_stride=2,
        stem_cell_filters=(n_filters // 4, n_filters // 2),
        operations=operations,
        config={
            "network": "imagenet",
            "cell": cell,
            "n_filters": n_filters,
            "n_repeats": n_repeats,
            "num_classes": num_classes,
            "stem_filters": stem_filters,
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

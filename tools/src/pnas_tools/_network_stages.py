"""A network of cells as the stages that a drawing shows."""

from itertools import groupby
from typing import Any

from pnas_models import CellNetwork
from pnas_tools._drawing import Stage


def network_stages(network: CellNetwork, image_size: int | None) -> list[Stage]:
    """From the image to the softmax; maps are given in pixels where the size of the image is known."""
    first: Any = network.stem[0]
    stride = first.stride[0]
    # The first convolution for ImageNet has stride 2 and no padding.
    size = image_size if image_size is None or stride == 1 else (image_size - 3) // 2 + 1
    stages = [
        Stage(label="image", note=_pixels(image_size)),
        Stage(label=_strided("3×3 conv", stride), kind="convolution", note=_map(size, stride, first.out_channels)),
    ]
    for (_, cell_stride, _), alike in groupby(network.cells, _likeness):
        cells: list[Any] = list(alike)
        for cell in cells:
            stride *= cell.stride
            size = size and -(-size // cell.stride)
        n_filters = cells[-1].out_channels // len(cells[-1].spec.concat)
        stages.append(
            Stage(
                label=_strided(_name(cells[-1], network), cell_stride),
                kind="cell" if cell_stride == 1 else "strided",
                n_repeats=len(cells),
                note=f"F = {n_filters}: {_map(size, stride, cells[-1].out_channels)}",
            )
        )
    return [*stages, *_head(network)]


def _likeness(cell: Any) -> tuple[Any, ...]:
    # The two cells of the stem for ImageNet differ in their filters, and are two stages.
    return (cell.spec, cell.stride, cell.out_channels)


def _head(network: CellNetwork) -> list[Stage]:
    dropout = f", dropout {network.drop_rate:g}" if network.drop_rate else ""
    pooling = Stage(label="global pooling", kind="pool", note=f"{network.num_features:,} channels{dropout}")
    if network.num_classes == 0:
        return [pooling]
    return [pooling, Stage(label="softmax", note=f"{network.num_classes:,} classes")]


def _name(cell: Any, network: CellNetwork) -> str:
    reduction = network.config["reduction_cell"]
    is_reduction = reduction is not None and cell.stride == 2
    return "reduction cell" if is_reduction else "cell"


def _strided(name: str, stride: int) -> str:
    return f"{name}, stride {stride}"


def _map(size: int | None, stride: int, channels: int) -> str:
    where = f"1/{stride} of the image" if size is None else _pixels(size)
    return f"{where}, {channels:,} channels"


def _pixels(size: int | None) -> str:
    return "" if size is None else f"{size}×{size}"

import itertools
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from pnas_models._auxiliary import AuxiliaryHead
from pnas_models._cell import CellModule, CellSpec, stack_cells
from pnas_models._checks import checked_cell, checked_image_size, checked_positive, checked_rate
from pnas_models._errors import ModelError
from pnas_models._network import CellNetwork
from pnas_models._normalization import BatchNorm
from pnas_models._operations import PNAS_OPERATIONS, OperationBuilder

_N_STAGES = 3


def assemble(
    make_stem: Callable[[BatchNorm], nn.Sequential],
    stem_filters: int,
    stem_size: Callable[[int], int],
    stem_stride: int,
    stem_cell_filters: Sequence[int],
    *,
    config: dict[str, Any],
    operations: Mapping[str, OperationBuilder] | None,
) -> CellNetwork:
    """The network of a `config`, which is the arguments of `cifar_network` or `imagenet_network`, behind its stem.

    Args:
        make_stem: makes the layer before the cells.
        stem_filters: its channels.
        stem_size: height or width of its map, from that of the image.
        stem_stride: of its map.
        stem_cell_filters: filters of the cells of stride 2 that come before the three stages.
        config: what the network is asked for; it is kept with the cells as plain lists.
        operations: builders for further operations.
    """
    known = {**PNAS_OPERATIONS, **(operations or {})}
    cell, reduction_cell = _checked_cells(config, known)
    checked_rate(drop_rate=config["drop_rate"], drop_path_rate=config["drop_path_rate"])
    checked_positive(**{name: config[name] for name in ("n_filters", "n_repeats", "in_channels")})
    if config["num_classes"] != 0:
        checked_positive(num_classes=config["num_classes"])
    _make_plain(config)
    stem_cells = [(reduction_cell or cell, n_filters, 2) for n_filters in stem_cell_filters]
    stages = _stages(cell, reduction_cell, config["n_filters"], config["n_repeats"])
    # The head stands where two thirds of the cells are done: at the end of the second stage.
    aux_cell = len(stem_cells) + sum(map(len, stages[:-1])) - 1
    batch_norm = BatchNorm(**config["batch_norm"])
    stem = make_stem(batch_norm)
    plan = [*stem_cells, *(planned for stage in stages for planned in stage)]
    cells = stack_cells(plan, stem_filters, batch_norm, known, config["drop_path_rate"])
    aux = None
    if config["auxiliary"]:
        aux = _auxiliary_head(config, cells[: aux_cell + 1], stem_size, batch_norm)
    return CellNetwork(
        stem,
        cells,
        config=config,
        aux=aux,
        aux_cell=aux_cell,
        feature_info=_feature_info(stem_filters, stem_stride, cells),
    )


def _checked_cells(config: dict[str, Any], known: Mapping[str, OperationBuilder]) -> tuple[CellSpec, CellSpec | None]:
    has_reduction_cell = config["reduction_cell"] is not None
    if config["reduction_concat"] is not None and not has_reduction_cell:
        raise ModelError("reduction_concat is about a reduction_cell, and there is none: pass both, or neither")
    cell = checked_cell(config["cell"], config["concat"], known, strides=not has_reduction_cell)
    config["cell"] = [list(block) for block in cell.blocks]
    config["concat"] = _plain_concat(cell)
    if not has_reduction_cell:
        return cell, None
    reduction_cell = checked_cell(config["reduction_cell"], config["reduction_concat"], known, strides=True)
    config["reduction_cell"] = [list(block) for block in reduction_cell.blocks]
    config["reduction_concat"] = _plain_concat(reduction_cell)
    return cell, reduction_cell


def _plain_concat(cell: CellSpec) -> list[int] | None:
    return None if cell.concat == tuple(range(len(cell.blocks))) else list(cell.concat)


def _make_plain(config: dict[str, Any]) -> None:
    """Let the same network have the same config, of nothing that JSON cannot hold."""
    for name in ("n_filters", "n_repeats", "num_classes", "in_channels", "stem_filters"):
        if name in config:
            config[name] = operator.index(config[name])
    for name in ("drop_rate", "drop_path_rate"):
        config[name] = float(config[name])
    config["auxiliary"] = bool(config["auxiliary"])
    if config["image_size"] is not None:
        config["image_size"] = list(checked_image_size(config["image_size"]))


def _stages(
    cell: CellSpec, reduction_cell: CellSpec | None, n_filters: int, n_repeats: int
) -> list[list[tuple[CellSpec, int, int]]]:
    """The cells `(spec, n_filters, stride)` of every stage; the filters double where the map is halved.

    Without a reduction cell the first cell of a later stage strides and is one of the N; a reduction cell comes before
    them, as in NASNet.
    """
    stages = [[(cell, n_filters * 2**stage, 1)] * n_repeats for stage in range(_N_STAGES)]
    for stage in stages[1:]:
        width = stage[0][1]
        if reduction_cell is None:
            stage[0] = (cell, width, 2)
        else:
            stage.insert(0, (reduction_cell, width, 2))
    return stages


def _auxiliary_head(
    config: Mapping[str, Any], cells: Sequence[CellModule], stem_size: Callable[[int], int], batch_norm: BatchNorm
) -> AuxiliaryHead:
    if config["image_size"] is None:
        raise ModelError("auxiliary=True needs image_size=, in pixels: the head's kernel is as large as its map")
    checked_positive(num_classes=config["num_classes"])
    size = [stem_size(pixels) for pixels in checked_image_size(config["image_size"])]
    if min(size) < 1:
        raise ModelError(f"image_size must be larger than {config['image_size']}: nothing is left of it after the stem")
    for cell in cells:
        size = [(pixels + cell.stride - 1) // cell.stride for pixels in size]
    return AuxiliaryHead(cells[-1].out_channels, (size[0], size[1]), config["num_classes"], batch_norm)


def _feature_info(stem_filters: int, stem_stride: int, cells: Sequence[CellModule]) -> list[dict[str, Any]]:
    """The last layer of every resolution."""
    layers = [("stem", stem_filters, stem_stride)]
    for index, cell in enumerate(cells):
        layers.append((f"cells.{index}", cell.out_channels, layers[-1][2] * cell.stride))
    is_last = [*(layer[2] != following[2] for layer, following in itertools.pairwise(layers)), True]
    return [
        {"num_chs": n_channels, "reduction": stride, "module": name}
        for (name, n_channels, stride), last in zip(layers, is_last, strict=True)
        if last
    ]

"""What other programs call the layers of a network."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from torch import nn

from pnas_models._cell import CellModule
from pnas_models._errors import ModelError
from pnas_models._factorized_reduction import FactorizedReduction
from pnas_models._network import CellNetwork

# Where an operation of ours keeps its layers: ReLU, depthwise, pointwise, BN, twice; or ReLU or pool, convolution, BN.
_SEPARABLE_LAYERS = ("1", "2", "3", "5", "6", "7")
_PROJECTION_LAYERS = ("1", "2")
_REDUCTION_LAYERS = ("path_1", "path_2", "bn")
_N_STEM_CELLS = {"imagenet": 2, "cifar": 0}
_KERNELS = {"sep_conv_3x3": 3, "sep_conv_5x5": 5, "sep_conv_7x7": 7}
_PROJECTIONS = ("identity", "avg_pool_3x3", "max_pool_3x3")


@dataclass(frozen=True, kw_only=True)
class Naming:
    """The names that a program gives to layers; those of an operation's layers are relative to it."""

    separator: str
    stems: Mapping[str, tuple[str, str]]
    adapt_previous: tuple[str, str]
    adapt_before_previous: tuple[str, str]
    factorized_reduction: tuple[str, str, str]
    operation: Callable[[int, str], str]
    separable: Callable[[int], tuple[str, ...]]
    projection: tuple[str, str]
    classifier: str
    auxiliary: Callable[[int], Mapping[str, str]]

    def layers(self, network: CellNetwork) -> dict[str, str]:
        """The program's name of every layer that has weights, by ours.

        Raises:
            ModelError: the program has no such network.
        """
        family = network.config["network"]
        if family not in self.stems or network.config["reduction_cell"] is not None:
            raise ModelError(
                f"there are no such names for a {family} network with these cells, only for PNASNet's kind"
            )
        names = dict(zip(("stem.0", "stem.1"), self.stems[family], strict=True))
        n_stem_cells = _N_STEM_CELLS[family]
        for index, cell in enumerate(cast(Iterable[CellModule], network.cells)):
            scope = f"cell_stem_{index}" if index < n_stem_cells else f"cell_{index - n_stem_cells}"
            for ours, theirs in self._cell(cell):
                names[f"cells.{index}.{ours}"] = scope + self.separator + theirs
        if network.num_classes:
            names["classifier"] = self.classifier
        if network.aux is not None:
            names.update(self.auxiliary(network.aux_cell - n_stem_cells))
        return names

    def _cell(self, cell: CellModule) -> Iterator[tuple[str, str]]:
        yield from _paired("adapt_previous", cell.adapt_previous, _PROJECTION_LAYERS, self.adapt_previous)
        adaptor = cell.adapt_before_previous
        if isinstance(adaptor, FactorizedReduction):
            yield from _paired("adapt_before_previous", adaptor, _REDUCTION_LAYERS, self.factorized_reduction)
        else:
            yield from _paired("adapt_before_previous", adaptor, _PROJECTION_LAYERS, self.adapt_before_previous)
        for index, (_, name_1, _, name_2) in enumerate(cell.spec.blocks):
            for side, ours, modules, name in (
                ("left", "operations_1", cell.operations_1, name_1),
                ("right", "operations_2", cell.operations_2, name_2),
            ):
                theirs = [self.operation(index, side) + self.separator + layer for layer in self._operation(name)]
                layers = _SEPARABLE_LAYERS if name in _KERNELS else _PROJECTION_LAYERS
                yield from _paired(f"{ours}.{index}", modules[index], layers, theirs)

    def _operation(self, name: str) -> tuple[str, ...]:
        if name in _KERNELS:
            return self.separable(_KERNELS[name])
        if name in _PROJECTIONS:
            return self.projection
        raise ModelError(f"there are no such names for the operation {name}: it is not among the published networks'")


def _paired(
    prefix: str, module: nn.Module, layers: tuple[str, ...], names: tuple[str, ...] | list[str]
) -> Iterator[tuple[str, str]]:
    """Our and their names of a module's layers; a module without weights has none."""
    if next(module.parameters(), None) is not None:
        yield from ((f"{prefix}.{layer}", name) for layer, name in zip(layers, names, strict=True))


def _slim_separable(kernel_size: int) -> tuple[str, ...]:
    square = f"{kernel_size}x{kernel_size}"
    return tuple(
        f"{layer}_{square}_{step}{leaf}"
        for step in (1, 2)
        for layer, leaf in (
            ("separable", "/depthwise_weights"),
            ("separable", "/pointwise_weights"),
            ("bn_sep", ""),
        )
    )


def _slim_auxiliary(cell: int) -> dict[str, str]:
    layers = {"proj": "proj", "bn_0": "aux_bn0", "conv": "Conv", "bn_1": "aux_bn1", "classifier": "FC"}
    return {f"aux.{ours}": f"aux_{cell}/aux_logits/{theirs}" for ours, theirs in layers.items()}


SLIM = Naming(
    separator="/",
    stems={"imagenet": ("conv0", "conv0_bn"), "cifar": ("l1_stem_3x3", "l1_stem_bn")},
    adapt_previous=("1x1", "beginning_bn"),
    adapt_before_previous=("prev_1x1", "prev_bn"),
    factorized_reduction=("path1_conv", "path2_conv", "final_path_bn"),
    operation=lambda index, side: f"comb_iter_{index}/{side}",
    separable=_slim_separable,
    projection=("1x1", "bn_1"),
    classifier="final_layer/FC",
    auxiliary=_slim_auxiliary,
)

TIMM = Naming(
    separator=".",
    stems={"imagenet": ("conv_0.conv", "conv_0.bn")},
    adapt_previous=("conv_1x1.conv", "conv_1x1.bn"),
    adapt_before_previous=("conv_prev_1x1.conv", "conv_prev_1x1.bn"),
    factorized_reduction=(
        "conv_prev_1x1.path_1.conv",
        "conv_prev_1x1.path_2.conv",
        "conv_prev_1x1.final_path_bn",
    ),
    operation=lambda index, side: f"comb_iter_{index}_{side}",
    separable=lambda _: tuple(
        f"{layer}_{step}{leaf}"
        for step in (1, 2)
        for layer, leaf in (("separable", ".depthwise_conv2d"), ("separable", ".pointwise_conv2d"), ("bn_sep", ""))
    ),
    projection=("conv", "bn"),
    classifier="last_linear",
    auxiliary=lambda _: {},
)

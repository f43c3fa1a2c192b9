"""What a cell costs before it is trained: how large and how fast a network a search would make of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from pnas_search import Ledger, LinearCosts, read_features
from pnas_searchspace import Cell, CellSpace
from pnas_tools._child import make_network, train_config
from pnas_tools._config import SearchConfig
from pnas_tools._errors import BadInput
from pnas_tools._evaluator_name import BenchmarkName
from pnas_tools._latency import measure_latency
from pnas_tools._prepare import read_images
from pnas_tools._strategy_names import COSTS

if TYPE_CHECKING:  # importing torch takes seconds
    from torch import Tensor, nn

    from pnas_models import CellNetwork

PARAMS, MULTIPLY_ADDS, LATENCY = COSTS

_N_CHECKED = 2
_CHECKED_SEED = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class CellCosts:
    """Costs of cells by their names.

    Attributes:
        names: of the costs, of those that `COSTS` lists.
        linear: what they are, before counts are rounded to the whole numbers that they are.
    """

    names: tuple[str, ...]
    linear: LinearCosts

    def __call__(self, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """The costs of cells `(N, n_blocks, 4)`, `(N, n_costs)`: parameters, multiply-adds for an image, seconds."""
        costs = self.linear(cells)
        are_counts = [name != LATENCY for name in self.names]
        costs[:, are_counts] = np.rint(costs[:, are_counts])
        return costs

    def of(self, names: Sequence[str]) -> Self:
        """Some of them, in this order."""
        coefficients = self.linear.coefficients[:, [self.names.index(name) for name in names]]
        return replace(self, names=tuple(names), linear=replace(self.linear, coefficients=coefficients))


def cell_costs(config: SearchConfig, space: CellSpace, names: Sequence[str], ledger: Ledger) -> CellCosts:
    """What cells of a search cost.

    Parameters and multiply-adds are those of the networks that children are; some networks are made to tell of all
    others, and none is trained. Where a benchmark is searched, it tells. Latency is measured once for a search, and its
    ledger remembers it as the fact `"latency"`, which is what `measure_latency` gives.

    Args:
        config: of the search.
        space: of its cells.
        names: of the costs, of those that `COSTS` lists.
        ledger: of the search.

    Raises:
        BadInput: the images; or the cost is not known.
    """
    benchmark = BenchmarkName.of(config.evaluator)
    if benchmark is None:
        by_name = _of_networks(config, space, names, ledger)
    else:
        by_name = _of_benchmark(benchmark, config, space, names)
    n_features = read_features(space, space.one_block_cells()).shape[1]
    coefficients = np.empty((config.n_blocks, len(names), n_features))
    for index, name in enumerate(names):
        coefficients[:, index] = by_name[name]
    return CellCosts(names=tuple(names), linear=LinearCosts(space=space, coefficients=coefficients))


def _of_networks(
    config: SearchConfig, space: CellSpace, names: Sequence[str], ledger: Ledger
) -> dict[str, NDArray[np.float64]]:
    """Coefficients `(B, n_features)` by name."""
    if not names:
        return {}
    networks = _Networks.of(config)
    by_name: dict[str, NDArray[np.float64]] = {}
    counted = [name for name in names if name != LATENCY]
    if counted:
        counts = counted_costs(space, config.n_blocks, lambda cell: networks.counts(cell, counted))
        by_name |= {name: counts.coefficients[:, index] for index, name in enumerate(counted)}
    if LATENCY in names:
        latency = ledger.fact(LATENCY) or ledger.remember(LATENCY, networks.latency(space))
        by_name[LATENCY] = np.array(latency["coefficients"])
    return by_name


def counted_costs(space: CellSpace, n_blocks: int, count: Callable[[Cell], Sequence[int]]) -> LinearCosts:
    """Costs of all cells of up to `n_blocks` blocks, from those that are counted of a few, and seen to be so of others.

    Raises:
        BadInput: they are not.
    """
    cells = LinearCosts.spanning_cells(space, n_blocks)
    costs = LinearCosts.fit(space, cells, [count(cell) for cell in cells])
    for size in range(1, n_blocks + 1):
        others = space.sample(size, _N_CHECKED, _CHECKED_SEED)
        for cell, told in zip(space.to_cells(others), np.rint(costs(others)).astype(int).tolist(), strict=True):
            if told != (counted := list(count(cell))):
                raise BadInput(
                    f"what cells cost must follow from what they read, which gives {told} for {cell}, and it costs "
                    f"{counted}: leave out limits and trade-offs, and report this"
                )
    return costs


@dataclass(frozen=True, kw_only=True, eq=False)
class _Networks:
    """The networks that a search would train, an image as they would see it, `(1, C, H, W)`, and their classes."""

    config: SearchConfig
    image: "Tensor"
    num_classes: int

    @classmethod
    def of(cls, config: SearchConfig) -> Self:
        from pnas_trainer import Preprocessor

        images = read_images(config).first(1, 1)
        preprocessor = Preprocessor(train_config(config).preprocessing, images.train_images)
        image = preprocessor.for_evaluation(images.validation_images)
        return cls(config=config, image=image, num_classes=images.num_classes)

    def __call__(self, cell: Cell) -> "CellNetwork":
        return make_network(cell, self.config, self.num_classes, self.image.shape[1])

    def counts(self, cell: Cell, names: Sequence[str]) -> list[int]:
        """Parameters or multiply-adds of a cell's network, by their names."""
        from pnas_models import count_parameters

        network = self(cell)
        count: dict[str, Callable[[CellNetwork], int]] = {
            PARAMS: count_parameters,
            MULTIPLY_ADDS: lambda network: count_multiply_adds(network, self.image),
        }
        return [count[name](network) for name in names]

    def latency(self, space: CellSpace) -> dict[str, Any]:
        """What `measure_latency` gives of them."""
        return measure_latency(
            space,
            self.config.n_blocks,
            self,
            self.image,
            device=self.config.device,
            n_threads=self.config.threads_per_child,
            seed=self.config.seed,
        )


def count_multiply_adds(network: "nn.Module", image: "Tensor") -> int:
    """What `pnas_models.count_multiply_adds` gives, from computing them: of images as small as a search's, that is
    several times as fast as letting PyTorch work out the shapes.
    """
    import torch

    counts = []

    def add(layer: Any, _: Any, output: "Tensor") -> None:
        counts.append(output.numel() * layer.weight[0].numel())

    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
            layer.register_forward_hook(add)
    with torch.inference_mode():
        network.eval()(image)
    return sum(counts)


def _of_benchmark(
    name: BenchmarkName, config: SearchConfig, space: CellSpace, names: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    if LATENCY in names:
        raise BadInput(
            f"latency is measured of networks that are trained, and {config.evaluator} makes none: "
            "leave it out, or leave out --evaluator"
        )
    interpolator = name.load().interpolator
    costs = LinearCosts(space=interpolator.space, coefficients=interpolator.sizes[: config.n_blocks]).over(space)
    unknown = np.flatnonzero(np.isnan(costs.coefficients).any(axis=(1, 2)))
    if names and len(unknown):
        raise BadInput(
            f"{name.name} has too few cells of {unknown[0] + 1} blocks to tell what others cost: "
            "search among smaller ones with --blocks, or leave out limits and trade-offs"
        )
    return {PARAMS: costs.coefficients[:, 0], MULTIPLY_ADDS: costs.coefficients[:, 1]}

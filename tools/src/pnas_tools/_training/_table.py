"""A trained network, and the search that found its cell, as a row of the paper's table 3."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from pnas_tools._report._words import amount


@dataclass(frozen=True, kw_only=True)
class SearchCost:
    """What a search has cost, in the paper's terms.

    Attributes:
        n_models: M1, the children.
        examples_per_model: E1, images that went through SGD for each, in the mean.
        n_reranked: M2, those that were trained again for longer.
        examples_per_reranked: E2.
    """

    n_models: int
    examples_per_model: float
    n_reranked: int
    examples_per_reranked: float

    @classmethod
    def of(cls, search: Mapping[str, Any]) -> "SearchCost":
        """That of a search's result."""
        (n_models, per_model), (n_reranked, per_reranked) = (
            _trained([level for level in search["levels"] if (level.get("fidelity", 1) > 1) == is_longer])
            for is_longer in (False, True)
        )
        return cls(
            n_models=n_models,
            examples_per_model=per_model,
            n_reranked=n_reranked,
            examples_per_reranked=per_reranked,
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"n_examples": self.n_examples}

    @property
    def n_examples(self) -> float:
        """M1 E1 + M2 E2."""
        return self.n_models * self.examples_per_model + self.n_reranked * self.examples_per_reranked


def cifar_table(training: Mapping[str, Any], cost: SearchCost) -> Table:
    """The row with its names: of the result of a training, and of what the search has cost."""
    config = training["config"]
    row = {
        "B": str(len(config["cell"])),
        "N": str(config["n_repeats"]),
        "F": str(config["n_filters"]),
        "error": f"{100 * (1 - training['accuracy']):.2f} %",
        "params": amount(training["n_parameters"]),
        "M1": f"{cost.n_models:,}",
        "E1": amount(cost.examples_per_model),
        "M2": f"{cost.n_reranked:,}",
        "E2": amount(cost.examples_per_reranked),
        "cost": amount(cost.n_examples),
    }
    table = Table(box=None, pad_edge=True)
    for name in row:
        table.add_column(name, justify="right")
    table.add_row(*row.values())
    return table


def _trained(levels: list[Mapping[str, Any]]) -> tuple[int, float]:
    n_models = sum(level["n_models"] for level in levels)
    return n_models, sum(level.get("n_examples", 0) for level in levels) / max(n_models, 1)

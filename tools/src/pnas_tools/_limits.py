"""What no cell of a search may cost."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pnas_search import Allowed
from pnas_searchspace import CellSpace
from pnas_tools._cell_costs import LATENCY, CellCosts
from pnas_tools._config import SearchConfig
from pnas_tools._errors import BadInput
from pnas_tools._strategy_names import COSTS


def limits_of(config: SearchConfig) -> dict[str, float]:
    """What cells must cost less than, by the name of the cost, for those that have a limit."""
    limits = {name: getattr(config, f"{name.replace('-', '_')}_below") for name in COSTS}
    return {name: limit for name, limit in limits.items() if limit is not None}


def allowed(limits: Mapping[str, float], costs: CellCosts) -> Allowed:
    """What says of cells `(N, n_blocks, 4)` which of them cost less than every limit, `(N,)`."""
    limited = costs.of(tuple(limits))
    ceilings = np.array(list(limits.values()))

    def below(cells: NDArray[np.int64]) -> NDArray[np.bool_]:
        are_below: NDArray[np.bool_] = np.logical_and.reduce(limited(cells) < ceilings, axis=1)
        return are_below

    return below


def check_limits(limits: Mapping[str, float], costs: CellCosts, space: CellSpace) -> None:
    """Raise `BadInput` where not one cell of one block keeps the limits."""
    cells = space.one_block_cells()
    if allowed(limits, costs)(cells).any():
        return
    smallest = dict(zip(limits, costs.of(tuple(limits))(cells).min(axis=0).tolist(), strict=True))
    for name, limit in limits.items():
        if smallest[name] >= limit:
            raise BadInput(
                f"--{name}-below {_shown(name, limit)} leaves no cell, because the least that one of one block costs "
                f"is {_shown(name, smallest[name])}: pass more than that"
            )
    raise BadInput(f"no cell of one block keeps {in_words(limits)} at once: pass more for one of them")


def in_words(limits: Mapping[str, float]) -> str:
    """The options of limits, with what was given."""
    return " and ".join(f"--{name}-below {_shown(name, limit)}" for name, limit in limits.items())


def _shown(name: str, cost: float) -> str:
    return f"{1e3 * cost:.3g}ms" if name == LATENCY else f"{cost:,.12g}"

"""What was measured in other searches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pnas_search._errors import SearchError
from pnas_searchspace import Cell, CellSpace

_FEWEST_COMMON = 3
"""Cells that two runs must share for a line through their scores: through two there is always one."""


@dataclass(frozen=True, kw_only=True)
class Prior:
    """What another search has measured, on another data set or with other networks perhaps.

    Attributes:
        cells: each once, in any encoding, without those that failed.
        accuracies: of each, on whatever scale they have.

    Raises:
        SearchError: a cell is there twice, or there is not one finite accuracy for every cell.
    """

    cells: Sequence[Cell]
    accuracies: Sequence[float]

    def __post_init__(self) -> None:
        if len(self.cells) != len(self.accuracies) or not np.isfinite(self.accuracies).all():
            raise SearchError(
                "a prior needs a finite accuracy for every cell, and this one has "
                f"{len(self.accuracies)} accuracies of {len(self.cells)} cells"
            )
        if len(set(self.cells)) < len(self.cells):
            twice = next(cell for place, cell in enumerate(self.cells) if cell in self.cells[:place])
            raise SearchError(f"a prior has every cell once, and this one has {twice} twice: give one accuracy of it")

    def of_space(self, space: CellSpace, n_blocks: int) -> dict[Cell, float]:
        """The accuracies of the cells that a search could train, too."""
        return {
            cell: float(accuracy)
            for cell, accuracy in zip(self.cells, self.accuracies, strict=True)
            if len(cell) <= n_blocks and _is_in(cell, space)
        }


def mapped(theirs: Mapping[Cell, float], ours: Mapping[Cell, float]) -> dict[Cell, float]:
    """Another run's accuracies on this run's scale: the line through those of the cells that both have measured.

    It is that of least squares, and level where it would fall. With fewer than three such cells, or where the other run
    found them equal, mean and standard deviation are matched instead over all cells of the smallest size that both have
    trained; and without such a size, nothing is known of the scale, and nothing is given.
    """
    common = [cell for cell in theirs if cell in ours]
    x, y = _of(theirs, common), _of(ours, common)
    if len(common) >= _FEWEST_COMMON and np.ptp(x) > 0:
        slope = max(0.0, float(np.cov(x, y, bias=True)[0, 1] / x.var()))
    else:
        sizes = {len(cell) for cell in theirs} & {len(cell) for cell in ours}
        if not sizes:
            return {}
        x, y = (_of(run, [cell for cell in run if len(cell) == min(sizes)]) for run in (theirs, ours))
        slope = float(y.std() / x.std()) if np.ptp(x) > 0 and np.ptp(y) > 0 else 1.0
    return {cell: float(y.mean() + slope * (accuracy - x.mean())) for cell, accuracy in theirs.items()}


def _of(run: Mapping[Cell, float], cells: Sequence[Cell]) -> NDArray[np.float64]:
    return np.array([run[cell] for cell in cells])


def _is_in(cell: Cell, space: CellSpace) -> bool:
    operands = ((source, operation) for block in cell for source, operation in (block[:2], block[2:]))
    return all(source >= -space.n_cell_inputs and operation in space.operations for source, operation in operands)

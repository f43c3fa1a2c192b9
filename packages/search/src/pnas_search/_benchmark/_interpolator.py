from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pnas_search._benchmark._features import cell_features
from pnas_search._benchmark._trees import Trees
from pnas_search._reads import read_features
from pnas_searchspace import Cell, CellSpace


@dataclass(frozen=True, kw_only=True, eq=False)
class Interpolator:
    """What a benchmark answers for cells that nobody has trained. It is fitted once, and frozen.

    Attributes:
        space: of the cells.
        trees: from `cell_features` to the accuracy after every epoch, and last the logarithm of training's seconds.
        noise: standard deviation of the accuracy over seeds, by number of blocks and epoch, `(B, n_epochs)`.
        sizes: float64 `(B, 2, n_features)`: parameters and multiply-adds as linear functions of `read_features`, which
            they are; NaN for a size of which too few cells were trained to tell.
    """

    space: CellSpace
    trees: Trees
    noise: NDArray[np.float64]
    sizes: NDArray[np.float64]

    def curves(self, cells: Sequence[Cell]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Accuracies without noise, `(N, n_epochs)`, and seconds of training, `(N,)`."""
        outputs = self.trees.predict(cell_features(self.space, cells))
        return np.clip(outputs[:, :-1], 0, 1), np.exp(outputs[:, -1])

    def counts(self, cells: Sequence[Cell]) -> NDArray[np.float64]:
        """Parameters and multiply-adds, `(N, 2)`; whole numbers, or NaN where they are not known."""
        coefficients = self.sizes[[len(cell) - 1 for cell in cells]]
        features = read_features(self.space, cells)
        counts: NDArray[np.float64] = np.rint((coefficients * features[:, None]).sum(axis=2))
        return counts

from abc import abstractmethod
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from pnas_search._errors import SearchError
from pnas_search._evaluation import Outcome
from pnas_search._strategies._base import Candidate, Strategy
from pnas_search._strategies._checks import check_positive
from pnas_search._strategies._history import History
from pnas_search._strategies._unseen import Allowed, all_allowed, unseen_cells
from pnas_searchspace import Cell, CellSpace


class Budgeted(Strategy):
    """Cells of one size in rounds of one size, until so many were trained; what a round is, a subclass says."""

    def __init__(
        self,
        space: CellSpace,
        *,
        n_blocks: int,
        n_models: int,
        round_size: int,
        seed: int,
        allowed: Allowed = all_allowed,
    ) -> None:
        check_positive(n_blocks=n_blocks, n_models=n_models, round_size=round_size)
        if seed < 0:
            raise SearchError(f"seed must be 0 or more, not {seed!r}")
        self._space = space
        self._n_blocks = n_blocks
        self._n_models = n_models
        self._round_size = round_size
        self._seed = seed
        self._allowed = allowed
        self._history = History()

    def ask(self) -> list[Candidate]:
        n_told = len(self._history)
        size = min(self._round_size, self._n_models - n_told)
        # Made anew for every round, so that a search that is resumed draws as one that has never stopped.
        return self._round(size, np.random.default_rng([self._seed, n_told])) if size > 0 else []

    def tell(self, candidates: Sequence[Candidate], outcomes: Sequence[Outcome]) -> None:
        self._history.add(candidates, outcomes)

    def best(self) -> tuple[Cell, Outcome] | None:
        """The most accurate cell that finished, or else was stopped; of equals the first. None where all failed."""
        return self._history.best()

    @abstractmethod
    def _round(self, size: int, rng: np.random.Generator) -> list[Candidate]:
        """So many candidates, or fewer; none where no cell is left."""
        ...

    def _random(self, size: int, rng: np.random.Generator, besides: Collection[str] = ()) -> list[Candidate]:
        """So many cells at random, or as many as are left."""
        cells = unseen_cells(
            self._space, self._n_blocks, size, rng, history=self._history, allowed=self._allowed, besides=besides
        )
        return [Candidate(cell=cell) for cell in cells]

    def _neighbors(self, cell: Cell) -> NDArray[np.int64]:
        """The neighbours of a cell that may be trained, or were, `(N, n_blocks, 4)`."""
        cells = self._space.neighbors(cell)
        return cells[self._allowed(cells)]

    def _first_unseen(self, cells: NDArray[np.int64], besides: Collection[str]) -> Cell | None:
        """The first of cells `(N, n_blocks, 4)` that was not trained and is not among these texts."""
        for blocks in cells:
            (cell,) = self._space.to_cells(blocks[None])
            if cell not in self._history and str(cell) not in besides:
                return cell
        return None

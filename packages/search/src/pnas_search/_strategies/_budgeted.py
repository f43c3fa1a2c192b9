from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from pnas_search._errors import SearchError
from pnas_search._evaluation import Outcome
from pnas_search._strategies._base import Candidate, Strategy
from pnas_search._strategies._checks import check_positive
from pnas_search._strategies._history import History
from pnas_search._strategies._unseen import Allowed, all_allowed
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

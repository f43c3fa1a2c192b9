from collections.abc import Sequence

import numpy as np

from pnas_search._evaluation import Outcome
from pnas_search._strategies._base import Candidate
from pnas_search._strategies._budgeted import Budgeted
from pnas_search._strategies._history import reward
from pnas_searchspace import Cell


class LocalSearch(Budgeted):
    """Hill climbing (White et al., "Exploring the Loss Landscape in Neural Architecture Search", UAI 2021).

    A climb starts from the most accurate of a round of random cells. It trains the neighbours of the cell where it is,
    those that differ by one input or one operation, in random order, a round at a time, and moves to the best of them
    as soon as one is better: the variant of the paper that does not look at all neighbours before it moves. Where no
    neighbour is better, the next climb starts. Neighbours that earlier climbs trained count without being trained
    again. A child that failed is never moved to.

    Args:
        space: of the cells.
        n_blocks: the size of the cells.
        n_models: how many are trained in all, or as many as there are.
        round_size: how many make a round; one of neighbours may be smaller.
        seed: of the draws.
        allowed: says which cells may be trained.

    Raises:
        SearchError: a size that is not positive, or a negative seed.
    """

    _here: Cell | None = None

    def tell(self, candidates: Sequence[Candidate], outcomes: Sequence[Outcome]) -> None:
        super().tell(candidates, outcomes)
        came_from = [candidate.parent for candidate in candidates[:1] if candidate.parent is not None]
        self._here = self._best_of([*came_from, *(candidate.cell for candidate in candidates)])

    def _round(self, size: int, rng: np.random.Generator) -> list[Candidate]:
        here, unseen = self._climbed()
        if not unseen:
            return self._random(size, rng)
        return [Candidate(cell=unseen[place], parent=here) for place in rng.permutation(len(unseen))[:size]]

    def _climbed(self) -> tuple[Cell | None, list[Cell]]:
        """How far neighbours lead that were trained, and the neighbours there that were not."""
        here = self._here
        while here is not None:
            neighbors = self._space.to_cells(self._neighbors(here))
            best = self._best_of([here, *(cell for cell in neighbors if cell in self._history)])
            if best is here:
                return here, [cell for cell in neighbors if cell not in self._history]
            here = best
        return None, []

    def _best_of(self, cells: Sequence[Cell]) -> Cell | None:
        """The most accurate of cells that were trained, of equals the first; None where all failed."""
        reached = [cell for cell in cells if self._history.outcome(cell).accuracy is not None]
        return max(reached, key=lambda cell: reward(self._history.outcome(cell)), default=None)

from collections.abc import Collection, Sequence

import numpy as np

from pnas_search._strategies._base import Candidate
from pnas_search._strategies._budgeted import Budgeted
from pnas_search._strategies._checks import check_positive
from pnas_search._strategies._history import reward
from pnas_search._strategies._unseen import Allowed, all_allowed
from pnas_searchspace import Cell, CellSpace


class RegularizedEvolution(Budgeted):
    """The evolution that found AmoebaNet, in which the oldest die, however good they are.

    Real et al., "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019. The first population is
    drawn at random. From then on the parent of every child is the winner of a tournament: the most accurate of cells
    that are drawn from the population with replacement. With equal chances the child differs from it by one operation
    or by one input, and of those that do and were not trained every one is equally likely; where there are none, it
    differs by the other. All tournaments of a round are held in the population as it is at the start, and after it as
    many of the oldest have died as were born. A child that failed is worth 0, and grows old as others do. Where all
    neighbours of a winner were trained, another tournament is held without it, and among none a cell is drawn at
    random.

    Args:
        space: of the cells.
        n_blocks: the size of the cells.
        n_models: how many are trained in all, or as many as there are.
        round_size: how many make a round; 1 is AmoebaNet's evolution but for its asynchronous workers.
        seed: of the draws.
        population_size: how many may become parents; by default AmoebaNet's 100, or a fifth of `n_models` if that is
            less.
        tournament_size: how many are drawn for a tournament; by default a quarter of the population, as AmoebaNet's 25.
        allowed: says which cells may be trained.

    Raises:
        SearchError: a size that is not positive, or a negative seed.
    """

    def __init__(
        self,
        space: CellSpace,
        *,
        n_blocks: int,
        n_models: int,
        round_size: int,
        seed: int,
        population_size: int | None = None,
        tournament_size: int | None = None,
        allowed: Allowed = all_allowed,
    ) -> None:
        super().__init__(space, n_blocks=n_blocks, n_models=n_models, round_size=round_size, seed=seed, allowed=allowed)
        self._population_size = max(1, min(100, n_models // 5)) if population_size is None else population_size
        self._tournament_size = max(1, self._population_size // 4) if tournament_size is None else tournament_size
        check_positive(population_size=self._population_size, tournament_size=self._tournament_size)

    def _round(self, size: int, rng: np.random.Generator) -> list[Candidate]:
        n_missing = self._population_size - len(self._history)
        if n_missing > 0:
            return self._random(min(size, n_missing), rng)
        parents = self._history.cells[-self._population_size :]
        children: dict[str, Candidate] = {}
        while parents and len(children) < size:
            parent = self._winner(parents, rng)
            child = self._mutant(parent, rng, besides=children)
            if child is None:
                parents.remove(parent)
            else:
                children[str(child.cell)] = child
        return [*children.values(), *self._random(size - len(children), rng, besides=children)]

    def _winner(self, parents: Sequence[Cell], rng: np.random.Generator) -> Cell:
        entrants: list[Cell] = [parents[place] for place in rng.integers(len(parents), size=self._tournament_size)]
        return max(entrants, key=lambda cell: reward(self._history.outcome(cell)))

    def _mutant(self, parent: Cell, rng: np.random.Generator, besides: Collection[str]) -> Candidate | None:
        neighbors = self._neighbors(parent)
        # Isomorphic cells apply the same operations equally often, so that this tells which of the two was changed.
        operations = np.sort(neighbors[:, :, 1::2].reshape(len(neighbors), 2 * self._n_blocks))
        parents_operations = np.sort(self._space.to_array([parent])[0, :, 1::2], axis=None)
        is_wanted = (operations != parents_operations).any(axis=1) == (rng.random() < 0.5)
        order = rng.permutation(len(neighbors))
        order = order[np.argsort(~is_wanted[order], kind="stable")]  # those wanted first, at random among themselves
        cell = self._first_unseen(neighbors[order], besides)
        return None if cell is None else Candidate(cell=cell, parent=parent)

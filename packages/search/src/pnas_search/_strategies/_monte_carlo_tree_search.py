from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from pnas_search._errors import SearchError
from pnas_search._strategies._base import Candidate
from pnas_search._strategies._budgeted import Budgeted
from pnas_search._strategies._history import reward
from pnas_search._strategies._search_tree import Node, SearchTree
from pnas_search._strategies._unseen import Allowed, all_allowed
from pnas_searchspace import Cell, CellSpace

_MOST_DEAD_ENDS = 100


class MonteCarloTreeSearch(Budgeted):
    """Progressive expansion without a surrogate: a tree whose root is the cell without blocks, every child of a node
    having one block more (Negrinho and Gordon, "DeepArchitect", 2017; Wistuba, "Finding Competitive Network
    Architectures Within a Day Using UCT", 2017).

    A node is worth the mean reward of all cells that were trained and that it is inside of, by whatever order of
    blocks. From the root on, UCB1 chooses among a node's first `n**widening` children, `n` being its visits; where
    fewer were ever seen, one more is drawn, and from there on blocks are drawn at random (progressive widening). The
    last block is always drawn, among those that give a cell that was not trained.

    The reward of a cell is the part of all cells so far that are less accurate, equals counting half, so that
    it matters how accuracies are ordered, and not how close together they are. A child that failed is worth the least.
    Within a round, what was chosen counts as a visit before its reward is known.

    Args:
        space: of the cells.
        n_blocks: the size of the cells that are trained.
        n_models: how many are trained in all, or as many as there are.
        round_size: how many make a round.
        seed: of the draws.
        exploration: what UCB1 multiplies `sqrt(log(n) / n_of_child)` by.
        widening: the exponent by which a node's children become more, above 0 and up to 1.
        allowed: says which cells may be trained.

    Raises:
        SearchError: a size that is not positive, or another number that is out of range.
    """

    def __init__(
        self,
        space: CellSpace,
        *,
        n_blocks: int,
        n_models: int,
        round_size: int,
        seed: int,
        exploration: float = 0.1,
        widening: float = 0.5,
        allowed: Allowed = all_allowed,
    ) -> None:
        super().__init__(space, n_blocks=n_blocks, n_models=n_models, round_size=round_size, seed=seed, allowed=allowed)
        if not exploration >= 0:
            raise SearchError(f"exploration must be 0 or more, not {exploration!r}")
        if not 0 < widening <= 1:
            raise SearchError(f"widening must be above 0 and at most 1, not {widening!r}")
        self._exploration = exploration
        self._widening = widening
        self._trained = np.empty((0, n_blocks, 4), dtype=np.int64)

    def _round(self, size: int, rng: np.random.Generator) -> list[Candidate]:
        tree = self._tree()
        chosen: dict[str, Candidate] = {}
        n_dead_ends = 0
        while len(chosen) < size and n_dead_ends < _MOST_DEAD_ENDS and not tree.root.is_dead:
            path = tree.descend(rng)
            cell = self._unseen_child(tree, path[-1], rng, besides=chosen)
            if cell is None:
                path[-1].is_dead = True
                n_dead_ends += 1
            else:
                chosen[str(cell)] = Candidate(cell=cell)
                tree.visit(path)
        return [*chosen.values(), *self._random(size - len(chosen), rng, besides=chosen)]

    def _tree(self) -> SearchTree:
        new = self._history.cells[len(self._trained) :]
        if new:
            self._trained = np.concatenate([self._trained, self._space.to_array(new)])
        return SearchTree(
            self._space,
            self._trained,
            _ranks([reward(outcome) for outcome in self._history.outcomes]),
            exploration=self._exploration,
            widening=self._widening,
        )

    def _unseen_child(
        self, tree: SearchTree, node: Node, rng: np.random.Generator, besides: Collection[str]
    ) -> Cell | None:
        if len(node.cell) < self._n_blocks - 1:  # where all children are dead
            return None
        cells = tree.children(node)
        cells = cells[self._allowed(cells)]
        return self._first_unseen(cells[rng.permutation(len(cells))], besides)


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    """What part of all values is smaller than each, equals counting half, `(N,)`."""
    _, place, n_equal = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(n_equal) - n_equal / 2)[place] / max(1, len(values))
    return ranks

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pnas_search._strategies._subcells import Places, everywhere, grown, nowhere
from pnas_searchspace import CellSpace


class Node:
    """A cell that is smaller than those that are trained, and what is known of those that it is inside of.

    Attributes:
        cell: canonical, `(n_blocks, 4)`.
        places: where it is inside of those that were trained.
        mean: of their rewards; NaN where there are none.
        n_visits: how many they are, together with those that were chosen since.
        n_opened: how many children were chosen since that are inside of none.
        is_dead: whether nothing is left to train below it.
    """

    def __init__(self, cell: NDArray[np.int64], places: Places, rewards: NDArray[np.float64]) -> None:
        inside_of = np.unique(places.cells)
        self.cell = cell
        self.places = places
        self.mean = float(rewards[inside_of].mean()) if len(inside_of) else math.nan
        self.n_visits = len(inside_of)
        self.n_opened = 0
        self.is_dead = False


class SearchTree:
    """From the cell without blocks on, children having one block more, to those of one block less than are trained.

    A cell that several others can grow into is one node, and counts all cells that were trained and that it is inside
    of, however they were reached. So strictly it is no tree.

    Args:
        space: of the cells.
        trained: the cells that were, canonical, `(N, n_blocks, 4)`, in the order in which they were.
        rewards: of them, in [0, 1], `(N,)`.
        exploration: what UCB1 multiplies the square root by.
        widening: a node of `n` visits has its first `n**widening` children to choose from.
    """

    def __init__(
        self,
        space: CellSpace,
        trained: NDArray[np.int64],
        rewards: NDArray[np.float64],
        *,
        exploration: float,
        widening: float,
    ) -> None:
        self._space = space
        self._trained = trained
        self._rewards = rewards
        self._exploration = exploration
        self._widening = widening
        self._nodes: dict[bytes, Node] = {}
        self._grown_of: dict[bytes, list[tuple[NDArray[np.int64], Places]]] = {}
        self.root = self._node(np.empty((0, 4), dtype=np.int64), everywhere(trained))

    def descend(self, rng: np.random.Generator) -> list[Node]:
        """The nodes from the root to a cell of one block less than are trained, or to where all children are dead."""
        path = [self.root]
        while len(path[-1].cell) < self._trained.shape[1] - 1:
            child = self._child(path[-1], rng)
            if child is None:
                break
            path.append(child)
        return path

    def visit(self, path: Sequence[Node]) -> None:
        """Count a path as gone before its reward is known (Liu et al., "Watch the Unobserved", ICLR 2020)."""
        for node, child in itertools.pairwise(path):
            node.n_opened += not child.n_visits
        for node in path:
            node.n_visits += 1

    def children(self, node: Node) -> NDArray[np.int64]:
        """All cells of one block more, `(N, n_blocks + 1, 4)`."""
        return self._space.expand(node.cell[None])[0] if len(node.cell) else self._space.one_block_cells()

    def _child(self, node: Node, rng: np.random.Generator) -> Node | None:
        n_wanted = math.ceil(node.n_visits**self._widening)
        children = (self._node(cell, places) for cell, places in self._grown(node))
        known = list(itertools.islice((child for child in children if not child.is_dead), n_wanted))
        child = self._new_child(node, rng) if not known or len(known) + node.n_opened < n_wanted else None
        if child is None and known:
            child = max(known, key=lambda child: self._upper_bound(node, child))
        return child

    def _upper_bound(self, node: Node, child: Node) -> float:
        return child.mean + self._exploration * math.sqrt(math.log(node.n_visits) / child.n_visits)

    def _new_child(self, node: Node, rng: np.random.Generator) -> Node | None:
        """Any child that is inside of nothing that was trained, one that was not chosen since if there is one."""
        known = {cell.tobytes() for cell, _ in self._grown(node)}
        cells = self.children(node)
        chosen_before = None
        for place in rng.permutation(len(cells)):
            if cells[place].tobytes() not in known:
                child = self._node(cells[place], nowhere(self._trained))
                if not child.n_visits and not child.is_dead:
                    return child
                if not child.is_dead:
                    chosen_before = child
        return chosen_before

    def _grown(self, node: Node) -> list[tuple[NDArray[np.int64], Places]]:
        """The children that are inside of what was trained, in the order in which that was, and where."""
        key = node.cell.tobytes()
        if key not in self._grown_of:
            self._grown_of[key] = grown(self._space, self._trained, node.places)
        return self._grown_of[key]

    def _node(self, cell: NDArray[np.int64], places: Places) -> Node:
        key = cell.tobytes()
        if key not in self._nodes:
            self._nodes[key] = Node(cell, places, self._rewards)
        return self._nodes[key]

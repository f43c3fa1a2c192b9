import itertools
import math

import numpy as np
import pytest

from pnas_search._strategies._search_tree import SearchTree
from pnas_search._strategies._subcells import everywhere, grown
from pnas_searchspace import CellSpace


@pytest.fixture
def trained(space):
    return space.sample(4, 100, 0)


@pytest.fixture
def rewards():
    return np.random.default_rng(0).random(100)


@pytest.fixture
def make(space, trained, rewards):
    def make(space=space, trained=trained, rewards=rewards, exploration=0.1, widening=0.5):
        return SearchTree(space, trained, rewards, exploration=exploration, widening=widening)

    return make


def descents(tree, n, rng=None):
    """So many paths, each gone before the next is chosen."""
    rng = rng or np.random.default_rng(0)
    for _ in range(n):
        path = tree.descend(rng)
        yield path
        tree.visit(path)


def children(space, trained):
    """All cells of one block inside of those trained, and of which, in the order in which they were."""
    return [(cell, np.unique(places.cells)) for cell, places in grown(space, trained, everywhere(trained))]


def test_paths_lead_from_the_root_to_one_block_less_than_are_trained(make, space):
    for path in descents(make(), 50):
        assert [len(node.cell) for node in path] == [0, 1, 2, 3]
        for node, child in itertools.pairwise(path[1:]):
            assert child.cell.tolist() in space.expand(node.cell[None])[0].tolist()


def test_a_node_counts_all_cells_that_it_is_inside_of_and_every_visit_since(make, space, trained, rewards):
    tree, n_gone = make(), {}
    inside_of = {cell.tobytes(): indices for cell, indices in children(space, trained)}
    for path in descents(tree, 50):
        node = path[1]
        indices = inside_of[node.cell.tobytes()]
        assert node.mean == pytest.approx(rewards[indices].mean())
        assert node.n_visits == len(indices) + n_gone.get(node, 0)
        n_gone[node] = n_gone.get(node, 0) + 1
    assert tree.root.mean == pytest.approx(rewards.mean())
    assert tree.root.n_visits == 150
    assert max(n_gone.values()) > 1


@pytest.mark.parametrize("widening", [0.4, 1.0])
@pytest.mark.parametrize("exploration", [0.0, 0.1, 10.0])
def test_ucb1_chooses_among_as_many_children_as_the_visits_allow(exploration, widening, make, space, trained, rewards):
    first = children(space, trained)
    n_gone = np.zeros(len(first))
    for n, path in enumerate(descents(make(exploration=exploration, widening=widening), 60), start=100):
        n_wanted = math.ceil(n**widening)
        bounds = [
            rewards[indices].mean() + exploration * math.sqrt(math.log(n) / (len(indices) + gone))
            for (_, indices), gone in zip(first[:n_wanted], n_gone, strict=False)
        ]
        assert path[1].cell.tolist() == first[np.argmax(bounds)][0].tolist()
        n_gone[np.argmax(bounds)] += 1
    assert (n_wanted < len(first)) == (widening < 1)
    assert (np.count_nonzero(n_gone) == 1) == (exploration == 0)


@pytest.mark.parametrize("space", [CellSpace(), CellSpace(("conv", "pool"))], ids=["136 children", "10 children"])
def test_where_fewer_children_are_known_than_the_visits_allow_new_ones_are_opened(space, make):
    cell = space.sample(3, 1, 0)
    n_known = len(grown(space, cell, everywhere(cell)))
    tree = make(space=space, trained=np.repeat(cell, 64, axis=0), rewards=np.full(64, 0.5))
    opened = [path[1] for path in descents(tree, 15)]
    # 9 children from 65 visits on, until there are 82.
    n_new = 9 - n_known
    assert [math.isnan(node.mean) for node in opened] == [True] * n_new + [False] * (15 - n_new)
    assert len(set(opened[:n_new])) == n_new


def test_without_anything_trained_paths_are_random(make):
    tree = make(trained=np.empty((0, 3, 4), dtype=np.int64), rewards=np.empty(0))
    paths = list(descents(tree, 50))
    assert len({path[1] for path in paths[:10]}) == 10
    assert {len(path) for path in paths} == {3}


def test_a_cell_is_one_node_whichever_parent_leads_to_it(make):
    nodes, parents = {}, {}
    for path in descents(make(exploration=10.0), 200):
        for parent, node in itertools.pairwise(path):
            key = node.cell.tobytes()
            assert nodes.setdefault(key, node) is node
            parents.setdefault(key, set()).add(parent.cell.tobytes())
    assert max(map(len, parents.values())) > 1


@pytest.mark.parametrize("n_trained", [0, 5, 100])
def test_dead_children_are_not_chosen_and_where_all_are_dead_a_path_ends(n_trained, make, trained, rewards):
    tree, rng = make(trained=trained[:n_trained], rewards=rewards[:n_trained]), np.random.default_rng(0)
    dead = set()
    while len(path := tree.descend(rng)) > 1:
        assert not {node.cell.tobytes() for node in path} & dead
        path[1].is_dead = True
        dead.add(path[1].cell.tobytes())
    assert len(dead) == len(tree.children(tree.root)) == 10
    assert path == [tree.root]

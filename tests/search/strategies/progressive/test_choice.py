import numpy as np
import pytest

from pnas_search import Predictions, SearchError
from pnas_search._strategies._progressive._choice import Choice
from pnas_search._strategies._progressive._exploration import Exploration
from pnas_search._strategies._progressive._ranking import by_fronts, by_score
from pnas_search._strategies._progressive._trained import Trained

NOTHING = {"acquisition": None, "costs": None, "exploration": 0.0}


@pytest.fixture
def trained(space, finished, failed):
    cells = space.to_cells(space.one_block_cells())
    accuracies = np.linspace(0.1, 0.7, len(cells) - 1)
    return [Trained(cells[0], failed, None)] + [
        Trained(cell, finished(accuracy), None) for cell, accuracy in zip(cells[1:], accuracies, strict=True)
    ]


@pytest.fixture
def said(space):
    cells, _ = space.expand(space.one_block_cells())
    rng = np.random.default_rng(0)
    mean, std = rng.random(len(cells)), rng.random(len(cells))
    return Predictions(operations=tuple(space.operations), cells=cells, mean=mean, std=std)


def costs(cells):
    return (cells[:, :, 1::2] == 0).sum(axis=(1, 2))[:, None].astype(float)


def test_with_nothing_else_it_is_the_best_by_what_is_expected(space, said, trained):
    for size in (1, 20, 1000):
        assert Choice(space, **NOTHING).indices(said, trained, size).tolist() == by_score(said.mean, size).tolist()


def test_an_acquisition_is_given_the_best_accuracy_so_far_and_decides(space, said, trained):
    given = []

    def least_sure(mean, std, best):
        given.append((mean, std, best))
        return std

    choice = Choice(space, **NOTHING | {"acquisition": least_sure})
    assert choice.indices(said, trained, 20).tolist() == by_score(said.std, 20).tolist()
    ((mean, std, best),) = given
    assert (mean is said.mean, std is said.std, best) == (True, True, 0.7)


def test_costs_make_fronts_of_what_an_acquisition_ranks(space, said, trained):
    choice = Choice(space, **NOTHING | {"costs": costs, "acquisition": lambda *said: said[0] - said[1]})
    expected = by_fronts(said.mean - said.std, costs(said.cells), 20)
    assert choice.indices(said, trained, 20).tolist() == expected.tolist()


@pytest.mark.parametrize(("share", "size", "n_explored"), [(0.1, 26, 3), (0.29, 100, 29), (1.0, 12, 12), (0.1, 4, 0)])
def test_a_share_goes_to_what_was_tried_least_and_the_rest_to_the_best(space, said, trained, share, size, n_explored):
    chosen = Choice(space, **NOTHING | {"exploration": share}).indices(said, trained, size)
    assert len(set(chosen.tolist())) == size
    best = by_score(said.mean, size - n_explored)
    assert chosen[: len(best)].tolist() == best.tolist()
    exploration = Exploration(space, 2)
    exploration.count_cells(one.cell for one in trained)
    exploration.count(said.cells[best])
    others = [index for index in by_score(said.mean, 1000).tolist() if index not in best]
    picked = exploration.pick(said.cells[others], n_explored)
    assert chosen[len(best) :].tolist() == [others[pick] for pick in picked]


def test_of_few_children_all_are_taken_whatever_the_share(space, said, trained):
    few = Predictions(operations=said.operations, cells=said.cells[:5], mean=said.mean[:5], std=None)
    for share in (0.0, 0.5, 1.0):
        chosen = Choice(space, **NOTHING | {"exploration": share}).indices(few, trained, 1000)
        assert sorted(chosen.tolist()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_what_is_no_share_is_refused(space, share):
    with pytest.raises(SearchError, match=f"exploration must be a share between 0 and 1, not {share}"):
        Choice(space, **NOTHING | {"exploration": share})

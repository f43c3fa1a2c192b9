import numpy as np
import pytest

from pnas_search import Candidate
from pnas_search._strategies import _unseen
from pnas_search._strategies._history import History
from pnas_search._strategies._unseen import all_allowed, unseen_cells
from pnas_searchspace import CellSpace


@pytest.fixture(params=["all are listed", "some are drawn"])
def every_cell(request, space, monkeypatch):
    """All 165 cells of two blocks, which are taken for few or for many."""
    if request.param == "some are drawn":
        monkeypatch.setattr(_unseen, "_MANY", 164)
    return space.to_cells(np.concatenate(list(space.enumerate(2))))


@pytest.fixture
def history_of(failed):
    def make(cells):
        history = History()
        history.add([Candidate(cell=cell) for cell in cells], [failed] * len(cells))
        return history

    return make


def without_pools(cells):
    return (cells[:, :, 1::2] == 0).all(axis=(1, 2))


def test_cells_come_once_and_are_neither_trained_nor_unwanted_nor_forbidden(space, every_cell, history_of):
    history, besides = history_of(every_cell[::3]), {str(cell) for cell in every_cell[1::3]}
    rng = np.random.default_rng(0)
    cells = unseen_cells(space, 2, 10, rng, history=history, besides=besides)
    assert len(cells) == len(set(cells)) == 10
    assert set(cells) <= set(every_cell[2::3])
    cells = unseen_cells(space, 2, 10, rng, history=history, allowed=without_pools)
    assert set(cells) <= {cell for cell in every_cell if "pool" not in str(cell)} - set(every_cell[::3])
    assert len(cells) > 5


def test_cells_are_fewer_where_no_more_are_left(space, every_cell, history_of):
    left = every_cell[:3]
    rng = np.random.default_rng(0)
    assert set(unseen_cells(space, 2, 10, rng, history=history_of(every_cell[3:]))) <= set(left)
    assert unseen_cells(space, 2, 10, rng, history=history_of(every_cell)) == []
    assert unseen_cells(space, 2, 0, rng, history=History()) == []


def test_a_space_that_is_listed_is_searched_to_its_last_cell(space, history_of):
    every_cell = space.to_cells(np.concatenate(list(space.enumerate(2))))
    for _ in range(3):
        cells = unseen_cells(space, 2, 500, np.random.default_rng(0), history=history_of(every_cell[3:]))
        assert set(cells) == set(every_cell[:3])


def test_every_cell_that_is_left_is_equally_likely(space, every_cell, history_of):
    left = every_cell[::18]
    history = history_of([cell for cell in every_cell if cell not in left])
    counts = dict.fromkeys(left, 0)
    for seed in range(400):
        for cell in unseen_cells(space, 2, 1, np.random.default_rng(seed), history=history):
            counts[cell] += 1
    assert sum(counts.values()) > 390
    expected = sum(counts.values()) / len(left)
    # Chi-square with 9 degrees of freedom is larger once in 1,000 times.
    assert sum((n - expected) ** 2 / expected for n in counts.values()) < 27.9


def test_cells_of_which_one_in_ten_thousand_is_allowed_are_found():
    def allowed(cells):
        return np.isin(cells[:, :, 1::2], (3, 4)).all(axis=(1, 2)) & (cells[:, 0, 0::2] == -1).all(axis=1)

    space = CellSpace()
    cells = unseen_cells(space, 3, 20, np.random.default_rng(0), history=History(), allowed=allowed)
    assert len(set(cells)) == 20
    assert allowed(space.to_array(cells)).all()


def test_every_cell_is_allowed_by_default(space):
    assert all_allowed(space.one_block_cells()).tolist() == [True] * 10

from collections.abc import Callable

import numpy as np

from pnas_search import Candidate, Outcome
from pnas_search._strategies._history import History
from pnas_search._strategies._reinforce._draws import draw, spelt_cells
from pnas_searchspace import Cell, CellSpace


def spellings(n: int) -> list[np.ndarray]:
    return [np.array([place]) for place in range(n)]


def test_draws_go_on_until_enough_cells_are_new(
    space: CellSpace, finished: Callable[[float], Outcome], failed: Outcome
) -> None:
    a, b, c, d, e = space.to_cells(space.one_block_cells())[:5]
    history = History()
    history.add([Candidate(cell=a), Candidate(cell=b)], [finished(0.25), failed])
    draws = draw(zip(spellings(8), [a, c, None, b, c, a, d, e], strict=True), 2, history)
    assert [spelling.item() for spelling in draws.spellings] == [0, 1, 2, 3, 4, 5, 6]
    assert draws.cells == [a, c, None, b, c, a, d]
    assert list(draws.new.values()) == [c, d]
    history.add([Candidate(cell=c), Candidate(cell=d)], [finished(0.5), finished(0.75)])
    assert draws.rewards(history).tolist() == [0.25, 0.5, 0, 0, 0.5, 0.25, 0.75]


def test_draws_end_where_there_are_no_more(space: CellSpace) -> None:
    a, b = space.to_cells(space.one_block_cells())[:2]
    draws = draw(zip(spellings(4), [a, b, b, a], strict=True), 3, History())
    assert len(draws.spellings) == 4
    assert list(draws.new.values()) == [a, b]


def test_spellings_come_with_their_canonical_cells_or_none_where_these_are_not_allowed() -> None:
    space = CellSpace(("conv", "pool"))
    first = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]])
    second = np.array([[0, 0, 0, 1]])

    def allowed(cells: np.ndarray) -> np.ndarray:
        return (cells[:, 0, 1] == 0) | (cells[:, 0, 3] == 0)

    (*spelt,) = spelt_cells([first, second], space, allowed)
    assert [spelling.tolist() for spelling, _ in spelt] == [*first.tolist(), *second.tolist()]
    same, other = Cell([(-2, "conv", -1, "pool")]), Cell([(-2, "conv", -2, "pool")])
    cells = [cell for _, cell in spelt]
    assert cells == [same, same, None, other]
    assert all(str(cell) == cell.key for cell in cells if cell is not None)

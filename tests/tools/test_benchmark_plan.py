import collections

import pytest

from pnas_searchspace import Cell, CellSpace
from pnas_tools._benchmark_plan import BenchmarkPlan

SPACE = CellSpace()


@pytest.fixture(scope="module")
def searched() -> list[Cell]:
    """A chain of cells, each expanded from the one before it."""
    cells = SPACE.to_cells(SPACE.one_block_cells())[5:6]
    for _ in range(3):
        children, _ = SPACE.expand(cells[-1:])
        cells += SPACE.to_cells(children[100:101])
    return cells


@pytest.fixture(scope="module")
def sources(searched) -> dict[Cell, str]:
    return BenchmarkPlan(n_uniform=20, n_repeated=6).sources(SPACE, 4, searched)


def test_all_one_block_cells_are_there_and_as_many_samples_as_were_asked_for(sources):
    counts = collections.Counter((len(cell), source) for cell, source in sources.items())
    assert counts[1, "uniform"] == 136
    assert counts[4, "uniform"] == 20
    assert counts[3, "uniform"] == counts[2, "uniform"] == 4
    assert counts[3, "ancestor"] == 20
    assert counts[4, "search"] == 1


def test_cells_are_in_canonical_form_and_in_order(sources):
    assert all(str(cell) == cell.key for cell in sources)
    assert list(sources) == sorted(sources, key=lambda cell: (len(cell), cell.key))


def test_every_cell_has_a_parent_that_it_is_expanded_from(sources):
    by_size = {size: [cell for cell in sources if len(cell) == size] for size in (1, 2, 3, 4)}
    for size in (2, 3, 4):
        children = set(SPACE.to_cells(SPACE.expand(by_size[size - 1])[0]))
        assert set(by_size[size]) <= children


def test_the_plan_is_a_function_of_its_arguments(sources, searched):
    again = BenchmarkPlan(n_uniform=20, n_repeated=6).sources(SPACE, 4, reversed(searched))
    assert list(again.items()) == list(sources.items())


def test_a_sample_that_a_search_asked_for_too_is_a_sample(sources):
    uniform = [cell for cell, source in sources.items() if source == "uniform"]
    again = BenchmarkPlan(n_uniform=20, n_repeated=6).sources(SPACE, 4, uniform)
    assert all(again[cell] == "uniform" for cell in uniform)


def test_where_there_are_fewer_cells_than_asked_for_all_are_taken():
    space = CellSpace(("conv",))
    sources = BenchmarkPlan(n_uniform=10_000).sources(space, 2, [])
    assert len(sources) == space.count(1) + space.count(2)


def test_so_many_cells_of_each_size_are_repeated_whatever_their_order(sources):
    plan = BenchmarkPlan(n_uniform=20, n_repeated=6)
    repeated = plan.repeated(list(sources))
    assert collections.Counter(len(cell) for cell in repeated) == {1: 6, 2: 6, 3: 6, 4: 6}
    assert plan.repeated(list(reversed(sources))) == repeated
    assert len(BenchmarkPlan(n_repeated=1000).repeated(list(sources))) == len(sources)

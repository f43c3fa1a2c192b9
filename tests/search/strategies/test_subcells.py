"""Cells inside of cells, against what is left of them when blocks that nothing reads are taken away."""

import numpy as np
import pytest

from pnas_search._strategies._subcells import everywhere, grown, nowhere
from pnas_searchspace import Cell, CellSpace


@pytest.fixture(params=[1, 3], ids=["read one input", "read three inputs"])
def space(request):
    """One in which equal blocks are frequent, and another."""
    return CellSpace(("conv", "pool"), n_cell_inputs=request.param)


@pytest.fixture
def cells(space):
    return space.sample(5, 60, 0)


def naive_inner(cell):
    """All cells inside of one, itself included, by their sizes."""
    inner = {len(cell): {cell}}
    for size in range(len(cell) - 1, 0, -1):
        inner[size] = {smaller for larger in inner[size + 1] for smaller in without_one_block(larger)}
    return inner


def without_one_block(cell):
    for gone in range(len(cell)):
        kept = [block for index, block in enumerate(cell) if index != gone]
        if not any(gone in (block.input_1, block.input_2) for block in kept):
            yield Cell((i1 - (i1 > gone), o1, i2 - (i2 > gone), o2) for i1, o1, i2, o2 in kept)


def levels(space, cells):
    """What growing finds, by size: cells and their places, from every parent anew."""
    found = [(np.empty((0, 4), dtype=np.int64), everywhere(cells))]
    for size in range(1, cells.shape[1] + 1):
        found = [child for _, places in found for child in grown(space, cells, places)]
        yield size, found
        found = list({cell.tobytes(): (cell, places) for cell, places in found}.values())


def test_growing_finds_all_that_is_inside_of_cells_and_of_which(space, cells):
    expected = [naive_inner(cell) for cell in space.to_cells(cells)]
    for size, found in levels(space, cells):
        inside_of = {}
        for array, places in found:
            (cell,) = space.to_cells(array[None])
            assert str(cell) == cell.key
            inside_of[cell] = set(places.cells.tolist())
        assert inside_of.keys() == set().union(*(inner[size] for inner in expected))
        for cell, indices in inside_of.items():
            assert indices == {index for index, inner in enumerate(expected) if cell in inner[size]}


def test_places_are_those_of_the_cell_once_each_from_whichever_parent_it_grew(space, cells):
    for size, found in levels(space, cells):
        known = {}
        for array, places in found:
            rows = list(zip(places.cells.tolist(), map(tuple, places.blocks.tolist()), strict=True))
            assert rows == sorted(set(rows))
            assert known.setdefault(array.tobytes(), rows) == rows
            assert {sum(blocks) for _, blocks in rows} == {size}
        assert len(known) < len(found) or size in (1, 5)


def test_what_grows_comes_in_the_order_of_the_cells_that_it_is_inside_of(space, cells):
    for parent in (everywhere(cells), grown(space, cells, everywhere(cells))[0][1]):
        first = [places.cells.min() for _, places in grown(space, cells, parent)]
        assert first == sorted(first)
        assert len(set(first)) > 2


def test_nothing_grows_from_nowhere(space, cells):
    assert grown(space, cells, nowhere(cells)) == []
    assert grown(space, cells[:0], everywhere(cells[:0])) == []

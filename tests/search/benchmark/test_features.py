import numpy as np

from pnas_search import cell_features
from pnas_searchspace import Cell, CellSpace


def test_features_of_a_cell_by_hand():
    space = CellSpace(("conv", "pool"))
    cell = Cell([(-2, "conv", -2, "pool"), (-1, "conv", 0, "conv")])
    blocks, depth, depths, unread, same = 2, 2, 1 + 2, 1, 1
    by_input = [1, 1, 1, 0, 1, 0]  # -2, -1, blocks; conv and pool each
    pairs = [1, 1, 0]  # conv and conv, conv and pool, pool and pool
    deepest, shallowest = [2, 1], [1, 1]
    expected = [blocks, depth, depths, unread, same, *by_input, *pairs, *deepest, *shallowest]
    np.testing.assert_array_equal(cell_features(space, [cell])[0], expected)


def test_equal_cells_have_equal_features():
    space = CellSpace()
    cells = space.to_cells(space.sample(4, 30, 0))
    # Operands swapped, and blocks in another order where they may be.
    swapped = [Cell([(b.input_2, b.operation_2, b.input_1, b.operation_1) for b in cell]) for cell in cells]
    relabelled = [Cell([cell[1], cell[0], *map(exchanged, cell[2:])]) for cell in cells if not reads_first(cell[1])]
    originals = [cell for cell in cells if not reads_first(cell[1])]
    assert len(originals) > 3
    np.testing.assert_array_equal(cell_features(space, cells), cell_features(space, swapped))
    np.testing.assert_array_equal(cell_features(space, originals), cell_features(space, relabelled))


def reads_first(block) -> bool:
    return 0 in (block.input_1, block.input_2)


def exchanged(block) -> tuple:
    other = {0: 1, 1: 0}
    inputs = [other.get(read, read) for read in (block.input_1, block.input_2)]
    return inputs[0], block.operation_1, inputs[1], block.operation_2


def test_cells_of_all_sizes_have_as_many_features():
    space = CellSpace()
    cells = [space.to_cells(space.sample(size, 1, 0))[0] for size in range(1, 7)]
    assert cell_features(space, cells).shape[0] == 6

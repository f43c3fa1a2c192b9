import numpy as np

from pnas_search import read_features
from pnas_searchspace import Cell, CellSpace


def test_features_of_a_cell_by_hand():
    space = CellSpace(("conv", "pool"))
    cell = Cell([(-2, "conv", -2, "pool"), (-1, "conv", 0, "conv")])
    by_input = [1, 1, 1, 0, 1, 0]  # -2, -1, blocks; conv and pool each
    np.testing.assert_array_equal(read_features(space, [cell])[0], [*by_input, 1, 1, 1])


def test_an_input_that_is_not_read_is_seen():
    space = CellSpace(("conv", "pool"), n_cell_inputs=3)
    cell = Cell([(-2, "pool", -3, "pool"), (0, "conv", 0, "pool")])
    by_input = [0, 1, 0, 1, 0, 0, 1, 1]  # -3, -2, -1, blocks
    are_read = [0, 1, 1]  # -1, -2, -3: a benchmark's file has its coefficients in this order
    assert read_features(space, [cell]).tolist() == [[*by_input, *are_read, 1]]


def test_equal_cells_have_equal_features():
    space = CellSpace()
    cells = space.to_cells(space.sample(4, 30, 0))
    swapped = [Cell([(b.input_2, b.operation_2, b.input_1, b.operation_1) for b in cell]) for cell in cells]
    features = read_features(space, cells)
    np.testing.assert_array_equal(features, read_features(space, swapped))
    np.testing.assert_array_equal(features, read_features(space, [cell.canonical() for cell in swapped]))


def test_a_list_of_cells_of_all_sizes_has_the_features_that_arrays_have():
    space = CellSpace()
    arrays = [space.sample(size, 3, size) for size in range(1, 7)]
    cells = [cell for array in arrays for cell in space.to_cells(array)]
    features = read_features(space, cells)
    assert (features.shape, features.dtype) == ((18, 27), np.int64)
    np.testing.assert_array_equal(features, np.concatenate([read_features(space, array) for array in arrays]))


def test_no_cells_have_no_features():
    assert read_features(CellSpace(), np.empty((0, 2, 4), dtype=np.int64)).shape == (0, 27)
    assert read_features(CellSpace(), []).shape == (0, 27)

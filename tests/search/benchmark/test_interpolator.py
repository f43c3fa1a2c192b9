import numpy as np

from pnas_search import read_features


def test_curves_are_what_the_trees_give_and_seconds_their_last_output(table, space):
    one, two = (space.to_cells(space.sample(size, 1, 0))[0] for size in (1, 2))
    curves, seconds = table.interpolator.curves([two, one])
    np.testing.assert_allclose(curves, [[0.375, 0.625, 0.875], [0.25, 0.5, 0.75]])
    np.testing.assert_allclose(seconds, [4, 2], rtol=1e-6)


def test_counts_are_linear_in_what_is_read(table, space):
    cells = [space.to_cells(space.sample(size, 1, 0))[0] for size in (1, 2)]
    expected = [[1000, 10 * features.sum()] for features in read_features(space, cells)]
    np.testing.assert_array_equal(table.interpolator.counts(cells), expected)

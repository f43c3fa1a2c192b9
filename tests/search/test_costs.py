import numpy as np
import pytest

from pnas_search import LinearCosts, SearchError, read_features
from pnas_searchspace import Cell, CellSpace


def true_costs(cell: Cell) -> list[int]:
    """Two costs as networks have them: conv costs most on the far input, and larger cells pay more to read at all."""
    prices = {("conv", -2): 40, ("conv", -1): 30, ("pool", -2): 4}
    operands = [(block.input_1, block.operation_1) for block in cell] + [
        (block.input_2, block.operation_2) for block in cell
    ]
    reads = {read for read, _ in operands}
    applied = sum(
        prices.get((operation, min(read, 0)), 10 if operation == "conv" else 0) for read, operation in operands
    )
    return [applied + 7 * len(cell) ** 2 * (-2 in reads) + 100 * len(cell), 2 * applied + 3 * (-1 in reads)]


@pytest.fixture(scope="module")
def costs(space: CellSpace) -> LinearCosts:
    cells = LinearCosts.spanning_cells(space, 3)
    return LinearCosts.fit(space, cells, [true_costs(cell) for cell in cells])


def test_costs_of_a_few_cells_tell_those_of_all_others(space, costs):
    for size in (1, 2, 3):
        cells = np.concatenate(list(space.enumerate(size)))
        told = costs(cells)
        np.testing.assert_allclose(told, [true_costs(cell) for cell in space.to_cells(cells)], rtol=0, atol=1e-9)
        assert (told.shape, told.dtype) == ((len(cells), 2), np.float64)


def test_they_are_few_small_cells_and_none_too_many(space):
    cells = LinearCosts.spanning_cells(space, 3)
    assert [len(cell) for cell in cells] == sorted(len(cell) for cell in cells)
    # Counts of 2 operations on 3 kinds of inputs, and 3 features for each size; of those the sums of counts are known.
    assert len(cells) == 2 * 3 + 3 * 3 - 1
    for left_out in range(len(cells)):
        fewer = cells[:left_out] + cells[left_out + 1 :]
        with pytest.raises(SearchError):
            LinearCosts.fit(space, fewer, [true_costs(cell) for cell in fewer])


def test_cells_that_do_not_tell_are_refused_in_a_sentence(space):
    cells = [cell for cell in LinearCosts.spanning_cells(space, 2) if len(cell) == 2]
    with pytest.raises(SearchError, match="costs of cells of 1 to 2 blocks follow from those of 11 that differ enough"):
        LinearCosts.fit(space, cells, [[1] for _ in cells])
    with pytest.raises(SearchError, match=r"not from those of these 0 cells: measure what LinearCosts.spanning_cells"):
        LinearCosts.fit(space, [], np.empty((0, 1)))


def test_another_solver_solves_for_every_cost(space):
    cells, seen = LinearCosts.spanning_cells(space, 2), []

    def solver(X, y):
        seen.append((X.shape, y.tolist()))
        return np.arange(X.shape[1], dtype=float)

    fitted = LinearCosts.fit(space, cells, [[i, -i] for i in range(len(cells))], solver=solver)
    numbers = [float(i) for i in range(len(cells))]
    assert seen == [((11, 12), numbers), ((11, 12), [-number for number in numbers])]
    # Six counts of operations are shared by all sizes, and three features are each size's own.
    expected = [[0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 2, 3, 4, 5, 9, 10, 11]]
    np.testing.assert_array_equal(fitted.coefficients, [[row] * 2 for row in expected])


def test_a_cells_costs_do_not_depend_on_those_beside_it():
    space = CellSpace()
    rng = np.random.default_rng(0)
    costs = LinearCosts(space=space, coefficients=rng.random((4, 3, 27)) * 10.0 ** rng.integers(-3, 3, 27))
    cells = space.sample(4, 1000, 0)
    alone = np.concatenate([costs(cells[i : i + 1]) for i in range(len(cells))])
    np.testing.assert_array_equal(costs(cells), alone)


def test_cells_larger_than_what_is_known_are_refused(space, costs):
    with pytest.raises(SearchError, match="known of cells of 1 to 3 blocks, and these have 4: fit"):
        costs(space.sample(4, 2, 0))


def test_coefficients_of_another_space_are_refused(costs):
    with pytest.raises(SearchError, match=r"of shape \(B, n_costs, 27\) in this space, not \(3, 2, 9\)"):
        LinearCosts(space=CellSpace(), coefficients=costs.coefficients)


def test_no_costs_and_no_cells_are_none(space, costs):
    nothing = LinearCosts(space=space, coefficients=costs.coefficients[:, :0])
    assert nothing(space.sample(2, 5, 0)).shape == (5, 0)
    assert costs(space.sample(2, 0, 0)).shape == (0, 2)


def test_a_space_of_other_operations_has_the_same_costs():
    space, other = CellSpace(("a", "b", "c")), CellSpace(("c", "a"))
    costs = LinearCosts(space=space, coefficients=np.random.default_rng(0).integers(0, 99, (2, 1, 12)).astype(float))
    cells = other.to_cells(other.sample(2, 20, 0))
    np.testing.assert_array_equal(costs.over(other)(other.to_array(cells)), costs(space.to_array(cells)))
    for unknown in (CellSpace(("a", "d")), CellSpace(("a",), n_cell_inputs=1)):
        with pytest.raises(SearchError, match=r"known of cells that read 2 earlier ones with a, b, c, and not of"):
            costs.over(unknown)


def test_costs_are_sums_of_what_is_read_times_coefficients(space):
    coefficients = np.random.default_rng(0).random((1, 1, 9))
    cells = space.one_block_cells()
    told = LinearCosts(space=space, coefficients=coefficients)(cells)[:, 0]
    np.testing.assert_allclose(told, read_features(space, cells) @ coefficients[0, 0])

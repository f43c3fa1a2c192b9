import numpy as np
import pytest
import torch
from sklearn.ensemble import GradientBoostingRegressor

from pnas_models import cifar_network, count_multiply_adds, count_parameters
from pnas_search import BenchmarkCell, BenchmarkRow, cell_features, read_features
from pnas_searchspace import Cell, CellSpace
from pnas_tools._benchmark_fit import _fit_trees, _sizes, fit_interpolator

SPACE = CellSpace()


def accuracy(cell: Cell) -> float:
    """What features can tell: more convolutions and less pooling are better."""
    return 0.4 + 0.05 * str(cell).count("sep_conv") - 0.03 * str(cell).count("pool") + 0.05 * len(cell)


def network_sizes(cell: Cell) -> tuple[int, int]:
    with torch.device("meta"):
        network = cifar_network(cell, n_filters=4, n_repeats=2, in_channels=1)
    return count_parameters(network), count_multiply_adds(network, 8)


@pytest.fixture(scope="module")
def cells() -> list[Cell]:
    return SPACE.to_cells(SPACE.one_block_cells()) + SPACE.to_cells(SPACE.sample(2, 150, 0))


@pytest.fixture(scope="module")
def table(cells) -> tuple[list[BenchmarkCell], list[BenchmarkRow]]:
    rng = np.random.default_rng(0)
    unique = sorted(set(cells), key=lambda cell: (len(cell), cell.key))
    rows = []
    for cell in unique:
        for seed in range(2):
            final = min(1.0, accuracy(cell) + 0.02 * len(cell) * rng.normal())
            rows.append(
                BenchmarkRow(
                    cell=cell,
                    seed=seed,
                    status="finished",
                    n_correct=(),
                    accuracies=(final / 2, final),
                    seconds=len(cell),
                )
            )
    failed = BenchmarkRow(cell=unique[0], seed=2, status="diverged", n_correct=(), accuracies=(), seconds=0.5)
    about = [BenchmarkCell(cell=cell, source="uniform", n_parameters=1, multiply_adds=2) for cell in unique]
    return about, [*rows, failed]


@pytest.fixture(scope="module")
def fitted(table):
    return fit_interpolator(SPACE, *table)


def test_cells_that_were_not_fitted_are_ranked(fitted):
    interpolator, held_out = fitted
    assert set(held_out) == {"1", "2", "all"}
    assert all(value > 0.8 for value in held_out.values())
    new = SPACE.to_cells(SPACE.sample(2, 100, 1))
    curves, seconds = interpolator.curves(new)
    assert np.corrcoef(curves[:, 1], [accuracy(cell) for cell in new])[0, 1] > 0.8
    np.testing.assert_allclose(curves[:, 0], curves[:, 1] / 2, atol=0.03)
    np.testing.assert_allclose(seconds, 2, rtol=1e-3)


def test_noise_is_that_of_the_seeds_by_size(fitted):
    np.testing.assert_allclose(fitted[0].noise, [[0.01, 0.02], [0.02, 0.04]], rtol=0.2)


def test_parameters_and_multiply_adds_of_new_cells_are_exact():
    cells = SPACE.to_cells(SPACE.one_block_cells()[::3]) + SPACE.to_cells(SPACE.sample(2, 60, 0))
    about = [
        BenchmarkCell(cell=cell, source="uniform", n_parameters=p, multiply_adds=m)
        for cell, (p, m) in ((cell, network_sizes(cell)) for cell in cells)
    ]
    new = SPACE.to_cells(SPACE.sample(2, 20, 1))
    expected = np.array([network_sizes(cell) for cell in new])
    coefficients = _sizes(SPACE, about)[1]
    np.testing.assert_allclose(read_features(SPACE, new) @ coefficients.T, expected, atol=0.1)


def test_trees_give_what_scikit_learn_gives(cells):
    X = cell_features(SPACE, cells)
    y = np.random.default_rng(3).normal(size=(len(X), 1))
    theirs = GradientBoostingRegressor(
        max_depth=4, n_estimators=150, learning_rate=0.08, subsample=0.8, random_state=0
    ).fit(X, y[:, 0])
    np.testing.assert_allclose(_fit_trees(X, y).predict(X)[:, 0], theirs.predict(X), atol=1e-5)

"""The interpolator of a benchmark: boosted trees, which no surrogate of this project is made of."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pnas_search import (
    BenchmarkCell,
    BenchmarkRow,
    Interpolator,
    SearchError,
    Trees,
    cell_features,
    read_features,
)
from pnas_searchspace import Cell, CellSpace

_DEPTH, _N_TREES, _LEARNING_RATE = 4, 150, 0.08
_N_FOLDS = 5
MIN_CELLS = 10


def fit_interpolator(
    space: CellSpace, cells: Sequence[BenchmarkCell], rows: Sequence[BenchmarkRow]
) -> tuple[Interpolator, dict[str, float | None]]:
    """The interpolator of all trainings that finished, and how well it ranks cells that it was not fitted to.

    Returns:
        The interpolator; and Spearman's rank correlation of what it predicts for every fifth of the cells when fitted
        to the others with their mean accuracies, by number of blocks and over `"all"`; None where too few cells have
        different accuracies to tell.

    Raises:
        SearchError: fewer than `MIN_CELLS` cells were trained to the end.
    """
    if (n_cells := len(_finished_by_cell(rows))) < MIN_CELLS:
        raise SearchError(
            f"an interpolator is fitted to {MIN_CELLS} cells or more, and {n_cells} have been trained to the end: "
            "train more first"
        )
    trained, curves, seconds = _means(rows)
    X = cell_features(space, trained)
    y = np.concatenate([curves, np.log(seconds)[:, None]], axis=1)
    interpolator = Interpolator(
        space=space, trees=_fit_trees(X, y), noise=_noise(rows, len(cells[-1].cell)), sizes=_sizes(space, cells)
    )
    return interpolator, _held_out(X, curves[:, -1], np.array([len(cell) for cell in trained]))


def _means(rows: Sequence[BenchmarkRow]) -> tuple[list[Cell], NDArray[np.float64], NDArray[np.float64]]:
    by_cell = _finished_by_cell(rows)
    curves = [np.mean([row.accuracies for row in of_cell], axis=0) for of_cell in by_cell.values()]
    seconds = [np.mean([row.seconds for row in of_cell]) for of_cell in by_cell.values()]
    return list(by_cell), np.array(curves), np.array(seconds)


def _finished_by_cell(rows: Sequence[BenchmarkRow]) -> dict[Cell, list[BenchmarkRow]]:
    by_cell: dict[Cell, list[BenchmarkRow]] = {}
    for row in rows:
        if row.status == "finished":
            by_cell.setdefault(row.cell, []).append(row)
    return by_cell


def _noise(rows: Sequence[BenchmarkRow], n_blocks: int) -> NDArray[np.float64]:
    """Standard deviation over seeds, pooled over the cells of a size, `(n_blocks, n_epochs)`.

    A size of which no cell was trained twice has that of all others, which is 0 where nothing was.
    """
    by_cell = _finished_by_cell(rows)
    repeated = [of_cell for of_cell in by_cell.values() if len(of_cell) > 1]
    n_epochs = len(next(iter(by_cell.values()))[0].accuracies)

    def pooled(of_cells: list[list[BenchmarkRow]]) -> NDArray[np.float64]:
        squares = [np.var([row.accuracies for row in of_cell], axis=0) * len(of_cell) for of_cell in of_cells]
        variance: NDArray[np.float64] = np.sum(squares, axis=0) / sum(len(of_cell) - 1 for of_cell in of_cells)
        return variance

    by_size = [
        [of_cell for of_cell in repeated if len(of_cell[0].cell) == size] or repeated for size in range(1, n_blocks + 1)
    ]
    return np.sqrt([pooled(of_cells) if of_cells else np.zeros(n_epochs) for of_cells in by_size])


def _sizes(space: CellSpace, cells: Sequence[BenchmarkCell]) -> NDArray[np.float64]:
    """Coefficients of parameters and multiply-adds, by number of blocks."""
    coefficients = []
    for size in range(1, len(cells[-1].cell) + 1):
        of_size = [cell for cell in cells if len(cell.cell) == size]
        features = read_features(space, [cell.cell for cell in of_size])
        counts = np.array([[cell.n_parameters, cell.multiply_adds] for cell in of_size], dtype=np.float64)
        solved, _, rank, _ = np.linalg.lstsq(features, counts, rcond=None)
        coefficients.append(solved.T if rank == _highest_rank(space, size) else np.full_like(solved.T, np.nan))
    return np.array(coefficients)


def _highest_rank(space: CellSpace, size: int) -> int:
    """Of `read_features` of any number of cells of a size."""
    cells = space.to_cells(space.one_block_cells() if size == 1 else space.sample(size, 1000, 0))
    return int(np.linalg.matrix_rank(read_features(space, cells)))


def _held_out(X: NDArray[np.float32], y: NDArray[np.float64], sizes: NDArray[np.int64]) -> dict[str, float | None]:
    from scipy.stats import spearmanr

    predicted = np.empty(len(y))
    folds = np.random.default_rng(0).permutation(len(y)) % _N_FOLDS
    for fold in range(_N_FOLDS):
        predicted[folds == fold] = _fit_trees(X[folds != fold], y[folds != fold, None]).predict(X[folds == fold])[:, 0]
    groups = {str(size): sizes == size for size in np.unique(sizes)} | {"all": np.ones(len(y), dtype=bool)}
    return {
        name: float(spearmanr(predicted[group], y[group]).statistic)
        if min(len(set(predicted[group])), len(set(y[group]))) > 2
        else None
        for name, group in groups.items()
    }


def _fit_trees(X: NDArray[np.float32], y: NDArray[np.float64]) -> Trees:
    from sklearn.ensemble import GradientBoostingRegressor

    outputs, constants = [], []
    for target in y.T:
        model = GradientBoostingRegressor(
            max_depth=_DEPTH, n_estimators=_N_TREES, learning_rate=_LEARNING_RATE, subsample=0.8, random_state=0
        ).fit(X, target)
        outputs.append([_complete(tree.tree_) for (tree,) in model.estimators_])
        constants.append(float(target.mean()))
    assert X.shape[1] <= 256  # which a byte can tell apart
    features, thresholds, values = (np.array(part) for part in zip(*map(_unzipped, outputs), strict=True))
    return Trees(
        features=features.astype(np.uint8),
        thresholds=thresholds.astype(np.float32),
        values=(_LEARNING_RATE * values).astype(np.float32),
        constants=np.array(constants, dtype=np.float32),
    )


def _unzipped(trees: Sequence[tuple[Any, Any, Any]]) -> tuple[Any, Any, Any]:
    features, thresholds, values = zip(*trees, strict=True)
    return features, thresholds, values


def _complete(tree: Any) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """scikit-learn's tree as a complete one: below its leaves, both branches are one."""
    n_inner = 2**_DEPTH - 1
    features, thresholds = np.zeros(n_inner, dtype=np.int64), np.full(n_inner, np.inf)
    values = np.zeros(2**_DEPTH)
    where = {0: 0}
    for node in range(n_inner + 2**_DEPTH):
        source = where[node]
        is_leaf = tree.children_left[source] < 0
        if node >= n_inner:
            values[node - n_inner] = tree.value[source, 0, 0]
            continue
        if not is_leaf:
            features[node], thresholds[node] = tree.feature[source], tree.threshold[source]
        where[2 * node + 1] = source if is_leaf else tree.children_left[source]
        where[2 * node + 2] = source if is_leaf else tree.children_right[source]
    return features, thresholds, values

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pnas_search import Benchmark
from pnas_searchspace import Cell


def expected_accuracies(benchmark: Benchmark, cells: Sequence[Cell]) -> NDArray[np.float64]:
    """What cells reach on average, and in another training may be expected to, `(N,)`.

    The best of many accuracies are the luckiest, too. Here is less luck: of trained cells the mean of the trainings
    that finished, which is the same accuracy where there is but one, and of others what the interpolator says without
    noise.
    """
    expected = np.empty(len(cells))
    unknown = [index for index, cell in enumerate(cells) if cell not in benchmark]
    if unknown:
        curves, _ = benchmark.interpolator.curves([cells[index] for index in unknown])
        expected[unknown] = curves[:, -1]
    for index, cell in enumerate(cells):
        if cell in benchmark:
            expected[index] = np.mean([row.accuracy for row in benchmark.trainings(cell) if row.accuracy is not None])
    return expected

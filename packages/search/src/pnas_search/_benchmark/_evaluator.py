import hashlib
import math
from collections.abc import Iterator, Sequence

import numpy as np

from pnas_search._benchmark._table import Benchmark, BenchmarkRow
from pnas_search._errors import SearchError
from pnas_search._evaluation import Evaluator, Outcome, Request
from pnas_searchspace import Cell


class BenchmarkEvaluator(Evaluator):
    """An `Evaluator` that answers from a benchmark, at once.

    What is compared on it is compared on a surrogate benchmark, and should say so.

    A cell that was trained has the outcome of one of its trainings, the request's seed deciding which. Any other has
    what the interpolator predicts, with noise of the size that seeds make, one draw by the request's seed for all
    epochs; or it is refused. `measurements["measured"]` is 1 of the first and 0 of the second.

    Args:
        benchmark: to answer from.
        exact: whether cells that nobody has trained are refused.
    """

    def __init__(self, benchmark: Benchmark, *, exact: bool = False) -> None:
        self._benchmark = benchmark
        self._exact = exact

    def evaluate(self, requests: Sequence[Request]) -> Iterator[tuple[Request, Outcome]]:
        """Give every request's outcome, in order.

        Raises:
            SearchError: a cell is larger than those of the benchmark, has another operation, or was not trained where
                it must be.
        """
        unknown = [request for request in requests if request.cell not in self._benchmark]
        if self._exact and unknown:
            self._benchmark.trainings(unknown[0].cell)
        for request in unknown:
            self._check(request.cell)
        interpolated = iter(self._interpolated(unknown))
        for request in requests:
            yield request, self._measured(request) if request.cell in self._benchmark else next(interpolated)

    def _check(self, cell: Cell) -> None:
        benchmark = self._benchmark
        operations = benchmark.interpolator.space.operations
        others = [name for block in cell for name in (block[1], block[3]) if name not in operations]
        if len(cell) > benchmark.n_blocks or others:
            raise SearchError(
                f"{benchmark.name} knows cells of 1 to {benchmark.n_blocks} blocks over {', '.join(operations)}, and "
                f"{cell} has {others[0] if others else f'{len(cell)} blocks'}: search among those, or train"
            )

    def _measured(self, request: Request) -> Outcome:
        trainings = self._benchmark.trainings(request.cell)
        row: BenchmarkRow = trainings[request.seed % len(trainings)]
        about = self._benchmark.describe(request.cell)
        return Outcome(
            status=row.status,
            accuracy=row.accuracy,
            accuracies=row.accuracies,
            n_examples=len(row.accuracies) * int(self._benchmark.about["n_train"]),
            seconds=row.seconds,
            measurements={"measured": 1, "n_parameters": about.n_parameters, "multiply_adds": about.multiply_adds},
        )

    def _interpolated(self, requests: Sequence[Request]) -> list[Outcome]:
        if not requests:
            return []
        benchmark, cells = self._benchmark, [request.cell for request in requests]
        curves, seconds = benchmark.interpolator.curves(cells)
        counts = benchmark.interpolator.counts(cells)
        noise = np.array([_normal(request) for request in requests])
        curves += benchmark.interpolator.noise[[len(cell) - 1 for cell in cells]] * noise[:, None]
        return [
            Outcome(
                status="finished",
                accuracy=curve[-1],
                accuracies=tuple(curve),
                n_examples=benchmark.n_epochs * int(benchmark.about["n_train"]),
                seconds=of_cell,
                measurements={"measured": 0, **_known(n_parameters=n_parameters, multiply_adds=multiply_adds)},
            )
            for curve, of_cell, (n_parameters, multiply_adds) in zip(
                np.clip(curves, 0, 1).tolist(), seconds.tolist(), counts.tolist(), strict=True
            )
        ]


def _known(**counts: float) -> dict[str, float]:
    return {name: count for name, count in counts.items() if not math.isnan(count)}


def _normal(request: Request) -> float:
    """A standard normal number that follows from the request's seed and cell."""
    digest = hashlib.sha256(f"{request.seed} {request.cell.key}".encode()).digest()
    return float(np.random.default_rng(int.from_bytes(digest[:8], "big")).standard_normal())

"""Which cells of a level are the best ones."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pnas_search._errors import SearchError
from pnas_search._pareto import crowding_distance, fronts

Floats = NDArray[np.float64]

Acquisition = Callable[[Floats, Floats, float], Floats]
"""What each cell is worth, `(N,)`, higher is better, given the mean and the standard deviation of its accuracy, `(N,)`
both, and the best accuracy that was measured so far."""

Costs = Callable[[NDArray[np.int64]], NDArray[np.float64]]
"""What canonical cells `(N, n_blocks, 4)` cost, `(N, n_costs)`, lower is better; known before they are trained."""


def by_score(scores: Floats, size: int) -> NDArray[np.intp]:
    """The indices of so many cells of the highest scores, best first, or of all there are."""
    # A stable sort: equal scores stay in the order of the canonical forms.
    return np.argsort(-scores, kind="stable")[:size]


def by_fronts(scores: Floats, costs: Floats, size: int) -> NDArray[np.intp]:
    """The indices of so many cells, front by front of the Pareto order of scores and costs, by score within a front.

    Of the last front, where not all of it fits, those with the largest crowding distance (NSGA-II; Deb et al., 2002).
    """
    points = np.column_stack([scores, -costs])
    chosen: list[NDArray[np.intp]] = []
    n_left = min(size, len(points))
    for front in fronts(points):
        ranked = front[by_score(scores[front], len(front))]
        if len(ranked) > n_left:
            ranked = ranked[np.sort(by_score(crowding_distance(points[ranked]), n_left))]
        chosen.append(ranked)
        n_left -= len(ranked)
        if not n_left:
            break
    return np.concatenate(chosen)


def costs_of(cells: NDArray[np.int64], costs: Costs) -> Floats:
    """What cells cost, or a sentence that says what is wrong with it."""
    given = np.asarray(costs(cells), dtype=np.float64)
    if given.ndim != 2 or len(given) != len(cells) or not given.shape[1] or not np.isfinite(given).all():
        raise SearchError(
            f"costs must be finite numbers ({len(cells)}, n_costs) for {len(cells)} cells, and they are of the shape "
            f"{given.shape}" + (", some not finite" if not np.isfinite(given).all() else "")
        )
    return given


def scores_of(mean: Floats, std: Floats, best: float, acquisition: Acquisition) -> Floats:
    """What an acquisition says cells are worth, or a sentence that says what is wrong with it."""
    scores = np.asarray(acquisition(mean, std, best), dtype=np.float64)
    if scores.shape != mean.shape or not np.isfinite(scores).all():
        raise SearchError(
            f"an acquisition must give a finite number for each of {len(mean)} cells, and {acquisition!r} gave "
            f"the shape {scores.shape}" + (", some not finite" if not np.isfinite(scores).all() else "")
        )
    return scores

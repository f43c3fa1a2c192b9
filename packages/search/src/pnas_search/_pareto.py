"""What is best where there are several aims: points `(N, n_objectives)`, higher is better in every column."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pnas_search._errors import SearchError

Points = NDArray[np.float64]


def pareto_front(points: ArrayLike) -> NDArray[np.bool_]:
    """Which points no other dominates, `(N,)`: no other is as good in every objective and better in one.

    Args:
        points: `(N, n_objectives)`, higher is better in every column.

    Raises:
        SearchError: they are not finite numbers of this shape.
    """
    checked = _checked(points)
    front = np.zeros(len(checked), dtype=np.bool_)
    front[next(fronts(checked), np.empty(0, dtype=np.intp))] = True
    return front


def hypervolume(points: ArrayLike, reference: ArrayLike) -> float:
    """The volume of all that points dominate and that dominates a reference point; exact.

    Two objectives take a sort, and every further one slices the volume at every point of the front (While et al., "A
    faster algorithm for calculating hypervolume", 2006).

    Args:
        points: `(N, n_objectives)`, higher is better in every column.
        reference: `(n_objectives,)`; what is not better than it in every objective adds nothing.

    Raises:
        SearchError: they are not finite numbers of these shapes.
    """
    checked, origin = _checked(points), np.asarray(reference, dtype=np.float64)
    if origin.shape != checked.shape[1:] or not np.isfinite(origin).all():
        raise SearchError(
            f"the reference point must be {checked.shape[1]} finite numbers, one for every objective, not {reference!r}"
        )
    sides = (checked - origin)[(checked > origin).all(axis=1)]
    return _volume(sides[pareto_front(sides)])


def fronts(points: Points) -> Iterator[NDArray[np.intp]]:
    """Non-dominated sorting (Deb et al., 2002): each front's indices, ascending, the best front first.

    A front is those that no other dominates but such of the fronts before; it is found when it is asked for.
    """
    distinct, groups = np.unique(-points, axis=0, return_inverse=True)
    groups = groups.reshape(-1)  # NumPy 2.0 alone gives a column
    order, non_dominated = np.arange(len(distinct)), _staircase
    if points.shape[1] != 2:
        order, non_dominated = np.argsort(_ranks(distinct).sum(axis=1), kind="stable"), _culled
    while len(order):
        found = non_dominated(distinct[order])
        front = np.zeros(len(distinct), dtype=np.bool_)
        front[order[found]] = True
        yield np.flatnonzero(front[groups])
        order = order[~found]


def crowding_distance(points: Points) -> Points:
    """How far the neighbours of every point are apart, `(N,)` (NSGA-II; Deb et al., 2002).

    It is the sum over objectives, each scaled to its range, of the distance between the next better and the next worse
    point. The ends of an objective's range are infinitely far from others; one in which all are equal adds nothing.
    """
    distance = np.zeros(len(points))
    for column in points.T:
        order = np.argsort(column, kind="stable")
        ordered = column[order]
        spread = ordered[-1] - ordered[0]
        if spread > 0:
            distance[order[1:-1]] += (ordered[2:] - ordered[:-2]) / spread
            distance[order[[0, -1]]] = np.inf
    return distance


def _staircase(costs: Points) -> NDArray[np.bool_]:
    """Which of different pairs in lexicographic order no other dominates; here lower is better."""
    found = np.ones(len(costs), dtype=np.bool_)
    found[1:] = costs[1:, 1] < np.minimum.accumulate(costs[:-1, 1])
    return found


def _culled(costs: Points) -> NDArray[np.bool_]:
    """Which of different points no other dominates, where none is dominated by a later one; here lower is better."""
    found = np.zeros(len(costs), dtype=np.bool_)
    columns, left = np.ascontiguousarray(costs.T), np.arange(len(costs))
    while len(left):
        found[left[0]] = True
        better = (columns < columns[:, :1]).any(axis=0)
        columns, left = columns.compress(better, axis=1), left[better]
    return found


def _ranks(costs: Points) -> NDArray[np.intp]:
    """The place of every value among the different ones of its column: exact sums, that no scale tilts."""
    return np.column_stack([np.unique(column, return_inverse=True)[1].reshape(-1) for column in costs.T])


def _volume(sides: Points) -> float:
    """That of the union of boxes with one corner at 0 and these sides, `(N, n_objectives)`."""
    if not len(sides):
        return 0.0
    if sides.shape[1] == 1:
        return float(sides.max())
    ordered = sides[np.argsort(-sides[:, -1], kind="stable")]
    heights = ordered[:, -1] - np.append(ordered[1:, -1], 0)
    if sides.shape[1] == 2:
        return float(heights @ np.maximum.accumulate(ordered[:, 0]))
    slices = (height * _volume(ordered[: index + 1, :-1]) for index, height in enumerate(heights) if height > 0)
    return float(sum(slices))


def _checked(points: ArrayLike) -> Points:
    checked = np.asarray(points, dtype=np.float64)
    finite = np.isfinite(checked).all()
    if checked.ndim != 2 or not checked.shape[1] or not finite:
        raise SearchError(
            f"points must be finite numbers (N, n_objectives), and these are of the shape {checked.shape}"
            + ("" if finite else ", some not finite")
        )
    return checked

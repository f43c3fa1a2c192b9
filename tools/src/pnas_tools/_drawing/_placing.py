"""Where in its row everything stands, so that lines are short and lanes are straight."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_SWEEPS = 24


@dataclass(frozen=True, kw_only=True)
class Link:
    """A line between two rows, from an upper to a lower source.

    Attributes:
        upper: the row and the source.
        lower: the row below, and the source.
        offset: of the line's upper end from the upper source's middle.
        weight: how much it should be upright.
    """

    upper: tuple[int, int]
    lower: tuple[int, int]
    offset: float
    weight: float


@dataclass(frozen=True)
class Extent:
    """How far something reaches to the left and to the right of its middle, with the space around it."""

    left: float
    right: float


def place_rows(
    rows: Sequence[Sequence[int]], extents: dict[tuple[int, int], Extent], links: Sequence[Link]
) -> dict[tuple[int, int], int]:
    """The middle of every source in every row, in whole pixels.

    Row by row, the sum of the squares by which lines are not upright is made as small as the space that sources need
    allows. Last, a lane stands above where it comes from, as far as its neighbours leave room.
    """
    keys = [[(index, source) for source in row] for index, row in enumerate(rows)]
    x: dict[tuple[int, int], float] = {}
    for row in keys:
        x |= zip(row, _apart([0.0] * len(row), [1.0] * len(row), [extents[key] for key in row]), strict=True)
    wishes: dict[tuple[int, int], list[tuple[tuple[int, int], float, float]]] = {key: [] for row in keys for key in row}
    for link in links:
        wishes[link.upper].append((link.lower, -link.offset, link.weight))
        wishes[link.lower].append((link.upper, link.offset, link.weight))
    for sweep in range(_SWEEPS):
        for row in keys if sweep % 2 else keys[::-1]:
            weights = [sum(weight for _, _, weight in wishes[key]) for key in row]
            middles = [
                sum(weight * (x[other] + offset) for other, offset, weight in wishes[key]) / total if total else x[key]
                for key, total in zip(row, weights, strict=True)
            ]
            x |= zip(row, _apart(middles, [total or 1e-3 for total in weights], [extents[k] for k in row]), strict=True)
    placed: dict[tuple[int, int], int] = {}
    for row in keys:
        placed |= zip(row, _whole([x[key] for key in row], [extents[key] for key in row]), strict=True)
    _straighten(keys, extents, placed)
    return placed


def _straighten(
    keys: Sequence[Sequence[tuple[int, int]]], extents: dict[tuple[int, int], Extent], x: dict[tuple[int, int], int]
) -> None:
    for row in keys[1:]:
        for place, (index, source) in enumerate(row):
            below = (index - 1, source)
            if below not in x:
                continue
            key = (index, source)
            low = x[row[place - 1]] + _gap(extents, row[place - 1], key) if place else -math.inf
            high = x[row[place + 1]] - _gap(extents, key, row[place + 1]) if key != row[-1] else math.inf
            x[key] = int(max(low, min(high, x[below])))


def _gap(extents: dict[tuple[int, int], Extent], left: tuple[int, int], right: tuple[int, int]) -> float:
    return extents[left].right + extents[right].left


def _apart(wanted: Sequence[float], weights: Sequence[float], extents: Sequence[Extent]) -> list[float]:
    """The nearest places, in weighted least squares, to those that are wanted, with everything beside its neighbour.

    Less the space to their left, places only have to rise: isotonic regression, by pooling adjacent violators.
    """
    starts = _starts(extents)
    pools: list[tuple[float, float, int]] = []
    for place, weight, start in zip(wanted, weights, starts, strict=True):
        mean, total, n = place - start, weight, 1
        while pools and pools[-1][0] >= mean:
            other, other_total, other_n = pools.pop()
            mean = (mean * total + other * other_total) / (total + other_total)
            total, n = total + other_total, n + other_n
        pools.append((mean, total, n))
    means = [mean for mean, _, n in pools for _ in range(n)]
    return [mean + start for mean, start in zip(means, starts, strict=True)]


def _whole(places: Sequence[float], extents: Sequence[Extent]) -> list[int]:
    """Places in whole pixels that are as far apart as before; rounding keeps what rises from falling."""
    starts = _starts(extents)
    return [round(place - start) + round(start) for place, start in zip(places, starts, strict=True)]


def _starts(extents: Sequence[Extent]) -> list[float]:
    """How far from the first each would stand if they stood as near as they may."""
    starts = [0.0]
    for left, right in pairwise(extents):
        starts.append(starts[-1] + left.right + right.left)
    return starts

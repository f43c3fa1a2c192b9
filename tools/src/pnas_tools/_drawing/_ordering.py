"""The order of what stands in a row, so that few lines cross."""

from collections.abc import Sequence

from pnas_tools._drawing._layers import Layers

_SWEEPS = 8


def order_rows(layers: Layers) -> list[list[int]]:
    """The sources of every row from left to right; the cell's inputs stay in the order of their numbers.

    Rows are sorted by the middle of what they lead to, upwards and downwards in turn (Sugiyama, Tagawa and Toda, 1981),
    then neighbours change places while that takes away crossings. The best of all sweeps is kept.
    """
    rows = [list(row) for row in layers.rows]
    best = [list(row) for row in rows]
    for sweep in range(_SWEEPS):
        _sort(layers, rows, upwards=sweep % 2 == 0)
        while _swap_neighbours(layers, rows):
            pass
        if _total(layers, rows) < _total(layers, best):
            best = [list(row) for row in rows]
    return best


def _sort(layers: Layers, rows: list[list[int]], *, upwards: bool) -> None:
    if upwards:
        for row in range(1, len(rows)):
            place = _places(rows[row - 1])
            middles = {s: _mean([place[below] for below in layers.read(s, row)]) for s in rows[row]}
            rows[row].sort(key=middles.__getitem__)
        return
    for row in range(len(rows) - 2, 0, -1):
        place = _places(rows[row + 1])
        readers = {s: [place[above] for above in rows[row + 1] if s in layers.read(above, row + 1)] for s in rows[row]}
        stay = _places(rows[row])
        rows[row].sort(key=lambda s: _mean(readers[s] or [stay[s]]))


def _swap_neighbours(layers: Layers, rows: list[list[int]]) -> bool:
    """Swap neighbours wherever fewer lines cross then; give whether there were any."""
    changed = False
    for index in range(1, len(rows)):
        row = rows[index]
        for left in range(len(row) - 1):
            before = _around(layers, rows, index)
            row[left], row[left + 1] = row[left + 1], row[left]
            if _around(layers, rows, index) < before:
                changed = True
            else:
                row[left], row[left + 1] = row[left + 1], row[left]
    return changed


def _around(layers: Layers, rows: list[list[int]], row: int) -> int:
    return _crossings(layers, rows, row) + (_crossings(layers, rows, row + 1) if row + 1 < len(rows) else 0)


def _total(layers: Layers, rows: list[list[int]]) -> int:
    return sum(_crossings(layers, rows, row) for row in range(1, len(rows)))


def _crossings(layers: Layers, rows: list[list[int]], row: int) -> int:
    """How many lines cross between a row and the one below; the operands of a block stand as their inputs do."""
    place = _places(rows[row - 1])
    ends = [end for source in rows[row] for end in sorted(place[below] for below in layers.read(source, row))]
    return sum(left > right for index, right in enumerate(ends) for left in ends[:index])


def _places(row: Sequence[int]) -> dict[int, int]:
    return {source: place for place, source in enumerate(row)}


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values)

"""Which cell was expanded into which: the paper's figure 2, of a search as it went."""

from collections.abc import Mapping, Sequence
from typing import Any

from pnas_tools._report._chart import Chart, Trace, label, line, points
from pnas_tools._report._child import Child
from pnas_tools._report._search_data import SearchData, ranked
from pnas_tools._report._section import Section
from pnas_tools._report._words import count, level_name, ordinal

_HALF_WIDTH = 0.34  # of a level's column, as a share of what lies between two levels

Places = Mapping[int, tuple[float, float]]


def make_genealogy(search: SearchData) -> Section:
    """Every child at its accuracy, with lines from parents to children."""
    places = _places(search)
    edges = [child for child in search.children if child.parent in places and child.index in places]
    shown = [search.children[index] for index in places]
    descent = _descent(search)
    how = "by the number of blocks" if search.grows else "in the order in which they were asked for"
    chart = Chart(
        name="genealogy-chart",
        description=f"The accuracy of {count(len(shown), 'child', 'children')} {how}, with lines from parents.",
        traces=[
            line(*_segments(edges, places), "--point", 0.8, opacity=_opacity(len(edges))),
            points(shown, [places[child.index][0] for child in shown], [places[child.index][1] for child in shown]),
            _descent_trace(descent, places),
        ],
        layout=_layout(search, descent, places),
        height=520,
        shows_descent=True,
    )
    return Section(
        name="genealogy",
        heading="Where the best cell comes from",
        message=_message(search, descent, edges),
        notes=_notes(search, edges),
        charts=[chart] if shown else [],
    )


def _places(search: SearchData) -> Places:
    """Where the children with an accuracy are, by their index."""
    known = [child for child in search.children if child.accuracy is not None]
    if not search.grows:
        return {child.index: (child.index + 1, child.accuracy or 0.0) for child in known}
    places = {}
    for column, children in enumerate(search.levels.values()):
        for position, child in enumerate(ranked(children)):
            x = column + 1 + 2 * _HALF_WIDTH * (_spread(position) - 0.5)
            places[child.index] = (round(x, 3), child.accuracy or 0.0)
    return {child.index: places[child.index] for child in known}


def _spread(position: int) -> float:
    """Van der Corput's sequence in [0, 1): neighbours in accuracy are never neighbours in the column."""
    value, share = 0.0, 0.5
    while position:
        value += share * (position & 1)
        position, share = position >> 1, share / 2
    return value


def _opacity(n_lines: int) -> float:
    """The more lines, the fainter each."""
    return min(0.5, max(0.15, 30 / max(1, n_lines)))


def _segments(children: Sequence[Child], places: Places) -> tuple[list[float | None], list[float | None]]:
    """Every child's line from its parent, with a gap after each."""
    x: list[float | None] = []
    y: list[float | None] = []
    for child in children:
        assert child.parent is not None  # or it would have no line
        for place in (places[child.parent], places[child.index], (None, None)):
            x.append(place[0])
            y.append(place[1])
    return x, y


def _descent(search: SearchData) -> list[Child]:
    """The best child and its ancestors that have an accuracy, the first of them first."""
    descent: list[Child] = []
    child = search.best
    while child is not None:
        if child.accuracy is not None:
            descent.append(child)
        child = search.children[child.parent] if child.parent is not None else None
    return descent[::-1]


def _descent_trace(descent: Sequence[Child], places: Places) -> Trace:
    x, y = [places[child.index][0] for child in descent], [places[child.index][1] for child in descent]
    trace = points(descent, x, y, size=9, color="--accent", opacity=1, line={"color": "--page", "width": 1.5})
    return {**trace, "mode": "lines+markers", "line": {"color": "--accent", "width": 2}}


def _layout(search: SearchData, descent: Sequence[Child], places: Places) -> dict[str, Any]:
    y_axis = {"title": {"text": "validation accuracy"}}
    if not search.grows:
        x_title = "children in the order in which they were asked for"
        return {"xaxis": {"title": {"text": x_title}, "rangemode": "tozero"}, "yaxis": y_axis}
    names = [level_name(level) for level in search.levels]
    x_axis = {
        "tickvals": list(range(1, len(names) + 1)),
        "ticktext": names,
        "range": [0.5, len(names) + 0.5],
        "showgrid": False,
    }
    return {"xaxis": x_axis, "yaxis": y_axis, "annotations": _rank_labels(search, descent, places)}


def _rank_labels(search: SearchData, descent: Sequence[Child], places: Places) -> list[dict[str, Any]]:
    return [
        label(*places[child.index], _rank(search, child), "--accent-text", yshift=15, bgcolor="--veil", borderpad=1)
        for child in descent
    ]


def _rank(search: SearchData, child: Child) -> str:
    level = ranked(search.levels[child.level])
    return f"{ordinal(level.index(child) + 1)} of {len(level):,}"


def _message(search: SearchData, descent: Sequence[Child], edges: Sequence[Child]) -> str:
    if search.best is None:
        return "No child has an accuracy yet, so there is no best cell."
    asked = f"it was the {ordinal(search.best.index + 1)} that was asked for"
    if not edges:
        return f"No cell was expanded into the best one; {asked}."
    if not search.grows:
        # A cell that was trained again is no ancestor of its own.
        return f"The best cell has {count(len({child.cell for child in descent}) - 1, 'ancestor')}; {asked}."
    *before, last = (_rank(search, child) for child in descent)
    if not before:
        return f"The best cell has no parent: it is {last} with {level_name(search.best.level)}."
    levels = f"From {level_name(descent[0].level)} to {level_name(search.best.level)}"
    return f"{levels}, the best cell and its ancestors ranked {', '.join(before)} and {last}."


def _notes(search: SearchData, edges: Sequence[Child]) -> list[str]:
    notes = []
    if search.grows and edges:
        expanded = {child.parent for child in edges}
        parents = [
            f"{len([child for child in children if child.index in expanded]):,} of {len(children):,} with "
            f"{level_name(level)}"
            for level, children in list(search.levels.items())[:-1]
        ]
        notes.append(f"Cells whose children were trained: {', '.join(parents)}.")
        notes.append("Within a column only the height means something: the accuracy.")
    missing = sum(child.accuracy is None for child in search.children)
    if missing:
        notes.append(f"{count(missing, 'child', 'children')} without an accuracy cannot be shown.")
    return notes

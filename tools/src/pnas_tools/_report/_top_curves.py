"""Accuracy against models trained: the paper's figure 4, of one search."""

from math import isnan, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pnas_tools._compare_trial import TOPS, top_means
from pnas_tools._report._chart import Chart, Trace, label, line, points
from pnas_tools._report._child import Child
from pnas_tools._report._search_data import SearchData
from pnas_tools._report._section import Section
from pnas_tools._report._words import count, level_name, ordinal

_COLORS = ("--accent", "--line-2", "--line-3")
_DASHES = ("solid", "dash", "dot")


def make_top_curves(search: SearchData) -> Section:
    """The mean accuracy of the best M after every model, and the models that were the best so far."""
    usual = [child for child in search.children if child.fidelity == 1]
    accuracies = [child.accuracy or 0.0 if child.is_finished else nan for child in usual]
    curves = {top: top_means(accuracies, top) for top in TOPS}
    curves = {top: curve for top, curve in curves.items() if not np.isnan(curve).all()}
    records = _records(usual)
    chart = Chart(
        name="top-chart",
        description="The mean accuracy of the best M models after each model.",
        traces=[
            *(_curve(curve, top) for top, curve in curves.items()),
            points(records, [child.index + 1 for child in records], [child.accuracy for child in records], size=8)
            | {"marker": {"size": 8, "color": "--accent", "line": {"color": "--page", "width": 1.5}}},
        ],
        layout=_layout(search, curves, len(usual)),
    )
    return Section(
        name="top",
        heading="How soon it was found",
        message=_message(usual, records),
        notes=["A point is a model that was better than all before it."] if records else [],
        charts=[chart] if curves else [],
    )


def _records(children: list[Child]) -> list[Child]:
    """Those that were more accurate than all before them."""
    records: list[Child] = []
    for child in children:
        if child.is_finished and (not records or (child.accuracy or 0.0) > (records[-1].accuracy or 0.0)):
            records.append(child)
    return records


def _curve(curve: NDArray[np.float64], top: int) -> Trace:
    """A staircase; only its steps are kept."""
    kept = [
        index
        for index, value in enumerate(curve)
        if not isnan(value) and (index in (0, len(curve) - 1) or value != curve[index - 1])
    ]
    style = TOPS.index(top)
    return line(
        [index + 1 for index in kept],
        [round(float(curve[index]), 5) for index in kept],
        _COLORS[style],
        2,
        line={"shape": "hv", "dash": _DASHES[style]},
    )


def _layout(search: SearchData, curves: dict[int, NDArray[np.float64]], n_models: int) -> dict[str, Any]:
    ends = [
        label(n_models, float(curve[-1]), _curve_name(top), "--ink", xanchor="left", yanchor=anchor, xshift=6)
        for (top, curve), anchor in zip(curves.items(), ("bottom", "middle", "top"), strict=False)
    ]
    boundaries = _boundaries(search)
    return {
        "xaxis": {"title": {"text": "models trained"}, "range": [0, n_models * 1.01], "showgrid": not boundaries},
        "yaxis": {"title": {"text": "mean accuracy of the best M"}},
        "margin": {"r": 96},
        "annotations": [
            *ends,
            *(
                label(x, 1, name, "--muted", yref="paper", xanchor="left", yanchor="bottom", xshift=-2)
                for x, name in boundaries
            ),
        ],
        "shapes": [_upright_line(x) for x, _ in boundaries],
    }


def _upright_line(x: int) -> dict[str, Any]:
    style = {"color": "--grid", "width": 1}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "layer": "below", "line": style}


def _curve_name(top: int) -> str:
    return "the best" if top == 1 else f"best {top}"


def _boundaries(search: SearchData) -> list[tuple[int, str]]:
    """Where levels begin, where there are several."""
    if not search.grows:
        return []
    firsts = [(children[0].index, level) for level, children in search.levels.items() if level[0] == 1]
    return [(index, level_name(level)) for index, level in firsts]


def _message(children: list[Child], records: list[Child]) -> str:
    if not records:
        return "No model has an accuracy yet."
    best = records[-1]
    found = (
        f"The most accurate of {count(len(children), 'model')} was the {ordinal(best.index + 1)} ({best.accuracy:.4f})"
    )
    near = next(child for child in records if (best.accuracy or 0.0) - (child.accuracy or 0.0) <= 0.01)
    return f"{found}." if near is best else f"{found}; the {ordinal(near.index + 1)} was already within 0.01 of it."

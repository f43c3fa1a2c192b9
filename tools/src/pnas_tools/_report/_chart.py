"""A figure of the report: traces and a layout as plotly.js reads them.

A colour is the name of a custom property of the page's style, such as `--accent`; the page puts in what that is at the
moment, light or dark. `customdata` of a point is the index of its child.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pnas_tools._report._child import Child

Trace = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A figure with axes.

    Attributes:
        name: of the element that holds it.
        title: a few words, or none.
        description: what it shows, for those who do not see it.
        traces: plotly.js's `data`.
        layout: plotly.js's, but for what all charts share.
        height: in pixels.
        shows_descent: whether the page draws the ancestors and children of the cell that is pointed at.
    """

    name: str
    title: str = ""
    description: str
    traces: Sequence[Trace]
    layout: dict[str, Any]
    height: int = 420
    shows_descent: bool = False

    def as_json(self) -> dict[str, Any]:
        """What the page's script reads."""
        return {"traces": list(self.traces), "layout": self.layout, "shows_descent": self.shows_descent}


def points(children: Sequence[Child], x: Sequence[Any], y: Sequence[Any], **marker: Any) -> Trace:
    """A point for every child, which can be pointed at."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": list(x),
        "y": list(y),
        "customdata": [child.index for child in children],
        "hoverinfo": "none",
        "marker": {"size": 6, "color": "--point", "opacity": 0.75, **marker},
    }


def line(x: Sequence[Any], y: Sequence[Any], color: str, width: float = 1.5, **rest: Any) -> Trace:
    """A line, which cannot be pointed at."""
    style = {"color": color, "width": width, **rest.pop("line", {})}
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(x),
        "y": list(y),
        "hoverinfo": "skip",
        "line": style,
        **rest,
    }


def label(x: Any, y: Any, text: str, color: str, **rest: Any) -> dict[str, Any]:
    """Text in a chart, as an annotation of its layout."""
    return {"x": x, "y": y, "text": text, "showarrow": False, "font": {"color": color}, **rest}


def by_size(children: Sequence[Child]) -> dict[str, Any]:
    """The colours of points by how many blocks a cell has: the more, the stronger."""
    sizes = [len(child.cell) for child in children]
    return {
        "color": sizes,
        "cmin": 1,
        "cmax": max([2, *sizes]),
        "colorscale": [[0, "--few-blocks"], [1, "--many-blocks"]],
    }

"""The report as one HTML file."""

import json
from importlib.resources import files
from typing import Any

from pnas_tools._drawing import DRAWING_CSS, cell_fragment
from pnas_tools._report import _headline
from pnas_tools._report._child import Child
from pnas_tools._report._drawings import packed_drawings
from pnas_tools._report._failures import failures, failures_message
from pnas_tools._report._genealogy import make_genealogy
from pnas_tools._report._level_costs import costs_message, level_costs
from pnas_tools._report._predictions import make_predictions
from pnas_tools._report._search_data import SearchData, ranked
from pnas_tools._report._section import Section
from pnas_tools._report._settings import settings, versions
from pnas_tools._report._top_curves import make_top_curves
from pnas_tools._report._trade_offs import make_trade_offs
from pnas_tools._report._words import amount, duration, level_name

_N_DRAWN = 6


def make_page(search: SearchData) -> str:
    """A page that fetches nothing."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from plotly.offline import get_plotlyjs

    environment = Environment(
        loader=PackageLoader("pnas_tools._report", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"amount": amount, "duration": duration, "json": _json}
    sections = [make(search) for make in (make_genealogy, make_predictions, make_top_curves, make_trade_offs)]
    return environment.get_template("page.html").render(
        search=search,
        headline=_headline,
        best_cells=[(child, cell_fragment(child.cell)) for child in _best(search)],
        sections=sections,
        costs=level_costs(search),
        costs_message=costs_message(search),
        failures=failures(search),
        failures_message=failures_message(search),
        settings=settings(search),
        versions=versions(search),
        data=_data(search, sections),
        drawings=packed_drawings(search.children),
        style=DRAWING_CSS + _part("page.css"),
        script=_part("page.js"),
        plotly=get_plotlyjs(),
    )


def _best(search: SearchData) -> list[Child]:
    """The best child, and the next of its level."""
    if search.best is None:
        return []
    others = [child for child in ranked(search.levels[search.best.level]) if child is not search.best]
    return [search.best, *others[: _N_DRAWN - 1]]


def _data(search: SearchData, sections: list[Section]) -> dict[str, Any]:
    """What the page's script reads."""
    return {
        "charts": {chart.name: chart.as_json() for section in sections for chart in section.charts},
        "children": [
            {name: getattr(child, name) for name in Child.__slots__}
            | {"cell": str(child.cell), "level": level_name(child.level), "n_blocks": len(child.cell)}
            for child in search.children
        ],
        "best": search.best.index if search.best is not None else None,
    }


def _json(value: Any) -> str:
    """JSON that cannot end the element it stands in."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")


def _part(name: str) -> str:
    return (files("pnas_tools._report") / "page" / name).read_text(encoding="utf-8")

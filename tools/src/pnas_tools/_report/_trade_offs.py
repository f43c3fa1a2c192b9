"""Accuracy against what a network costs, with the Pareto front."""

from collections.abc import Callable, Sequence
from typing import Any

from pnas_search import pareto_front
from pnas_tools._report._chart import Chart, by_size, line, points
from pnas_tools._report._child import Child
from pnas_tools._report._search_data import SearchData
from pnas_tools._report._section import Section
from pnas_tools._report._words import amount, count

Cost = Callable[[Child], int | None]
_COSTS: dict[str, Cost] = {
    "parameters": lambda child: child.n_parameters,
    "multiply-adds": lambda child: child.multiply_adds,
}


def make_trade_offs(search: SearchData) -> Section:
    """A panel for every cost that is known."""
    known = {name: [child for child in search.measured if cost(child)] for name, cost in _COSTS.items()}
    known = {name: children for name, children in known.items() if children}
    return Section(
        name="trade-offs",
        heading="Accuracy against cost",
        message=_message(known),
        notes=["Nothing is both cheaper and more accurate than a cell on the line, the Pareto front."] if known else [],
        charts=[_panel(name, children, _COSTS[name]) for name, children in known.items()],
        sizes=sorted({len(child.cell) for children in known.values() for child in children}),
    )


def front_of(children: Sequence[Child], cost: Cost) -> list[Child]:
    """Those that no other is cheaper and more accurate than, the cheapest first."""
    on_front = pareto_front([[child.accuracy or 0.0, -(cost(child) or 0)] for child in children])
    front = [child for child, is_on_front in zip(children, on_front, strict=True) if is_on_front]
    return sorted(front, key=lambda child: cost(child) or 0)


def _panel(name: str, children: list[Child], cost: Cost) -> Chart:
    front = front_of(children, cost)
    costs = [cost(child) or 0 for child in children]
    is_wide = max(costs) > 20 * min(costs)
    return Chart(
        name=f"cost-{name}",
        description=f"Accuracy against {name}; {len(front)} of {count(len(children), 'cell')} are on the front.",
        traces=[
            points(children, costs, [child.accuracy for child in children], opacity=0.85, **by_size(children)),
            line(
                [cost(child) for child in front],
                [child.accuracy for child in front],
                "--accent",
                2,
                line={"shape": "hv"},
            ),
        ],
        layout={
            "xaxis": {"title": {"text": name}, **(_log_ticks(costs) if is_wide else {"nticks": 6})},
            "yaxis": {"title": {"text": "accuracy"}},
        },
        height=380,
    )


def _log_ticks(costs: Sequence[int]) -> dict[str, Any]:
    """A logarithmic axis with ticks at 1, 2 and 5 times powers of ten."""
    ticks = [digit * 10**power for power in range(len(str(max(costs)))) for digit in (1, 2, 5)]
    shown = [tick for tick in ticks if min(costs) <= tick <= max(costs)]
    return {"type": "log", "tickvals": shown, "ticktext": [amount(tick) for tick in shown]}


def _message(known: dict[str, list[Child]]) -> str:
    if not known:
        return "What networks cost is not known of any child that has finished."
    name, children = next(iter(known.items()))
    cost = _COSTS[name]
    front = front_of(children, cost)
    best = front[-1]
    cheaper = [child for child in front if (cost(child) or 0) <= (cost(best) or 0) / 2]
    first = f"The most accurate cell has {amount(cost(best) or 0)} {name}"
    if not cheaper:
        return f"{first}, and none with half as many is on the front."
    loss = (best.accuracy or 0.0) - (cheaper[-1].accuracy or 0.0)
    return f"{first}; with at most half as many, {amount(cost(cheaper[-1]) or 0)}, accuracy is {loss:.4f} lower."

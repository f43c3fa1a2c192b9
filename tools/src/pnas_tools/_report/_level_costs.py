"""What every level has cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from pnas_tools._report._child import Child
from pnas_tools._report._search_data import SearchData, ranked
from pnas_tools._report._words import count, duration, level_name


@dataclass(frozen=True, kw_only=True)
class LevelCost:
    """A row of the table of costs.

    Attributes:
        name: of the level.
        n_asked: children that were asked for.
        n_finished: those of them that finished.
        n_examples: images that went through SGD.
        seconds: of training, added up over workers.
        median_seconds: of a child; None where none has an outcome.
        best_accuracy: None where no child has one.
        share: of the whole search's seconds, in [0, 1].
    """

    name: str
    n_asked: int
    n_finished: int
    n_examples: int
    seconds: float
    median_seconds: float | None
    best_accuracy: float | None
    share: float


def level_costs(search: SearchData) -> list[LevelCost]:
    """The costs of all levels, and last their total."""
    whole = sum(child.seconds for child in search.children)
    rows = [_cost(level_name(level), children, whole) for level, children in search.levels.items()]
    return [*rows, _cost("all", search.children, whole)] if len(rows) > 1 else rows


def costs_message(search: SearchData) -> str:
    """What to see in the table."""
    *levels, total = level_costs(search)
    told = "the table says that training takes" if search.benchmark else "training took"
    message = f"{count(len(search.children), 'child', 'children')}: {told} {duration(total.seconds)}"
    if not levels or not total.seconds:
        return f"{message}."
    dearest = max(levels, key=lambda level: level.share)
    return f"{message}, {dearest.share * 100:.0f} % of it for {dearest.name}."


def _cost(name: str, children: Sequence[Child], whole: float) -> LevelCost:
    seconds = [child.seconds for child in children if child.seconds]
    best = next(iter(ranked(children)), None)
    return LevelCost(
        name=name,
        n_asked=len(children),
        n_finished=sum(child.is_finished for child in children),
        n_examples=sum(child.n_examples for child in children),
        seconds=sum(seconds),
        median_seconds=median(seconds) if seconds else None,
        best_accuracy=best.accuracy if best is not None else None,
        share=sum(seconds) / whole if whole else 0.0,
    )

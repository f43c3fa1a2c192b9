"""What the surrogate expected against what was measured: the paper's figure 3, of a search as it went."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import spearmanr

from pnas_tools._report._chart import Chart, line, points
from pnas_tools._report._child import Child
from pnas_tools._report._search_data import SearchData
from pnas_tools._report._section import Section
from pnas_tools._report._words import count, level_name

_FEWEST = 3  # of fewer, a rank correlation says nothing

Level = tuple[int, int]


def make_predictions(search: SearchData) -> Section:
    """A panel for every level that a surrogate has chosen."""
    levels = {level: _compared(children) for level, children in search.levels.items()}
    levels = {level: children for level, children in levels.items() if len(children) >= _FEWEST}
    correlations = {level: rank_correlation(children) for level, children in levels.items()}
    measured = _range([child.accuracy or 0.0 for children in levels.values() for child in children])
    return Section(
        name="predictions",
        heading="What the surrogate expected",
        message=_message(search, correlations),
        notes=[
            "On the dotted line, a cell is as accurate as expected. Rank correlations are Spearman's. "
            "All panels have the same upright axis.",
            "Only cells that the surrogate had chosen were measured, so these are correlations among its favourites.",
        ]
        if levels
        else [],
        charts=[_panel(level, levels[level], correlations[level], measured) for level in levels],
    )


def rank_correlation(children: Sequence[Child]) -> float:
    """Spearman's, of predicted and measured accuracies: what `pnas_surrogate.metrics.spearman` gives."""
    # Importing pnas_surrogate takes seconds, for PyTorch, and nothing else here needs it.
    pairs = np.array([(child.accuracy, child.predicted) for child in children])
    return float(spearmanr(pairs).statistic) if np.ptp(pairs, axis=0).all() else 0.0


def _compared(children: Sequence[Child]) -> list[Child]:
    return [child for child in children if child.is_finished and child.predicted is not None]


def _range(values: Sequence[float]) -> tuple[float, float]:
    """What an axis shows."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    margin = 0.05 * (high - low) + 1e-3
    return low - margin, high + margin


def _panel(level: Level, children: Sequence[Child], correlation: float, measured: tuple[float, float]) -> Chart:
    title = f"{level_name(level)}: rank correlation {correlation:.2f}"
    predicted = [child.predicted or 0.0 for child in children]
    as_expected = _range(predicted)
    return Chart(
        name=f"predictions-{level[1]}-{level[0]}",
        title=title,
        description=f"Predicted and measured accuracy of {count(len(children), 'cell')}. {title}.",
        traces=[
            line(as_expected, as_expected, "--axis", 1, line={"dash": "dot"}),
            points(children, predicted, [child.accuracy for child in children], size=5),
        ],
        layout={
            "xaxis": {"title": {"text": "predicted"}, "range": as_expected, "nticks": 5},
            "yaxis": {"title": {"text": "measured"}, "range": measured, "nticks": 6},
        },
        height=300,
    )


def _message(search: SearchData, correlations: Mapping[Level, float]) -> str:
    if not correlations:
        if search.strategy != "progressive":
            return f"The strategy {search.strategy} asks no surrogate, so nothing was predicted."
        return f"Nothing can be compared yet: no level has {_FEWEST} cells that were predicted and measured."
    best, worst = max(correlations, key=correlations.__getitem__), min(correlations, key=correlations.__getitem__)
    first = f"The surrogate ranked cells of {level_name(best)} best (rank correlation {correlations[best]:.2f})"
    if len(correlations) == 1:
        return f"The surrogate ranked cells of {level_name(best)} with a rank correlation of {correlations[best]:.2f}."
    return f"{first}, and those of {level_name(worst)} worst ({correlations[worst]:.2f})."

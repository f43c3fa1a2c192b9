"""The paper's figure 4."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from pnas_tools._compare_curve import Curve
from pnas_tools._compare_result import CompareResult
from pnas_tools._compare_trial import TOPS

# Okabe and Ito's, which people with any kind of colour blindness tell apart.
_COLORS = ("#000000", "#999999", "#0072b2", "#d55e00", "#009e73", "#cc79a7")
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
_TRIALS_OF_A_BAND = 3  # of two, the interval is thirteen times as wide as they are apart
_FIRST = 10  # fewer models say little, and would stretch both axes
_STYLE: dict[Any, Any] = {"svg.hashsalt": "pnas", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9}
_UNDATED = {"svg": {"Date": None}, "png": {}, "pdf": {"CreationDate": None}}


def plot_comparison(result: CompareResult, format: str) -> bytes:
    """Mean accuracy of the best M models against the models trained, for every M a panel, as an image.

    Bands are confidence intervals, from three trials on, and a thin line is what the reference ends with.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(10.5, 3.9), layout="constrained")
        for axis, top in zip(figure.subplots(1, len(TOPS)), TOPS, strict=True):
            _panel(axis, result, top)
        figure.supxlabel("models trained", fontsize="medium")
        figure.axes[0].set_ylabel("mean accuracy of the top M")
        lines = figure.axes[0].get_lines()[: len(result.trials)]
        figure.legend(handles=lines, loc="outside upper center", ncols=len(lines), frameon=False)
        file = BytesIO()
        figure.savefig(file, format=format, metadata=_UNDATED[format], facecolor="white", dpi=200)
        return file.getvalue()


def _panel(axis: Axes, result: CompareResult, top: int) -> None:
    curves = {strategy: result.curve(strategy, top) for strategy in result.trials}
    longest = max(len(curve.mean) for curve in curves.values())
    first = max(top, min(_FIRST, longest // 2))
    for (strategy, curve), color, dashes in zip(curves.items(), _COLORS, _DASHES, strict=False):
        is_reference = strategy == result.reference
        has_band = len(result.seeds) >= _TRIALS_OF_A_BAND
        style: dict[str, Any] = {
            "label": strategy,
            "color": color,
            "linestyle": dashes,
            "zorder": 3 if is_reference else 2,
        }
        _draw(axis, curve, first, has_band=has_band, **style)
    reference = curves[result.reference].mean
    axis.hlines(reference[-1], len(reference), longest, color=_COLORS[0], linewidth=0.6)
    axis.set_title(f"M = {top}", fontsize="medium")
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_xscale("log")
    axis.set_xlim(first, 1.03 * max(longest, first + 1))
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    _fit_to(axis, [curve.mean[first - 1 :] for curve in curves.values()])


def _draw(axis: Axes, curve: Curve, first: int, *, color: str, has_band: bool, **style: Any) -> None:
    n_models = _apart(first, len(curve.mean))
    mean, low, high = (values[n_models - 1] for values in (curve.mean, curve.low, curve.high))
    axis.plot(n_models, mean, color=color, linewidth=1.4, **style)
    if has_band:
        axis.fill_between(n_models, low, high, color=color, alpha=0.15, linewidth=0)


def _apart(first: int, last: int) -> NDArray[np.int64]:
    """Numbers of models that can be told apart on a logarithmic axis; more would make the file ten times as large."""
    return np.unique(np.geomspace(first, max(first, last), 200).round().astype(np.int64).clip(max=last))


def _fit_to(axis: Axes, means: Sequence[NDArray[np.float64]]) -> None:
    """Show all means, and of bands, which may be far wider where trials are few, what is beside these."""
    shown = np.concatenate(means)
    shown = shown[~np.isnan(shown)]
    if len(shown):
        margin = 0.08 * np.ptp(shown) + 1e-3
        axis.set_ylim(shown.min() - margin, shown.max() + margin)

"""The paper's figure 3."""

from io import BytesIO
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pnas_surrogate.benchmark import Evaluation, Interval, Predictions

_MOST_POINTS = 5_120  # the paper's 20 trials of 256 samples; more of them hide one another
_STYLE: dict[Any, Any] = {"svg.hashsalt": "pnas", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9}


def plot_predictions(evaluation: Evaluation, predictor: str) -> bytes:
    """True against predicted scores of one predictor as an SVG image, every size a column, over all trials.

    Above, the sequences that it was fitted to; below, those that it had not seen. Each with its mean rank correlation.
    """
    with mpl.rc_context(_STYLE):
        n_sizes = len(evaluation.sizes)
        figure = Figure(figsize=(2.5 * n_sizes + 0.4, 5.2), layout="constrained")
        axes = figure.subplots(2, n_sizes, squeeze=False)
        for column, size in enumerate(evaluation.sizes):
            trials = evaluation.of(predictor, size)
            unseen = "others of the same size" if trials.next_size is None else f"b={trials.next_size}, unseen"
            _scatter(axes[0, column], trials.training, f"b={size}, trained on")
            _scatter(axes[1, column], trials.unseen, unseen)
        figure.suptitle(predictor)
        figure.supxlabel("true score", fontsize="medium")
        figure.supylabel("predicted score", fontsize="medium")
        file = BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None}, facecolor="white", dpi=200)
        return file.getvalue()


def _scatter(axis: Axes, predictions: Predictions, title: str) -> None:
    true, predicted = predictions.true.ravel(), predictions.predicted.ravel()
    if len(true) > _MOST_POINTS:
        chosen = np.random.default_rng(0).choice(len(true), _MOST_POINTS, replace=False)
        true, predicted = true[chosen], predicted[chosen]
    axis.axline((true.mean(), true.mean()), slope=1, color="0.7", linewidth=0.8)
    # Thousands of points as shapes would make the file ten times as large.
    axis.scatter(true, predicted, s=3, color="#2f6db5", linewidths=0, alpha=0.4, rasterized=True)
    axis.set_title(f"{title}\nrank correlation {Interval.of(predictions.correlations).mean:.3f}", fontsize="medium")
    axis.spines[["top", "right"]].set_visible(False)

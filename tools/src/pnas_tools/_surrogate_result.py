"""What `pnas-tools surrogate benchmark` found, as plain data, for JSON and CSV."""

import csv
import math
from dataclasses import dataclass
from io import StringIO
from typing import Any

from pnas_surrogate.benchmark import Evaluation, Interval, Predictions, Trials, between_repeats
from pnas_tools._provenance import provenance
from pnas_tools._surrogate_table import ScoredTable


@dataclass(frozen=True, kw_only=True)
class SurrogateResult:
    """An evaluation with what it was made from.

    Attributes:
        table: the sequences.
        options: of the command: what it was asked for.
        evaluation: of all predictors.
        against: the predictor that all are compared with.
    """

    table: ScoredTable
    options: dict[str, Any]
    evaluation: Evaluation
    against: str

    def between_repeats(self, size: int) -> float | None:
        """How well one measurement ranks sequences of a size as another does; None where that is not known."""
        return between_repeats(self.table.repeats[self.table.sizes == size])

    def difference(self, one: Trials) -> Interval:
        """By how much a predictor is better than `against`."""
        return self.evaluation.difference(one.predictor, self.against, one.size)

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        sizes = self.table.sizes.tolist()
        return {
            "table": self.table.name,
            "kinds": self.table.spec.kinds,
            "vocabulary": dict(self.table.spec.vocabulary),
            **self.options,
            "sizes": [
                {"size": size, "n_sequences": sizes.count(size), "between_repeats": self.between_repeats(size)}
                for size in sorted(set(sizes))
            ],
            "against": self.against,
            "results": [self._result(one) for one in self.evaluation.trials],
            "provenance": provenance(),
        }

    def as_csv(self) -> str:
        """Means and intervals, one on a line."""
        file = StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["predictor", "fitted_size", "ranked", "ranked_size", "mean", "low", "high"])
        for one in self.evaluation.trials:
            for ranked, size, interval in _measured(one):
                numbers = [f"{value:.6f}" for value in (interval.mean, interval.low, interval.high)]
                writer.writerow([one.predictor, one.size, ranked, size, *numbers])
        return file.getvalue()

    def _result(self, one: Trials) -> dict[str, Any]:
        return {
            "predictor": one.predictor,
            "size": one.size,
            "next_size": one.next_size,
            "training": _correlations(one.training),
            "same_size": None if one.same_size is None else _correlations(one.same_size),
            "unseen": _correlations(one.unseen),
            "difference": _interval(self.difference(one)),
        }


def _measured(one: Trials) -> list[tuple[str, int, Interval]]:
    return [
        (ranked, size, Interval.of(predictions.correlations))
        for ranked, size, predictions in (
            ("training", one.size, one.training),
            ("same_size", one.size, one.same_size),
            ("unseen", one.next_size, one.unseen),
        )
        if predictions is not None and size is not None
    ]


def _correlations(predictions: Predictions) -> dict[str, Any]:
    return {**_interval(Interval.of(predictions.correlations)), "trials": predictions.correlations.tolist()}


def _interval(interval: Interval) -> dict[str, float | None]:
    numbers = {"mean": interval.mean, "low": interval.low, "high": interval.high}
    return {name: None if math.isnan(value) else value for name, value in numbers.items()}

"""What `pnas-tools compare` found, as plain data, for JSON and CSV."""

import csv
import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pnas_surrogate.benchmark import Interval
from pnas_tools._compare_curve import Curve, side_by_side
from pnas_tools._compare_efficiency import Efficiency, Target
from pnas_tools._compare_expected import expected_accuracies
from pnas_tools._compare_trial import TOPS, Trial
from pnas_tools._config import SearchConfig
from pnas_tools._evaluator_name import BenchmarkName


@dataclass(frozen=True, kw_only=True)
class CompareResult:
    """Trials of strategies, with the same seeds in the same order.

    Attributes:
        trials: by strategy; the first one is the reference.
        configs: of the first trial of each.
        provenances: of the trials, each once.
    """

    trials: Mapping[str, Sequence[Trial]]
    configs: Mapping[str, SearchConfig]
    provenances: Sequence[Mapping[str, Any]]

    @property
    def reference(self) -> str:
        """The strategy that the others are compared with."""
        return next(iter(self.trials))

    @property
    def others(self) -> list[str]:
        return list(self.trials)[1:]

    @property
    def seeds(self) -> list[int]:
        return [trial.seed for trial in self.trials[self.reference]]

    @property
    def benchmark(self) -> str | None:
        """The name of the benchmark that the accuracies are from; None where they were trained for."""
        name = BenchmarkName.of(self.configs[self.reference].evaluator)
        return None if name is None else name.name

    @property
    def tops(self) -> list[int]:
        """Every M for which each trial of the reference has as many models with an accuracy."""
        reference = self.trials[self.reference]
        return [top for top in TOPS if not any(math.isnan(trial.top_means[top][-1]) for trial in reference)]

    def curve(self, strategy: str, top: int) -> Curve:
        """The mean accuracy of the best M against the models that were trained."""
        return Curve.over([trial.top_means[top] for trial in self.trials[strategy]])

    def target(self, top: int) -> Target:
        """What the reference ends with."""
        return Target.of(self.trials[self.reference], top)

    def efficiency(self, strategy: str, top: int) -> Efficiency:
        """What another strategy takes for that."""
        return Efficiency.of(self.trials[strategy], self.trials[self.reference], top)

    def examples(self, strategy: str) -> NDArray[np.float64]:
        """What 1, 2, … models have taken, the mean over trials."""
        means: NDArray[np.float64] = side_by_side([trial.n_examples for trial in self.trials[strategy]]).mean(axis=0)
        return means

    def interpolated(self, strategy: str) -> float:
        """The share of a strategy's accuracies that a benchmark has interpolated."""
        trials = self.trials[strategy]
        n_accuracies = sum(trial.n_models - trial.n_failed for trial in trials)
        return sum(trial.n_interpolated for trial in trials) / max(n_accuracies, 1)

    def expected(self, strategy: str, top: int) -> Interval | None:
        """What a benchmark expects of the best M after as many models as the reference trains; None without one."""
        name = BenchmarkName.of(self.configs[self.reference].evaluator)
        if name is None:
            return None
        benchmark = name.load()
        pairs = zip(self.trials[strategy], self.trials[self.reference], strict=True)
        best = [trial.best(top, other.n_models) for trial, other in pairs]
        return Interval.of([np.mean(expected_accuracies(benchmark, cells)) for cells in best])

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "benchmark": self.benchmark,
            "seeds": self.seeds,
            "reference": self.reference,
            "table": [self._of_top(top) for top in self.tops],
            "strategies": [self._of_strategy(strategy) for strategy in self.trials],
            "provenances": self.provenances,
        }

    def as_csv(self) -> str:
        """The curves: a line for every strategy, M and number of models from where there is a mean on."""
        file = StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["strategy", "top", "n_models", "n_examples", "mean", "low", "high"])
        for strategy in self.trials:
            n_examples = self.examples(strategy)
            for top in TOPS:
                curve = self.curve(strategy, top)
                for index in np.flatnonzero(~np.isnan(curve.mean)):
                    numbers = [curve.mean[index], curve.low[index], curve.high[index]]
                    texts = ["" if math.isnan(number) else f"{number:.6f}" for number in numbers]
                    writer.writerow([strategy, top, index + 1, f"{n_examples[index]:.1f}", *texts])
        return file.getvalue()

    def _of_top(self, top: int) -> dict[str, Any]:
        target = self.target(top)
        return {
            "top": top,
            "accuracy": _interval(target.accuracy),
            "expected": self._expected(self.reference, top),
            "n_models": target.n_models,
            "n_examples": target.n_examples,
            "others": [self._of_other(one, top) for one in self.others],
        }

    def _of_other(self, strategy: str, top: int) -> dict[str, Any]:
        found = self.efficiency(strategy, top)
        intervals = {
            "accuracy": _interval(found.accuracy),
            "expected": self._expected(strategy, top),
            "difference": _interval(found.difference),
        }
        return {"strategy": strategy, **dataclasses.asdict(found), **intervals}

    def _expected(self, strategy: str, top: int) -> dict[str, float | None] | None:
        expected = self.expected(strategy, top)
        return None if expected is None else _interval(expected)

    def _of_strategy(self, strategy: str) -> dict[str, Any]:
        return {
            "strategy": strategy,
            "config": self.configs[strategy].as_json(),
            "interpolated": self.interpolated(strategy),
            "n_examples": self.examples(strategy).tolist(),
            "curves": [{"top": top, **_curve(self.curve(strategy, top))} for top in TOPS],
            "trials": [_trial(trial) for trial in self.trials[strategy]],
        }


def _interval(one: Interval) -> dict[str, float | None]:
    return {"mean": _number(one.mean), "low": _number(one.low), "high": _number(one.high)}


def _curve(one: Curve) -> dict[str, list[float | None]]:
    return {
        name: [_number(value) for value in values.tolist()]
        for name, values in (("mean", one.mean), ("low", one.low), ("high", one.high))
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "seed": trial.seed,
        "n_models": trial.n_models,
        "n_failed": trial.n_failed,
        "n_interpolated": trial.n_interpolated,
        "n_examples": trial.n_examples_in_all,
        "top": [{"top": top, "accuracy": _number(float(means[-1]))} for top, means in trial.top_means.items()],
    }


def _number(value: float) -> float | None:
    """As JSON can hold it."""
    return None if math.isnan(value) else value

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
        means = [float(expected_accuracies(benchmark, cells).mean()) for cells in best if len(cells) == top]
        return Interval.of(means if len(means) == len(best) else [math.nan] * len(best))

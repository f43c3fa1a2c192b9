"""The paper's table 2: what it takes to be as accurate as a reference, with the mean of the M best models."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from pnas_surrogate.benchmark import Interval
from pnas_tools._compare_curve import Curve, side_by_side
from pnas_tools._compare_trial import Trial


@dataclass(frozen=True, kw_only=True)
class Target:
    """What the reference ends with, over trials, and what that took.

    Attributes:
        accuracy: of its M best.
        n_models: trained in a trial, on average.
        n_examples: that went through SGD in a trial, on average.
    """

    accuracy: Interval
    n_models: float
    n_examples: float

    @classmethod
    def of(cls, trials: Sequence[Trial], top: int) -> Self:
        return cls(
            accuracy=Interval.of([trial.top_means[top][-1] for trial in trials]),
            n_models=float(np.mean([trial.n_models for trial in trials])),
            n_examples=_examples(trials, max(trial.n_models for trial in trials)),
        )


@dataclass(frozen=True, kw_only=True)
class Efficiency:
    """What a strategy takes for the same.

    As in the paper, it is as accurate as soon as its mean over trials is, and models that are trained again, for
    longer, add their examples to what it takes, and no models.

    Attributes:
        accuracy: of its M best after as many models as the reference had trained, by trials.
        difference: from the reference's of the same seed, where that is over.
        is_reached: whether it becomes as accurate; if not, the rest is of all that it trained, and less than it takes.
        n_models: until then.
        n_examples: until then, on average over trials.
        times_models: as many times the models of the reference.
        times_examples: as many times its examples.
    """

    accuracy: Interval
    difference: Interval
    is_reached: bool
    n_models: int
    n_examples: float
    times_models: float
    times_examples: float

    @classmethod
    def of(cls, trials: Sequence[Trial], reference: Sequence[Trial], top: int) -> Self:
        """Of trials with the seeds of the reference's, in the same order."""
        target = Target.of(reference, top)
        at_once = [_after(trial, other.n_models, top) for trial, other in zip(trials, reference, strict=True)]
        n_reached = Curve.over([trial.top_means[top] for trial in trials]).reaches(target.accuracy.mean)
        n_models = n_reached or max(trial.n_models for trial in trials)
        n_examples = _examples(trials, n_models)
        return cls(
            accuracy=Interval.of(at_once),
            difference=Interval.of(np.subtract(at_once, [other.top_means[top][-1] for other in reference])),
            is_reached=n_reached is not None,
            n_models=n_models,
            n_examples=n_examples,
            times_models=n_models / target.n_models,
            times_examples=n_examples / target.n_examples,
        )


def _after(trial: Trial, n_models: int, top: int) -> float:
    return float(trial.top_means[top][min(n_models, trial.n_models) - 1])


def _examples(trials: Sequence[Trial], n_models: int) -> float:
    """What so many models have taken, on average, with those that were trained again."""
    again = np.mean([trial.n_examples_again for trial in trials])
    first = side_by_side([trial.n_examples for trial in trials])[:, n_models - 1].mean()
    return float(first + again)

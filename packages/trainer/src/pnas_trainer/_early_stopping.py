from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from pnas_trainer._checks import check_whole
from pnas_trainer._errors import TrainerError

_PENALTIES = np.logspace(-5, 1, 13)  # of ridge regression, per curve
_TIE = 1e-9  # Accuracies this close are equal: one image more is a larger step in any data set.


@dataclass(frozen=True, kw_only=True)
class LearningCurveRule:
    """Says after an epoch whether a training is to be stopped, since it will hardly end among the best.

    It predicts the final accuracy from those so far by ridge regression over the finished curves, with their
    leave-one-out residuals as the uncertainty, and stops when the accuracy of the best `top` is out of reach: the rule
    of Baker et al. (2017, "Accelerating Neural Architecture Search using Performance Prediction"), without the
    differences of accuracies, which are linear in them and changed nothing, and with one guarantee more. It was chosen
    over Domhan et al. (2015), whose extrapolation samples eleven parametric families by MCMC for every curve, and over
    successive halving and Optuna's median rule, which compare accuracies at one epoch and know neither how well those
    tell the end nor how many of the best are wanted.

    A training that is as good, at this epoch, as one of the best `top` was is never stopped, and so no curve that
    equals one of theirs. The answer depends on nothing but the arguments, and not on the order of the curves.

    Finished curves that are shorter than the longest, as those of trainings that diverged or were stopped, are ignored.
    What was stopped can be left out because it was chosen by the very accuracies that the prediction is made from.

    Attributes:
        finished: accuracies in [0, 1] of other trainings, one for each epoch.
        top: how many of the best are wanted (the paper's K, for a search); the worst of them is the bar.
        confidence: a training is stopped when the bar is out of reach with this probability or more, in (0, 1).
        first_epoch: that a training may be stopped after, counted from 1.
        min_curves: complete ones that it takes to stop any.

    Raises:
        TrainerError: a setting is out of its range, or an accuracy is not a number in [0, 1].
    """

    finished: tuple[tuple[float, ...], ...]
    top: int
    confidence: float = 0.95
    first_epoch: int = 2
    min_curves: int = 20

    def __post_init__(self) -> None:
        check_whole(1, top=self.top, first_epoch=self.first_epoch)
        check_whole(2, min_curves=self.min_curves)
        if not isinstance(self.confidence, float) or not 0 < self.confidence < 1:
            raise TrainerError(f"confidence must lie between 0 and 1, not {self.confidence!r}")
        for curve in self.finished:
            _check_accuracies(curve)

    def __call__(self, accuracies: Sequence[float]) -> bool:
        """Whether to stop a training with these accuracies so far, one for each epoch.

        Never True for a training of as many epochs as the finished ones, or more.

        Raises:
            TrainerError: an accuracy is not a number in [0, 1].
        """
        _check_accuracies(accuracies)
        curves, epoch = self._complete_curves(), len(accuracies)
        enough_curves = len(curves) >= max(self.min_curves, self.top)
        if not (enough_curves and self.first_epoch <= epoch < curves.shape[1]):
            return False
        bar = np.sort(curves[:, -1])[-self.top]
        if accuracies[-1] >= curves[curves[:, -1] >= bar, epoch - 1].min():
            return False
        mean, deviation = _predict(curves, accuracies)
        return bool(mean + NormalDist().inv_cdf(self.confidence) * deviation < bar - _TIE)

    def predicted_accuracy(self, accuracies: Sequence[float]) -> float:
        """The final accuracy expected from the epochs so far, in [0, 1]: the score of a training that was stopped.

        Raises:
            TrainerError: an accuracy is not a number in [0, 1], or there is nothing to predict it from.
        """
        _check_accuracies(accuracies)
        curves, epoch = self._complete_curves(), len(accuracies)
        if len(curves) < self.min_curves:
            raise TrainerError(
                f"a prediction takes at least min_curves={self.min_curves} complete curves, and finished has "
                f"{len(curves)}: wait for more trainings to finish, or lower min_curves"
            )
        if not 1 <= epoch < curves.shape[1]:
            raise TrainerError(
                f"a prediction takes 1 to {curves.shape[1] - 1} accuracies, fewer than the finished curves have, "
                f"not {epoch}: after its last epoch a training needs none"
            )
        return min(max(_predict(curves, accuracies)[0], 0.0), 1.0)

    def _complete_curves(self) -> NDArray[np.float64]:
        """`(n_curves, n_epochs)`; sorted, so that sums come out the same to the last bit whatever the order was."""
        n_epochs = max((len(curve) for curve in self.finished), default=0)
        complete = sorted(curve for curve in self.finished if len(curve) == n_epochs)
        return np.array(complete, dtype=np.float64).reshape(len(complete), n_epochs)


def _check_accuracies(accuracies: Sequence[float]) -> None:
    for epoch, accuracy in enumerate(accuracies, start=1):
        if not 0 <= accuracy <= 1:
            raise TrainerError(
                f"accuracies must be numbers in [0, 1], not {accuracy!r} after epoch {epoch}: give shares instead of "
                f"percent, and leave out the epochs from which a training diverged"
            )


def _predict(curves: NDArray[np.float64], accuracies: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation of the accuracy after the last epoch, by ridge regression over `curves` `(N, E)`.

    The penalty is the one with the smallest leave-one-out residuals, which for ridge regression come with the fit.
    """
    n_curves, epoch = len(curves), len(accuracies)
    X, y = curves[:, :epoch], curves[:, -1]
    center, scale = X.mean(axis=0), X.std(axis=0)
    scale[scale < _TIE] = 1
    X, x = (X - center) / scale, (np.asarray(accuracies) - center) / scale
    # In the basis of the principal components a penalty is a division, so that all are tried at once.
    variances, components = np.linalg.eigh(X.T @ X)
    X, x = X @ components, x @ components
    shrunk = np.maximum(variances, 0)[:, None] + n_curves * _PENALTIES  # (epoch, n_penalties)
    coefficients = (X.T @ (y - y.mean()))[:, None] / shrunk
    leverages = 1 / n_curves + X**2 @ (1 / shrunk)  # (N, n_penalties)
    residuals = ((y - y.mean())[:, None] - X @ coefficients) / (1 - leverages)
    best = np.argmin((residuals**2).mean(axis=0))
    # Far from the finished curves the uncertainty is larger than among them.
    noise = (residuals**2 * (1 - leverages))[:, best].mean()
    variance = noise * (1 + 1 / n_curves + x**2 @ (1 / shrunk[:, best]))
    return float(y.mean() + x @ coefficients[:, best]), float(np.sqrt(variance))

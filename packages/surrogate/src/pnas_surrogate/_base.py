import abc
import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.exceptions import NotFittedError

from pnas_surrogate._description import describe, make
from pnas_surrogate._errors import SurrogateError
from pnas_surrogate._files import read, write
from pnas_surrogate._sequences import Sequences, Tokens, pack
from pnas_surrogate._spec import SequenceSpec

Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]

_LARGEST_SCORE = 1e100  # squares of larger ones are not finite


class Predictor(RegressorMixin, BaseEstimator, abc.ABC):  # type: ignore[misc]  # scikit-learn has no types
    """Learns from scored token sequences to predict the scores of others, and says how sure it is.

    A scikit-learn regressor, but that `X` is a sequence of integer sequences. A concrete class gives `_fit`,
    `_predict`, `_state` and `_restore`, and has the attribute `spec`; sequences reach it packed, and checked.
    """

    spec: SequenceSpec
    template_: Self
    """An unfitted copy, with the parameters of the last fit."""

    @property
    def spec_(self) -> SequenceSpec:
        """That of the last fit."""
        return self.template_.spec

    def fit(self, X: Sequences, y: ArrayLike) -> Self:
        """Fit to scores `y`, `(N,)`: any real numbers; higher is better.

        Raises:
            SurrogateError: a sequence does not fit the spec, or a score is missing or not finite.
        """
        if not isinstance(self.spec, SequenceSpec):
            raise SurrogateError(f"spec must be a SequenceSpec, not {self.spec!r}")
        tokens = pack(X, self.spec)
        self._fit(tokens, checked_scores(y, len(tokens)))
        self.template_ = clone(self)
        return self

    @overload
    def predict(self, X: Sequences, return_std: Literal[False] = False) -> Floats: ...
    @overload
    def predict(self, X: Sequences, return_std: Literal[True]) -> tuple[Floats, Floats]: ...

    def predict(self, X: Sequences, return_std: bool = False) -> Floats | tuple[Floats, Floats]:
        """The score that is expected of each sequence, `(N,)`, and with `return_std` its standard deviation, too.

        Raises:
            NotFittedError: `fit` has not been called.
            SurrogateError: a sequence does not fit the spec.
        """
        self._check_fitted()
        mean, std = self._predict(pack(X, self.spec_), return_std)
        return (mean, std) if return_std else mean

    def save(self, path: str | Path) -> None:
        """Write the fitted predictor, and the parameters that it was fitted with, to a safetensors file.

        Raises:
            NotFittedError: `fit` has not been called.
            SurrogateError: a parameter is neither a number, a text, a spec, a predictor nor a list or tuple of them.
        """
        self._check_fitted()
        fitted: Predictor = copy.copy(self).set_params(**self.template_.get_params(deep=False))
        write(Path(path), describe(self.template_), fitted._state())

    @classmethod
    def load(cls, path: str | Path, spec: SequenceSpec | None = None) -> Self:
        """Read a fitted predictor that `save` has written; nothing in the file is executed.

        The class is looked up among the predictors whose modules have been imported.

        Args:
            path: the file.
            spec: what sequences it must be for; None takes the file's.

        Raises:
            SurrogateError: the file is not such a predictor's, or it is of another class or another spec.
        """
        try:
            description, state = read(Path(path))
            predictor = make(description, Predictor)
            if not isinstance(predictor, cls):
                raise SurrogateError(f"it holds a {type(predictor).__name__}")
            if spec is not None and predictor.spec != spec:
                raise SurrogateError(f"it is for {predictor.spec}, not for {spec}")
            not_finite = sorted(name for name, array in state.items() if not np.isfinite(array).all())
            if not_finite:
                raise SurrogateError(f"{', '.join(not_finite)} in it must be finite numbers")
            predictor._restore(state)  # noqa: SLF001  # its own class's
            predictor.template_ = clone(predictor)
        except Exception as error:  # the class may be anyone's, and a damaged file can make it raise anything
            reason = repr(error) if isinstance(error, LookupError) else error
            raise SurrogateError(f"{path} is not the saved {cls.__name__} that was expected: {reason}") from error
        return predictor

    @abc.abstractmethod
    def _fit(self, tokens: Tokens, y: Floats) -> None:
        """Fit to packed sequences and finite scores `(N,)`."""

    @abc.abstractmethod
    def _predict(self, tokens: Tokens, return_std: bool) -> tuple[Floats, Floats]:
        """Means and standard deviations, `(N,)` each; the latter may be empty where nobody asks for them."""

    @abc.abstractmethod
    def _state(self) -> Arrays:
        """What fitting has found, as arrays by name."""

    @abc.abstractmethod
    def _restore(self, state: Arrays) -> None:
        """Take over what `_state` gave; the parameters are those it had then."""

    def _check_fitted(self) -> None:
        if not hasattr(self, "template_"):
            raise NotFittedError(f"this {type(self).__name__} has not been fitted: call fit before predict")


class MemberPredictor(Predictor):
    """A predictor that can fit several copies of itself, its members, on different samples in one batched computation.

    A concrete class gives `fit_members`, `predict_members`, `member_state` and `restore_members`; an `Ensemble` of it
    uses all members, and by itself it has one, whose standard deviation is that of its errors on the samples.
    """

    warm_start: bool = False
    """Whether fitting again goes on from the members that there are (the paper's fine-tuning), and not from scratch."""

    @abc.abstractmethod
    def fit_members(self, tokens: Tokens, y: Floats, samples: Sequence[NDArray[np.int64]]) -> None:
        """Fit one member on each of `samples`, which are indices into `tokens` and `y`, together all of them."""

    @abc.abstractmethod
    def predict_members(self, tokens: Tokens) -> Floats:
        """What every member predicts, `(n_members, N)`."""

    @abc.abstractmethod
    def member_state(self) -> Arrays:
        """What `fit_members` has found, as arrays by name."""

    @abc.abstractmethod
    def restore_members(self, state: Arrays) -> None:
        """Take over what `member_state` gave."""

    def _fit(self, tokens: Tokens, y: Floats) -> None:
        self.fit_members(tokens, y, [np.arange(len(y))])
        self.error_std_ = float(np.sqrt(np.mean((self.predict_members(tokens)[0] - y) ** 2)))

    def _predict(self, tokens: Tokens, return_std: bool) -> tuple[Floats, Floats]:
        mean = self.predict_members(tokens)[0]
        return mean, np.full(len(tokens), self.error_std_)

    def _state(self) -> Arrays:
        return {"error_std": np.array(self.error_std_), **self.member_state()}

    def _restore(self, state: Arrays) -> None:
        self.error_std_ = float(state["error_std"])
        self.restore_members(state)


def checked_scores(y: ArrayLike, n_sequences: int) -> Floats:
    """Scores as finite numbers `(N,)`, or a sentence that says what is wrong with them."""
    try:
        # A copy: PyTorch takes no array that is read-only or reversed.
        scores = np.array(np.asarray(y), dtype=np.float64, order="C")
    except (OverflowError, TypeError, ValueError) as error:
        raise SurrogateError(f"expected numbers as scores: {error}") from error
    if scores.shape != (n_sequences,):
        raise SurrogateError(f"expected one score for each of {n_sequences} sequences, got shape {scores.shape}")
    wrong = np.flatnonzero(~(np.abs(scores) <= _LARGEST_SCORE))
    if len(wrong):
        raise SurrogateError(
            f"score {wrong[0]} is {scores[wrong[0]]}; expected a finite number, and none beyond {_LARGEST_SCORE:g}"
        )
    return scores

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin, clone

from pnas_surrogate._base import Floats, checked_scores
from pnas_surrogate._benchmark._draws import Draw, Indices
from pnas_surrogate._benchmark._evaluation import Predictions
from pnas_surrogate._errors import SurrogateError
from pnas_surrogate._sequences import PADDING, Sequences, pack
from pnas_surrogate._spec import SequenceSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Scored sequences of several sizes.

    Attributes:
        sequences: `(N, L)`; shorter ones are filled up with -1, so that regressors that are not ours can take them too.
        scores: `(N,)`.
        by_size: indices of the sequences of every size, ascending by size.
    """

    sequences: NDArray[np.int64]
    scores: Floats
    by_size: Mapping[int, Indices]

    @classmethod
    def of(cls, X: Sequences, y: ArrayLike, spec: SequenceSpec) -> Self:
        """Check what is given.

        Raises:
            SurrogateError: a sequence does not fit the spec or comes twice, or a score is missing or not finite.
        """
        tokens = pack(X, spec)
        scores = checked_scores(y, len(tokens))
        sequences = tokens.reshape(len(tokens), -1)
        _check_distinct(sequences)
        sizes = (tokens[:, :, 0] != PADDING).sum(axis=1)
        by_size = {int(size): np.flatnonzero(sizes == size) for size in np.unique(sizes)}
        return cls(sequences=sequences, scores=scores, by_size=by_size)

    def fit(self, predictor: RegressorMixin, draw: Draw) -> RegressorMixin:
        """A clone of a predictor, fitted to what one trial has drawn."""
        fitted = clone(predictor)
        seeded = [name for name in fitted.get_params() if name.split("__")[-1] == "random_state"]
        fitted.set_params(**dict.fromkeys(seeded, draw.seed))
        training = np.union1d(draw.training, draw.smaller)
        return fitted.fit(self.sequences[training], self.scores[training])

    def predictions(self, fitted: Sequence[RegressorMixin], chosen: Sequence[Indices]) -> Predictions:
        """What the predictor of each trial says of the sequences chosen for it."""
        predicted = [one.predict(self.sequences[indices]) for one, indices in zip(fitted, chosen, strict=True)]
        return Predictions(true=self.scores[np.stack(chosen)], predicted=np.stack(predicted))


def _check_distinct(sequences: NDArray[np.int64]) -> None:
    _, first, which = np.unique(sequences, axis=0, return_index=True, return_inverse=True)
    earlier = first[which.reshape(-1)]  # NumPy 2.0 gives another shape than its neighbours
    again = np.flatnonzero(earlier != np.arange(len(sequences)))
    if len(again):
        raise SurrogateError(
            f"sequences {earlier[again[0]]} and {again[0]} are the same: give each once, with the mean of its scores"
        )

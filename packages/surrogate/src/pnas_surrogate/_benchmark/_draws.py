from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]

_TRAINING, _TARGETS, _FIT = range(3)


@dataclass(frozen=True, kw_only=True)
class Draw:
    """What one trial uses, the same for every predictor; sequences by their indices in the table, ascending.

    Attributes:
        training: those that are trained on, of the size at hand.
        smaller: those of smaller sizes that are trained on too.
        same_size: those of the size at hand that are left.
        unseen: those of the next size that are ranked; where there is no next size, `same_size`.
        seed: of what is random in a predictor.
    """

    training: Indices
    smaller: Indices
    same_size: Indices
    unseen: Indices
    seed: int


@dataclass(frozen=True, kw_only=True)
class Lottery:
    """Draws sequences for trials; a draw depends on the seed, the size and the trial alone.

    Attributes:
        by_size: indices of the sequences of every size, ascending by size.
        n_samples: K, sequences of a size that are trained on.
        n_targets: R, sequences of the next size that are ranked; None for all.
        cumulative: whether smaller sizes are trained on too: what the trial of the same number has drawn of them.
        seed: of all draws.
    """

    by_size: Mapping[int, Indices]
    n_samples: int
    n_targets: int | None
    cumulative: bool
    seed: int

    def next_size(self, size: int) -> int | None:
        """The next larger size that there is."""
        return min((other for other in self.by_size if other > size), default=None)

    def draw(self, size: int, trial: int) -> Draw:
        """What one trial at a size uses."""
        training = self._training(size, trial)
        smaller = [self._training(other, trial) for other in self.by_size if other < size and self.cumulative]
        same_size = np.setdiff1d(self.by_size[size], training)
        next_size = self.next_size(size)
        return Draw(
            training=training,
            smaller=np.concatenate([training[:0], *smaller]),
            same_size=same_size,
            unseen=same_size if next_size is None else self._targets(next_size, trial),
            seed=int(self._rng(size, trial, _FIT).integers(2**31)),
        )

    def _training(self, size: int, trial: int) -> Indices:
        return _chosen(self.by_size[size], self.n_samples, self._rng(size, trial, _TRAINING))

    def _targets(self, size: int, trial: int) -> Indices:
        n_targets = len(self.by_size[size]) if self.n_targets is None else self.n_targets
        return _chosen(self.by_size[size], n_targets, self._rng(size, trial, _TARGETS))

    def _rng(self, size: int, trial: int, purpose: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, size, trial, purpose))


def _chosen(indices: Indices, n: int, rng: np.random.Generator) -> Indices:
    return np.sort(rng.choice(indices, min(n, len(indices)), replace=False))

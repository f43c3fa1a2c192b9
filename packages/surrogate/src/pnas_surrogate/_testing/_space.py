from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pnas_surrogate._spec import SequenceSpec


@dataclass(frozen=True, kw_only=True)
class Space:
    """A search space whose scores follow an additive law: every token has an effect, and a score is the mean of them.

    Attributes:
        name: what tests call it.
        spec: what its sequences mean.
        sizes: how many groups those have that predictors are fitted to.
        next_size: how many the larger ones have that are ranked next; None where there are none.
    """

    name: str
    spec: SequenceSpec
    sizes: tuple[int, ...]
    next_size: int | None = None

    def draw(self, n_sequences: int, *, seed: int, sizes: Sequence[int] = (), n_left_out: int = 0) -> list[list[int]]:
        """Sequences of those sizes in turn, and of `self.sizes` where none are given.

        Args:
            n_sequences: how many.
            seed: of the draw.
            sizes: how many groups they have.
            n_left_out: how many tokens of every kind are not drawn.
        """
        rng = np.random.default_rng(seed)
        limits = [self.spec.vocabulary[kind] - n_left_out for kind in self.spec.kinds]
        sizes = sizes or self.sizes
        return [rng.integers(0, limits * sizes[index % len(sizes)]).tolist() for index in range(n_sequences)]

    def score(self, X: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """The scores of sequences `(N,)`, within [-1, 1]."""
        effects = {
            kind: np.random.default_rng(index).permutation(np.linspace(-1, 1, size))
            for index, (kind, size) in enumerate(self.spec.vocabulary.items())
        }
        return np.array([np.mean([effects[kind][token] for kind, token in self._tokens(row)]) for row in X])

    def _tokens(self, sequence: Sequence[int]) -> Iterator[tuple[str, int]]:
        kinds = self.spec.kinds
        return ((kinds[position % len(kinds)], token) for position, token in enumerate(sequence))


SPACES = (
    Space(
        name="cells",
        spec=SequenceSpec(kinds=("input", "operation") * 2, vocabulary={"input": 4, "operation": 8}),
        sizes=(1, 2),
        next_size=3,
    ),
    Space(
        name="edges",
        spec=SequenceSpec(kinds=("operation",) * 6, vocabulary={"operation": 5}),
        sizes=(1,),
    ),
    Space(
        name="passes",
        spec=SequenceSpec(kinds=("pass",), vocabulary={"pass": 10}),
        sizes=(2, 3, 4, 5),
        next_size=6,
    ),
)
"""Blocks of several numbers, one choice for each of six edges, and lists of any lengths."""

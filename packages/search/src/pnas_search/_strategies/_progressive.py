from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pnas_search._errors import SearchError
from pnas_search._evaluation import Outcome
from pnas_search._strategies._base import Candidate, Strategy
from pnas_searchspace import Cell, CellSpace


class Predictor(Protocol):
    """Learns to predict a score from integer sequences; a scikit-learn regressor is one."""

    def fit(self, X: Sequence[NDArray[np.int64]], y: NDArray[np.float64]) -> Any:
        """Fit to sequences of any lengths and their scores, `(N,)`."""
        ...

    def predict(self, X: NDArray[np.int64]) -> NDArray[np.float64]:
        """The scores of sequences `(N, L)`, `(N,)`."""
        ...


class _Trained(NamedTuple):
    cell: Cell
    outcome: Outcome


class Progressive(Strategy):
    """Progressive neural architecture search (Algorithm 1 of the paper): from simple cells to complex ones.

    The first round is all cells of one block. Every later round has one block more: all children of the round before,
    up to isomorphism, are ranked by a predictor that was fitted to all that was trained so far, and the best become the
    round.

    A child that was stopped counts as what it was expected to reach, so that it may have children as others do, but a
    child that finished goes before it in what the search returns. One that failed has no children, and counts as the
    worst accuracy there is for the predictor.

    Args:
        space: of the cells.
        n_blocks: B, the size of the cells that are returned.
        beam_size: K, how many cells of each size above one are trained.
        make_predictor: makes an unfitted predictor, given the blocks of the largest cells that it will be fitted to.

    Raises:
        SearchError: a size that is not positive; later, a round in which every child failed.
    """

    def __init__(
        self, space: CellSpace, *, n_blocks: int, beam_size: int, make_predictor: Callable[[int], Predictor]
    ) -> None:
        for name, value in (("n_blocks", n_blocks), ("beam_size", beam_size)):
            if value < 1:
                raise SearchError(f"{name} must be 1 or more, not {value!r}")
        self._space = space
        self._n_blocks = n_blocks
        self._beam_size = beam_size
        self._make_predictor = make_predictor
        self._levels: list[list[_Trained]] = []

    def ask(self) -> list[Candidate]:
        if len(self._levels) == self._n_blocks:
            return []
        if not self._levels:
            return [Candidate(cell=cell) for cell in self._space.to_cells(self._space.one_block_cells())]
        return self._best_children()

    def tell(self, candidates: Sequence[Candidate], outcomes: Sequence[Outcome]) -> None:
        level = [_Trained(candidate.cell, outcome) for candidate, outcome in zip(candidates, outcomes, strict=True)]
        if not _with_accuracy(level):
            n_blocks = len(self._levels) + 1
            raise SearchError(
                f"none of the {len(level)} children of {n_blocks} blocks finished training; "
                "look at their status in the ledger, and try a lower learning rate"
            )
        self._levels.append(level)

    def best(self) -> tuple[Cell, Outcome] | None:
        """The most accurate cell of the largest size so far, as Algorithm 1 returns it; of equals, the smallest key."""
        if not self._levels:
            return None
        return min(
            _with_accuracy(self._levels[-1]),
            key=lambda trained: (trained.outcome.status != "finished", -_score(trained), trained.cell.key),
        )

    def _best_children(self) -> list[Candidate]:
        beam = [trained.cell for trained in _with_accuracy(self._levels[-1])]
        children, parents = self._space.expand(beam)
        predicted = self._fitted_predictor().predict(self._space.encode(children))
        # A stable sort: equal predictions stay in the order of the canonical forms.
        chosen = np.argsort(-predicted, kind="stable")[: self._beam_size]
        cells = self._space.to_cells(children[chosen])
        return [
            Candidate(cell=cell, parent=beam[parent], predicted=float(score))
            for cell, parent, score in zip(cells, parents[chosen], predicted[chosen], strict=True)
        ]

    def _fitted_predictor(self) -> Predictor:
        # Sorted by key, so that the fit does not depend on the order in which children were asked for.
        samples = sorted((trained for level in self._levels for trained in level), key=lambda trained: trained.cell.key)
        worst = min(_score(trained) for trained in _with_accuracy(samples))
        scores = [worst if t.outcome.accuracy is None else t.outcome.accuracy for t in samples]
        sequences = [self._space.encode([trained.cell])[0] for trained in samples]
        predictor = self._make_predictor(len(self._levels))
        predictor.fit(sequences, np.array(scores))
        return predictor


def _with_accuracy(trained: Sequence[_Trained]) -> list[_Trained]:
    return [one for one in trained if one.outcome.accuracy is not None]


def _score(trained: _Trained) -> float:
    assert trained.outcome.accuracy is not None  # of those with one
    return trained.outcome.accuracy

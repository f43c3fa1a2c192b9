from collections.abc import Iterable
from typing import NamedTuple

from pnas_search._evaluation import Outcome
from pnas_searchspace import Cell


class Trained(NamedTuple):
    """A child that was trained, and what the surrogate had expected of it."""

    cell: Cell
    outcome: Outcome
    predicted: float | None

    @property
    def accuracy(self) -> float:
        """That of a child that has one."""
        assert self.outcome.accuracy is not None  # of those that `with_accuracy` gives
        return self.outcome.accuracy


def with_accuracy(trained: Iterable[Trained]) -> list[Trained]:
    """The children that did not fail."""
    return [one for one in trained if one.outcome.accuracy is not None]

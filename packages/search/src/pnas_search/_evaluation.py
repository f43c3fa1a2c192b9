"""What a search asks of those who train, and what it gets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pnas_search._errors import SearchError
from pnas_searchspace import Cell

Status = Literal["finished", "diverged", "out_of_memory", "crashed"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """A child to be trained.

    Attributes:
        cell: in canonical form.
        seed: that everything random in its training derives from.
        parent: the cell it was expanded from, if any.
    """

    cell: Cell
    seed: int
    parent: Cell | None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the training of a child gave and what it cost.

    Attributes:
        status: `"finished"`; `"diverged"` when its loss stopped being finite; `"out_of_memory"`; `"crashed"` when it
            took its worker down.
        accuracy: validation accuracy in [0, 1]; None unless finished.
        accuracies: the same after every epoch.
        n_examples: images that went through SGD.
        seconds: of training.
        measurements: whatever else is known of the child, such as `n_parameters`.

    Raises:
        SearchError: a finished child without an accuracy in [0, 1], or another with one.
    """

    status: Status
    accuracy: float | None
    accuracies: tuple[float, ...]
    n_examples: int
    seconds: float
    measurements: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status == "finished" and not (self.accuracy is not None and 0 <= self.accuracy <= 1):
            raise SearchError(f"a finished child needs an accuracy in [0, 1], not {self.accuracy!r}")
        if self.status != "finished" and self.accuracy is not None:
            raise SearchError(f"a child that is {self.status!r} has no accuracy, and this one has {self.accuracy!r}")


class Evaluator(Protocol):
    """Trains children: in this process, in others, on a cluster, or by looking them up."""

    def evaluate(self, requests: Sequence[Request]) -> Iterator[tuple[Request, Outcome]]:
        """Give every request's outcome as soon as it is there, in any order.

        An outcome must depend on its request alone: not on the other requests, the order, or the number of workers.
        """
        ...

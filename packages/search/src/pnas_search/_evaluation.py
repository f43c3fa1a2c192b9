"""What a search asks of those who train, and what it gets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pnas_search._errors import SearchError
from pnas_searchspace import Cell

Status = Literal["finished", "stopped", "diverged", "out_of_memory", "crashed", "timed_out"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A child to be trained.

    Attributes:
        cell: in canonical form.
        seed: that everything random in its training derives from.
        parent: the cell it was expanded from, if any.
        fidelity: how many times as long as usual it is trained.
        attachments: whatever else its training takes, by name, such as weights of the parent's network. It must be
            picklable, and what it says must follow from the search so far.
    """

    cell: Cell
    seed: int
    parent: Cell | None
    fidelity: int = 1
    attachments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What the training of a child gave and what it cost.

    Attributes:
        status: `"finished"`; `"stopped"` when it was given up before the end; `"diverged"` when its loss stopped being
            finite; `"out_of_memory"`; `"crashed"` when it took its worker down; `"timed_out"` when it took too long.
        accuracy: validation accuracy in [0, 1]; of a stopped child the one that it was expected to reach; of others
            None.
        accuracies: the same after every epoch.
        n_examples: images that went through SGD.
        seconds: of training.
        measurements: whatever else is known of the child, such as `n_parameters`.
        message: how a child failed, in a sentence; empty for others.
        attachments: what comes back beside it, such as weights; a ledger does not keep it.

    Raises:
        SearchError: a finished or stopped child without an accuracy in [0, 1], or another with one.
    """

    status: Status
    accuracy: float | None
    accuracies: tuple[float, ...]
    n_examples: int
    seconds: float
    measurements: Mapping[str, float] = field(default_factory=dict)
    message: str = ""
    attachments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        has_accuracy = self.status in ("finished", "stopped")
        if has_accuracy and not (self.accuracy is not None and 0 <= self.accuracy <= 1):
            raise SearchError(f"a {self.status} child needs an accuracy in [0, 1], not {self.accuracy!r}")
        if not has_accuracy and self.accuracy is not None:
            raise SearchError(f"a child that is {self.status!r} has no accuracy, and this one has {self.accuracy!r}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Started:
    """A worker has begun to train a child.

    Attributes:
        request: the child.
        worker: which one, and where, in words.
    """

    request: Request
    worker: str


Report = Started | tuple[Request, Outcome]
"""What an evaluator gives: that a child was begun, or a child with its outcome."""


class Evaluator(Protocol):
    """Trains children: in this process, in others, on a cluster, or by looking them up."""

    def evaluate(self, requests: Sequence[Request]) -> Iterator[Report]:
        """Give every request with its outcome as soon as that is there, in any order.

        An outcome must depend on its request alone: not on the other requests, the order, or the number of workers.
        An evaluator may also tell, by `Started`, who has begun to train a child, again for every attempt.
        """
        ...

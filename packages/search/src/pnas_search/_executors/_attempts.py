from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pnas_search._evaluation import Outcome, Request

MAX_ATTEMPTS = 2


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A worker that ended, or had to be ended, without an answer.

    Attributes:
        status: what the child's outcome is if the next attempt ends like this.
        how: it ended, in a clause.
        seconds: that the worker spent on the child; 0 without one.
    """

    status: Literal["crashed", "out_of_memory", "timed_out"]
    how: str
    seconds: float


@dataclass(eq=False)
class Task:
    """A child, and the attempts at it that have failed."""

    request: Request
    failures: list[Failure] = field(default_factory=list)


def failed_outcome(failures: Sequence[Failure]) -> Outcome:
    """Of a child that is given up."""
    first, *_, last = [failure.how for failure in failures]
    return Outcome(
        status=failures[-1].status,
        accuracy=None,
        accuracies=(),
        n_examples=0,
        seconds=sum(failure.seconds for failure in failures),
        message=f"{last}, twice" if first == last else f"{first}, and then {last}",
    )

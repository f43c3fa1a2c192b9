"""What happens where a child is trained, be it this process, another one, or a cluster's."""

import os
import platform
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from pnas_search._evaluation import Outcome, Request

Evaluate = Callable[[Request], Outcome]
MakeEvaluate = Callable[[], Evaluate]

_LONGEST = 20_000


@dataclass(frozen=True)
class Raised:
    """An exception as its traceback: it may be of a class that cannot be pickled, or that is not known elsewhere."""

    traceback: str

    @classmethod
    def now(cls) -> "Raised":
        """The exception that is being handled; the middle of a text that nobody would read is left out."""
        text = traceback.format_exc()
        if len(text) > _LONGEST:
            text = f"{text[: _LONGEST // 2]}\n[…]\n{text[-_LONGEST // 2 :]}"
        return cls(text)


def make(make_evaluate: MakeEvaluate) -> Evaluate | Raised:
    try:
        return make_evaluate()
    except Exception:  # noqa: BLE001  # raised anew by whoever asked, in the process that people look at
        return Raised.now()


def train(evaluate: Evaluate, request: Request) -> Outcome | Raised:
    """A child's outcome. Too little memory is one; any other exception is a mistake in what trains, or in its input."""
    begin = time.monotonic()
    try:
        outcome = evaluate(request)
        if not isinstance(outcome, Outcome):
            raise TypeError(f"training must give an Outcome, and gave {outcome!r:.200}")
        return outcome
    except MemoryError as error:
        return Outcome(
            status="out_of_memory",
            accuracy=None,
            accuracies=(),
            n_examples=0,
            seconds=time.monotonic() - begin,
            message=f"there was too little memory: {str(error) or 'MemoryError'}",
        )
    except Exception:  # noqa: BLE001  # as above
        return Raised.now()


def this_process() -> str:
    return f"process {os.getpid()} on {platform.node()}"

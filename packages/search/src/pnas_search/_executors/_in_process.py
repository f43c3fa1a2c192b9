from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self, TypeVar

from pnas_search._errors import SearchError
from pnas_search._evaluation import Evaluator, Report, Request, Started
from pnas_search._executors._training import Evaluate, MakeEvaluate, Raised, make, this_process, train

T = TypeVar("T")


class InProcess(Evaluator):
    """An `Evaluator` that trains children in this process, one after the other.

    Nothing is started, sent or limited, so a child that hangs or takes its process down does so here.

    Args:
        make_evaluate: called once, when this is entered; what it gives trains a child.
    """

    def __init__(self, make_evaluate: MakeEvaluate) -> None:
        self._make_evaluate = make_evaluate
        self._evaluate: Evaluate | None = None

    def __enter__(self) -> Self:
        """Make what trains.

        Raises:
            SearchError: that raised an exception.
        """
        self._evaluate = _unless_raised(make(self._make_evaluate))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._evaluate = None

    def evaluate(self, requests: Sequence[Request]) -> Iterator[Report]:
        """Tell of every child that it has begun, and then give its outcome, in order.

        Raises:
            SearchError: this has not been entered, or training raised an exception.
        """
        if self._evaluate is None:
            raise SearchError("there is nothing to train with yet: use this in a `with` statement")
        for request in requests:
            yield Started(request=request, worker=this_process())
            yield request, _unless_raised(train(self._evaluate, request))


def _unless_raised(result: T | Raised) -> T:
    if isinstance(result, Raised):
        raise SearchError(f"training failed:\n{result.traceback}")
    return result

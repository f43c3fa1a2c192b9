import math
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self, TypeVar

from pnas_search._errors import SearchError
from pnas_search._evaluation import Evaluator, Outcome, Report, Request, Started
from pnas_search._executors._attempts import MAX_ATTEMPTS, Failure, Task, failed_outcome
from pnas_search._executors._training import Raised

_MAX_STARTS = 3


@dataclass(frozen=True)
class Ready:
    """What a worker says when it has made what it trains with; its name is words for where it is."""

    name: str


Answer = Ready | Outcome | Raised | Failure


class Worker(ABC):
    """Trains a child at a time, somewhere else.

    Attributes:
        name: None until the worker is ready.
        task: what it is at.
        begun: when it was given its task, by the monotonic clock.
    """

    name: str | None = None
    task: Task | None = None
    begun: float = 0.0

    @abstractmethod
    def send(self, request: Request) -> None:
        """Have a worker that is ready train a child."""

    @abstractmethod
    def receive(self) -> Answer:
        """What there is to be received, once there is something."""

    @abstractmethod
    def stop(self) -> None:
        """End it at once, whatever it is at."""

    def seconds(self) -> float:
        """Since it was given its task."""
        return 0.0 if self.task is None else time.monotonic() - self.begun

    def timed_out(self, limit: float) -> Failure:
        return Failure(status="timed_out", how=f"it took longer than {limit:g} s", seconds=self.seconds())


WorkerT = TypeVar("WorkerT", bound=Worker)


class Workers(Evaluator, ABC, Generic[WorkerT]):
    """Brings children and workers together; how workers are started and heard is left to those who inherit."""

    def __init__(self, *, seconds_per_child: float | None) -> None:
        if seconds_per_child is not None and not seconds_per_child > 0:
            raise SearchError(f"seconds_per_child must be above 0, or None for no limit, not {seconds_per_child!r}")
        self._limit = math.inf if seconds_per_child is None else seconds_per_child
        self._workers: list[WorkerT] = []
        self._n_failed_starts = 0

    @abstractmethod
    def _start(self, index: int) -> WorkerT:
        """A new worker in the place of that number."""

    @abstractmethod
    def _wait(self, seconds: float | None) -> Sequence[WorkerT]:
        """The workers from which something can be received, as soon as there is one; none when time is up."""

    def _blamed(self, failures: Sequence[Failure]) -> Sequence[Failure]:
        """The failures that count against a child."""
        return failures

    def _start_all(self, n_workers: int) -> None:
        try:
            for index in range(n_workers):
                self._workers.append(self._start(index))
        except BaseException:
            self._stop_all()
            raise

    def _stop_all(self) -> None:
        for worker in self._workers:
            worker.stop()
        self._workers = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop_all()

    @abstractmethod
    def __enter__(self) -> Self: ...

    def evaluate(self, requests: Sequence[Request]) -> Iterator[Report]:
        """Tell of every child that a worker has begun, and give its outcome as soon as that is there.

        Raises:
            SearchError: the workers have not been started, one cannot begin, or training raised an exception.
        """
        if not self._workers:
            raise SearchError("there are no workers yet: use this in a `with` statement")
        waiting = deque(Task(request) for request in requests)
        self._n_failed_starts = 0
        self._look_after_the_last_evaluation(waiting)
        while waiting or any(worker.task for worker in self._workers):
            for worker in self._workers:
                if waiting and worker.name is not None and worker.task is None:
                    yield self._begin(worker, worker.name, waiting.popleft())
            for worker, answer in self._answers(self._seconds_left()):
                yield from self._settle(worker, answer, waiting)

    def _look_after_the_last_evaluation(self, waiting: deque[Task]) -> None:
        """Replace workers that are still at a child of one that was broken off, or that died since."""
        for worker in [worker for worker in self._workers if worker.task]:
            self._replace(worker)
        for worker, answer in self._answers(0.0):
            list(self._settle(worker, answer, waiting))

    def _begin(self, worker: WorkerT, name: str, task: Task) -> Started:
        worker.send(task.request)
        worker.task, worker.begun = task, time.monotonic()
        return Started(request=task.request, worker=name)

    def _answers(self, seconds: float | None) -> Iterator[tuple[WorkerT, Answer]]:
        answered = self._wait(seconds)
        # Found before anything is told, as whoever is told may take their time.
        late = [worker for worker in self._workers if worker not in answered and worker.seconds() >= self._limit]
        for worker in answered:
            yield worker, worker.receive()
        for worker in late:
            yield worker, worker.timed_out(self._limit)

    def _seconds_left(self) -> float | None:
        """Until a child that is being trained will have taken too long."""
        left = self._limit - max(worker.seconds() for worker in self._workers)
        return None if left == math.inf else max(0.0, left)

    def _settle(self, worker: WorkerT, answer: Answer, waiting: deque[Task]) -> Iterable[Report]:
        if isinstance(answer, Ready):
            worker.name = answer.name
            self._n_failed_starts = 0
            return
        task, worker.task = worker.task, None
        if isinstance(answer, Raised):
            if worker.name is None:
                self._replace(worker)
            raise SearchError(f"training failed in a worker:\n{answer.traceback}")
        if isinstance(answer, Failure):
            self._replace(worker)
            if task is None:
                self._bear(worker, answer)
                return
            task.failures.append(answer)
            blamed = self._blamed(task.failures)
            if len(blamed) < MAX_ATTEMPTS:
                waiting.appendleft(task)
                return
            answer = failed_outcome(blamed)
        assert task is not None  # only a worker that was sent a child answers with an outcome
        yield task.request, answer

    def _bear(self, worker: WorkerT, failure: Failure) -> None:
        """A worker that failed without a child is no child's fault, but one after the other cannot be borne."""
        self._n_failed_starts += worker.name is None
        if self._n_failed_starts >= _MAX_STARTS:
            raise SearchError(
                f"{_MAX_STARTS} workers, one after the other, ended before they could train a child, the last one "
                f"because {failure.how}: see what they printed, and whether there is memory for so many"
            )

    def _replace(self, worker: WorkerT) -> None:
        index = self._workers.index(worker)
        worker.stop()
        self._workers[index] = self._start(index)

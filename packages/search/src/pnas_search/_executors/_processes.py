import contextlib
import multiprocessing
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from multiprocessing.reduction import ForkingPickler
from types import TracebackType
from typing import Self, cast

from pnas_search._errors import SearchError
from pnas_search._evaluation import Evaluator, Outcome, Request

Evaluate = Callable[[Request], Outcome]

_MAX_ATTEMPTS = 2


class ProcessPool(Evaluator):
    """An `Evaluator` that trains children in processes of its own, one child at a time in each.

    The processes start, and make what they train with, as soon as the pool is entered. They ignore Ctrl-C, and end
    with the process that started them, even when that is killed. A process that dies is replaced, and its child is
    trained once more; a child that takes down two has crashed.

    Args:
        make_evaluate: called once in every process; what it gives trains a child there. It must be picklable.
        n_workers: how many processes.
    """

    def __init__(self, make_evaluate: Callable[[], Evaluate], n_workers: int) -> None:
        if n_workers < 1:
            raise SearchError(f"n_workers must be 1 or more, not {n_workers!r}")
        self._make_evaluate = make_evaluate
        self._n_workers = n_workers
        self._workers: list[_Worker] = []
        self._running: dict[Connection, tuple[_Worker, _Task]] = {}

    def __enter__(self) -> Self:
        self._workers = [_start_worker(self._make_evaluate) for _ in range(self._n_workers)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.stop()
        self._workers = []
        self._running = {}

    def evaluate(self, requests: Sequence[Request]) -> Iterator[tuple[Request, Outcome]]:
        """Give every request's outcome as soon as it is there.

        Raises:
            SearchError: the pool has not been entered, or training raised an exception in a worker.
        """
        if not self._workers:
            raise SearchError("the pool has no workers yet: use it in a `with` statement")
        for worker, _ in self._running.values():
            self._replace(worker)  # it is still at a child of an evaluation that was broken off
        waiting = deque(_Task(request) for request in requests)
        running = self._running = {}
        idle = deque(self._workers)
        while waiting or running:
            while waiting and idle:
                worker, task = idle.popleft(), waiting.popleft()
                worker.send(task.request)
                running[worker.connection] = worker, task
            for connection in cast(list[Connection], wait(list(running))):
                worker, task = running[connection]
                outcome = worker.receive()
                if outcome is _READY:
                    continue
                del running[connection]
                if outcome is None:
                    worker = self._replace(worker)
                    task.n_attempts += 1
                    if task.n_attempts < _MAX_ATTEMPTS:
                        waiting.appendleft(task)
                    else:
                        outcome = Outcome(status="crashed", accuracy=None, accuracies=(), n_examples=0, seconds=0.0)
                idle.append(worker)
                if outcome is not None:
                    yield task.request, outcome

    def _replace(self, worker: "_Worker") -> "_Worker":
        worker.stop()
        new = _start_worker(self._make_evaluate)
        self._workers[self._workers.index(worker)] = new
        return new


@dataclass
class _Task:
    request: Request
    n_attempts: int = 0


class _Ready(Enum):
    """What a worker sends when it has made what it trains with, before any outcome."""

    READY = "ready"


_READY = _Ready.READY


@dataclass(eq=False)
class _Worker:
    process: SpawnProcess
    connection: Connection
    is_ready: bool = False

    def send(self, request: Request) -> None:
        message = ForkingPickler.dumps(request)  # what is attached may be read here, and fail
        # A worker that has died is found out when its answer is awaited.
        with contextlib.suppress(OSError):
            self.connection.send_bytes(message)

    def receive(self) -> Outcome | _Ready | None:
        """The next answer; None when the process died over a child."""
        try:
            answer = self.connection.recv()
        except (EOFError, OSError) as error:
            if self.is_ready:
                return None
            self.process.join()
            raise SearchError(
                f"a worker process ended with exit code {self.process.exitcode} before it could train a child: "
                "see what it printed, and whether there is memory for so many workers"
            ) from error
        if isinstance(answer, Outcome):
            return answer
        if isinstance(answer, _Ready):
            self.is_ready = True
            return answer
        raise SearchError(f"training failed in a worker process:\n{answer}")

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


def _start_worker(make_evaluate: Callable[[], Evaluate]) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, make_evaluate), daemon=True)
    with _interrupts_ignored():
        process.start()
    theirs.close()
    return _Worker(process, ours)


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Processes started meanwhile ignore Ctrl-C from their first moment on; only the main thread can set that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _work(connection: Connection, make_evaluate: Callable[[], Evaluate]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        evaluate = make_evaluate()
    except Exception:  # noqa: BLE001  # the pool raises it anew, in the process that people look at
        connection.send(traceback.format_exc())
        return
    connection.send(_READY)
    for request in _received(connection):
        connection.send(_answer(evaluate, request))


def _answer(evaluate: Evaluate, request: Request) -> Outcome | str:
    """The child's outcome, or the traceback of what was raised."""
    try:
        return evaluate(request)
    except Exception:  # noqa: BLE001  # as above
        return traceback.format_exc()


def _received(connection: Connection) -> Iterator[Request]:
    with contextlib.suppress(EOFError):  # the pool is gone
        while True:
            yield connection.recv()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None  # this runs in a worker only
    parent.join()
    os._exit(1)

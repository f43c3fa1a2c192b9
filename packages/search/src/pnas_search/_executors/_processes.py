import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from multiprocessing.reduction import ForkingPickler
from typing import Self, cast

from pnas_search._errors import SearchError
from pnas_search._evaluation import Request
from pnas_search._executors._attempts import Failure
from pnas_search._executors._base import Answer, Ready, Worker, Workers
from pnas_search._executors._training import MakeEvaluate, Raised, make, this_process, train


class ProcessPool(Workers["_Process"]):
    """An `Evaluator` that trains children in processes of its own, one child at a time in each.

    The processes start, and make what they train with, as soon as the pool is entered. They ignore Ctrl-C, and end
    with the process that started them, even when that is killed. A process that dies is replaced, and its child is
    trained once more; a child that takes down two has crashed. A child that takes too long is a hang, and goes the same
    way: once more in a new process, and then it is timed out. A child that raises `MemoryError` is out of memory; any
    other exception is a mistake that ends the evaluation.

    Args:
        make_evaluate: called once in every process; what it gives trains a child there. It must be picklable.
        n_workers: how many processes.
        seconds_per_child: how long one may take, from when a process that is ready has it; None is for ever.
        environments: environment variables, one mapping for each process and from the first again when there are more
            processes, set before `make_evaluate` is called there. So children are spread over GPUs, two on each:
            `[{"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "1"}]` with four workers.
    """

    def __init__(
        self,
        make_evaluate: MakeEvaluate,
        n_workers: int,
        *,
        seconds_per_child: float | None = None,
        environments: Sequence[Mapping[str, str]] = (),
    ) -> None:
        if n_workers < 1:
            raise SearchError(f"n_workers must be 1 or more, not {n_workers!r}")
        super().__init__(seconds_per_child=seconds_per_child)
        self._make_evaluate = make_evaluate
        self._n_workers = n_workers
        self._environments = [dict(environment) for environment in environments] or [{}]

    def __enter__(self) -> Self:
        """Start the processes; they get ready meanwhile."""
        self._start_all(self._n_workers)
        return self

    def _start(self, index: int) -> "_Process":
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        environment = self._environments[index % len(self._environments)]
        process = context.Process(target=_work, args=(theirs, environment, self._make_evaluate), daemon=True)
        with _interrupts_ignored():
            process.start()
        theirs.close()
        return _Process(process, ours)

    def _wait(self, seconds: float | None) -> Sequence["_Process"]:
        by_connection = {worker.connection: worker for worker in self._workers}
        return [by_connection[connection] for connection in cast(list[Connection], wait(list(by_connection), seconds))]


class _Process(Worker):
    def __init__(self, process: SpawnProcess, connection: Connection) -> None:
        self.process = process
        self.connection = connection

    def send(self, request: Request) -> None:
        message = ForkingPickler.dumps(request)  # what is attached may be read here, and fail
        # A process that has died is found out when its answer is awaited.
        with contextlib.suppress(OSError):
            self.connection.send_bytes(message)

    def receive(self) -> Answer:
        try:
            return cast(Answer, self.connection.recv())
        except (EOFError, OSError):
            self.process.join()
            return Failure(status="crashed", how=_how_it_ended(self.process), seconds=self.seconds())

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


def _how_it_ended(process: SpawnProcess) -> str:
    code = cast(int, process.exitcode)  # it has been joined
    if code >= 0:
        return f"its process ended with exit code {code}"
    try:
        return f"its process was ended by {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal
        return f"its process was ended by signal {-code}"


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


def _work(connection: Connection, environment: Mapping[str, str], make_evaluate: MakeEvaluate) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    os.environ.update(environment)
    evaluate = make(make_evaluate)
    if isinstance(evaluate, Raised):
        connection.send(evaluate)
        return
    connection.send(Ready(this_process()))
    for request in _received(connection):
        connection.send_bytes(_pickled(train(evaluate, request)))


def _pickled(answer: Answer) -> memoryview:
    try:
        return ForkingPickler.dumps(answer)
    except Exception:  # noqa: BLE001  # something that is attached cannot be sent, and that is told instead
        return ForkingPickler.dumps(Raised.now())


def _received(connection: Connection) -> Iterator[Request]:
    with contextlib.suppress(EOFError):  # the pool is gone
        while True:
            yield connection.recv()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None  # this runs in a worker only
    parent.join()
    os._exit(1)

import math
import os
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

from pnas_search._errors import SearchError
from pnas_search._evaluation import Outcome, Request
from pnas_search._executors._attempts import Failure
from pnas_search._executors._base import Answer, Ready, Worker, Workers
from pnas_search._executors._ray_cluster import connected, count_places, import_ray
from pnas_search._executors._training import Evaluate, MakeEvaluate, Raised, make, this_process, train

_SECONDS_TO_MISS_A_NODE = 60.0
"""Until which a cluster may hold a lost node for a slow one."""

_SECONDS_TO_LOOK = 10.0
"""How often to look whether this machine is still a node, while there is no worker."""

_ARITHMETIC = ("ATEN_", "BLIS_", "CUBLAS_", "MKL_", "NUMEXPR_", "OMP_", "ONEDNN_", "OPENBLAS_", "VECLIB_")
"""What the names of the environment variables begin with that set how many threads compute, and how they round."""


class RayExecutor(Workers["_RayWorker"]):
    """An `Evaluator` that trains children on a Ray cluster, in actors, one child at a time in each.

    What becomes of children whose worker dies, or which take too long, run out of memory or raise an exception, is as
    in `ProcessPool`. A node that is lost is no child's fault: what was trained on it is trained again, as often as that
    happens, on the nodes that are left, and on new ones.

    The cluster is that of `address`, or of the environment variable RAY_ADDRESS, and this process must run on one of
    its nodes; should the head node be lost, Ray ends this process within a minute. Without either, Ray is started on
    this machine alone, and ended on leaving. A connection to Ray that this process has already is used, and left. The
    actors end with this process, also when that is killed. Ray says nothing on the terminal; its logs are where it
    keeps them.

    Actors know nothing of this process but what it sends: this package and the module of `make_evaluate` must be
    installed on all nodes, in the same versions. They get the environment variables of this process that set how many
    threads compute and how they round, so that numbers are the same everywhere.

    Args:
        make_evaluate: called once in every actor; what it gives trains a child there. It must be picklable; a file that
            it needs can travel as a `RayFile`.
        n_workers: how many actors; by default as many as the nodes hold that there are on entering. More than that
            begin when there is room.
        cpus_per_child: what an actor reserves.
        gpus_per_child: the same; 0.25 for four actors on one GPU.
        address: `host:port`, `auto` for the cluster that this machine is part of, or `local` for one of its own.
        seconds_per_child: how long one may take, from when an actor that is ready is sent it; None is for ever.
        seconds_to_start: how long to wait for a place in the cluster while there is no actor at all.

    Raises:
        SearchError: a number is out of range.
    """

    def __init__(
        self,
        make_evaluate: MakeEvaluate,
        *,
        n_workers: int | None = None,
        cpus_per_child: float = 1.0,
        gpus_per_child: float = 0.0,
        address: str | None = None,
        seconds_per_child: float | None = None,
        seconds_to_start: float = 600.0,
    ) -> None:
        super().__init__(seconds_per_child=seconds_per_child)
        if n_workers is not None and n_workers < 1:
            raise SearchError(f"n_workers must be 1 or more, or None for what the cluster holds, not {n_workers!r}")
        for name, value in (("cpus_per_child", cpus_per_child), ("gpus_per_child", gpus_per_child)):
            if value < 0 or (value > 1 and value != int(value)):
                raise SearchError(f"{name} must be a whole number, or between 0 and 1, not {value!r}")
        if cpus_per_child == gpus_per_child == 0:
            raise SearchError("a child must take something: give cpus_per_child or gpus_per_child above 0")
        self._make_evaluate = make_evaluate
        self._n_workers = n_workers
        self._cpus = cpus_per_child
        self._gpus = gpus_per_child
        self._address = address
        self._seconds_to_start = seconds_to_start
        self._stack = ExitStack()
        self._ray: Any = None
        self._actor: Any = None
        self._sent: Any = None

    def __enter__(self) -> Self:
        """Connect to the cluster, and have the actors started.

        Raises:
            SearchError: Ray is not installed, no cluster can be reached, or it holds no actor.
        """
        own_cpus = (
            None if self._n_workers is None else max(os.cpu_count() or 1, math.ceil(self._n_workers * self._cpus))
        )
        with ExitStack() as stack:
            self._ray = stack.enter_context(connected(self._address, own_cpus))
            n_workers = self._n_workers or self._count_places()
            self._actor = self._ray.remote(_Actor).options(
                num_cpus=self._cpus,
                num_gpus=self._gpus,
                scheduling_strategy="SPREAD",
                runtime_env={"env_vars": _arithmetic(os.environ)},
            )
            self._sent = self._ray.put(self._make_evaluate)
            self._start_all(n_workers)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._stack:
            super().__exit__(kind, error, traceback)
            self._actor = self._sent = None

    @property
    def n_workers(self) -> int:
        """How many actors there are, or wait for a place; 0 outside of a `with` statement."""
        return len(self._workers)

    def _count_places(self) -> int:
        n_places = count_places(self._ray, cpus=self._cpus, gpus=self._gpus)
        if n_places == 0:
            raise SearchError(
                f"no node of the cluster has {self._needs()} for a child: ask for less, or give n_workers to wait for "
                "nodes that have"
            )
        return n_places

    def _needs(self) -> str:
        return f"{self._cpus:g} CPUs" + (f" and {self._gpus:g} GPUs" if self._gpus else "")

    def _start(self, index: int) -> "_RayWorker":
        return _RayWorker(self._ray, self._actor.remote(), self._sent)

    def _wait(self, seconds: float | None) -> Sequence["_RayWorker"]:
        by_answer = {worker.answer: worker for worker in self._workers if worker.answer is not None}
        answers = list(by_answer)
        if not answers:
            return []
        if seconds != 0 and not any(worker.name for worker in self._workers):
            self._wait_for_a_place(answers)
        else:
            self._ray.wait(answers, num_returns=1, timeout=seconds)
        there, _ = self._ray.wait(answers, num_returns=len(answers), timeout=0)
        return [by_answer[answer] for answer in there]

    def _wait_for_a_place(self, answers: list[Any]) -> None:
        """Until one of the workers can begin, of which none is left, or there has not been one."""
        deadline = time.monotonic() + self._seconds_to_start
        while not self._ray.wait(answers, num_returns=1, timeout=min(_SECONDS_TO_LOOK, self._seconds_to_start))[0]:
            if self._ray.get_runtime_context().get_node_id() not in self._alive():
                raise SearchError("the Ray node of this machine has ended: start it again, and then do this again")
            if time.monotonic() >= deadline:
                raise SearchError(
                    f"for {self._seconds_to_start:g} s there was no place in the cluster with {self._needs()} for a "
                    "child: end what else runs there or add a node, and do this again"
                )

    def _alive(self) -> set[str]:
        return {node["NodeID"] for node in self._ray.nodes() if node["Alive"]}

    def _blamed(self, failures: Sequence[Failure]) -> Sequence[Failure]:
        """Those on nodes that are still there; of one that cannot be reached, that takes a while to find out."""
        alive, now = self._alive(), time.monotonic()
        return [
            failure
            for failure in failures
            if not isinstance(failure, _NodeFailure)
            or (failure.node in alive and now - failure.at >= _SECONDS_TO_MISS_A_NODE * failure.is_unreachable)
        ]


def _arithmetic(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_ARITHMETIC)}


@dataclass(frozen=True, kw_only=True)
class _NodeFailure(Failure):
    """One of a worker on a node.

    Attributes:
        node: Ray's name of it.
        is_unreachable: whether that is all that is known.
        at: when, by the monotonic clock.
    """

    node: str
    is_unreachable: bool
    at: float


@dataclass(frozen=True)
class _Begun:
    name: str
    node: str


class _Actor:
    """What Ray runs in a process of its own."""

    def __init__(self) -> None:
        self._evaluate: Evaluate | None = None

    def begin(self, make_evaluate: MakeEvaluate) -> _Begun | Raised:
        evaluate = make(make_evaluate)
        if isinstance(evaluate, Raised):
            return evaluate
        self._evaluate = evaluate
        return _Begun(this_process(), import_ray().get_runtime_context().get_node_id())

    def train(self, request: Request) -> Outcome | Raised:
        assert self._evaluate is not None  # it has begun
        return train(self._evaluate, request)


class _RayWorker(Worker):
    """An actor; `answer` refers to what it will say next, None while there is nothing to be said."""

    def __init__(self, ray: Any, actor: Any, make_evaluate: Any) -> None:
        self._ray = ray
        self._actor = actor
        self._node = ""
        self.answer = actor.begin.remote(make_evaluate)

    def send(self, request: Request) -> None:
        self.answer = self._actor.train.remote(request)

    def receive(self) -> Answer:
        answer, self.answer = self.answer, None
        errors = self._ray.exceptions
        try:
            given = self._ray.get(answer)
        except errors.RayTaskError as error:  # something that was sent cannot be read on the other side
            return Raised(_plain(str(error)))
        except errors.OutOfMemoryError:
            return self._failure("out_of_memory", "Ray ended its process as its node ran out of memory")
        except errors.ActorUnavailableError:
            return self._failure("crashed", "its process could not be reached any more", is_unreachable=True)
        except errors.RayError as error:
            return self._failure("crashed", _how_it_died(str(error)))
        if isinstance(given, _Begun):
            self._node = given.node
            return Ready(given.name)
        return given  # type: ignore[no-any-return]  # as the actor says

    def stop(self) -> None:
        self._ray.kill(self._actor)

    def timed_out(self, limit: float) -> Failure:
        return self._failure("timed_out", super().timed_out(limit).how)

    def _failure(
        self, status: Literal["crashed", "out_of_memory", "timed_out"], how: str, *, is_unreachable: bool = False
    ) -> Failure:
        return _NodeFailure(
            status=status,
            how=how,
            seconds=self.seconds(),
            node=self._node,
            is_unreachable=is_unreachable,
            at=time.monotonic(),
        )


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[\d+m", "", text)


def _how_it_died(text: str) -> str:
    """Ray's reason, without its guesses."""
    detail = re.search(r"exit detail: (.*?)(?: Some common causes|$)", text)
    reason = detail[1] if detail else _plain(text).splitlines()[-1]
    return f"its process died ({reason.strip(' .')})"

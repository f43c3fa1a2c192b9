"""A pool of real processes, which are started anew and know nothing of the test but what they import."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pnas_search import Evaluator, Outcome, ProcessPool, Request, SearchError, Started
from pnas_search.testing import EvaluatorSuite

HERE = Path(__file__).parent

Children = Callable[..., list[Request]]
Answered = Callable[[Evaluator, list[Request]], list[Outcome]]
IsRunning = Callable[[int], bool]
WaitUntil = Callable[[Callable[[], bool]], None]


@pytest.fixture(scope="module", params=[1, 3])
def evaluator(request: pytest.FixtureRequest, workers: ModuleType) -> Iterator[Evaluator]:
    with ProcessPool(workers.make_training, request.param) as pool:
        yield pool


class TestProcessPool(EvaluatorSuite):
    pass


def pids_of(outcomes: list[Outcome]) -> set[int]:
    return {int(outcome.measurements["pid"]) for outcome in outcomes}


def test_the_same_processes_serve_until_the_pool_closes(
    workers: ModuleType, children: Children, answered: Answered, is_running: IsRunning, tmp_path: Path
) -> None:
    n_workers = 3
    with ProcessPool(workers.make_training, n_workers) as pool:
        reports = pool.evaluate(children(*[["wait"]] * n_workers))
        begun = {int(next(reports).worker.split()[1]) for _ in range(n_workers)}
        (tmp_path / "go").touch()
        assert pids_of([outcome for _, outcome in reports]) == begun
        assert len(begun) == n_workers
        assert pids_of(answered(pool, children(*[["finish"]] * 5))) <= begun
        assert all(map(is_running, begun))
    assert not any(map(is_running, begun))


def test_workers_that_die_while_they_have_nothing_to_do_are_no_childs_fault(
    workers: ModuleType, children: Children, tmp_path: Path
) -> None:
    n_workers = 3
    with ProcessPool(workers.make_training, n_workers) as pool:
        reports = pool.evaluate(children(*[["wait"]] * n_workers))
        pids = [int(next(reports).worker.split()[1]) for _ in range(n_workers)]
        (tmp_path / "go").touch()
        list(reports)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            # Until its last thread is gone, which may hold the connection open after the process looks dead.
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        begun = [report for report in pool.evaluate(children(["finish"])) if isinstance(report, Started)]
    assert len(begun) == 1


@pytest.mark.parametrize(
    ("does", "how"),
    [("exit", "its process ended with exit code 3"), ("kill", "its process was ended by SIGKILL")],
)
def test_a_crashed_child_says_how_its_process_ended(
    does: str, how: str, workers: ModuleType, children: Children, answered: Answered
) -> None:
    with ProcessPool(workers.make_training, 1) as pool:
        [outcome] = answered(pool, children([does]))
    assert (outcome.status, outcome.message) == ("crashed", f"{how}, twice")


def test_the_clock_of_a_child_starts_when_a_process_is_ready_for_it(
    workers: ModuleType, children: Children, answered: Answered
) -> None:
    with ProcessPool(workers.SlowToBegin(2.0), 1, seconds_per_child=1.5) as pool:
        outcomes = answered(pool, children(["finish"], ["finish"]))
    assert [outcome.status for outcome in outcomes] == ["finished", "finished"]


def test_a_child_that_was_done_while_nobody_looked_is_not_late(
    workers: ModuleType, children: Children, n_attempts: Callable[[], dict[int, int]], tmp_path: Path
) -> None:
    with ProcessPool(workers.make_training, 2, seconds_per_child=1.0) as pool:
        reports = pool.evaluate(children(["wait"], ["wait"]))
        for _ in range(2):
            next(reports)
        for seed in range(2):
            (tmp_path / f"go{seed}").touch()
            time.sleep(1.5 * seed)
            assert next(reports)[1].status == "finished"
    assert n_attempts() == {0: 1, 1: 1}


def test_processes_get_their_environments_in_turn_and_their_successors_too(
    workers: ModuleType, children: Children, tmp_path: Path
) -> None:
    environments = [{"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "1"}]
    with ProcessPool(workers.Remembering("CUDA_VISIBLE_DEVICES"), 3, environments=environments) as pool:
        reports = pool.evaluate(children(*[["kill", "wait"]] * 3))
        for _ in range(6):
            next(reports)
        (tmp_path / "go").touch()
        assert sorted(outcome.attachments["remembered"] for _, outcome in reports) == [("0",), ("0",), ("1",)]
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_a_worker_that_cannot_begin_says_why(workers: ModuleType, children: Children, answered: Answered) -> None:
    with ProcessPool(workers.make_nothing, 1) as pool:
        for _ in range(2):
            with pytest.raises(SearchError, match="RuntimeError: no device to train on"):
                answered(pool, children(["finish"]))


def test_workers_that_die_before_they_can_train_are_not_started_for_ever(
    workers: ModuleType, children: Children, answered: Answered
) -> None:
    message = (
        "^3 workers, one after the other, ended before they could train a child, the last one because its process "
        "ended with exit code 3: see what they printed, and whether there is memory for so many$"
    )
    with ProcessPool(workers.die_at_once, 2) as pool, pytest.raises(SearchError, match=message):
        answered(pool, children(["finish"]))


def test_workers_that_die_before_they_can_train_are_no_childs_fault(
    workers: ModuleType, children: Children, answered: Answered, tmp_path: Path
) -> None:
    with ProcessPool(workers.DyingAtStart(tmp_path, starts=(0, 1, 3, 4)), 1) as pool:
        assert answered(pool, children(["kill", "finish"]))[0].status == "finished"
    assert len(list(tmp_path.glob("begun*"))) == 6


def test_ctrl_c_does_not_reach_a_training(workers: ModuleType, children: Children, answered: Answered) -> None:
    with ProcessPool(workers.make_training, 1) as pool:
        assert answered(pool, children(["press Ctrl-C", "exit"]))[0].status == "finished"


_TRAIN_UNTIL_KILLED = """
import sys
import pool_workers
from pnas_search import ProcessPool, Request
from pnas_searchspace import Cell

cell = Cell([(-1, "conv", -2, "conv")])
attachments = {"folder": sys.argv[1], "does": ["wait"]}
requests = [Request(cell=cell, seed=seed, parent=None, attachments=attachments) for seed in range(2)]
with ProcessPool(pool_workers.make_training, 2) as pool:
    for started in pool.evaluate(requests):
        print(started.worker, flush=True)
"""


def test_workers_end_when_the_process_that_started_them_is_killed(
    is_running: IsRunning, wait_until: WaitUntil, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", _TRAIN_UNTIL_KILLED, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        pids = {int(process.stdout.readline().split()[1]) for _ in range(2)}
        assert all(map(is_running, pids))
        process.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(map(is_running, pids)))


def test_a_pool_works_only_inside_of_its_with_statement(
    workers: ModuleType, children: Children, answered: Answered
) -> None:
    pool = ProcessPool(workers.make_training, 1)
    with pytest.raises(SearchError, match="use this in a `with` statement"):
        answered(pool, children(["finish"]))
    with pool:
        assert answered(pool, children(["finish"]))[0].status == "finished"
    with pytest.raises(SearchError, match="use this in a `with` statement"):
        answered(pool, children(["finish"]))


def test_a_pool_needs_a_worker(workers: ModuleType) -> None:
    with pytest.raises(SearchError, match="n_workers must be 1 or more, not 0"):
        ProcessPool(workers.make_training, 0)


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan")])
def test_a_child_needs_time(seconds: float, workers: ModuleType) -> None:
    with pytest.raises(SearchError, match="seconds_per_child must be above 0, or None for no limit, not"):
        ProcessPool(workers.make_training, 1, seconds_per_child=seconds)


class Sent:
    """Something that can be sent only once."""

    def __init__(self) -> None:
        self.n_times = 0

    def __reduce__(self) -> tuple[object, ...]:
        self.n_times += 1
        if self.n_times > 1:
            raise ValueError("not again")
        return list, ()


def test_a_pool_of_which_a_part_cannot_start_leaves_no_process() -> None:
    before = set(multiprocessing.active_children())
    with pytest.raises(ValueError, match="not again"), ProcessPool(Sent(), 2):  # type: ignore[arg-type]
        pass
    assert set(multiprocessing.active_children()) == before

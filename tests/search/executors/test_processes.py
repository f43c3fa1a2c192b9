"""A pool of real processes, which are started anew and know nothing of the test but what they import."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from pnas_search import Outcome, ProcessPool, Request, SearchError

HERE = Path(__file__).parent


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of the functions that run in the pool's processes, importable there too."""
    monkeypatch.syspath_prepend(HERE)
    return __import__("pool_workers")


def outcomes_by_seed(pool: ProcessPool, requests: list[Request]) -> dict[int, Outcome]:
    given = list(pool.evaluate(requests))
    assert Counter(request.seed for request, _ in given) == Counter(request.seed for request in requests)
    assert all(outcome.n_examples == request.seed for request, outcome in given if outcome.status == "finished")
    return {request.seed: outcome for request, outcome in given}


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("n_workers", [1, 3])
def test_every_request_has_its_outcome_and_every_worker_its_share_until_the_pool_closes(
    n_workers: int, workers: ModuleType, requests: list[Request]
) -> None:
    with ProcessPool(workers.make_good, n_workers) as pool:
        outcomes = outcomes_by_seed(pool, requests)
        assert {outcome.status for outcome in outcomes.values()} == {"finished"}
        pids = {int(outcome.measurements["pid"]) for outcome in outcomes.values()}
        assert len(pids) == n_workers
        # The same processes serve every later evaluation, also one with less to do than there are workers.
        for again in (requests[:1], [], requests[1:3]):
            assert {out.measurements["pid"] for out in outcomes_by_seed(pool, again).values()} <= pids
        assert all(map(is_running, pids))
    assert not any(map(is_running, pids))


def test_a_worker_that_dies_is_replaced_and_its_child_gets_one_more_chance(
    workers: ModuleType, requests: list[Request], tmp_path: Path
) -> None:
    once, always = 1, 4
    with ProcessPool(workers.Unreliable(tmp_path, n_deaths={once: 1, always: 99}), 2) as pool:
        outcomes = outcomes_by_seed(pool, requests[:6])
        assert {seed for seed, outcome in outcomes.items() if outcome.status == "finished"} == {0, 1, 2, 3, 5}
        assert outcomes[always] == Outcome(
            status="crashed", accuracy=None, accuracies=(), n_examples=0, seconds=0.0, measurements={}
        )
        n_attempts = Counter(int(path.name.split("-")[0]) for path in tmp_path.iterdir())
        assert n_attempts == {0: 1, once: 2, 2: 1, 3: 1, always: 2, 5: 1}
        later = outcomes_by_seed(pool, requests[6:])
        assert len({outcome.measurements["pid"] for outcome in later.values()}) == 2


# An EOFError is also what a worker sees when the pool is gone.
@pytest.mark.parametrize("error", [ValueError("no such shape"), EOFError("truncated images")])
def test_an_exception_in_training_is_raised_with_its_traceback(
    error: Exception, workers: ModuleType, requests: list[Request], tmp_path: Path
) -> None:
    message = rf"(?s)Traceback.*in train\b.*{type(error).__name__}: {error}"
    with (
        ProcessPool(workers.Unreliable(tmp_path, errors={2: error}), 1) as pool,
        pytest.raises(SearchError, match=message),
    ):
        list(pool.evaluate(requests[:5]))


def test_a_worker_that_cannot_begin_says_why(workers: ModuleType, requests: list[Request]) -> None:
    with (
        ProcessPool(workers.make_nothing, 1) as pool,
        pytest.raises(SearchError, match="RuntimeError: no device to train on"),
    ):
        list(pool.evaluate(requests[:1]))


def test_a_worker_that_dies_before_it_can_train_is_no_childs_fault(
    workers: ModuleType, requests: list[Request]
) -> None:
    with (
        ProcessPool(workers.die_at_once, n_workers=1) as pool,
        pytest.raises(SearchError, match="ended with exit code 3 before it could train a child"),
    ):
        list(pool.evaluate(requests))


def test_an_evaluation_that_was_broken_off_does_not_answer_the_next_one(
    workers: ModuleType, requests: list[Request], tmp_path: Path
) -> None:
    training = workers.Unreliable(tmp_path, errors={1: ValueError("no such shape")}, slow=frozenset({0}))
    with ProcessPool(training, 2) as pool:
        with pytest.raises(SearchError, match="no such shape"):
            list(pool.evaluate(requests[:2]))
        (tmp_path / "go").touch()
        outcomes_by_seed(pool, requests[2:6])


def test_ctrl_c_does_not_reach_a_training(workers: ModuleType, requests: list[Request], tmp_path: Path) -> None:
    with ProcessPool(workers.Unreliable(tmp_path, interrupted=frozenset({0})), 1) as pool:
        assert outcomes_by_seed(pool, requests[:1])[0].status == "finished"
    assert len(list(tmp_path.iterdir())) == 1


_TRAIN_UNTIL_KILLED = """
import sys
from pathlib import Path
import pool_workers
from pnas_search import ProcessPool, Request
from pnas_searchspace import Cell

cell = Cell([(-1, "conv", -2, "conv")])
requests = [Request(cell=cell, seed=seed, parent=None) for seed in range(8)]
with ProcessPool(pool_workers.Unreliable(Path(sys.argv[1]), slow=frozenset({6, 7})), 2) as pool:
    for _, outcome in pool.evaluate(requests):
        print(int(outcome.measurements["pid"]), flush=True)
"""


def test_workers_end_when_the_process_that_started_them_is_killed(
    tmp_path: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    command = [sys.executable, "-c", _TRAIN_UNTIL_KILLED, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        pids = {int(process.stdout.readline()) for _ in range(6)}
        wait_until(lambda: all(list(tmp_path.glob(f"{seed}-*")) for seed in (6, 7)))
        assert all(map(is_running, pids))
        process.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(map(is_running, pids)))


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Waits for what other processes do in their own time."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, "this did not happen within a minute"
            time.sleep(0.02)

    return wait


def test_a_pool_works_only_inside_of_its_with_statement(workers: ModuleType, requests: list[Request]) -> None:
    pool = ProcessPool(workers.make_good, 1)
    with pytest.raises(SearchError, match="use it in a `with` statement"):
        list(pool.evaluate(requests))
    with pool:
        assert outcomes_by_seed(pool, []) == {}
    with pytest.raises(SearchError, match="use it in a `with` statement"):
        list(pool.evaluate(requests))


def test_a_pool_needs_a_worker(workers: ModuleType) -> None:
    with pytest.raises(SearchError, match="n_workers must be 1 or more, not 0"):
        ProcessPool(workers.make_good, 0)


class Unreadable:
    """Something attached that cannot set out."""

    def __reduce__(self) -> tuple[object, ...]:
        raise FileNotFoundError("gone")


def test_what_cannot_be_sent_is_an_error_and_not_a_wait(workers: ModuleType, requests: list[Request]) -> None:
    with ProcessPool(workers.make_good, 1) as pool:
        broken = dataclasses.replace(requests[1], attachments={"weights": Unreadable()})
        with pytest.raises(FileNotFoundError, match="gone"):
            list(pool.evaluate([requests[0], broken]))
        assert outcomes_by_seed(pool, requests[2:4]).keys() == {2, 3}

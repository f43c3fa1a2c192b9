"""What is particular to a cluster; what is the same on all executors with workers is in test_base.py."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from pnas_search import InProcess, RayExecutor, SearchError
from pnas_search._executors._ray import _NodeFailure, _RayWorker

HERE = Path(__file__).parent
errors = pytest.importorskip("ray.exceptions")


def test_what_was_trained_on_a_lost_node_is_trained_again(
    workers, cluster, children, answered, n_attempts, is_running, wait_until, tmp_path
):
    requests = children(*[["wait"]] * 3, ["finish"], ["finish"], ["finish"])
    lost = cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
    with RayExecutor(workers.make_training, cpus_per_child=0.6) as executor:
        assert executor.n_workers == 3  # one on each node
        reports = executor.evaluate(requests)
        pids = [int(next(reports).worker.split()[1]) for _ in range(3)]
        cluster.remove_node(lost, allow_graceful=False)
        wait_until(lambda: not all(map(is_running, pids)))
        (tmp_path / "go").touch()
        outcomes = {request.seed: outcome for request, outcome in filter(lambda each: type(each) is tuple, reports)}
    assert sorted(n_attempts().values()) == [1, 1, 1, 1, 1, 2]
    with InProcess(workers.make_training) as here:
        for seed, expected in enumerate(answered(here, requests)):
            assert dataclasses.replace(outcomes[seed], measurements={}) == dataclasses.replace(
                expected, measurements={}
            )


def test_a_child_is_not_blamed_for_lost_nodes_but_is_for_its_own_worker(workers):
    executor = RayExecutor(workers.make_training)
    alive, dead = {"NodeID": "a", "Alive": True}, {"NodeID": "d", "Alive": False}
    executor._ray = SimpleNamespace(nodes=lambda: [alive, dead])

    def failure(node, seconds_ago=0.0, *, is_unreachable=False):
        at = time.monotonic() - seconds_ago
        return _NodeFailure(status="crashed", how="", seconds=0, node=node, is_unreachable=is_unreachable, at=at)

    own, slow = failure("a"), failure("a", 300, is_unreachable=True)
    failures = [failure("d"), own, failure("d", 300, is_unreachable=True), failure("a", is_unreachable=True), slow]
    assert executor._blamed(failures) == [own, slow]


@pytest.mark.parametrize(
    ("error", "status", "how", "is_unreachable"),
    [
        (errors.OutOfMemoryError("…"), "out_of_memory", "Ray ended its process as its node ran out of memory", False),
        (
            errors.ActorUnavailableError("socket closed", None),
            "crashed",
            "its process could not be reached any more",
            True,
        ),
        (
            errors.RayActorError(
                error_msg="The actor died unexpectedly before finishing this task.\n\tclass_name: _Actor\nThe actor is "
                "dead because its worker process has died. Worker exit type: SYSTEM_ERROR Worker exit detail: Worker "
                "unexpectedly exits with a connection error code 2. End of file. Some common causes include: (1) the "
                "process was killed by the OOM killer due to high memory usage, (2) ray stop --force was called."
            ),
            "crashed",
            "its process died (Worker unexpectedly exits with a connection error code 2. End of file)",
            False,
        ),
        (
            errors.RayActorError(error_msg="The actor died.\nThe actor died because its node has died. Node Id: 3e."),
            "crashed",
            "its process died (The actor died because its node has died. Node Id: 3e)",
            False,
        ),
    ],
)
def test_what_ray_says_of_a_lost_worker_is_told_in_a_clause(error, status, how, is_unreachable):
    def get(answer):
        raise error

    actor = SimpleNamespace(begin=SimpleNamespace(remote=lambda _: "answer"))
    failure = _RayWorker(SimpleNamespace(get=get, exceptions=errors), actor, None).receive()
    assert (failure.status, failure.how, failure.is_unreachable) == (status, how, is_unreachable)


def test_where_this_machine_is_no_node_any_more_no_place_is_waited_for(workers):
    executor = RayExecutor(workers.make_training)
    executor._ray = SimpleNamespace(
        wait=lambda answers, **_: ([], answers),
        nodes=lambda: [{"NodeID": "mine", "Alive": False}, {"NodeID": "other", "Alive": True}],
        get_runtime_context=lambda: SimpleNamespace(get_node_id=lambda: "mine"),
    )
    executor._workers = [SimpleNamespace(name=None, answer="answer")]
    with pytest.raises(SearchError, match=r"^the Ray node of this machine has ended: start it again"):
        executor._wait(None)


def test_actors_share_gpus_and_have_the_arithmetic_of_this_process(workers, cluster, requests, answered, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("MKL_CBWR", "COMPATIBLE")
    monkeypatch.setenv("OF_NO_CONCERN", "1")
    training = workers.Remembering("OMP_NUM_THREADS", "MKL_CBWR", "OF_NO_CONCERN", "CUDA_VISIBLE_DEVICES")
    with RayExecutor(training, cpus_per_child=0, gpus_per_child=0.5) as executor:
        assert executor.n_workers == 2
        for outcome in answered(executor, requests):
            assert outcome.attachments["remembered"] == ("3", "COMPATIBLE", None, "0")


def test_a_worker_that_cannot_begin_says_why(workers, cluster, children, answered):
    with RayExecutor(workers.make_nothing, n_workers=1, cpus_per_child=0.2) as executor:
        for _ in range(2):
            with pytest.raises(SearchError, match="RuntimeError: no device to train on"):
                answered(executor, children(["finish"]))


def test_a_place_that_never_comes_is_not_waited_for_for_ever(workers, cluster, children, answered):
    message = "^for 0.5 s there was no place in the cluster with 4 CPUs for a child: end what else runs there or add a"
    with (
        RayExecutor(workers.make_training, n_workers=1, cpus_per_child=4, seconds_to_start=0.5) as executor,
        pytest.raises(SearchError, match=message),
    ):
        answered(executor, children(["finish"]))


def test_a_child_that_fits_on_no_node_is_refused(workers, cluster):
    executor = RayExecutor(workers.make_training, cpus_per_child=0.5, gpus_per_child=2)
    message = "^no node of the cluster has 0.5 CPUs and 2 GPUs for a child: ask for less, or give n_workers to wait"
    with pytest.raises(SearchError, match=message), executor:
        pass


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_workers": 0}, "n_workers must be 1 or more, or None for what the cluster holds, not 0"),
        ({"cpus_per_child": 1.5}, "cpus_per_child must be a whole number, or between 0 and 1, not 1.5"),
        ({"gpus_per_child": -0.5}, "gpus_per_child must be a whole number, or between 0 and 1, not -0.5"),
        ({"cpus_per_child": 0}, "give cpus_per_child or gpus_per_child above 0"),
        ({"seconds_per_child": 0}, "seconds_per_child must be above 0, or None for no limit, not 0"),
    ],
)
def test_what_is_out_of_range_is_refused(values, message, workers):
    with pytest.raises(SearchError, match=message):
        RayExecutor(workers.make_training, **values)


_TRAIN = """
import os, sys
import pool_workers
from pnas_search import RayExecutor, Request
from pnas_searchspace import Cell

cell = Cell([(-1, "conv", -2, "conv")])
children = [["kill", "finish"], ["wait"]]
requests = [
    Request(cell=cell, seed=seed, parent=None, attachments={"folder": sys.argv[1], "does": does})
    for seed, does in enumerate(children)
]
with RayExecutor(pool_workers.make_training, n_workers=2, cpus_per_child=0.2) as executor:
    for report in executor.evaluate(requests):
        print(report.worker if not isinstance(report, tuple) else report[1].status, flush=True)
"""


@pytest.fixture
def started(tmp_path):
    """Starts a program over a cluster: of an address, or its own."""

    def start(address):
        path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
        # A Ray that is started keeps a token in the user's home.
        environment = {**os.environ, "PYTHONPATH": path, "RAY_ADDRESS": address, "HOME": str(tmp_path)}
        return subprocess.Popen(
            [sys.executable, "-c", _TRAIN, str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    return start


@pytest.mark.parametrize("is_own", [True, False])
def test_actors_end_with_the_process_that_started_them_and_nothing_is_said(
    is_own, cluster, started, is_running, wait_until
):
    with started("" if is_own else cluster.address) as process:
        lines = [process.stdout.readline().split() for _ in range(4)]
        assert sorted(line[0] for line in lines) == ["finished", "process", "process", "process"]
        pids = [int(line[1]) for line in lines if line[0] == "process"]
        assert sum(map(is_running, pids)) == 2
        process.send_signal(signal.SIGKILL)
        stdout, stderr = process.communicate()
    assert (stdout, stderr) == ("", "")
    wait_until(lambda: not any(map(is_running, pids)))

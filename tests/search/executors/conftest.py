import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pnas_search import Evaluator, Outcome, ProcessPool, RayExecutor, Request, Started
from pnas_search._executors._ray_cluster import connected
from pnas_searchspace import CellSpace

HERE = Path(__file__).parent
SECONDS_PER_CHILD = 2


@pytest.fixture(scope="package")
def workers() -> Iterator[ModuleType]:
    """The module of the functions that run in workers, importable there too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE)
        yield __import__("pool_workers")


@pytest.fixture(scope="package")
def cluster() -> Iterator[Any]:
    """Two Ray nodes on this machine, of one CPU each, the second with a GPU that is none; this process is connected."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # its sockets' names may not be long
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(HERE), prepend=os.pathsep)
        patch.setenv("TMPDIR", folder)
        patch.delenv("RAY_ADDRESS", raising=False)
        spared = {"include_dashboard": False, "include_log_monitor": False, "no_monitor": True}
        spared["_system_config"] = {"prestart_worker_first_driver": False}
        cluster = Cluster(initialize_head=True, head_node_args={**node, **spared})
        cluster.add_node(**node, num_gpus=1)
        with connected(cluster.address, None):
            yield cluster
        cluster.shutdown()
    shutil.rmtree(folder, ignore_errors=True)  # Ray's agents outlive a driver that was killed by a minute, and write


@pytest.fixture(scope="package", params=["processes", "ray"])
def executor(request: pytest.FixtureRequest, workers: ModuleType) -> Iterator[Evaluator]:
    """Two workers that do as the requests say, and may take 2 s for a child."""
    if request.param == "processes":
        with ProcessPool(workers.make_training, 2, seconds_per_child=SECONDS_PER_CHILD) as pool:
            yield pool
    else:
        request.getfixturevalue("cluster")
        with RayExecutor(
            workers.make_training, n_workers=2, cpus_per_child=0.2, seconds_per_child=SECONDS_PER_CHILD
        ) as executor:
            yield executor


@pytest.fixture
def children(tmp_path: Path) -> Callable[..., list[Request]]:
    """Requests whose children do, in their attempts, what is said: `children(["kill", "finish"], ["finish"])`."""
    space = CellSpace()
    cells = space.to_cells(space.one_block_cells())

    def make(*does: list[str]) -> list[Request]:
        return [
            Request(cell=cell, seed=seed, parent=None, attachments={"folder": str(tmp_path), "does": each})
            for seed, (cell, each) in enumerate(zip(cells, does, strict=False))
        ]

    return make


@pytest.fixture
def n_attempts(tmp_path: Path) -> Callable[[], dict[int, int]]:
    """How often training has begun, by seed."""

    def count() -> dict[int, int]:
        seeds = sorted(int(path.name.split("-")[0]) for path in tmp_path.glob("*-*"))
        return {seed: seeds.count(seed) for seed in seeds}

    return count


@pytest.fixture(scope="session")
def answered() -> Callable[[Evaluator, list[Request]], list[Outcome]]:
    """The outcomes of requests, in their order."""

    def evaluate(evaluator: Evaluator, requests: list[Request]) -> list[Outcome]:
        given = [report for report in evaluator.evaluate(requests) if not isinstance(report, Started)]
        assert sorted(request.seed for request, _ in given) == sorted(request.seed for request in requests)
        return [outcome for _, outcome in sorted(given, key=lambda answer: requests.index(answer[0]))]

    return evaluate


@pytest.fixture(scope="session")
def is_running() -> Callable[[int], bool]:
    def look(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False

    return look


@pytest.fixture(scope="session")
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Waits for what other processes do in their own time."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, "this did not happen within a minute"
            time.sleep(0.02)

    return wait

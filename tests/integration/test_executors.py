"""Where children are trained, and what is killed meanwhile, does not change what is found."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pnas_search import Ledger
from pnas_tools._run_folder import RunFolder
from pnas_tools._status import read_status

Run = Callable[..., subprocess.CompletedProcess[str]]
Command = Callable[..., list[str]]

N_CHILDREN = 25
N_LOSSES = 5 if os.environ.get("PNAS_CHAOS") else 1
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


def wait_for_children(process: subprocess.Popen[str], out: Path, n_children: int) -> None:
    deadline = time.monotonic() + 180
    while not (out.is_dir() and read_status(RunFolder(out))["n_finished"] >= n_children):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "no child was finished in three minutes"
        time.sleep(0.05)


def workers_in(out: Path) -> set[str]:
    with Ledger.read(out / "ledger.sqlite") as ledger:
        return {row.worker for row in ledger.rows() if row.worker is not None}


def test_this_process_finds_what_others_find(
    undisturbed: Path, small_search: Command, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    done = run(small_search(out, "--executor", "local"))
    assert done.returncode == 0, done.stderr
    assert "begins, in this process." in done.stderr
    assert (out / "result.json").read_bytes() == (undisturbed / "result.json").read_bytes()
    assert len(workers_in(out)) == 1
    assert len(workers_in(undisturbed)) == 2


def test_a_child_that_takes_too_long_is_recorded_and_the_search_goes_on(
    small_search: Command, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    done = run(small_search(out, "--child-timeout", "1ms", "--blocks", "1", "--operations", "identity"))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()[-1]) < 300
    status = read_status(RunFolder(out))
    assert (status["n_failed"], status["failed"]) == (3, {"timed_out": 3})
    with Ledger.read(out / "ledger.sqlite") as ledger:
        messages = {row.outcome.message for row in ledger.rows() if row.outcome is not None}
    assert messages == {"it took longer than 0.001 s, twice"}


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A Ray cluster of two nodes of this machine, of one CPU each."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # its sockets' names may not be long
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", folder)
        patch.delenv("RAY_ADDRESS", raising=False)
        spared = {"include_dashboard": False, "include_log_monitor": False, "no_monitor": True}
        cluster = Cluster(initialize_head=True, head_node_args={**NODE, **spared})
        cluster.add_node(**NODE)
        yield cluster
        cluster.shutdown()
    shutil.rmtree(folder)


@pytest.mark.chaos
def test_a_cluster_that_loses_a_node_and_a_search_that_is_killed_on_it_find_the_same(
    undisturbed: Path, small_search: Command, run: Run, cluster: Any, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    command = small_search(out, "--executor", "ray")
    environment = {**os.environ, "RAY_ADDRESS": cluster.address}
    n_kept = 0
    for _ in range(N_LOSSES):
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
        ) as process:
            wait_for_children(process, out, n_kept + 1)
            (lost,) = cluster.list_all_nodes()[1:]
            cluster.remove_node(lost, allow_graceful=False)
            wait_for_children(process, out, n_kept + 3)
            process.kill()
        n_kept = read_status(RunFolder(out))["n_finished"]
        assert n_kept < N_CHILDREN
        cluster.add_node(**NODE)
    done = run(command, RAY_ADDRESS=cluster.address)
    assert done.returncode == 0, done.stderr
    assert f"goes on after {n_kept} children" in done.stderr
    assert "workers on a Ray cluster" in done.stderr
    assert (out / "result.json").read_bytes() == (undisturbed / "result.json").read_bytes()


def test_a_cluster_that_is_not_there_is_a_sentence(small_search: Command, run: Run, tmp_path: Path) -> None:
    done = run(small_search(tmp_path / "run", "--executor", "ray"), RAY_ADDRESS="127.0.0.1:9")
    assert done.returncode == 1
    assert "no Ray cluster can be reached at 127.0.0.1:9" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_without_ray_the_way_to_it_is_told(small_search: Command, run: Run, tmp_path: Path) -> None:
    (tmp_path / "ray.py").write_text("raise ImportError('no ray here')")
    command = small_search(tmp_path / "run", "--executor", "ray")
    done = run(command, PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "pip install pnas-search[ray]" in done.stderr
    assert sys.executable not in done.stderr

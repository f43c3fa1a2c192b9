"""A search copied to MLflow: to the local store, to a real server, and to one that is not there."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from pnas_search import Ledger

needs_proc = pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the process that sends in /proc")

Run = Callable[..., subprocess.CompletedProcess[str]]
Command = Callable[..., list[str]]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def served(folder: Path, port: int) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of an `mlflow server` on the store in this folder, and its process."""
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    store = ["--backend-store-uri", f"sqlite:///{folder / 'server.db'}", "--artifacts-destination", str(folder / "a")]
    with subprocess.Popen(
        [*command, *store], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            wait_until_healthy(process, address)
            yield address, process
        finally:
            with suppress(ProcessLookupError):  # the test has killed it
                os.killpg(process.pid, signal.SIGTERM)


def wait_until_healthy(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, "the MLflow server ended"
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return
        except (URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    raise AssertionError("the MLflow server did not start in two minutes")


def tracked(command: list[str]) -> list[str]:
    return [argument for argument in command if argument != "--no-track"]


def assert_holds(uri: str, folder: Path) -> None:
    """The MLflow store has the search as one finished run, and every child in it once, with all that is theirs."""
    import mlflow
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("pnas")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert len(children) == len(runs) - 1
    with Ledger.read(folder / "ledger.sqlite") as ledger:
        rows = ledger.rows()
    assert_holds_search(client, parent, len(rows))
    assert {(run.data.params["cell"], run.data.metrics["accuracy"]) for run in children} == {
        (row.candidate.cell.key, row.outcome.accuracy) for row in rows if row.outcome is not None
    }
    assert len(children) == len(rows)
    assert {run.info.status for run in children} == {"FINISHED"}
    mlflow.set_tracking_uri(uri)
    table = mlflow.search_runs(experiment_names=["pnas"], order_by=["metrics.accuracy DESC"])
    best = table[table["tags.mlflow.parentRunId"] == parent.info.run_id].iloc[0]
    assert best["metrics.accuracy"] == max(row.outcome.accuracy or 0 for row in rows if row.outcome is not None)


def assert_holds_search(client: Any, parent: Any, n_children: int) -> None:
    assert parent.info.status == "FINISHED"
    assert parent.data.params["beam_size"] == "4"
    assert parent.data.metrics["search_n_models"] == parent.data.metrics["n_finished"] == n_children
    assert "Best of" in parent.data.tags["mlflow.note.content"]
    steps = [metric.step for metric in client.get_metric_history(parent.info.run_id, "best_accuracy")]
    assert sorted(steps) == list(range(n_children))
    files = {file.path for file in client.list_artifacts(parent.info.run_id)}
    assert files == {"best_cell.svg", "config.json", "report.html", "result.json"}


def wait_for_children(database: Path, process: subprocess.Popen[Any]) -> None:
    """Until MLflow has begun to get children."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, "the search ended before MLflow had a child"
        with (
            suppress(sqlite3.OperationalError),
            closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as store,
        ):
            if store.execute("SELECT count(*) FROM tags WHERE key = 'pnas.child'").fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("MLflow had no child in two minutes")


def trackers_of(process: subprocess.Popen[Any]) -> list[int]:
    pids = map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())
    return [pid for pid in pids if b"pnas_tools._tracking" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def sync(folder: Path) -> list[str]:
    return [sys.executable, "-m", "pnas_tools", "sync", str(folder), "--json"]


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning", "ignore::ResourceWarning")
def test_the_local_store_holds_a_search_and_its_resumption_as_one_run(
    small_search: Command, run: Run, tmp_path: Path
) -> None:
    command = tracked(small_search(tmp_path / "runs" / "one"))
    first = run(command, MLFLOW_TRACKING_URI="")
    assert first.returncode == 0, first.stderr
    # Without its result the search is not finished: it goes on, and so does its MLflow run.
    (tmp_path / "runs" / "one" / "result.json").unlink()
    second = run(command, MLFLOW_TRACKING_URI="")
    assert second.returncode == 0, second.stderr
    assert "mlflow ui --backend-store-uri sqlite:///" in second.stdout
    assert "INFO" not in first.stderr
    assert_holds(f"sqlite:///{tmp_path / 'runs' / 'mlflow.db'}", tmp_path / "runs" / "one")


@needs_proc
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning", "ignore::ResourceWarning")
def test_a_search_killed_while_it_sends_has_every_child_once_when_it_went_on(
    small_search: Command, run: Run, tmp_path: Path
) -> None:
    command = tracked(small_search(tmp_path / "runs" / "one"))
    with subprocess.Popen(
        command,
        env={**os.environ, "MLFLOW_TRACKING_URI": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        wait_for_children(tmp_path / "runs" / "mlflow.db", process)
        for pid in [*trackers_of(process), process.pid]:
            os.kill(pid, signal.SIGKILL)
    done = run(command, MLFLOW_TRACKING_URI="")
    assert done.returncode == 0, done.stderr
    assert_holds(f"sqlite:///{tmp_path / 'runs' / 'mlflow.db'}", tmp_path / "runs" / "one")


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_server_that_goes_away_in_the_middle_gets_the_rest_by_sync(
    small_search: Command, run: Run, tmp_path: Path
) -> None:
    port, folder = free_port(), tmp_path / "run"
    command = tracked(small_search(folder))
    with served(tmp_path, port) as (address, server):
        with subprocess.Popen(
            command,
            env={**os.environ, "MLFLOW_TRACKING_URI": address},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            wait_for_children(tmp_path / "server.db", process)
            os.killpg(server.pid, signal.SIGKILL)
            _, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stderr
    assert f"`pnas-tools sync {folder}` sends the rest" in stderr
    assert "Traceback" not in stderr
    with served(tmp_path, port) as (address, _):
        first = json.loads(run(sync(folder), MLFLOW_TRACKING_URI="").stdout)
        assert first["tracking_uri"] == address  # where the search was sent before
        assert first["n_children"] > 0
        assert_holds(address, folder)
        second = json.loads(run(sync(folder), MLFLOW_TRACKING_URI="").stdout)
        assert (second["n_children"], second["n_steps"], second["n_files"]) == (0, 0, 0)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_server_holds_the_search(small_search: Command, run: Run, tmp_path: Path) -> None:
    with served(tmp_path, free_port()) as (address, _):
        done = run(tracked(small_search(tmp_path / "run")), MLFLOW_TRACKING_URI=address)
        assert done.returncode == 0, done.stderr
        assert address in done.stdout
        assert_holds(address, tmp_path / "run")


def test_a_server_that_is_not_there_does_not_stop_the_search(
    undisturbed: Path, small_search: Command, run: Run, tmp_path: Path
) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    done = run(tracked(small_search(tmp_path / "run")), MLFLOW_TRACKING_URI=address)
    assert done.returncode == 0, done.stderr
    assert f"MLflow at {address} did not take everything" in done.stderr
    assert "Traceback" not in done.stderr
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result == json.loads((undisturbed / "result.json").read_text())

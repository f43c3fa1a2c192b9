"""A search copied to MLflow: to the local store, to a real server, and to one that is not there."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.error import URLError

import pytest

from pnas_search import Ledger

Run = Callable[..., subprocess.CompletedProcess[str]]
Command = Callable[..., list[str]]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of an `mlflow server` on a store of its own."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    store = [
        "--backend-store-uri",
        f"sqlite:///{tmp_path / 'server.db'}",
        "--artifacts-destination",
        str(tmp_path / "a"),
    ]
    with subprocess.Popen(
        [*command, *store], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            wait_until_healthy(process, address)
            yield address
        finally:
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
    """The MLflow store has one finished run, with the search's parameters, every child's metrics and the artifacts."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("pnas")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params["beam_size"] == "4"
    assert run.data.metrics["search_n_models"] == 25
    with Ledger.read(folder / "ledger.sqlite") as ledger:
        expected = {step: row.outcome.accuracy for step, row in enumerate(ledger.rows()) if row.outcome}
    history = client.get_metric_history(run.info.run_id, "accuracy")
    assert {metric.step: metric.value for metric in history} == expected
    assert len(history) == len(expected)
    assert {file.path for file in client.list_artifacts(run.info.run_id)} == {
        "best_cell.svg",
        "config.json",
        "result.json",
    }


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


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_server_holds_the_search(small_search: Command, run: Run, server: str, tmp_path: Path) -> None:
    done = run(tracked(small_search(tmp_path / "run")), MLFLOW_TRACKING_URI=server)
    assert done.returncode == 0, done.stderr
    assert server in done.stdout
    assert_holds(server, tmp_path / "run")


def test_a_server_that_is_not_there_does_not_stop_the_search(
    undisturbed: Path, small_search: Command, run: Run, tmp_path: Path
) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    done = run(
        tracked(small_search(tmp_path / "run")), MLFLOW_TRACKING_URI=address, MLFLOW_HTTP_REQUEST_MAX_RETRIES="0"
    )
    assert done.returncode == 0, done.stderr
    assert f"MLflow at {address} did not take everything" in done.stderr
    assert "Traceback" not in done.stderr
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result == json.loads((undisturbed / "result.json").read_text())

"""A search in a SQLite store of MLflow's, however often sending is cut off."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pnas_search import Ledger
from pnas_tools._run_folder import RunFolder
from pnas_tools._tracking import _copy, opened_copy
from pnas_tools._tracking._memory import is_complete
from pnas_tools._tracking_uri import local_store

pytestmark = pytest.mark.filterwarnings("ignore:::(mlflow|sqlalchemy|alembic|pydantic)", "ignore::ResourceWarning")

WRITES = ("create_run", "log_batch", "set_terminated", "set_tag", "log_artifact")


def sync(run: RunFolder) -> _copy.Sent:
    with opened_copy(run, local_store(run.path)) as copy:
        copy.send_children()
        copy.conclude("KILLED")
    return copy.sent


def runs_of(run: RunFolder) -> tuple[Any, dict[str, Any]]:
    """The MLflow run of the search, and those of its children by name."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=local_store(run.path))
    experiment = client.get_experiment_by_name("pnas")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert len(children) == len(runs) - 1
    by_name = {child.info.run_name: child for child in children}
    assert len(by_name) == len(children)
    return parent, by_name


@pytest.fixture(autouse=True)
def no_experiment_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)


class CutOffError(Exception):
    """Stands for a kill between two requests."""


class Fragile:
    """A client that reaches the store for so many writing requests, and for no more."""

    def __init__(self, client: Any, n_writes: int) -> None:
        self._client = client
        self._left: Iterator[int] = iter(range(n_writes))

    def __getattr__(self, name: str) -> Any:
        if name in WRITES and next(self._left, None) is None:
            raise CutOffError
        return getattr(self._client, name)


def test_a_child_is_a_nested_run_with_all_that_the_ledger_has(run: RunFolder) -> None:
    assert sync(run) == _copy.Sent(n_children=3, n_steps=3, n_files=1)
    parent, children = runs_of(run)
    assert set(children) == {"child 0, 1 block", "child 1, 1 block", "child 2, 1 block"}
    with Ledger.read(run.ledger) as ledger:
        rows, times = ledger.rows(), ledger.times()
    child = children["child 0, 1 block"]
    assert child.data.params == {
        "cell": rows[0].candidate.cell.key,
        "n_blocks": "1",
        "seed": "7",
        "fidelity": "1",
        "strategy": "progressive",
        "round": "0",
    }
    assert child.data.metrics == {
        "accuracy": 0.5,
        "predicted_accuracy": 0.75,
        "seconds": 1.5,
        "n_examples": 10,
        "epoch_accuracy": 0.5,
    }
    started_at, finished_at = times[0, 0]
    assert started_at is not None
    assert child.info.start_time == int(started_at.timestamp() * 1000)
    assert child.info.end_time == int(finished_at.timestamp() * 1000)
    assert [children[name].info.status for name in sorted(children)] == ["FINISHED", "FAILED", "FINISHED"]
    assert [children[name].data.tags["status"] for name in sorted(children)] == ["finished", "crashed", "stopped"]
    crashed, stopped = children["child 1, 1 block"], children["child 2, 1 block"]
    assert crashed.data.tags["message"] == "it ran away"
    assert crashed.data.tags["worker"] == "the first worker"
    assert "accuracy" not in crashed.data.metrics | stopped.data.metrics
    assert stopped.data.metrics["expected_accuracy"] == 0.25
    assert parent.info.run_name == "one"
    assert parent.info.status == "KILLED"
    assert parent.data.tags["mlflow.source.git.commit"] == "abc"
    assert parent.data.tags["version.numpy"] == "2.0"
    assert "Progressive search on digits" in parent.data.tags["mlflow.note.content"]


def test_wherever_sending_is_cut_off_nothing_is_there_twice_or_missing_in_the_end(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    connected = _copy.connected
    for n_writes in itertools.count():
        run.tracking.unlink(missing_ok=True)
        monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", f"cut off after {n_writes}")

        def fragile(uri: str, path: Path, n_writes: int = n_writes) -> tuple[Any, str]:
            client, experiment_id = connected(uri, path)
            return Fragile(client, n_writes), experiment_id

        monkeypatch.setattr(_copy, "connected", fragile)
        try:
            sync(run)
        except CutOffError:
            was_cut_off = True
        else:
            was_cut_off = False
        monkeypatch.setattr(_copy, "connected", connected)
        sync(run)
        client = MlflowClient(tracking_uri=local_store(run.path))
        experiment = client.get_experiment_by_name(f"cut off after {n_writes}")
        assert experiment is not None
        runs = client.search_runs([experiment.experiment_id])
        assert sorted(run.data.tags.get("pnas.child", "") for run in runs) == ["", "0.0", "0.1", "0.2"]
        assert {run.info.status for run in runs} == {"FINISHED", "FAILED", "KILLED"}
        for run_there in runs:
            for name in run_there.data.metrics:
                steps = [metric.step for metric in client.get_metric_history(run_there.info.run_id, name)]
                assert len(steps) == len(set(steps)), name
        if not was_cut_off:
            break
    assert n_writes > 3 * 3  # a child is three requests


def test_a_second_time_nothing_is_sent(run: RunFolder) -> None:
    sync(run)
    before = runs_of(run)[0].info.end_time
    assert sync(run) == _copy.Sent()
    assert runs_of(run)[0].info.end_time == before
    assert not is_complete(run, local_store(run.path))  # it has no result


def test_a_report_that_comes_later_is_sent(run: RunFolder) -> None:
    sync(run)
    (run.path / "report.html").write_text("<p>It went well.</p>")
    assert sync(run) == _copy.Sent(n_files=1)


def test_a_search_that_somebody_deleted_in_mlflow_is_sent_again(run: RunFolder) -> None:
    from mlflow import MlflowClient

    sync(run)
    client = MlflowClient(tracking_uri=local_store(run.path))
    parent, children = runs_of(run)
    for child in [parent, *children.values()]:
        client.delete_run(child.info.run_id)
    assert sync(run).n_children == 3
    assert runs_of(run)[0].info.run_id != parent.info.run_id

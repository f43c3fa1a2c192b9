import json
import logging
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from pnas_search import Ledger, LedgerRow
from pnas_tools._files import write_json_atomically
from pnas_tools._run_folder import RunFolder

if TYPE_CHECKING:  # importing mlflow takes seconds
    from mlflow import MlflowClient

_EXPERIMENT = "pnas"
_SECONDS_BETWEEN_SYNCS = 2.0
_MAX_PAUSE = 60.0
_CHILDREN_PER_REQUEST = 100  # MLflow takes 1,000 metrics at a time


class MlflowTracker:
    """Copies a search from its ledger to MLflow, in a thread of its own, so that people can look there.

    The ledger is where the search remembers; this only reads it. Whatever goes wrong with MLflow, the search goes on,
    and `finish` says in a sentence what happened.

    Args:
        run: the folder of the search; `mlflow.json` in it remembers the MLflow run, for when the search is resumed.
        uri: of the tracking server or store.
    """

    def __init__(self, run: RunFolder, uri: str) -> None:
        self._run = run
        self.uri = uri
        self._stop = threading.Event()
        self._status = "KILLED"
        self._problem: str | None = None
        self._round, self._n_before = 0, 0
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self, status: str, *, timeout: float) -> str | None:
        """Send what is missing, for at most `timeout` seconds; give a sentence on what went wrong, if anything did.

        Args:
            status: what MLflow shall say of the run: FINISHED, FAILED or KILLED.
            timeout: in seconds.
        """
        self._status = status
        self._stop.set()
        self._thread.join(timeout)
        if self._thread.is_alive():
            self._problem = self._problem or f"no answer within {timeout:.0f} s"
        if self._problem is None:
            return None
        return f"MLflow at {self.uri} did not take everything ({self._problem}); {self._run.path} holds all of it"

    def _work(self) -> None:
        """Track until the search ends; after an error wait and begin anew, and once more when the search has ended."""
        pause = 1.0
        while True:
            is_last = self._stop.is_set()
            # Whatever MLflow or its database raises is the user's to know, and not the search's to die of.
            try:
                self._track()
            except Exception as error:  # noqa: BLE001
                self._problem = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            else:
                self._problem = None
                return
            if is_last:
                return
            self._stop.wait(pause)
            pause = min(2 * pause, _MAX_PAUSE)

    def _track(self) -> None:
        from mlflow import MlflowClient

        for noisy in ("mlflow", "alembic"):  # after the import, which sets their levels
            logging.getLogger(noisy).setLevel(logging.ERROR)
        self._round = self._n_before = 0
        with Ledger.read(self._run.ledger) as ledger:
            with self._store_locked():
                client = MlflowClient(tracking_uri=self.uri)
                run_id = self._mlflow_run(client, ledger)
            sent = {metric.step for metric in client.get_metric_history(run_id, "n_blocks")}
            while not self._stop.wait(_SECONDS_BETWEEN_SYNCS):
                self._send_children(client, run_id, ledger, sent)
            self._send_children(client, run_id, ledger, sent)
        for path in (self._run.config, self._run.result, self._run.drawing):
            if path.exists():
                client.log_artifact(run_id, str(path))
        result = self._run.read_result()
        if result is not None:
            for name in ("best_accuracy", "n_models", "n_examples"):
                client.log_metric(run_id, f"search_{name}", result[name])
        client.set_terminated(run_id, self._status)
        self._remember(run_id, complete=result is not None)

    def _store_locked(self) -> AbstractContextManager[object]:
        """Keeps other searches from making the tables of one local store at the same time."""
        if self.uri != local_store(self._run.path):
            return nullcontext()
        return FileLock(self._run.path.absolute().parent / ".mlflow.lock")

    def _remember(self, run_id: str, *, complete: bool) -> None:
        remembered = {"tracking_uri": self.uri, "run_id": run_id, "complete": complete}
        write_json_atomically(self._run.tracking, remembered)

    def _mlflow_run(self, client: "MlflowClient", ledger: Ledger) -> str:
        """The id of this search's MLflow run: the one it had before, where that is in the same store, or a new one."""
        remembered = _remembered(self._run)
        if remembered.get("tracking_uri") == self.uri and _is_there(client, remembered["run_id"]):
            run_id: str = remembered["run_id"]
            client.update_run(run_id, "RUNNING")
            return run_id
        experiment = client.get_experiment_by_name(_EXPERIMENT)
        experiment_id = experiment.experiment_id if experiment is not None else self._create_experiment(client)
        run = client.create_run(experiment_id, run_name=self._run.path.name, tags=_tags(ledger.provenance()))
        for name, value in ledger.config().items():
            client.log_param(run.info.run_id, name, value)
        self._remember(run.info.run_id, complete=False)
        return str(run.info.run_id)

    def _create_experiment(self, client: "MlflowClient") -> str:
        artifacts = None
        if self.uri == local_store(self._run.path):
            artifacts = (self._run.path.absolute().parent / "mlartifacts").as_uri()
        return str(client.create_experiment(_EXPERIMENT, artifact_location=artifacts))

    def _send_children(self, client: "MlflowClient", run_id: str, ledger: Ledger, sent: set[int]) -> None:
        """Send the children that are finished and not in `sent`, each as the step of its place in the search."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        rows = ledger.rows(from_round=self._round)
        places = enumerate(rows, start=self._n_before)
        missing = [(step, row) for step, row in places if row.outcome is not None and step not in sent]
        for start in range(0, len(missing), _CHILDREN_PER_REQUEST):
            batch = missing[start : start + _CHILDREN_PER_REQUEST]
            metrics = [Metric(name, value, now, step) for step, row in batch for name, value in _metrics(row).items()]
            client.log_batch(run_id, metrics=metrics)
            sent.update(step for step, _ in batch)
        if rows:  # all rounds but the last are over, and need not be read again
            self._round = rows[-1].round
            self._n_before += sum(row.round < self._round for row in rows)


def is_complete(run: RunFolder, uri: str) -> bool:
    """Whether the MLflow store at `uri` has everything of a finished search."""
    remembered = _remembered(run)
    return remembered.get("tracking_uri") == uri and bool(remembered.get("complete"))


def _remembered(run: RunFolder) -> dict[str, Any]:
    try:
        remembered: dict[str, Any] = json.loads(run.tracking.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return remembered


def _is_there(client: "MlflowClient", run_id: str) -> bool:
    """Whether the store still has the run; somebody may have deleted it, or the store."""
    from mlflow.exceptions import MlflowException

    try:
        return bool(client.get_run(run_id).info.lifecycle_stage == "active")
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return False
        raise


def local_store(run: Path) -> str:
    """The MLflow store that runs in one folder share when `MLFLOW_TRACKING_URI` names no other."""
    return f"sqlite:///{(run.absolute().parent / 'mlflow.db').as_posix()}"


def _metrics(row: LedgerRow) -> dict[str, float]:
    assert row.outcome is not None  # only finished children are sent
    metrics = {"n_blocks": len(row.candidate.cell), "seconds": row.outcome.seconds, **row.outcome.measurements}
    if row.outcome.accuracy is not None:
        name = "accuracy" if row.outcome.status == "finished" else "expected_accuracy"
        metrics[name] = row.outcome.accuracy
    if row.candidate.predicted is not None:
        metrics["predicted_accuracy"] = row.candidate.predicted
    return metrics


def _tags(provenance: dict[str, Any]) -> dict[str, str]:
    versions = {f"version.{name}": str(version) for name, version in provenance["versions"].items()}
    return {"mlflow.source.git.commit": str(provenance["git_revision"]), "platform": provenance["platform"], **versions}

import json
import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pnas_search import Ledger, LedgerRow
from pnas_tools._files import write_json_atomically
from pnas_tools._run_folder import RunFolder

if TYPE_CHECKING:  # importing mlflow takes seconds
    from mlflow import MlflowClient

_EXPERIMENT = "pnas"
_SECONDS_BETWEEN_SYNCS = 2.0
_METRICS_PER_REQUEST = 900  # MLflow's limit is 1,000


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
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self, *, finished: bool, timeout: float) -> str | None:
        """Send what is missing, for at most `timeout` seconds; give a sentence on what went wrong, if anything did."""
        self._status = "FINISHED" if finished else "KILLED"
        self._stop.set()
        self._thread.join(timeout)
        if self._thread.is_alive():
            self._problem = f"no answer within {timeout:.0f} s"
        if self._problem is None:
            return None
        return f"MLflow at {self.uri} did not take everything ({self._problem}); {self._run.path} holds all of it"

    def _work(self) -> None:
        # Whatever MLflow or its database raises is the user's to know, and not the search's to die of.
        try:
            self._track()
        except Exception as error:  # noqa: BLE001
            self._problem = (
                f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
            )

    def _track(self) -> None:
        from mlflow import MlflowClient

        for noisy in ("mlflow", "alembic"):  # after the import, which sets their levels
            logging.getLogger(noisy).setLevel(logging.ERROR)
        client = MlflowClient(tracking_uri=self.uri)
        with Ledger.read(self._run.ledger) as ledger:
            run_id = self._mlflow_run(client, ledger)
            sent = {metric.step for metric in client.get_metric_history(run_id, "n_blocks")}
            while not self._stop.wait(_SECONDS_BETWEEN_SYNCS):
                self._send_children(client, run_id, ledger.rows(), sent)
            self._send_children(client, run_id, ledger.rows(), sent)
        for path in (self._run.config, self._run.result, self._run.drawing):
            if path.exists():
                client.log_artifact(run_id, str(path))
        result = self._run.read_result()
        if result is not None:
            for name in ("best_accuracy", "n_models", "n_examples"):
                client.log_metric(run_id, f"search_{name}", result[name])
        client.set_terminated(run_id, self._status)

    def _mlflow_run(self, client: "MlflowClient", ledger: Ledger) -> str:
        """The id of this search's MLflow run: the one it had before, where that is in the same store, or a new one."""
        if self._run.tracking.exists():
            remembered = json.loads(self._run.tracking.read_text(encoding="utf-8"))
            if remembered["tracking_uri"] == self.uri:
                run_id: str = remembered["run_id"]
                client.update_run(run_id, "RUNNING")
                return run_id
        experiment = client.get_experiment_by_name(_EXPERIMENT)
        experiment_id = experiment.experiment_id if experiment is not None else self._create_experiment(client)
        run = client.create_run(experiment_id, run_name=self._run.path.name, tags=_tags(ledger.provenance()))
        for name, value in ledger.config().items():
            client.log_param(run.info.run_id, name, value)
        write_json_atomically(self._run.tracking, {"tracking_uri": self.uri, "run_id": run.info.run_id})
        return str(run.info.run_id)

    def _create_experiment(self, client: "MlflowClient") -> str:
        artifacts = None
        if self.uri == local_store(self._run.path):
            artifacts = (self._run.path.absolute().parent / "mlartifacts").as_uri()
        return str(client.create_experiment(_EXPERIMENT, artifact_location=artifacts))

    def _send_children(self, client: "MlflowClient", run_id: str, rows: Sequence[LedgerRow], sent: set[int]) -> None:
        """Send the children that are finished and not in `sent`, each as the step of its place in the search."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        steps = {step: _metrics(row) for step, row in enumerate(rows) if row.outcome is not None and step not in sent}
        metrics = [Metric(name, value, now, step) for step, values in steps.items() for name, value in values.items()]
        for start in range(0, len(metrics), _METRICS_PER_REQUEST):
            client.log_batch(run_id, metrics=metrics[start : start + _METRICS_PER_REQUEST])
        sent.update(steps)


def local_store(run: Path) -> str:
    """The MLflow store that runs in one folder share when `MLFLOW_TRACKING_URI` names no other."""
    return f"sqlite:///{(run.absolute().parent / 'mlflow.db').as_posix()}"


def _metrics(row: LedgerRow) -> dict[str, float]:
    assert row.outcome is not None  # only finished children are sent
    metrics = {"n_blocks": len(row.candidate.cell), "seconds": row.outcome.seconds, **row.outcome.measurements}
    if row.outcome.accuracy is not None:
        metrics["accuracy"] = row.outcome.accuracy
    if row.candidate.predicted is not None:
        metrics["predicted_accuracy"] = row.candidate.predicted
    return metrics


def _tags(provenance: dict[str, Any]) -> dict[str, str]:
    versions = {f"version.{name}": str(version) for name, version in provenance["versions"].items()}
    return {"mlflow.source.git.commit": str(provenance["git_revision"]), "platform": provenance["platform"], **versions}

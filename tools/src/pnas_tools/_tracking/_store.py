"""MLflow stores: servers, and the SQLite file that runs in one folder share."""

import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from pnas_tools._tracking._values import Value
from pnas_tools._tracking_uri import local_store

if TYPE_CHECKING:  # importing mlflow takes seconds
    from mlflow import MlflowClient
    from mlflow.entities import Param, Run

EXPERIMENT = "pnas"
_RUNS_PER_PAGE = 1000
# Or else the pages of MLflow show what is of interest in language models.
_TRAINS_MODELS = {"mlflow.experimentKind": "custom_model_development"}


def is_server(uri: str) -> bool:
    return uri.startswith(("http://", "https://"))


def connected(uri: str, run: Path) -> "tuple[MlflowClient, str]":
    """A client of a store, and the id of the experiment there, which is made where there is none.

    Args:
        uri: of the store.
        run: the folder of the run, beside which the local store is.
    """
    is_local = uri == local_store(run)
    folder = run.absolute().parent
    if not is_local:
        client = client_of(uri)
        return client, experiment_id(client, uri)
    with FileLock(folder / ".mlflow.lock"):  # other searches may be making its tables
        _write_ahead(folder / "mlflow.db")
        client = client_of(uri)
        return client, experiment_id(client, uri)


def client_of(uri: str) -> "MlflowClient":
    """A client of a store, which fails at once where that does not answer."""
    # A request that is sent again may make a run twice; whoever sends looks up what is there, and begins anew.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    # Naming the address of a run that has ended costs a request, and stdout is ours.
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    import mlflow
    from mlflow import MlflowClient

    mlflow.set_tracking_uri(uri)  # by which older versions find the files of a server, whatever client they are
    for noisy in ("mlflow", "alembic"):  # after the import, which sets their levels
        logging.getLogger(noisy).setLevel(logging.ERROR)
    return MlflowClient(tracking_uri=uri)


def _write_ahead(database: Path) -> None:
    """Have SQLite wait for the disk once a commit, and not four times: a child is half a dozen commits of MLflow's."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def experiment_name() -> str:
    return os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT


def experiment_id(client: "MlflowClient", uri: str) -> str:
    """That of the experiment which runs are put into; it is made where there is none."""
    experiment = client.get_experiment_by_name(experiment_name())
    if experiment is not None:
        return str(experiment.experiment_id)
    created = client.create_experiment(experiment_name(), artifact_location=_artifacts(uri), tags=_TRAINS_MODELS)
    return str(created)


def _artifacts(uri: str) -> str | None:
    """A folder beside a SQLite file, in the place of `mlruns` in the folder of this process; servers have their own."""
    path = uri.removeprefix("sqlite:///")
    return None if path == uri else (Path(path).absolute().parent / "mlartifacts").as_uri()


def find_runs(client: "MlflowClient", experiment_id: str, tag: str, value: str) -> "Iterator[Run]":
    """The runs that have a tag, the oldest first."""
    token = None
    while True:
        page = client.search_runs(
            [experiment_id],
            f"tags.`{tag}` = '{value}'",
            max_results=_RUNS_PER_PAGE,
            order_by=["attributes.start_time ASC"],
            page_token=token,
        )
        yield from page
        token = page.token
        if not token:
            return


def find_run(client: "MlflowClient", run_id: str) -> "Run | None":
    """A run, unless somebody has deleted it, or it is of another store."""
    from mlflow.exceptions import MlflowException

    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
    return run if run.info.lifecycle_stage == "active" else None


def log_values(client: "MlflowClient", run_id: str, values: Sequence[Value], params: "Sequence[Param]" = ()) -> None:
    """Send metrics and params in one request."""
    from mlflow.entities import Metric

    metrics = [Metric(value.name, value.value, value.at, value.step) for value in values]
    client.log_batch(run_id, metrics=metrics, params=params)

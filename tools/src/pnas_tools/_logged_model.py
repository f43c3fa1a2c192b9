"""A trained network as a model of MLflow's, which `mlflow.pyfunc` loads from safetensors and without unpickling.

MLflow writes the name of this module beside the file of weights, and calls `_load_pyfunc` to load it.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pnas_tools._files import write_json_atomically
from pnas_tools._preparation import Preparation
from pnas_tools._run_folder import RunFolder
from pnas_tools._tracking._memory import recalled
from pnas_tools._tracking._store import client_of, experiment_id
from pnas_tools._training._folder import TrainingFolder

if TYPE_CHECKING:  # importing them takes seconds
    from mlflow import MlflowClient

    from pnas_models import CellNetwork

_REQUIREMENT = "pnas-tools>=0.1,<0.2"
_METRICS_PER_REQUEST = 1000


@dataclass(frozen=True, kw_only=True)
class LoggedNetwork:
    """What `mlflow.pyfunc` calls: a network with what its images go through before it."""

    network: "CellNetwork"
    preparation: Preparation

    def predict(self, images: NDArray[np.uint8], params: dict[str, Any] | None = None) -> NDArray[np.float32]:
        """uint8 `(N, C, H, W)` to logits `(N, classes)`."""
        import torch

        with torch.inference_mode():
            logits: NDArray[np.float32] = self.network(self.preparation.prepared(torch.tensor(images))).numpy()
        return logits


def _load_pyfunc(path: str) -> LoggedNetwork:
    """The hook by which MLflow loads the model that it keeps at a path."""
    from pnas_models import ModelError, load_network

    preparation = Preparation.of_file(Path(path))
    if preparation is None:
        raise ModelError(f"{path} does not say what its images go through: log a file that pnas-tools train wrote")
    return LoggedNetwork(network=load_network(path).eval(), preparation=preparation)


def track_network(text: str, folder: TrainingFolder, accuracies: list[float]) -> str | None:
    """Log a trained network and its curve, unless that was done; what went wrong, in a sentence, if anything did.

    It goes to the MLflow run of the search in the folder `text`, or else to a run of its own at `MLFLOW_TRACKING_URI`;
    where there is neither, nowhere.
    """
    run = RunFolder(Path(text))
    search = recalled(run.tracking) if run.holds_run() else {}
    uri = search.get("tracking_uri") or os.environ.get("MLFLOW_TRACKING_URI")
    if uri is None or recalled(folder.tracking).get("tracking_uri") == uri:
        return None
    # Whatever MLflow or its database raises is the user's to know, and not the training's to fail of.
    try:
        logged = _log(folder, uri, search.get("run_id"), accuracies)
    except Exception as error:  # noqa: BLE001
        problem = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        return f"MLflow at {uri} did not take the network ({problem}); the same command tries again"
    write_json_atomically(folder.tracking, {"tracking_uri": uri, **logged})
    return None


def logged_model(folder: TrainingFolder) -> str | None:
    """The URI for `mlflow.pyfunc.load_model`; None where the network was not logged."""
    return recalled(folder.tracking).get("model_uri")


def _log(folder: TrainingFolder, uri: str, run_id: str | None, accuracies: list[float]) -> dict[str, str]:
    client = client_of(uri)  # before the import, for which it sets what MLflow reads then
    import mlflow
    from mlflow.entities import Metric
    from mlflow.models import Model

    is_own = run_id is None
    run_id = run_id or _own_run(client, folder, uri)
    # Or else the model goes to the default experiment, and its files to where this process runs.
    mlflow.set_experiment(experiment_id=client.get_run(run_id).info.experiment_id)
    at = int(folder.result.stat().st_mtime * 1000)  # the same when it is sent again
    metrics = [Metric("test_accuracy", value, at, epoch) for epoch, value in enumerate(accuracies, start=1)]
    for start in range(0, len(metrics), _METRICS_PER_REQUEST):
        client.log_batch(run_id, metrics=metrics[start : start + _METRICS_PER_REQUEST])
    model = Model.log(
        artifact_path=None,
        name="network",
        flavor=mlflow.pyfunc,
        run_id=run_id,
        loader_module=__name__,
        data_path=str(folder.network),
        pip_requirements=[_REQUIREMENT],
        **_signature(folder.network),
    )
    if is_own:
        client.set_terminated(run_id)
    return {"run_id": run_id, "model_uri": model.model_uri}


def _own_run(client: "MlflowClient", folder: TrainingFolder, uri: str) -> str:
    """A run of the training's own, which is remembered before anything is sent to it."""
    begun = recalled(folder.tracking)
    if begun.get("begun_at") == uri:
        return str(begun["run_id"])
    run_id = str(client.create_run(experiment_id(client, uri), run_name=folder.path.name).info.run_id)
    write_json_atomically(folder.tracking, {"begun_at": uri, "run_id": run_id})
    return run_id


def _signature(network: Path) -> dict[str, Any]:
    """What the model takes and gives, with an image of noise for an example."""
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    loaded = _load_pyfunc(str(network))
    shape = loaded.preparation.shape
    inputs = TensorSpec(np.dtype(np.uint8), (-1, *shape))
    outputs = TensorSpec(np.dtype(np.float32), (-1, loaded.network.num_classes))
    return {
        "signature": ModelSignature(inputs=Schema([inputs]), outputs=Schema([outputs])),
        "input_example": np.random.default_rng(0).integers(0, 256, (1, *shape), dtype=np.uint8),
    }

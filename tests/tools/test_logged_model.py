"""A trained network in a store of MLflow's, and what loads from there."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from pnas_models import load_network
from pnas_tools._cli import cli
from pnas_tools._logged_model import _load_pyfunc
from pnas_trainer import load_dataset

CELL = "sep_conv_3x3@-2+identity@-1"
SMALL = ("--filters", "2", "--repeats", "1", "--epochs", "2", "--train-images", "300")

# MLflow's own, and those of what it imports.
pytestmark = pytest.mark.filterwarnings("default")


def test_a_logged_network_loads_with_its_signature_and_is_right_as_often_as_the_training_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    command = ["train", CELL, "-o", "out", *SMALL]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 0, done.output
    logged = json.loads(Path("out/mlflow.json").read_text())
    assert logged["model_uri"] in done.stdout
    model = mlflow.pyfunc.load_model(logged["model_uri"])
    assert model.metadata.signature.inputs.inputs[0].shape == (-1, 1, 8, 8)
    assert model.metadata.signature.outputs.inputs[0].shape == (-1, 10)
    assert model.input_example.shape == (1, 1, 8, 8)
    digits = load_dataset("digits", test=True)
    assert digits.test_images is not None
    assert digits.test_labels is not None
    logits = model.predict(digits.test_images.numpy())
    result = json.loads(Path("out/result.json").read_text())
    assert (logits.argmax(1) == digits.test_labels.numpy()).mean() == result["accuracy"]
    client = mlflow.MlflowClient()
    history = client.get_metric_history(logged["run_id"], "test_accuracy")
    assert [(metric.step, metric.value) for metric in history] == list(enumerate(result["accuracies"], start=1))
    run = client.get_run(logged["run_id"])
    assert run.info.status == "FINISHED"
    assert mlflow.get_logged_model(model.metadata.model_id).experiment_id == run.info.experiment_id
    assert CliRunner().invoke(cli, command).exit_code == 0
    assert json.loads(Path("out/mlflow.json").read_text()) == logged  # and not once more
    # Sent again, it is the same to the last point; what is trained on from there is another run.
    Path("out/mlflow.json").write_text(json.dumps({"begun_at": client.tracking_uri, "run_id": logged["run_id"]}))
    assert CliRunner().invoke(cli, command).exit_code == 0
    assert len(client.get_metric_history(logged["run_id"], "test_accuracy")) == len(result["accuracies"])
    assert CliRunner().invoke(cli, ["train", "out", "-o", "on", "--epochs", "1"]).exit_code == 0
    assert json.loads(Path("on/mlflow.json").read_text())["run_id"] != logged["run_id"]


def test_a_store_that_is_not_there_fails_no_training_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'missing' / 'mlflow.db'}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "missing").touch()
    done = CliRunner().invoke(cli, ["train", CELL, "-o", "out", *SMALL])
    assert done.exit_code == 0, done.output
    assert "did not take the network" in done.stderr
    assert not Path("out/mlflow.json").exists()
    (tmp_path / "missing").unlink()
    (tmp_path / "missing").mkdir()
    assert CliRunner().invoke(cli, ["train", CELL, "-o", "out", *SMALL]).exit_code == 0
    assert Path("out/mlflow.json").exists()


def test_what_mlflow_loads_is_the_network_with_its_images_prepared(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["train", CELL, "-o", str(tmp_path), *SMALL, "--no-track"])
    assert done.exit_code == 0, done.output
    loaded = _load_pyfunc(str(tmp_path / "network.safetensors"))
    images = np.random.default_rng(0).integers(0, 256, (4, 1, 8, 8), dtype=np.uint8)
    with torch.inference_mode():
        prepared = loaded.preparation.prepared(torch.tensor(images))
        expected = load_network(tmp_path / "network.safetensors").eval()(prepared)
    assert np.array_equal(loaded.predict(images), expected.numpy())
    assert not (tmp_path / "mlflow.json").exists()

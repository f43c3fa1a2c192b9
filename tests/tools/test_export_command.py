import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pnas_models import cifar_network, save_weights
from pnas_tools._cli import cli

BLOCKS = [[-2, "identity", -1, "max_pool_3x3"]]


def begin(folder: Path) -> None:
    """Leave there what a training has before its end."""
    (folder / "config.json").write_text('{"network": "cifar", "recipe": "proxy_quick", "n_epochs": 3, "seed": 0}')


def test_a_file_goes_to_an_onnx_file_beside_it_or_where_it_was_told(tmp_path: Path) -> None:
    save_weights(cifar_network(BLOCKS, n_filters=2, n_repeats=1), tmp_path / "small.safetensors")
    for options, target in (((), "network.onnx"), (("--onnx", str(tmp_path / "told.onnx")), "told.onnx")):
        done = CliRunner().invoke(cli, ["export", str(tmp_path / "small.safetensors"), *options])
        assert done.exit_code == 0, done.output
        assert f"wrote {tmp_path / target}" in done.stdout
        assert "onnxruntime differs from PyTorch by" in done.stdout
        assert (tmp_path / target).is_file()


def test_the_folder_of_a_training_that_is_not_finished_is_refused(tmp_path: Path) -> None:
    begin(tmp_path)
    for command in (["export"], ["models", "export", "--onnx", str(tmp_path / "a.onnx")], ["models", "info"]):
        done = CliRunner().invoke(cli, [*command, str(tmp_path)])
        assert done.exit_code == 2
        assert "is not finished" in done.stderr


def test_the_folder_of_a_training_stands_for_its_network(tmp_path: Path) -> None:
    begin(tmp_path)
    save_weights(cifar_network(BLOCKS, n_filters=2, n_repeats=1), tmp_path / "network.safetensors")
    for command in (["export"], ["models", "info"]):
        done = CliRunner().invoke(cli, [*command, str(tmp_path), "--json"])
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["name"] == f"the network in {tmp_path / 'network.safetensors'}"


def test_without_a_place_it_is_written_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cell = "identity@-2+max_pool_3x3@-1"
    done = CliRunner().invoke(cli, ["models", "export", cell, "--filters", "2", "--repeats", "1"])
    assert done.exit_code == 0, done.output
    assert "wrote network.onnx: the cifar network of" in done.stdout
    assert "random weights of seed 0" in done.stdout
    assert (tmp_path / "network.onnx").is_file()


@pytest.mark.parametrize("command", [["export", "--onnx", "a.onnx"], ["models", "info"], ["evaluate"]])
def test_a_folder_with_somebodys_config_is_no_training(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "config.json").write_text('{"model_type": "resnet"}')
    done = CliRunner().invoke(cli, [*command, "theirs"])
    assert done.exit_code == 2
    assert "is not finished" not in done.stderr


def test_the_name_of_a_network_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pnasnet5_cifar").mkdir()
    begin(tmp_path / "pnasnet5_cifar")
    done = CliRunner().invoke(cli, ["models", "info", "pnasnet5_cifar", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["name"] == "pnasnet5_cifar"

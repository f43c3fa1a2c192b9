"""A search, the final training of what it found, and the ONNX file of that, in one command."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from click.testing import CliRunner

from pnas_models import load_network
from pnas_tools._cli import cli

SMALL = ("--operations", "identity,max_pool_3x3", "--blocks", "1", "--filters", "2", "--epochs", "1", "--workers", "1")


def searched(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    steps = ("--then", "train --epochs 2 --checkpoint-every 1s", "--then", f"export --onnx {out}/network.onnx")
    return subprocess.run(
        [sys.executable, "-m", "pnas_tools", "search", *SMALL, "--no-track", "--out", str(out), *steps, *options],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_one_command_goes_from_the_search_to_the_onnx_file(tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = searched(out)
    assert done.returncode == 0, done.stderr
    network = load_network(out / "network" / "network.safetensors").eval()
    search, training = (json.loads(path.read_text()) for path in (out / "result.json", out / "network" / "result.json"))
    assert training["config"]["cell"] == search["best_cell"]
    # As much larger than the children as in the paper, but for the epochs that were given.
    assert [training["config"][name] for name in ("n_filters", "n_repeats", "n_epochs")] == [4, 2, 2]
    images = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = network(images).numpy()
    session = onnxruntime.InferenceSession(out / "network.onnx", providers=["CPUExecutionProvider"])
    (actual,) = session.run(None, {"images": images.numpy()})
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)
    # As after a kill between the training and the export.
    (out / "network.onnx").unlink()
    again = searched(out, "--json")
    assert again.returncode == 0, again.stderr
    assert "The training in" in again.stderr
    assert (out / "network.onnx").is_file()
    told = json.loads(again.stdout)
    assert told["best_cell"] == search["best_cell"]
    files = [str(out / "network" / "network.safetensors"), str(out / "network.onnx")]
    assert [step["file"] for step in told["then"]] == files


def test_what_was_done_before_a_step_that_failed_is_told(tmp_path: Path) -> None:
    out = tmp_path / "run"
    options = ["--then", "train --epochs 2 --learning-rate 1e30 --precision float32", "--then", "export", "--json"]
    done = CliRunner().invoke(cli, ["search", *SMALL, "--no-track", "--out", str(out), *options])
    assert done.exit_code == 1
    assert "diverged" in done.stderr
    told = json.loads(done.stdout)
    assert told["best_cell"] == json.loads((out / "result.json").read_text())["best_cell"]
    assert told["then"] == []


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (["sing"], "expected train or export"),
        ([""], "expected train or export"),
        (["train --epochs none"], "--then 'train --epochs none': Invalid value for '--epochs'"),
        (["train '"], "cannot be taken apart"),
        (["export"], "pass that before it"),
        (["export", "train"], "pass that before it"),
        (["train", "train --epochs 2"], "--then train is given twice"),
        (["train --out elsewhere"], "--then 'train --out elsewhere': --out is not for what was searched for"),
        (["train --json"], "--json is not for what was searched for, or is the search's to say"),
        (["train", "export --quiet"], "--quiet is not"),
        (["train", "export --filters 3"], "--filters is not for what was searched for"),
        (["train --dataset nowhere"], "unknown data set 'nowhere'"),
        (["train --dataset ."], ". must hold a folder train and beside it test or val"),
        (["train --device cuda:99"], "--device cuda:99 asks for a CUDA device"),
        (["train --image-size 9"], "--image-size is of a folder"),
        (["train --network cifar --stem-filters 3"], "--stem-filters is of --network imagenet"),
        (["train --weights missing.pth"], "missing.pth"),
        (["train", "export --onnx missing/network.onnx"], "there is no folder missing"),
        (["train", "export --onnx network.pb"], "ends in .onnx"),
    ],
)
def test_steps_that_cannot_be_are_refused_before_the_search_begins(
    steps: list[str], message: str, tmp_path: Path
) -> None:
    options = [word for step in steps for word in ("--then", step)]
    done = CliRunner().invoke(cli, ["search", *SMALL, "--out", str(tmp_path / "run"), *options])
    assert done.exit_code == 2
    assert message in done.stderr
    assert not (tmp_path / "run").exists()

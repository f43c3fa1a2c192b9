"""Real trainings on the digits, of a network so small that each is over in a second."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file

from pnas_models import load_network
from pnas_search import Ledger
from pnas_tools._cli import cli
from pnas_tools._config import PRESETS
from pnas_tools._provenance import provenance

pytestmark = pytest.mark.usefixtures("one_thread")

CELL = "sep_conv_3x3@-2+identity@-1"
SMALL = ("--filters", "2", "--repeats", "1", "--no-track")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["train", *map(str, arguments)])


def trained(out: Path, *arguments: object) -> dict[str, Any]:
    done = run(CELL, "-o", out, *SMALL, "--json", "--quiet", *arguments)
    assert (done.exit_code, done.stderr) == (0, ""), done.output
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def refused(*arguments: object) -> str:
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    return line


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "folder"
    trained(folder, "--epochs", 2, "--train-images", 300)
    return folder


def test_a_training_leaves_a_network_and_what_it_cost(out: Path) -> None:
    result = json.loads((out / "result.json").read_text())
    network = load_network(out / "network.safetensors")
    assert network.config["n_filters"] == 2
    assert network.config["in_channels"] == 1
    assert result["accuracy"] == result["accuracies"][-1]
    assert (len(result["losses"]), result["n_examples"], result["seed"]) == (2, 600, 0)
    assert result["n_parameters"] == sum(parameter.numel() for parameter in network.parameters())
    assert {"git_revision", "versions"} <= result["provenance"].keys()
    assert not (out / "checkpoint.pt").exists()


def test_the_same_command_trains_nothing_again_and_says_what_to_do_next(out: Path) -> None:
    before = (out / "network.safetensors").stat().st_mtime_ns
    done = run(CELL, "-o", out, *SMALL, "--epochs", 2, "--train-images", 300)
    assert done.exit_code == 0
    assert "is finished" in done.stderr
    assert f"pnas-tools evaluate {out}" in done.stdout
    assert f"pnas-tools export {out}" in done.stdout
    assert (out / "network.safetensors").stat().st_mtime_ns == before


def test_other_options_than_those_it_began_with_are_refused(out: Path) -> None:
    message = refused(CELL, "-o", out, *SMALL, "--epochs", 3, "--train-images", 300)
    assert "--epochs is 2 there and 3 here" in message


def test_a_training_that_is_killed_goes_on_to_the_same_network(tmp_path: Path) -> None:
    # All in processes of their own: what was computed in this one decides which instructions PyTorch takes in it.
    def command(name: str, *options: str) -> list[str]:
        folder = str(tmp_path / name)
        train = [sys.executable, "-m", "pnas_tools", "train", CELL, "-o", folder, *SMALL, "--epochs", "60"]
        return [*train, "--json", "--quiet", *options]

    environment = {**os.environ, **ONE_THREAD}
    undisturbed = subprocess.run(command("undisturbed"), env=environment, capture_output=True, check=True)
    with subprocess.Popen(command("killed", "--checkpoint-every", "1us"), env=environment) as process:
        deadline = time.monotonic() + 120
        while not (tmp_path / "killed" / "checkpoint.pt").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert (tmp_path / "killed" / "checkpoint.pt").exists()
    assert not (tmp_path / "killed" / "result.json").exists()
    resumed = subprocess.run(command("killed"), env=environment, capture_output=True, check=True)
    there, here = (json.loads(done.stdout) for done in (undisturbed, resumed))
    assert (here["losses"], here["accuracies"]) == (there["losses"], there["accuracies"])
    ours, theirs = (load_file(tmp_path / name / "network.safetensors") for name in ("killed", "undisturbed"))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def interrupt(command: list[str], after: bytes) -> str:
    """Press Ctrl-C in a terminal once something is shown there; give all that was shown."""
    terminal, its_side = pty.openpty()
    with subprocess.Popen(
        command,
        env={**os.environ, **ONE_THREAD, "TERM": "xterm"},
        stderr=its_side,
        start_new_session=True,
        # A suite that runs in the background of a shell is started with Ctrl-C ignored, and hands that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        deadline = threading.Timer(120, process.kill)
        deadline.start()
        os.close(its_side)
        shown, is_pressed = b"", False
        with suppress(OSError):  # what Linux answers when the other side is closed
            while told := os.read(terminal, 4096):
                shown += told
                if after in shown and not is_pressed:
                    is_pressed = True
                    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: those that read images get it too
        deadline.cancel()
    os.close(terminal)
    assert process.returncode == 130, shown
    return shown.decode()


def test_ctrl_c_ends_a_training_after_a_step_from_which_it_goes_on(tmp_path: Path) -> None:
    def command(name: str) -> list[str]:
        train = [sys.executable, "-m", "pnas_tools", "train", CELL, "-o", str(tmp_path / name), *SMALL, "--json"]
        return [*train, "--epochs", "60", "--checkpoint-every", "3600s"]

    environment = {**os.environ, **ONE_THREAD}
    undisturbed = subprocess.run(command("undisturbed"), env=environment, capture_output=True, check=True)
    shown = interrupt(command("interrupted"), after=b" of 60")
    assert shown.endswith("pnas-tools: interrupted; the same command goes on where it stopped\r\n")
    state = torch.load(tmp_path / "interrupted" / "checkpoint.pt", weights_only=True)["training"]
    assert (state["epoch"], state["step"]) > (0, 0)
    resumed = subprocess.run(command("interrupted"), env=environment, capture_output=True, check=True)
    there, here = (json.loads(done.stdout) for done in (undisturbed, resumed))
    assert (here["losses"], here["accuracies"]) == (there["losses"], there["accuracies"])


def test_ctrl_c_reaches_the_processes_that_read_images_and_loses_no_step_either(pictures: Path, tmp_path: Path) -> None:
    network = ("--network", "imagenet", "--filters", "4", "--repeats", "1", "--no-auxiliary", "--image-size", "64")
    options = ("--dataset", str(pictures), "--workers", "2", "--epochs", "1000", "--checkpoint-every", "3600s")
    command = [sys.executable, "-m", "pnas_tools", "train", CELL, "-o", str(tmp_path / "out"), *network, *options]
    shown = interrupt(command, after=b"epoch 2")
    assert shown.endswith("pnas-tools: interrupted; the same command goes on where it stopped\r\n")
    assert "Traceback" not in shown
    assert torch.load(tmp_path / "out" / "checkpoint.pt", weights_only=True)["training"]["epoch"] >= 1


def test_under_torchrun_two_processes_train_and_one_writes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*command, "-m", "pnas_tools", "train", CELL, "-o", str(tmp_path / "two"), *SMALL, "--epochs", "2", "--json"],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, **ONE_THREAD},
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)  # of one process
    assert result["config"]["n_processes"] == 2
    assert load_network(tmp_path / "two" / "network.safetensors").config["n_filters"] == 2


@pytest.mark.parametrize("name", ["network.safetensors", "."])
def test_what_was_trained_is_trained_on_from_its_weights(name: str, out: Path, tmp_path: Path) -> None:
    done = run(out / name, "-o", tmp_path / "on", "--epochs", 1, "--learning-rate", 1e-9, "--no-track")
    assert done.exit_code == 0, done.output
    before, after = (load_file(folder / "network.safetensors") for folder in (out, tmp_path / "on"))
    torch.testing.assert_close(after["classifier.weight"], before["classifier.weight"], rtol=0, atol=1e-6)


def test_a_network_for_imagenet_is_trained_and_measured_on_folders(pictures: Path, tmp_path: Path) -> None:
    done = run(
        *(CELL, "-o", tmp_path / "out", "--network", "imagenet", "--dataset", pictures, "--image-size", 64, "--json"),
        *("--filters", 4, "--repeats", 1, "--no-auxiliary", "--epochs", 1, "--workers", 0, "--no-track", "--quiet"),
    )
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    measured = CliRunner().invoke(cli, ["evaluate", str(tmp_path / "out"), "--workers", "0", "--json"])
    assert measured.exit_code == 0, measured.output
    assert json.loads(measured.stdout)["top_1"] == result["accuracy"]


def test_a_training_that_diverges_has_failed_and_says_in_which_epoch(tmp_path: Path) -> None:
    done = run(CELL, "-o", tmp_path / "out", *SMALL, "--epochs", 2, "--learning-rate", 1e30)
    assert done.exit_code == 1
    assert "diverged in epoch" in done.stderr
    assert not (tmp_path / "out" / "result.json").exists()


def test_what_cannot_be_trained_is_refused_in_a_sentence(out: Path, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.tex").touch()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "config.json").write_text("{")
    new = tmp_path / "new"
    assert "name a folder with --out" in refused(CELL)
    assert "holds no training, but 'thesis.tex'" in refused(CELL, "-o", tmp_path / "foreign", *SMALL)
    assert "config.json is damaged" in refused(CELL, "-o", tmp_path / "damaged", *SMALL)
    assert "unknown data set 'digit'" in refused(CELL, "-o", new, *SMALL, "--dataset", "digit")
    assert not new.exists()
    assert "is no model" in refused("nonsense", "-o", new)
    assert "--recipe run trains as a search did" in refused(CELL, "-o", new, *SMALL, "--recipe", "run")
    assert "--image-size is of a folder" in refused(CELL, "-o", new, *SMALL, "--image-size", 32)
    assert "--filters is of the network around a CELL" in refused(
        out / "network.safetensors", "-o", new, "--filters", 2
    )


def test_a_plan_may_change_until_the_first_checkpoint(out: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        (out / "config.json").read_text().replace('"n_epochs": 2', '"n_epochs": 3000')
    )
    trained(tmp_path, "--epochs", 2, "--train-images", 300)
    assert json.loads((tmp_path / "config.json").read_text())["n_epochs"] == 2


def test_a_folder_of_a_search_is_no_place_for_a_training(tmp_path: Path) -> None:
    Ledger.create(tmp_path / "ledger.sqlite", config=PRESETS["quick"].as_json(), provenance=provenance()).close()
    assert f"{tmp_path} holds a search" in refused(CELL, "-o", tmp_path, *SMALL)


def test_a_search_that_is_not_finished_has_no_best_cell_yet(tmp_path: Path) -> None:
    Ledger.create(tmp_path / "ledger.sqlite", config=PRESETS["quick"].as_json(), provenance=provenance()).close()
    assert "is not finished" in refused(tmp_path)

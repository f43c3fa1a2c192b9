"""Every command that the two READMEs of the command line show is run, on what is small."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pnas_models import create_model, save_weights

ROOT = Path(__file__).parents[2]
RUNS = ("quick-seed0-6cd2e750", "small")

# What is added behind a command, so that it is over in seconds; of an option that is given twice the last one counts.
_CELLS = "--operations identity,max_pool_3x3 --blocks 2 --beam 3 --no-track"
_SURROGATE = "--surrogate-epochs 2 --members 2"
_TRAINING = "--filters 2 --repeats 1 --epochs 1 --train-images 200 --validation-images 100"
_DIGITS = "--dataset digits --device cpu --upsample-to none --crop-to none --flip false --batch-size 50"
SMALLER = {
    "search --dataset photos": f"{_CELLS} {_SURROGATE} --filters 2 --repeats 1 --epochs 1",
    "search --evaluator": "--blocks 2 --beam 3 --surrogate-epochs 2 --no-track",
    "search --strategy": f"{_CELLS} {_TRAINING} --models 9",
    "search --preset paper": f"{_CELLS} {_SURROGATE} {_TRAINING} {_DIGITS}",
    "search": f"{_CELLS} {_SURROGATE} {_TRAINING}",
    "compare": "--blocks 2 --beam 3 --trials 1 --strategies progressive,random --surrogate-epochs 2",
    "train": "--epochs 1 --no-track",
    "surrogate benchmark": "--trials 2 --samples 20 --predictors mlp",
    "benchmark check": "--rows 2",
    "evaluate pnasnet5_mobile": "--weights mobile.safetensors --image-size 32",
    "models classify pnasnet5_mobile": "--weights mobile.safetensors",
}
# What needs files of hundreds of megabytes that others have published, or trains for an hour.
NOT_RUN = (
    "models classify pnasnet5_large",
    "models convert",
    "models export pnasnet5_large",
    "benchmark make",
)


def commands() -> list[str]:
    pattern = re.compile(r"^    pnas-tools (.*?)(?:  +#.*)?$", re.MULTILINE)
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "tools/README.md")]
    return sorted({command for text in texts for command in pattern.findall(text)})


def smaller(command: str) -> str:
    longest = max((begin for begin in SMALLER if command.startswith(begin)), key=len, default=None)
    return command if longest is None else f"{command} {SMALLER[longest]}"


def tools(command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-m", "pnas_tools", *shlex.split(command)]
    environment = {**os.environ, "PNAS_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the commands name: runs, images, weights and a table."""
    folder = tmp_path_factory.mktemp("readme")
    first, second = (folder / "runs" / name for name in RUNS)
    done = tools(f"search {SMALLER['search']} --out {first} --then 'train --epochs 1'", folder)
    assert done.returncode == 0, done.stderr
    shutil.copytree(first, second)
    rng = np.random.default_rng(0)
    photos = [f"photos/{name}/{index}" for name in "ab" for index in range(20)]
    imagenet = [f"imagenet/val/{index:04}/0" for index in range(1000)]
    for place in (*photos, *imagenet, "cat", "dog"):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / f"{place}.png")
    for name in ("cat", "dog"):
        (folder / f"{name}.png").rename(folder / f"{name}.jpg")
    save_weights(create_model("pnasnet5_mobile"), folder / "mobile.safetensors")
    rows = [" ".join(map(str, rng.integers(0, 3, 4 * n_blocks))) for n_blocks in (1, 2) for _ in range(60)]
    scores = (f"{row},{row.count('2') / len(row)}" for row in rows)
    (folder / "table.csv").write_text("\n".join(["sequence,score", *scores]))
    return folder


@pytest.mark.parametrize("command", [one for one in commands() if not one.startswith(NOT_RUN)])
def test_every_command_runs(command: str, begun: Path, tmp_path: Path) -> None:
    for entry in begun.iterdir():
        if entry.name == "runs":
            shutil.copytree(entry, tmp_path / "runs")
        else:
            (tmp_path / entry.name).symlink_to(entry)
    if command.startswith("train"):
        for name in RUNS:
            shutil.rmtree(tmp_path / "runs" / name / "network")
    done = tools(smaller(command), tmp_path)
    assert done.returncode == 0, (smaller(command), done.stderr)
    assert done.stdout
    if "--json" in command:
        json.loads(done.stdout)


def test_most_commands_are_run() -> None:
    n_not = sum(command.startswith(NOT_RUN) for command in commands())
    assert (len(commands()) > 40, n_not < 8) == (True, True)

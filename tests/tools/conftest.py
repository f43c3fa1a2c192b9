import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other on a busy machine would take most of the time of small networks."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random pictures of several sizes in folders of two classes, in `train` and in `val`."""
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for part, n_images in (("train", 6), ("val", 5)):
        for name in ("n01440764", "n01443537"):
            (root / part / name).mkdir(parents=True)
            for index in range(n_images):
                pixels = rng.integers(0, 256, (70 + 5 * index, 90, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / part / name / f"{index}.png")
    return root


@pytest.fixture(scope="session")
def on_benchmark() -> Callable[..., Path]:
    """A finished search in a folder, on a table of cells that were computed portably.

    It runs in a process of its own: PyTorch asks once which instructions it may take, and tests that follow would have
    the fewer ones too.
    """

    def search(folder: Path, *options: str) -> Path:
        table = ["--evaluator", "benchmark:micro-digits", "--no-track", "--quiet", "--out", str(folder)]
        command = [sys.executable, "-m", "pnas_tools", "search", *table, *options]
        subprocess.run(command, check=True, capture_output=True)
        return folder

    return search

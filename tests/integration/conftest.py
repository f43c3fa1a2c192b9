import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SMALL = (
    *("--operations", "identity,max_pool_3x3,avg_pool_3x3"),  # 21 cells of one block
    *("--blocks", "2", "--beam", "4", "--filters", "2", "--epochs", "1", "--surrogate-epochs", "5"),
)
"""Options of a search that is real and over in seconds."""

Command = Callable[..., list[str]]


@pytest.fixture(scope="session")
def small_search() -> Command:
    """Makes the command line of a small search in a folder."""

    def command(out: Path, *options: str) -> list[str]:
        return [sys.executable, "-m", "pnas_tools", "search", *SMALL, "--no-track", "--out", str(out), *options]

    return command


@pytest.fixture(scope="session")
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command to its end."""

    def call(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **environment},
        )

    return call


@pytest.fixture(scope="session")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory,
    small_search: Command,
    run: Callable[..., subprocess.CompletedProcess[str]],
) -> Path:
    """The folder of a small search that nothing interrupted, with two workers."""
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    done = run(small_search(out, "--workers", "2"))
    assert done.returncode == 0, done.stderr
    return out

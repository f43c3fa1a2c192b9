import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pnas_tools._cli import cli

GOLDEN = Path(__file__).parents[1] / "golden"
HELP = [
    [],
    ["compare"],
    ["models"],
    ["models", "classify"],
    ["models", "convert"],
    ["models", "export"],
    ["models", "info"],
    ["models", "list"],
    ["search"],
    ["space"],
    ["space", "canonical"],
    ["space", "count"],
    ["space", "neighbors"],
    ["space", "sample"],
    ["status"],
    ["surrogate"],
    ["surrogate", "benchmark"],
]


@pytest.mark.parametrize("command", HELP, ids=lambda command: " ".join(command) or "pnas-tools")
def test_the_help_is_as_it_was(command: list[str]) -> None:
    """After a change that is meant, `PNAS_UPDATE_GOLDEN=1 make test` writes the new text."""
    done = CliRunner().invoke(cli, [*command, "--help"], prog_name="pnas-tools", terminal_width=100)
    assert done.exit_code == 0
    golden = GOLDEN / f"help{''.join(f'_{name}' for name in command)}.txt"
    if os.environ.get("PNAS_UPDATE_GOLDEN"):
        golden.write_text(done.output, encoding="utf-8")
    assert done.output == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "command",
    [
        ["compare", "--help"],
        ["models", "--help"],
        ["models", "export", "--help"],
        ["search", "--help"],
        ["space", "count", "--blocks", "2"],
        ["surrogate", "benchmark", "--help"],
    ],
    ids=" ".join,
)
def test_what_trains_nothing_imports_nothing_heavy(command: list[str]) -> None:
    code = (
        f"import sys; from pnas_tools._cli import cli; cli.main({command}, standalone_mode=False)\n"
        "heavy = {'torch', 'sklearn', 'matplotlib', 'mlflow', 'torchvision'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_version_is_the_packages() -> None:
    import pnas_tools

    done = CliRunner().invoke(cli, ["--version"], prog_name="pnas-tools")
    assert pnas_tools.__version__ in done.output

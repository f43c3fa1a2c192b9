import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pnas_tools._cli import cli

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
ABOUT = """# Commands

What `--help` prints, of `pnas-tools` and of every command. Results go to stdout and everything else to stderr. For
completion in bash, put `eval "$(_PNAS_TOOLS_COMPLETE=bash_source pnas-tools)"` into `~/.bashrc`; with `zsh_source` or
`fish_source` in the other two.
"""


def helps(command: click.Command, name: str) -> Iterator[str]:
    """The page's part about a command, and about those below it."""
    done = CliRunner().invoke(command, ["--help"], prog_name=name, terminal_width=100)
    assert done.exit_code == 0
    yield f"\n## {name}\n\n```text\n{done.output}```\n"
    if isinstance(command, click.Group):
        context = click.Context(command)
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            assert found is not None
            found.context_settings |= cli.context_settings
            yield from helps(found, f"{name} {below}")


def test_the_page_of_commands_is_what_they_print() -> None:
    """After a change that is meant, `PNAS_UPDATE_GOLDEN=1 make test` writes the new text."""
    page = "".join([ABOUT, *helps(cli, "pnas-tools")])
    if os.environ.get("PNAS_UPDATE_GOLDEN"):
        PAGE.write_text(page, encoding="utf-8")
    assert page == PAGE.read_text(encoding="utf-8")


def test_the_list_of_commands_is_of_those_that_there_are() -> None:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        found = cli.get_command(context, name)
        assert found is not None
        assert found.name == name


def test_a_misspelt_command_is_guessed() -> None:
    done = CliRunner().invoke(cli, ["serach"], prog_name="pnas-tools")
    assert done.exit_code == 2
    assert "there is no command 'serach': did you mean 'search'?" in done.output


@pytest.mark.parametrize(
    "command",
    [
        ["compare", "--help"],
        ["models", "--help"],
        ["models", "export", "--help"],
        ["report", "--help"],
        ["search", "--help"],
        ["show", "identity@-1+identity@-2"],
        ["space", "count", "--blocks", "2"],
        ["surrogate", "benchmark", "--help"],
        ["sync", "--help"],
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


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("s", {"search", "status", "show", "sync", "space", "surrogate"}), ("search --exec", {"--executor"})],
)
def test_a_shell_completes_commands_and_options(typed: str, offered: set[str]) -> None:
    words = ["pnas-tools", *typed.split()]
    completion = {
        "_PNAS_TOOLS_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": f"{len(words) - 1}",
    }
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv[0] = 'pnas-tools'; from pnas_tools._cli import main; main()"],
        env=os.environ | completion,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {line.partition(",")[2] for line in done.stdout.splitlines()} == offered

"""What the READMEs show works."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pnas_searchspace import CellSpace
from pnas_tools._cli import cli

ROOT = Path(__file__).parents[2]
READMES = sorted(
    [ROOT / "README.md", ROOT / "tools" / "README.md", *ROOT.glob("packages/*/README.md"), *ROOT.glob("docs/*.md")]
)


def blocks(language: str) -> list[tuple[str, str]]:
    pattern = re.compile(rf"^```{language}\n(.*?)^```", re.DOTALL | re.MULTILINE)
    return [
        (f"{readme.parent.name}-{index}", block)
        for readme in READMES
        for index, block in enumerate(pattern.findall(readme.read_text(encoding="utf-8")))
    ]


def indented_commands(program: str) -> list[str]:
    pattern = re.compile(rf"^    ({program} .*?)(?:  +#.*)?$", re.MULTILINE)
    return [command for readme in READMES for command in pattern.findall(readme.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("name", "code"), blocks("python"))
def test_every_python_example_runs(name: str, code: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (name, done.stderr)


@pytest.mark.parametrize("command", sorted(set(indented_commands("pnas-tools"))))
def test_every_command_parses(command: str) -> None:
    _, *arguments = shlex.split(command)
    subcommand: click.Command = cli
    # With its parent, whose settings click keeps in the command.
    context = click.Context(cli, info_name="pnas-tools", **cli.context_settings)
    while isinstance(subcommand, click.Group):
        name, *arguments = arguments
        found = subcommand.get_command(context, name)
        assert found is not None, name
        subcommand = found
    subcommand.make_context(name, arguments, parent=context)


@pytest.mark.parametrize(("name", "session"), blocks("console"))
def test_every_console_session_prints_what_is_shown(name: str, session: str) -> None:
    for exchange in session.removeprefix("$ ").split("\n$ "):
        command, _, shown = exchange.partition("\n")
        done = CliRunner().invoke(cli, shlex.split(command)[1:])
        assert (done.exit_code, done.output.strip()) == (0, shown.strip()), (name, command)


@pytest.mark.parametrize("command", sorted(set(indented_commands("make"))))
def test_every_make_target_exists(command: str) -> None:
    target = shlex.split(command)[1]
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_readmes_show_commands_of_every_kind() -> None:
    assert len(blocks("python")) >= 5
    assert "make search" in indented_commands("make")
    assert "make test" in indented_commands("make")
    assert "pnas-tools search" in indented_commands("pnas-tools")


def test_every_picture_that_a_readme_shows_is_there() -> None:
    for readme in READMES:
        for target in re.findall(r"!\[[^]]*]\(([^)]+)\)", readme.read_text(encoding="utf-8")):
            assert (readme.parent / target).is_file(), (readme, target)


def test_the_table_of_counts_is_what_is_counted() -> None:
    text = (ROOT / "docs" / "searchspace.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", text, re.MULTILINE)
    assert len(rows) == 8
    for n_blocks, *shown in rows:
        counts = [CellSpace().count(int(n_blocks), up_to) for up_to in ("nothing", "commutativity", "isomorphism")]
        assert [f"{count:,}" for count in counts] == shown

"""What the READMEs show works."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from pnas_tools._cli import cli

ROOT = Path(__file__).parents[2]
READMES = sorted([ROOT / "README.md", ROOT / "tools" / "README.md", *ROOT.glob("packages/*/README.md")])


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
    _, name, *arguments = shlex.split(command)
    subcommand = cli.get_command(None, name)  # type: ignore[arg-type]  # the group needs no context
    assert subcommand is not None
    # With its parent, whose settings click keeps in the command.
    subcommand.make_context(name, arguments, parent=click.Context(cli, info_name="pnas-tools", **cli.context_settings))


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

"""Every command says its result for people or for scripts, and is quiet when it is told to be."""

import json
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from pnas_tools._cli import cli
from pnas_tools._output import Output, output_options


@click.command()
@output_options
def greet(output: Output) -> None:
    output.meanwhile.print("working")
    output.show({"greeting": "hello"}, lambda: click.echo("Hello!"))


@pytest.mark.parametrize(
    ("options", "stdout", "stderr"),
    [
        ([], "Hello!\n", "working\n"),
        (["--quiet"], "Hello!\n", ""),
        (["--json"], '{"greeting": "hello"}\n', "working\n"),
        (["--json", "--quiet"], '{"greeting": "hello"}\n', ""),
    ],
)
def test_the_result_goes_to_stdout_and_the_rest_to_stderr(options: list[str], stdout: str, stderr: str) -> None:
    done = CliRunner().invoke(greet, options)
    assert (done.exit_code, done.stdout, done.stderr) == (0, stdout, stderr)


def commands(group: click.Group, *names: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            assert (command.epilog or "").startswith(f"Example: pnas-tools {name} ")
            yield from commands(command, *names, name)
        else:
            yield " ".join([*names, name]), command


COMMANDS = dict(commands(cli))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_both_and_an_example(name: str) -> None:
    command = COMMANDS[name]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--json", "--quiet"} <= options
    assert command.epilog is not None
    names = {name, name.removeprefix("models ")}  # `export` is among the models, too
    assert any(command.epilog.startswith(f"Example: pnas-tools {name} ") for name in names)


@pytest.mark.parametrize(
    "arguments",
    [
        ["space", "count", "--blocks", "2"],
        ["space", "sample", "--blocks", "2", "--size", "3"],
        ["space", "neighbors", "identity@-1+identity@-2"],
        ["space", "canonical", "identity@-1+identity@-2"],
        ["benchmark", "info", "micro-digits"],
    ],
    ids=" ".join,
)
def test_what_is_printed_for_scripts_is_one_json_value(arguments: list[str]) -> None:
    done = CliRunner().invoke(cli, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    json.loads(done.stdout)

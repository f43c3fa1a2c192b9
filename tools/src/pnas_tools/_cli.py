import os
import sys
from importlib import import_module

import click

import pnas_tools

_COMMANDS = {
    "benchmark": "pnas_tools._benchmark_command:benchmark_command",
    "compare": "pnas_tools._compare_command:compare_command",
    "models": "pnas_tools._models_command:models_command",
    "search": "pnas_tools._search_command:search_command",
    "space": "pnas_tools._space_command:space_command",
    "status": "pnas_tools._status_command:status_command",
    "surrogate": "pnas_tools._surrogate_command:surrogate_command",
}


class _LazyGroup(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(pnas_tools.__version__, prog_name="pnas-tools")
def cli() -> None:
    """Progressive neural architecture search: find a cell, and look at what the search did."""


def main() -> None:
    """Run the command line; errors are a sentence on stderr, and exit code 1 failed, 2 bad input, 130 interrupted."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.ClickException as error:
        click.echo(f"pnas-tools: {error.format_message()}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # who read the output has had enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (OSError, MemoryError) as error:
        click.echo(f"pnas-tools: {str(error) or 'out of memory'}", err=True)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        click.echo("pnas-tools: interrupted", err=True)
        sys.exit(130)

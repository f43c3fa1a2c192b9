import difflib
import os
import sys
from importlib import import_module

import click

import pnas_tools

# The module of every command, and its help in the list, for which the module need not be imported.
_COMMANDS = {
    "search": ("pnas_tools._search_command", "Search for a cell, from simple ones to complex ones."),
    "status": ("pnas_tools._status_command", "How far a search is, whether it is running or not."),
    "report": ("pnas_tools._report_command", "What a search did, as one page to look into."),
    "show": ("pnas_tools._show_command", "Draw a cell, and its network: the paper's figure 1."),
    "train": ("pnas_tools._train_command", "Train what a search found, or another network, to the end."),
    "evaluate": ("pnas_tools._evaluate_command", "Measure a network's accuracy on a data set."),
    "export": ("pnas_tools._export_command", "Write a network as an ONNX file, and check it."),
    "compare": ("pnas_tools._compare_command", "Strategies side by side: the paper's figure 4 and table 2."),
    "sync": ("pnas_tools._sync_command", "Send to MLflow what it lacks of a search."),
    "space": ("pnas_tools._space_command", "Count, sample and vary cells, exactly and up to isomorphism."),
    "surrogate": ("pnas_tools._surrogate_command", "Compare predictors of scores: the paper's table 1 and figure 3."),
    "benchmark": ("pnas_tools._benchmark_command", "Tables of trained cells, to search on in seconds."),
    "models": ("pnas_tools._models_command", "List, convert, export and use networks, such as PNASNet-5."),
}


class _LazyGroup(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), f"{cmd_name}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        close = difflib.get_close_matches(args[0], _COMMANDS, n=1)
        if close and args[0] not in _COMMANDS and not ctx.resilient_parsing:
            ctx.fail(f"there is no command {args[0]!r}: did you mean {close[0]!r}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_text) for name, (_, help_text) in _COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(pnas_tools.__version__, prog_name="pnas-tools")
def cli() -> None:
    """Progressive neural architecture search: find a cell, and look at what the search did.

    Every command takes --json for scripts and --quiet, and shows an example with --help. Exit codes: 0 done, 1 failed,
    2 bad input, 130 interrupted.
    """


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

"""What all commands have in common in what they print."""

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import click
from rich.console import Console
from rich.table import Table

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Output:
    """How a command says what it has to say: its result on stdout, and on stderr what happens meanwhile.

    Attributes:
        as_json: the result is one JSON value, for scripts.
        is_quiet: nothing is said meanwhile.
        results: where results go in place of stdout, as JSON can hold them, when a command is part of another one.
    """

    as_json: bool
    is_quiet: bool
    results: list[Any] | None = None

    @property
    def meanwhile(self) -> Console:
        """Where progress goes."""
        return Console(stderr=True, quiet=self.is_quiet)

    def show(self, result: Any, as_text: Callable[[], None]) -> None:
        """Print a result, given as JSON can hold it, and what prints it for people."""
        if not self.as_json:
            as_text()
        elif self.results is None:
            click.echo(json.dumps(result))
        else:
            self.results.append(result)


def listed(places: Mapping[str, str]) -> str:
    """Where things are, and commands to go on with, each on a line by its name."""
    return "\n".join(f"  {name:<12} {place}" for name, place in places.items())


def print_table(console: Console, table: Table) -> None:
    """Print a table as wide as it is: a line that a narrow terminal wraps still says more than one that is cut."""
    needed = console.measure(table, options=console.options.update(max_width=10_000)).maximum
    Console(file=console.file, width=max(console.width, needed)).print(table, highlight=False)


def output_options(command: F) -> F:
    """Give a command --json and --quiet, which it gets as one argument, `output`.

    A command that is part of another one has the other's, which is the object of its context.
    """

    @functools.wraps(command)
    def with_output(*arguments: Any, as_json: bool, is_quiet: bool, **values: Any) -> Any:
        of_other = click.get_current_context().find_object(Output)
        output = of_other or Output(as_json=as_json, is_quiet=is_quiet)
        return command(*arguments, output=output, **values)

    decorated: Any = with_output
    for flag, name, help_text in (
        ("--quiet", "is_quiet", "Say nothing but the result."),
        ("--json", "as_json", "Print the result as JSON, for scripts."),
    ):
        decorated = click.option(flag, name, is_flag=True, help=help_text)(decorated)
    return cast(F, decorated)

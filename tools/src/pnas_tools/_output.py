"""What all commands have in common in what they print."""

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import click
from rich.console import Console

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Output:
    """How a command says what it has to say: its result on stdout, and on stderr what happens meanwhile.

    Attributes:
        as_json: the result is one JSON value, for scripts.
        is_quiet: nothing is said meanwhile.
    """

    as_json: bool
    is_quiet: bool

    @property
    def meanwhile(self) -> Console:
        """Where progress goes."""
        return Console(stderr=True, quiet=self.is_quiet)

    def flags(self) -> dict[str, bool]:
        """The options that give another command the same."""
        return {"--json": self.as_json, "--quiet": self.is_quiet}

    def show(self, result: Any, as_text: Callable[[], None]) -> None:
        """Print a result, given as JSON can hold it, and what prints it for people."""
        if self.as_json:
            click.echo(json.dumps(result))
        else:
            as_text()


def listed(places: Mapping[str, str]) -> str:
    """Where things are, and commands to go on with, each on a line by its name."""
    return "\n".join(f"  {name:<12} {place}" for name, place in places.items())


def output_options(command: F) -> F:
    """Give a command --json and --quiet, which it gets as one argument, `output`."""

    @functools.wraps(command)
    def with_output(*arguments: Any, as_json: bool, is_quiet: bool, **values: Any) -> Any:
        return command(*arguments, output=Output(as_json=as_json, is_quiet=is_quiet), **values)

    decorated: Any = with_output
    for flag, name, help_text in (
        ("--quiet", "is_quiet", "Say nothing but the result."),
        ("--json", "as_json", "Print the result as JSON, for scripts."),
    ):
        decorated = click.option(flag, name, is_flag=True, help=help_text)(decorated)
    return cast(F, decorated)

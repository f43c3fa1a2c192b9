from collections.abc import Iterator
from contextlib import contextmanager

import click


class BadInput(click.ClickException):
    """What was asked for cannot be done; one sentence that says what was expected, what came, and the way out."""

    exit_code = 2


class Interrupted(click.ClickException):
    """Somebody pressed Ctrl-C."""

    exit_code = 130


class Failed(click.ClickException):
    """What was asked for was begun and did not work out; what was computed is kept."""

    exit_code = 1


@contextmanager
def resumable() -> Iterator[None]:
    """Whatever stops what runs in here, the same command goes on; errors say so."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise Interrupted("interrupted; the same command goes on where it stopped") from error
    except BrokenPipeError:
        raise
    except OSError as error:  # a full disk, say
        raise Failed(f"{error}; what was computed is kept") from error

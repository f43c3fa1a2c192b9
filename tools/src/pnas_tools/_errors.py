import click


class BadInput(click.ClickException):
    """What was asked for cannot be done; one sentence that says what was expected, what came, and the way out."""

    exit_code = 2


class Failed(click.ClickException):
    """What was asked for was begun and did not work out; what was computed is kept."""

    exit_code = 1

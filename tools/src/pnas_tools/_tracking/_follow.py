from collections.abc import Iterator

import click

from pnas_tools._run_folder import RunFolder
from pnas_tools._tracking._copy import Copy, opened_copy
from pnas_tools._tracking._end import End

_SECONDS_BETWEEN_COPIES = 2.0
_MAX_PAUSE = 60.0


def follow(run: RunFolder, uri: str, end: End) -> Iterator[str | None]:
    """Copy a search to MLflow until it ends; give every problem in words, and None when MLflow has everything.

    After a problem there is a pause, and what MLflow has is looked up anew; the end of the search ends the pause.
    """
    pause = 1.0
    while True:
        is_last = end.has_come()
        # Whatever MLflow or its database raises is the user's to know, and not the search's to die of.
        try:
            with opened_copy(run, uri) as copy:
                _follow(copy, end)
        except Exception as error:  # noqa: BLE001
            yield in_words(error)
        else:
            yield None
            return
        if is_last:
            return
        end.wait(pause)
        pause = min(2 * pause, _MAX_PAUSE)


def _follow(copy: Copy, end: End) -> None:
    copy.mark_running()
    while not end.wait(_SECONDS_BETWEEN_COPIES):
        copy.send_children()
    copy.send_children()
    copy.conclude(end.status)


def in_words(error: Exception) -> str:
    """What went wrong, in a line."""
    text = error.message if isinstance(error, click.ClickException) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:200]
